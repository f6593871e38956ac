// The one door to toml++.
#pragma once

#include <string_view>

#include "probes/kit/diagnostics.h"
#include "probes/kit/node.h"

namespace holdshort {

// The document as a Node whose value is a table. A syntax error or a repeated key is added to `diagnostics`
// (the parser stops at the first) and leaves an empty table. Messages quote no source line: it may hold a
// secret.
Node parse_toml(std::string_view text, Diagnostics& diagnostics);

}  // namespace holdshort
