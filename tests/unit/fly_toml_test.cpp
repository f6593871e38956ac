// Durations as flyctl reads them.
#include "fly/fly_toml.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace holdshort::fly {
namespace {

using namespace std::chrono_literals;

struct Row {
  const char* name;
  const char* text;
  std::optional<std::chrono::nanoseconds> length;
};
class GoDuration : public testing::TestWithParam<Row> {};
const Row kRows[] = {
    {"Seconds", "15s", 15s},
    {"Milliseconds", "250ms", 250ms},
    {"MinutesAreNoMilliseconds", "5m", 5min},
    {"Combined", "1h15m30.5s", 1h + 15min + 30s + 500ms},
    {"Fraction", "1.5h", 90min},
    {"FractionWithoutALeadingDigit", ".5s", 500ms},
    {"Microseconds", "3us", 3us},
    {"MicroSign", "3\u00b5s", 3us},
    {"GreekMu", "3\u03bcs", 3us},
    {"Negative", "-3s", -3s},
    {"Zero", "0", 0s},
    {"ABareNumberIsNone", "15", std::nullopt},
    {"ADayIsNone", "1d", std::nullopt},
    {"AUnitAloneIsNone", "s", std::nullopt},
    {"ABlankIsNone", "15 s", std::nullopt},
    {"EmptyIsNone", "", std::nullopt},
    {"ASignAloneIsNone", "-", std::nullopt},
    {"TwoPointsAreNone", "1.2.3s", std::nullopt},
    {"MoreThan292YearsAreNone", "99999999h", std::nullopt},
};
TEST_P(GoDuration, IsReadAsFlyctlReadsIt) {
  EXPECT_EQ(parse_go_duration(GetParam().text), GetParam().length);
}
INSTANTIATE_TEST_SUITE_P(Table, GoDuration, testing::ValuesIn(kRows),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace holdshort::fly
