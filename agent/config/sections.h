// The tables of the configuration that are the agent's own, as rows: parsing, `explain` and the docs read
// them.
#pragma once

#include <span>

#include "probes/kit/fields.h"

namespace holdshort {

// A table of the file that has keys of its own.
struct Section {
  std::string_view name;
  std::span<const Field> fields;
  std::span<const Alternatives> alternatives = {};
};

// All of them, in the order in which the docs list them. Beside them there are only [identities.NAME] and
// [probes.NAME].
std::span<const Section> sections();

std::span<const Field> app_fields();        // [app]
std::span<const Field> agent_fields();      // [agent]
std::span<const Field> gate_fields();       // [gate]
std::span<const Field> readiness_fields();  // [readiness]
std::span<const Field> identity_fields();   // [identities.NAME]: the kinds, of which a table has exactly one
std::span<const Alternatives> identity_alternatives();
std::span<const Field> defaults_fields();  // [defaults]: common_fields(), none of them required

}  // namespace holdshort
