#include "probes/kit/text.h"

#include <string>

#include <gtest/gtest.h>

namespace holdshort {
namespace {

struct Row {
  const char* name;
  std::string text, shown;
};
class Shown : public testing::TestWithParam<Row> {};
const Row kRows[] = {
    {"PlainTextIsKept", "all fine", "all fine"},
    {"LettersBeyondAsciiAreKept", "gr\u00fcn \u2713", "gr\u00fcn \u2713"},
    {"ControlCharactersBecomeBlanks", std::string("a\tb\nc\0d\x7f", 8), "a b c d "},
    {"EscapeSequencesGo", "\x1b[1;31mred\x1b[0m", "red"},
    {"AnEscapeSequenceThatDoesNotEndGoes", "red\x1b[31", "red"},
    {"ALoneEscapeIsAControlCharacter", "\x1b]0;title", " ]0;title"},
    {"WhatIsNoUtf8IsAQuestionMark", "a\xff\xc3(b",
     "a?"
     "?(b"},
    {"ALongLineIsCut", "0123456789abc", "0123456789..."},
    {"NoCharacterIsCutInTwo", "012345678\u00fc", "012345678..."},
};
TEST_P(Shown, IsOneCleanLine) { EXPECT_EQ(shown(GetParam().text, 10), GetParam().shown); }
INSTANTIATE_TEST_SUITE_P(Table, Shown, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace holdshort
