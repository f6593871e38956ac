#include "probes/kit/pattern.h"

#include <gtest/gtest.h>

namespace holdshort {
namespace {

TEST(Pattern, IsFoundAnywhere) {
  const Pattern pattern = *Pattern::compile("b+c");
  EXPECT_TRUE(pattern.found_in("aabbc"));
  EXPECT_FALSE(pattern.found_in("aab"));
  EXPECT_EQ(pattern.source(), "b+c");
}

TEST(Pattern, MatchGivesTheWholeAndItsGroups) {
  const Pattern pattern = *Pattern::compile("(a+)(x)?(b)");
  EXPECT_EQ(pattern.match("zaab"), (std::vector<std::string>{"aab", "aa", "", "b"}));
  EXPECT_TRUE(pattern.match("zzz").empty());
}

TEST(Pattern, AnErrorDoesNotQuoteThePattern) {
  const Result<Pattern> pattern = Pattern::compile("hunter2(");
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.error().message, "missing )");
}

TEST(Pattern, InvalidUtf8IsMatchedByteForByte) {
  const Pattern dot = *Pattern::compile("^a.b$");
  EXPECT_TRUE(dot.found_in("a\xffz"
                           "b") == false);
  EXPECT_TRUE(
      dot.found_in("a\xff"
                   "b"));
  EXPECT_TRUE(
      dot.found_in("a\xc3\xa9"
                   "b"));  // one character of two bytes
  EXPECT_TRUE(Pattern::compile("secret")->found_in("\xed\xa0\x80 secret \xf8"));
  EXPECT_FALSE(Pattern::compile("secret")->found_in("\xff\xfe"));
}

TEST(Pattern, NestedRepetitionIsFast) {
  const Pattern pattern = *Pattern::compile("(a+)+$");
  EXPECT_FALSE(pattern.found_in(std::string(60'000, 'a') + "!"));
}

TEST(Pattern, OneThatNeedsMoreMemoryThanItsBoundIsRefused) {
  EXPECT_TRUE(Pattern::compile("a{100}"));
  EXPECT_FALSE(Pattern::compile("((a{100}){10}){10}b{1000}"));
}

}  // namespace
}  // namespace holdshort
