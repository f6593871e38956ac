#include "probes/kit/text.h"

#include <fmt/format.h>

#include "probes/kit/ascii.h"

namespace holdshort {
namespace {

// "\x1b[31m" at the start of `text`; 0: none. ECMA-48 5.4.
std::size_t escape_sequence(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  std::size_t end = 2;
  while (end < text.size() && text[end] >= 0x20 && text[end] < 0x40) ++end;
  return end < text.size() ? end + 1 : end;
}

}  // namespace

std::size_t utf8_sequence(std::string_view bytes) {
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if ((lead & 0xF0u) == 0xE0) {
    const bool fits = !(lead == 0xE0 && byte(1) < 0xA0) && !(lead == 0xED && byte(1) > 0x9F);
    return fits && continues(1) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool fits = !(lead == 0xF0 && byte(1) < 0x90) && !(lead == 0xF4 && byte(1) > 0x8F);
    return fits && continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_triplet = text[i] == '%' && i + 2 < text.size() && ascii::hex_digit(text[i + 1]) >= 0 &&
                            ascii::hex_digit(text[i + 2]) >= 0;
    decoded += is_triplet
                   ? static_cast<char>(ascii::hex_digit(text[i + 1]) * 16 + ascii::hex_digit(text[i + 2]))
                   : text[i];
    if (is_triplet) i += 2;
  }
  return decoded;
}

std::string shown(std::string_view text, std::size_t max_bytes) {
  std::string line;
  while (!text.empty()) {
    const std::size_t escape = escape_sequence(text);
    const std::size_t length = escape > 0 ? escape : utf8_sequence(text);
    std::string_view piece = text.substr(0, length > 0 ? length : 1);
    text.remove_prefix(piece.size());
    if (escape > 0) continue;
    if (length == 0) piece = "?";
    if (length == 1 && ascii::is_control(piece.front())) piece = " ";
    if (line.size() + piece.size() > max_bytes) return line + "...";
    line += piece;
  }
  return line;
}

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace holdshort
