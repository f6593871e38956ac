#include "agent/cli/narrator.h"

#include <fmt/format.h>

namespace holdshort {

namespace {

constexpr std::size_t kGutter = 18;       // "  2.1s  holdshort "
constexpr std::size_t kDetailLabel = 10;  // "expected  "

std::string_view name_of(Voice voice) {
  switch (voice) {
    case Voice::app:
      return "app";
    case Voice::holdshort:
      return "holdshort";
    case Voice::fly:
      return "fly";
    case Voice::visitor:
      return "visitor";
  }
  return "";
}

// SGR parameters (ECMA-48 8.3.117); of the sixteen colours that every theme makes readable.
std::string_view code_of(Voice voice) {
  switch (voice) {
    case Voice::app:
      return "36";
    case Voice::holdshort:
      return "1;34";
    case Voice::fly:
      return "35";
    case Voice::visitor:
      return "33";
  }
  return "";
}

std::string_view code_of(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::strong:
      return "1";
    case Style::faint:
      return "2";
    case Style::good:
      return "1;32";
    case Style::bad:
      return "1;31";
    case Style::unsure:
      return "33";
  }
  return "";
}

std::string painted(std::string_view text, std::string_view code, Colour colour) {
  if (colour == Colour::no || code.empty()) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", code, text);
}

// Appends words to `text`, which stands at column `indent`, and goes on there in new lines.
class Wrapper {
 public:
  Wrapper(std::string text, std::size_t indent, Colour colour)
      : text_(std::move(text)), indent_(indent), column_(indent), colour_(colour) {}

  void add(const Span& span) {
    std::string_view rest = span.text;
    while (!rest.empty()) {
      const std::size_t end = rest.find(' ');
      if (end != 0) add_word(rest.substr(0, end), span.style);
      if (end == std::string_view::npos) return;
      rest.remove_prefix(end + 1);
    }
  }

  std::string done() { return std::move(text_) + "\n"; }

 private:
  void add_word(std::string_view word, Style style) {
    const bool first = column_ == indent_;
    if (!first && column_ + 1 + word.size() > kNarrationWidth) {
      text_ += "\n" + std::string(indent_, ' ');
      column_ = indent_;
    } else if (!first) {
      text_ += ' ';
      ++column_;
    }
    text_ += painted(word, code_of(style), colour_);
    column_ += word.size();
  }

  std::string text_;
  const std::size_t indent_;
  std::size_t column_;
  const Colour colour_;
};

std::string wrapped(std::string start, std::size_t indent, const std::vector<Span>& spans, Colour colour) {
  Wrapper wrapper(std::move(start), indent, colour);
  for (const Span& span : spans) wrapper.add(span);
  return wrapper.done();
}

}  // namespace

std::string narrate(std::chrono::milliseconds elapsed, Voice voice, const std::vector<Span>& spans,
                    Colour colour) {
  const std::string clock = fmt::format("{:5.1f}s", static_cast<double>(elapsed.count()) / 1000);
  const std::string who = fmt::format("{:<9}", name_of(voice));
  return wrapped(
      painted(clock, code_of(Style::faint), colour) + "  " + painted(who, code_of(voice), colour) + " ",
      kGutter, spans, colour);
}

std::string narrate_detail(std::string_view label, const std::vector<Span>& spans, Colour colour) {
  const std::string start = std::string(kGutter, ' ') + fmt::format("{:<{}}", label, kDetailLabel);
  return wrapped(painted(start, code_of(Style::faint), colour), kGutter + kDetailLabel, spans, colour);
}

std::string styled(std::string_view text, Style style, Colour colour) {
  return painted(text, code_of(style), colour);
}

}  // namespace holdshort
