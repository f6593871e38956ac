#include "agent/surface/markup.h"

#include <cstddef>
#include <cstdint>

namespace holdshort {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::uint32_t kInvalid = 0xFFFFFFFF;

struct Character {
  std::uint32_t code = kInvalid;
  std::size_t bytes = 1;  // 1 where it is invalid: the next byte may begin a good one
};

// RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF.
Character decode(std::string_view text) {
  const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  std::uint32_t code = lead & (0xFFu >> (length + 1));
  for (std::size_t n = 1; n < length; ++n) {
    if ((byte(n) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(n) & 0x3Fu);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[length] || code > 0x10FFFF || surrogate) return {};
  return {code, length};
}

bool is_control(std::uint32_t code) {
  return (code < 0x20 && code != '\t' && code != '\n' && code != '\r') || (code >= 0x7F && code <= 0x9F) ||
         code == 0xFFFE || code == 0xFFFF;
}

// The embeddings, overrides and isolates of UAX 9: they make evidence read as something else
// (CVE-2021-42574).
bool is_bidirectional(std::uint32_t code) {
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

std::string_view reference(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    case '\n':
      return "&#10;";  // as itself an attribute would lose it
    case '\r':
      return "&#13;";
    case '\t':
      return "&#9;";
    default:
      return "";
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = decode(text);
    const std::string_view entity = reference(text.front());
    if (character.code == kInvalid || is_control(character.code) || is_bidirectional(character.code))
      out += kReplacement;
    else
      out += entity.empty() ? text.substr(0, character.bytes) : entity;
    text.remove_prefix(character.bytes);
  }
  return out;
}

}  // namespace holdshort
