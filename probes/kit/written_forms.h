// The ways in which a secret is written where it does not belong.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace holdshort {

// A shorter value may stand anywhere by chance.
inline constexpr std::size_t kMinSearchedBytes = 8;

// `value` as it is, in base64 (also as a part of what was encoded), in hex, percent-encoded, escaped as JSON;
// of a PEM key its body, whatever the line breaks around it. Empty where it is too short.
std::vector<std::string> written_forms(std::string_view value);

}  // namespace holdshort
