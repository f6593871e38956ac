#include "agent/terminal.h"

#include <fmt/format.h>

#include "probes/kit/ascii.h"

namespace holdshort {

namespace {

// U+0080 to U+009F as UTF-8: terminals take U+009B for "escape [".
bool is_c1(std::string_view text) {
  return text.size() > 1 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) >= 0x80 &&
         static_cast<unsigned char>(text[1]) <= 0x9F;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string clean;
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    if (c == '\n')
      clean += "\\n";
    else if (ascii::is_control(c) || is_c1(text))
      clean += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      clean += c;
  }
  return clean;
}

}  // namespace holdshort
