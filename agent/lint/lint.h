// Judges a fly.toml: what it says and Fly does not do. Errors are what does something else than it says, or
// leaves a Machine that is not ready in the routing; warnings are worth a look.
//
// fly.toml is flyctl's file: what it accepts as it is meant gets no finding here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/diagnostics.h"
#include "probes/kit/node.h"

namespace holdshort::lint {

// What a fly.toml has to agree with, of the holdshort.toml that goes with it.
struct Companion {
  std::optional<std::int64_t> gate_port;  // [gate].listen
  std::string health_path;                // [gate].health_path
  std::int64_t agent_port = 0;            // [agent].listen
  std::optional<std::int64_t> app_port;   // [app].url, where that is a loopback address
  std::vector<std::string> guarded;       // paths of its authentication probes
};

// Of a holdshort.toml, without a look at secrets; its own faults are `validate`'s matter. nullopt: no TOML.
std::optional<Companion> read_companion(std::string_view text);

// Findings about the text of a fly.toml; a syntax error is the only one then. No value of [env] is quoted.
Diagnostics judge(std::string_view text, const std::optional<Companion>& companion);

}  // namespace holdshort::lint
