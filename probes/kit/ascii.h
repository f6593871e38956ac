// Classes of ASCII characters, whatever the locale.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace holdshort::ascii {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
inline std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}
// -1: none.
constexpr int hex_digit(char c) {
  const char low = to_lower(c);
  return is_digit(c) ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
constexpr bool is_visible(char c) { return c > ' ' && c < 0x7f; }
constexpr bool is_token_character(char c) {  // RFC 9110 5.6.2
  return is_digit(c) || is_letter(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// Without what stands before and behind: RFC 9110's optional white space, or kSpace.
inline constexpr std::string_view kSpace = " \t\r\n\f\v";
constexpr std::string_view trim(std::string_view text, std::string_view blanks = " \t") {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

constexpr bool is_made_of(std::string_view text, bool (*allowed)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}
constexpr bool is_token(std::string_view text) { return is_made_of(text, is_token_character); }
constexpr bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}
// All but the unreserved characters of RFC 3986 2.3.
inline std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool is_unreserved =
        is_digit(c) || is_letter(c) || std::string_view("-._~").find(c) != std::string_view::npos;
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    encoded += is_unreserved ? std::string(1, c) : std::string{'%', kDigits[byte >> 4], kDigits[byte & 0xf]};
  }
  return encoded;
}
// As POSIX shells take it (XBD 3.230).
constexpr bool is_variable_name(std::string_view text) {
  return is_made_of(text, [](char c) { return is_digit(c) || is_letter(c) || c == '_'; }) &&
         !is_digit(text.front());
}

}  // namespace holdshort::ascii
