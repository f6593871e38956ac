// The last exit: what a line looks like, and what never stands in one.
#include "agent/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace holdshort {
namespace {

using testing::HasSubstr;
using testing::Not;

const Wall kNow{std::chrono::milliseconds(1795428184123)};  // 2026-11-23T10:03:04.123Z
const std::string kSecret = "ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5";

struct Page {
  explicit Page(LogFormat format, LogLevel level = LogLevel::debug, Log::Paint paint = Log::Paint::plain)
      : log(
            level, format, [this](std::string_view line) { lines.emplace_back(line); }, [] { return kNow; },
            paint) {}
  std::string line() const { return lines.at(0); }
  nlohmann::json json() const { return nlohmann::json::parse(lines.at(0)); }
  std::vector<std::string> lines;
  Log log;
};

TEST(Log, AJsonLineHasTimeLevelEventMessageAndThenItsAttributesInOrder) {
  Page page(LogFormat::json);
  page.log.write(
      LogLevel::warn, "readiness.changed", "not ready: a",
      {{"ready", false}, {"holding", std::vector<std::string>{"a"}}, {"seconds", std::int64_t{7}}});
  EXPECT_EQ(page.line(), R"({"time":"2026-11-23T10:03:04.123Z","level":"warn","event":"readiness.changed",)"
                         R"("message":"not ready: a","ready":false,"holding":["a"],"seconds":7})"
                         "\n");
}

TEST(Log, ATextLineHasItsMessageTheRunAndTheRunbook) {
  Page page(LogFormat::text);
  page.log.write(LogLevel::error, "probe.changed", "a: passing -> failing: GET /admin answered 200",
                 {{"probe", std::string("a")},
                  {"run_id", std::string("3fa9")},
                  {"runbook", std::string("https://r/a")}});
  EXPECT_EQ(page.line(),
            "10:03:04.123 ERROR  probe.changed  a: passing -> "
            "failing: GET /admin answered 200 (run 3fa9); see "
            "https://r/a\n");
}

TEST(Log, OnlyTheLevelIsColoured) {
  Page page(LogFormat::text, LogLevel::debug, Log::Paint::coloured);
  page.log.write(LogLevel::info, "agent.started", "hello");
  EXPECT_THAT(page.line(), HasSubstr("\033[32mINFO \033[0m  agent.started  hello"));
}

TEST(Log, WhatIsBelowTheLevelIsNotWritten) {
  Page page(LogFormat::json, LogLevel::info);
  page.log.write(LogLevel::debug, "probe.result", "a");
  EXPECT_TRUE(page.lines.empty());
  page.log.set_level(LogLevel::debug);
  page.log.write(LogLevel::debug, "probe.result", "a");
  EXPECT_EQ(page.lines.size(), 1u);
}

TEST(Log, NoSecretStandsInAnyPartOfALine) {
  for (const LogFormat format : {LogFormat::json, LogFormat::text}) {
    Page page(format);
    page.log.set_secrets({Secret(kSecret)});
    page.log.write(
        LogLevel::info, "probe.result", "saw " + kSecret + " twice: " + kSecret,
        {{"summary", kSecret}, {"run_id", kSecret}, {"holding", std::vector<std::string>{kSecret}}});
    EXPECT_THAT(page.line(), Not(HasSubstr(kSecret)));
    EXPECT_THAT(page.line(), HasSubstr("saw *** twice: ***"));
  }
}

TEST(Log, ASecretIsFoundInItsJsonFormToo) {
  const std::string secret = "quote\"back\\slash";
  Page page(LogFormat::text);
  page.log.set_secrets({Secret(secret)});
  page.log.write(LogLevel::info, "probe.result",
                 R"(the body was {"key":"quote\"back\\slash"} and )" + secret);
  EXPECT_THAT(page.line(), HasSubstr(R"({"key":"***"} and ***)"));
}

TEST(Log, OfTwoSecretsOneOfWhichBeginsTheOtherNothingRemains) {
  Page page(LogFormat::json);
  page.log.set_secrets({Secret("correct-horse"), Secret("correct-horse-battery")});
  page.log.write(LogLevel::info, "x", "correct-horse-battery correct-horse");
  EXPECT_EQ(page.json()["message"], "*** ***");
}

TEST(Log, ShortSecretsDoNotBlankOrdinaryWords) {
  Page page(LogFormat::json);
  page.log.set_secrets({Secret(std::string(Log::kShortestRedacted - 1, 'a')),
                        Secret(std::string(Log::kShortestRedacted, 'b'))});
  page.log.write(
      LogLevel::info, "x",
      std::string(Log::kShortestRedacted - 1, 'a') + " " + std::string(Log::kShortestRedacted, 'b'));
  EXPECT_EQ(page.json()["message"], "aaaaaaa ***");
}

TEST(Log, ALineThatIsTooLongIsCutAndStaysValid) {
  for (const std::string& piece :
       {std::string("x"), std::string("\x01"), std::string("\xc3\xa9"), std::string("\xff")}) {
    std::string text;
    while (text.size() < 3 * Log::kMaxLine) text += piece;
    for (const LogFormat format : {LogFormat::json, LogFormat::text}) {
      Page page(format);
      page.log.write(LogLevel::info, "x", text,
                     {{"summary", text}, {"holding", std::vector<std::string>(1000, text)}});
      EXPECT_LE(page.line().size(), Log::kMaxLine);
      EXPECT_EQ(page.line().back(), '\n');
      if (format == LogFormat::json) {
        EXPECT_EQ(page.json()["event"], "x");
      }
    }
  }
}

TEST(Log, ASecretIsNotCutInHalf) {
  Page page(LogFormat::json);
  page.log.set_secrets({Secret(kSecret)});
  page.log.write(LogLevel::info, "x", std::string(500, ' ') + kSecret + std::string(Log::kMaxLine, ' '));
  EXPECT_THAT(page.line(), Not(HasSubstr(kSecret.substr(0, 5))));
}

TEST(Log, NothingInAMessageCanForgeALineOrSteerATerminal) {
  Page page(LogFormat::text);
  page.log.write(LogLevel::info, "x", "a\n10:00:00.000 INFO forged\r\x1b[2J");
  EXPECT_EQ(page.line().find('\n'), page.line().size() - 1);
  EXPECT_THAT(page.line(), HasSubstr("a\\n10:00:00.000 INFO forged\\x0d\\x1b[2J"));
}

}  // namespace
}  // namespace holdshort
