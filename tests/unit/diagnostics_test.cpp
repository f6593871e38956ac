#include "probes/kit/diagnostics.h"

#include <gtest/gtest.h>

namespace holdshort {
namespace {

const std::vector<std::string_view> kKnown = {"interval",         "timeout", "grace_period",
                                              "startup_interval", "as",      "url"};

TEST(Suggestion, NamesTheKeyThatWasMeant) {
  EXPECT_EQ(suggestion("intervall", kKnown), "; did you mean \"interval\"?");
  EXPECT_EQ(suggestion("timeuot", kKnown), "; did you mean \"timeout\"?");
  EXPECT_EQ(suggestion("Timeout", kKnown), "; did you mean \"timeout\"?");
  EXPECT_EQ(suggestion("grace-period", kKnown), "; did you mean \"grace_period\"?");
  EXPECT_EQ(suggestion("uri", kKnown), "; did you mean \"url\"?");
}

TEST(Suggestion, IsEmptyWhereNothingIsClose) {
  EXPECT_EQ(suggestion("password", kKnown), "");
  EXPECT_EQ(suggestion("", kKnown), "");
  EXPECT_EQ(suggestion(std::string(1'000'000, 'a'), kKnown), "");
  EXPECT_EQ(suggestion("x", {}), "");
}

TEST(Diagnostics, AreInTheFilesOrderAndEachOnce) {
  Diagnostics diagnostics;
  diagnostics.error({7, 1}, "third");
  diagnostics.warning({2, 9}, "second");
  diagnostics.error({2, 3}, "first");
  diagnostics.error({7, 1}, "fourth");
  diagnostics.error({7, 1}, "third");
  std::vector<std::string> messages;
  for (const Diagnostic& diagnostic : diagnostics.sorted()) messages.push_back(diagnostic.message);
  EXPECT_EQ(messages, (std::vector<std::string>{"first", "second", "third", "fourth"}));
}

TEST(Diagnostics, AWarningIsNoError) {
  Diagnostics diagnostics;
  diagnostics.warning({1, 1}, "odd");
  EXPECT_FALSE(diagnostics.has_errors());
  diagnostics.error({1, 1}, "wrong");
  EXPECT_TRUE(diagnostics.has_errors());
}

TEST(InQuotes, KeepsANameShortAndOnOneLine) {
  EXPECT_EQ(in_quotes("a\nb\x1b[31m"), "\"a?b?[31m\"");
  EXPECT_EQ(in_quotes(std::string(64, 'a')), "\"" + std::string(64, 'a') + "\"");
  EXPECT_EQ(in_quotes(std::string(65, 'a')), "\"" + std::string(64, 'a') + "...\"");
  EXPECT_EQ(in_quotes(std::string(63, 'a') + "\xc3\xa9"),
            "\"" + std::string(63, 'a') + "...\"");  // not half a character
}

TEST(OneOf, ReadsAsAList) {
  EXPECT_EQ(one_of({"a"}), "\"a\"");
  EXPECT_EQ(one_of({"a", "b"}), "\"a\" or \"b\"");
  EXPECT_EQ(one_of({"a", "b", "c"}), "\"a\", \"b\" or \"c\"");
}

}  // namespace
}  // namespace holdshort
