// Standard output is shared by the app and the log: no line of one falls into a line of the other, and the
// app's bytes stay as they are.
#include "agent/supervisor/interleaver.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace holdshort {
namespace {

// What happens, in order: bytes of the app, lines of the log, the app's end.
struct Event {
  enum class Kind { app, log, end } kind;
  std::string text;
};
Event app(std::string bytes) { return {Event::Kind::app, std::move(bytes)}; }
Event log(std::string line) { return {Event::Kind::log, std::move(line)}; }
Event end() { return {Event::Kind::end, {}}; }

std::string play(const std::vector<Event>& events, std::size_t held = Interleaver::kMaxHeld) {
  Interleaver interleaver(held);
  std::string out;
  for (const Event& event : events) {
    if (event.kind == Event::Kind::app) interleaver.app(event.text, out);
    if (event.kind == Event::Kind::log) interleaver.log(event.text, out);
    if (event.kind == Event::Kind::end) interleaver.end_of_app(out);
  }
  return out;
}

struct Row {
  const char* name;
  std::vector<Event> events;
  std::string_view written;
  std::size_t held = 8;
};
class OutputLines : public testing::TestWithParam<Row> {};

const Row kRows[] = {
    {"WholeLinesGoOutAtOnce", {app("a\nb\n")}, "a\nb\n"},
    {"ALineOfTheLogGoesBetweenLinesOfTheApp", {app("a\n"), log("L\n"), app("b\n")}, "a\nL\nb\n"},
    {"ALineOfTheLogDoesNotFallIntoAnUnfinishedLine", {app("a"), log("L\n"), app("b\n")}, "L\nab\n"},
    {"AnUnfinishedLineIsHeldUntilItEnds", {app("x\na")}, "x\n"},
    {"ItsPartsComeTogether", {app("a"), app("b"), app("c\n")}, "abc\n"},
    {"AnUnfinishedLineGoesOutWhenTheAppEnds", {app("a"), end()}, "a"},
    {"NoByteIsAddedWhereNoLogFollows", {app("x\na"), end()}, "x\na"},
    {"TheLogAfterAnUnfinishedLastLineBeginsALineOfItsOwn", {app("a"), end(), log("L\n")}, "a\nL\n"},
    {"TheLogAfterAFinishedLastLineAddsNothing", {app("a\n"), end(), log("L\n")}, "a\nL\n"},
    {"ALineLongerThanWhatIsHeldGoesOutInPieces", {app("12345678"), app("9")}, "123456789"},
    {"TheLogWaitsForTheEndOfSuchALine", {app("123456789"), log("L\n"), app("0")}, "1234567890"},
    {"AndComesRightAfterIt", {app("123456789"), log("L\n"), app("0\nb\n")}, "1234567890\nb\nL\n"},
    {"OrAfterTheEndOfTheApp", {app("123456789"), log("L\n"), end()}, "123456789\nL\n"},
    {"LinesOfTheLogKeepTheirOrder",
     {app("123456789"), log("1\n"), log("2\n"), app("\n"), log("3\n")},
     "123456789\n1\n2\n3\n"},
    {"OnATerminalAPromptGoesOutAtOnce", {app("name? ")}, "name? ", 0},
    {"OnATerminalTheLogWaitsForTheLine", {app("name? "), log("L\n"), app("x\n")}, "name? x\nL\n", 0},
    {"WhatADescendantWritesAfterTheAppsEndStaysInItsLine",
     {app("a"), end(), app("b\n"), log("L\n")},
     "ab\nL\n"},
    {"NulAndCarriageReturnAreBytesLikeOthers",
     {app(std::string("\0\r", 2)), log("L\n"), app("\n")},
     std::string_view("L\n\0\r\n", 5)},
};
TEST_P(OutputLines, Hold) { EXPECT_EQ(play(GetParam().events, GetParam().held), GetParam().written); }
INSTANTIATE_TEST_SUITE_P(Table, OutputLines, testing::ValuesIn(kRows),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(Interleaver, ALineOf64KiBIsHeldWhole) {
  const std::string line(Interleaver::kMaxHeld, 'x');
  EXPECT_EQ(play({app(line), log("L\n")}), "L\n");
  EXPECT_EQ(play({app(line + "x"), log("L\n")}), line + "x");
}

TEST(Interleaver, LogBehindAnEndlessLineIsBounded) {
  const std::string line(1023, 'L');
  std::vector<Event> events{app("123456789")};
  for (std::size_t i = 0; i < 2 * Interleaver::kMaxWaiting / 1024; ++i) events.push_back(log(line + "\n"));
  events.push_back(log("last\n"));
  events.push_back(app("\n"));
  const std::string out = play(events, 8);
  EXPECT_LE(out.size(), Interleaver::kMaxWaiting + 10);
  EXPECT_TRUE(out.ends_with("\nlast\n"));
}

}  // namespace
}  // namespace holdshort
