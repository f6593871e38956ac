// The JSON Schema of the configuration, for editors: made from the rows that the parser reads.
#pragma once

#include <string>

namespace holdshort {

// Draft 2020-12, and within it the words that older readers know too (no unevaluatedProperties, no sibling of
// $ref), so that taplo understands it. It refuses nothing that the parser takes; what only the parser can
// judge (timeout below interval, names of identities, what a variable holds) it leaves to `validate`.
std::string config_schema();

}  // namespace holdshort
