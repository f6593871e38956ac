// Every generation of rate limit headers, as real limiters write them (controls.md 4.1).
#include "probes/rate_limit/headers.h"

#include <gtest/gtest.h>

namespace holdshort::rate_limit {
namespace {

const Wall kNow{std::chrono::seconds(1795448448)};

struct Row {
  const char* name;
  std::vector<Header> headers;
  std::optional<std::int64_t> limit, remaining;
  std::optional<double> window, reset;
};

class RateLimitHeaders : public testing::TestWithParam<Row> {};

TEST_P(RateLimitHeaders, AreRead) {
  const auto list = advertised(GetParam().headers, kNow);
  ASSERT_FALSE(list.empty());
  const Advertised& one = list.front();
  EXPECT_EQ(one.limit, GetParam().limit);
  EXPECT_EQ(one.remaining, GetParam().remaining);
  EXPECT_EQ(one.window, GetParam().window);
  ASSERT_EQ(one.reset.has_value(), GetParam().reset.has_value());
  EXPECT_NEAR(one.reset.value_or(0), GetParam().reset.value_or(0), 0.5);
}

INSTANTIATE_TEST_SUITE_P(
    Generations, RateLimitHeaders,
    testing::Values(
        Row{"Draft6",
            {{"RateLimit-Limit", "5"}, {"RateLimit-Remaining", "4"}, {"RateLimit-Reset", "60"}},
            5,
            4,
            {},
            60},
        Row{"Draft7",
            {{"RateLimit-Policy", "5;w=60"}, {"RateLimit", "limit=5, remaining=4, reset=60"}},
            5,
            4,
            60,
            60},
        Row{"Draft8",
            {{"RateLimit-Policy", R"("5-in-1min"; q=5; w=60; pk=:MTJj:)"},
             {"RateLimit", R"("5-in-1min"; r=4; t=59)"}},
            5,
            4,
            60,
            59},
        Row{"Draft8NamesMayHoldCommas",
            {{"RateLimit-Policy", R"("a, b; c";q=9;w=1)"}, {"RateLimit", R"("a, b; c";r=8;t=1)"}},
            9,
            8,
            1,
            1},
        Row{"LegacyEpochSeconds",
            {{"X-RateLimit-Limit", "5"}, {"X-RateLimit-Remaining", "4"}, {"X-RateLimit-Reset", "1795448508"}},
            5,
            4,
            {},
            60},
        Row{"LegacyEpochFraction",
            {{"X-RateLimit-Limit", "5"},
             {"X-RateLimit-Remaining", "4"},
             {"X-RateLimit-Reset", "1795448508.243"}},
            5,
            4,
            {},
            60.2},
        Row{"EpochMilliseconds",
            {{"X-RateLimit-UserLimit", "5"},
             {"X-RateLimit-UserRemaining", "-1"},
             {"X-RateLimit-UserReset", "1795448508243"}},
            5,
            -1,
            {},
            60.2},
        Row{"Envoy",
            {{"x-ratelimit-limit", R"(10, 10;w=1;name="a")"}, {"x-ratelimit-remaining", "9"}},
            10,
            9,
            1,
            {}},
        Row{"Kong",
            {{"X-RateLimit-Limit-Minute", "20"}, {"X-RateLimit-Remaining-Minute", "19"}},
            20,
            19,
            60,
            {}}),
    [](const auto& row) { return row.param.name; });

TEST(RateLimitHeadersBounds, GarbageIsNoLimit) {
  EXPECT_TRUE(advertised({{"RateLimit", ";;;,,,=\""}, {"X-Powered-By", "PHP"}}, kNow).empty() ||
              !advertised({{"RateLimit", ";;;,,,=\""}}, kNow).front().limit);
  EXPECT_FALSE(
      advertised({{"X-RateLimit-Limit", "1e400"}, {"X-RateLimit-Remaining", "x"}}, kNow).front().limit);
}

TEST(RateLimitHeadersBounds, NoMoreThanTheMaximumIsKept) {
  std::string many;
  for (int n = 0; n < 1000; ++n) many += "\"p" + std::to_string(n) + "\";q=1;w=1,";
  EXPECT_EQ(advertised({{"RateLimit-Policy", many}}, kNow).size(), kMaxAdvertised);
}

TEST(RetryAfter, IsSecondsOrADate) {
  EXPECT_EQ(retry_after({{"Retry-After", "60"}}, kNow), 60);
  EXPECT_NEAR(*retry_after({{"Retry-After", "Mon, 23 Nov 2026 21:21:48 GMT"}},
                           Wall{std::chrono::seconds(1795468848)}),
              60, 0.1);
  EXPECT_EQ(retry_after({{"Retry-After", "Mon, 01 Jan 2001 00:00:00 GMT"}}, kNow), 0);
  for (const char* bad : {"", "soon", "-5", "1.5", "Mon, 23 Nov"})
    EXPECT_FALSE(retry_after({{"Retry-After", bad}}, kNow)) << bad;
  EXPECT_FALSE(retry_after({}, kNow));
}

}  // namespace
}  // namespace holdshort::rate_limit
