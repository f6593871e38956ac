// The defaults in our own tables of fields, written as TOML: strings, numbers, booleans and lists of them.
// The parser of the user's file is not here because it costs seconds of compile time, and probes may not
// include the agent.
#pragma once

#include <string_view>

#include "probes/kit/node.h"

namespace holdshort {

// Throws std::logic_error: a default that does not parse is a bug.
Node parse_toml_literal(std::string_view text);

}  // namespace holdshort
