// One value of the configuration file, read as one kind of field: for FieldReader. And what a field takes, in
// words.
#pragma once

#include <optional>
#include <string>

#include "probes/kit/fields.h"

namespace holdshort {

struct ValueContext {
  const Environment& environment;
  MissingSecret missing;
  Diagnostics& diagnostics;
};

// Any kind but the tables. nullopt: what is wrong was reported.
std::optional<Values::Value> read_value(const Field& field, const Node& node, const ValueContext& context);
// What the field wants, for messages: "an integer from 1 to 100".
std::string expected_of(const Field& field);
// The same with the range of a duration, which messages leave to the value at fault: for the docs.
std::string takes(const Field& field);

// A secret's file is small; what is longer is the wrong file.
inline constexpr std::size_t kMaxSecretBytes = 64 * 1024;

}  // namespace holdshort
