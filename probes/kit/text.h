// Text that others wrote, before it stands in a report, and what sentences are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdshort {

// Length of the UTF-8 sequence at the start of `bytes`, 0 where there is none (RFC 3629: no surrogates,
// nothing overlong, nothing beyond U+10FFFF).
std::size_t utf8_sequence(std::string_view bytes);
bool is_utf8(std::string_view text);

// "%41" -> "A" (RFC 3986 2.1); what is no such triplet is kept.
std::string percent_decode(std::string_view text);

// One line without control characters and escape sequences of terminals; what is no UTF-8 becomes "?", what
// is beyond `max_bytes` "...".
std::string shown(std::string_view text, std::size_t max_bytes);

// "1 run", "2 runs".
std::string counted(std::uint64_t count, std::string_view what);

}  // namespace holdshort
