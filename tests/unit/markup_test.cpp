// Text of a hostile app in XML and HTML.
#include "agent/surface/markup.h"

#include <gtest/gtest.h>

namespace holdshort {
namespace {

const std::string kBad = "\xEF\xBF\xBD";

TEST(Markup, WhatIsMarkupBecomesText) {
  EXPECT_EQ(escaped("<script>alert('x')</script> & \"y\""),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;");
  EXPECT_EQ(escaped("a\nb\rc\td"), "a&#10;b&#13;c&#9;d");
}

TEST(Markup, GoodTextStaysAsItIs) {
  const std::string text = "Zürich \xE2\x82\xAC \xF0\x9F\x9B\x91 ready";
  EXPECT_EQ(escaped(text), text);
}

TEST(Markup, EveryByteThatIsNoUtf8IsReplaced) {
  EXPECT_EQ(escaped("\xFF"), kBad);
  EXPECT_EQ(escaped("\xC3"), kBad);                                   // cut
  EXPECT_EQ(escaped("\xC3("), kBad + "(");                            // no continuation
  EXPECT_EQ(escaped("\xC0\xBC"), kBad + kBad);                        // overlong '<'
  EXPECT_EQ(escaped("\xE0\x80\xBC"), kBad + kBad + kBad);             // the same in three
  EXPECT_EQ(escaped("\xED\xA0\x80"), kBad + kBad + kBad);             // a surrogate
  EXPECT_EQ(escaped("\xF4\x90\x80\x80"), kBad + kBad + kBad + kBad);  // above U+10FFFF
}

TEST(Markup, WhatXmlHasNoCharacterForIsReplaced) {
  for (int c = 0; c < 0x20; ++c) {
    if (c == '\t' || c == '\n' || c == '\r') continue;
    EXPECT_EQ(escaped(std::string(1, static_cast<char>(c))), kBad) << c;
  }
  EXPECT_EQ(escaped("\x7F"), kBad);
  EXPECT_EQ(escaped("\xC2\x9B"), kBad);      // C1: a terminal's CSI
  EXPECT_EQ(escaped("\xEF\xBF\xBE"), kBad);  // U+FFFE
  EXPECT_EQ(escaped("\xEF\xBF\xBF"), kBad);  // U+FFFF
}

TEST(Markup, NothingTurnsTheLineAround) {
  EXPECT_EQ(escaped("a\xE2\x80\xAE"
                    "b"),
            "a" + kBad + "b");  // U+202E
  EXPECT_EQ(escaped("a\xE2\x81\xA6"
                    "b"),
            "a" + kBad + "b");  // U+2066
}

}  // namespace
}  // namespace holdshort
