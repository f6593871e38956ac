// How `holdshort demo` looks: the time, who speaks, and a text wrapped beside them; in colour where it is
// shown.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/surface/report.h"

namespace holdshort {

inline constexpr std::size_t kNarrationWidth = 80;  // columns; a longer word stands out alone

enum class Voice { app, holdshort, fly, visitor };
enum class Style { plain, strong, faint, good, bad, unsure };

// A part of a text. Its words may be wrapped apart; between two spans there is a space.
struct Span {
  std::string text;
  Style style = Style::plain;
};

// "  2.1s  holdshort  admin_locked failing: ...", wrapped, with a line break at the end. ASCII in, ASCII out.
std::string narrate(std::chrono::milliseconds elapsed, Voice voice, const std::vector<Span>& spans,
                    Colour colour);
// The same column, without time and voice: "label     text".
std::string narrate_detail(std::string_view label, const std::vector<Span>& spans, Colour colour);
// A text in one style, as it is.
std::string styled(std::string_view text, Style style, Colour colour);

}  // namespace holdshort
