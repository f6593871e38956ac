// The demo's lines fit 80 columns, and carry colour only where asked to.
#include "agent/cli/narrator.h"

#include <algorithm>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdshort {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

TEST(Narrator, TimeAndVoiceStandBeforeTheText) {
  EXPECT_EQ(narrate(2140ms, Voice::fly, {{"GET /readyz -> 503"}, {"not ready: alive"}}, Colour::no),
            "  2.1s  fly       GET /readyz -> 503 not ready: alive\n");
  EXPECT_EQ(narrate(12000ms, Voice::holdshort, {{"ready"}}, Colour::no), " 12.0s  holdshort ready\n");
}

TEST(Narrator, ALongTextGoesOnBelowItself) {
  EXPECT_EQ(
      narrate(
          0ms, Voice::holdshort,
          {{"admin_locked"}, {"failing:"}, {"GET /ADMIN answered 200 without credentials: it was let in"}},
          Colour::no),
      "  0.0s  holdshort admin_locked failing: GET /ADMIN answered 200 without\n"
      "                  credentials: it was let in\n");
}

TEST(Narrator, ALineIsFilledToItsLastColumnAndNotBeyond) {
  const std::string fits(kNarrationWidth - 18, 'x');
  EXPECT_EQ(narrate(0ms, Voice::app, {{fits}}, Colour::no), "  0.0s  app       " + fits + "\n");
  const std::string two_words = "a " + fits.substr(2);
  EXPECT_EQ(narrate(0ms, Voice::app, {{two_words}}, Colour::no), "  0.0s  app       " + two_words + "\n");
  EXPECT_EQ(narrate(0ms, Voice::app, {{"a"}, {fits.substr(1)}}, Colour::no),
            "  0.0s  app       a\n                  " + fits.substr(1) + "\n");
}

TEST(Narrator, AWordThatFitsNowhereStandsAlone) {
  const std::string word(100, 'x');
  EXPECT_EQ(narrate(0ms, Voice::app, {{"a " + word + " b"}}, Colour::no),
            "  0.0s  app       a\n                  " + word + "\n                  b\n");
}

TEST(Narrator, AnEmptySpanLeavesNoSpace) {
  EXPECT_EQ(narrate(0ms, Voice::fly, {{"GET /readyz -> 200"}, {""}}, Colour::no),
            "  0.0s  fly       GET /readyz -> 200\n");
}

TEST(Narrator, ADetailStandsBelowTheText) {
  EXPECT_EQ(narrate_detail("expected", {{"401 or 403"}}, Colour::no),
            "                  expected  401 or 403\n");
}

TEST(Narrator, WithoutColourThereIsNoEscape) {
  const std::vector<Span> spans{
      {"a", Style::good}, {"b", Style::bad}, {"c", Style::unsure}, {"d", Style::strong}};
  EXPECT_THAT(narrate(0ms, Voice::holdshort, spans, Colour::no), Not(HasSubstr("\033")));
  EXPECT_THAT(narrate_detail("sent", spans, Colour::no), Not(HasSubstr("\033")));
  EXPECT_EQ(styled("x", Style::bad, Colour::no), "x");
}

TEST(Narrator, ColourIsResetAfterEveryWordAndTakesNoColumn) {
  EXPECT_EQ(styled("x", Style::bad, Colour::yes), "\033[1;31mx\033[0m");
  EXPECT_EQ(styled("x", Style::plain, Colour::yes), "x");
  std::string text = narrate(0ms, Voice::fly,
                             {{std::string(30, 'x') + " " + std::string(31, 'y'), Style::good}}, Colour::yes);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, HasSubstr("\033[1;32m" + std::string(30, 'x') + "\033[0m \033[1;32m"));
}

}  // namespace
}  // namespace holdshort
