#include "probes/kit/duration.h"

#include <gtest/gtest.h>

#include <ostream>

namespace holdshort {
namespace {

using std::chrono::milliseconds;

struct Good {
  const char* text;
  long long milliseconds;
  const char* shortest;
};
std::ostream& operator<<(std::ostream& out, const Good& row) { return out << row.text; }

class DurationReads : public testing::TestWithParam<Good> {};
TEST_P(DurationReads, WhatFlyTomlWrites) {
  const Result<Duration> duration = Duration::parse(GetParam().text);
  ASSERT_TRUE(duration) << duration.error().message;
  EXPECT_EQ(duration->value(), milliseconds(GetParam().milliseconds));
  EXPECT_EQ(duration->text(), GetParam().shortest);
  EXPECT_EQ(Duration::parse(duration->text())->value(), duration->value());
}
constexpr Good kGood[] = {
    {"250ms", 250, "250ms"},
    {"15s", 15'000, "15s"},
    {"10m", 600'000, "10m"},
    {"1h30m", 5'400'000, "1h30m"},
    {"1h15m30s", 4'530'000, "1h15m30s"},
    {"1.5s", 1'500, "1s500ms"},
    {"0.25m", 15'000, "15s"},
    {"1.0ms", 1, "1ms"},
    {"0s", 0, "0s"},
    {"90s", 90'000, "1m30s"},
    {"8784h", 366LL * 24 * 3'600'000, "8784h"},
};
INSTANTIATE_TEST_SUITE_P(, DurationReads, testing::ValuesIn(kGood));

struct Bad {
  const char* text;
  const char* remedy;
};
std::ostream& operator<<(std::ostream& out, const Bad& row) { return out << row.text; }

constexpr const char* kForm = "write a number and a unit (ms, s, m, h): \"250ms\", \"15s\", \"1h30m\"";

class DurationRefuses : public testing::TestWithParam<Bad> {};
TEST_P(DurationRefuses, AndSaysWhatToWrite) {
  const Result<Duration> duration = Duration::parse(GetParam().text);
  ASSERT_FALSE(duration);
  EXPECT_EQ(duration.error().message, GetParam().remedy);
}
constexpr Bad kBad[] = {
    {"5", "write \"5s\""},
    {"0", "write \"0s\""},
    {"", kForm},
    {"s", kForm},
    {"-5s", kForm},
    {"+5s", kForm},
    {"5 s", kForm},
    {"5d", kForm},
    {"5us", kForm},
    {"5S", kForm},
    {"1.s", kForm},
    {".5s", kForm},
    {"1s1s", kForm},
    {"30m1h", kForm},
    {"1s5", kForm},
    {"1e3s", kForm},
    {"0.5ms", "it is finer than a millisecond"},
    {"1.00005s", "it is finer than a millisecond"},
    {"8785h", "it is longer than a year"},
    {"99999999999999999999h", "it is longer than a year"},
    {"1234567890123456789012345678901h2", kForm},
};
INSTANTIATE_TEST_SUITE_P(, DurationRefuses, testing::ValuesIn(kBad));

}  // namespace
}  // namespace holdshort
