// [probes.NAME] and [defaults].
#pragma once

#include <vector>

#include "agent/config/config.h"
#include "agent/config/identities.h"

namespace holdshort {

// What the tables of probes refer to.
struct ProbeSurroundings {
  const App& app;
  const DeclaredIdentities& identities;
  const Environment& environment;
  MissingSecret missing = MissingSecret::is_error;
};

// Enabled probes in the file's order. Either node may be null.
std::vector<ProbeConfig> read_probes(const Node* probes, const Node* defaults,
                                     const ProbeSurroundings& surroundings, Diagnostics& diagnostics);

}  // namespace holdshort
