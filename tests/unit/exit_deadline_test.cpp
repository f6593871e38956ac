#include "agent/exit_deadline.h"

#include <unistd.h>

#include <optional>

#include <gtest/gtest.h>

namespace holdshort {
namespace {

using namespace std::chrono_literals;

TEST(ExitDeadlineDeathTest, EndsAProcessWhoseDestructorsHang) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const ExitDeadline deadline(3, 1ms);
        while (true) ::pause();
      },
      testing::ExitedWithCode(3), "");
}

TEST(ExitDeadlineDeathTest, LetsGoWhereAllEndedInTime) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        std::optional<ExitDeadline> deadline(std::in_place, 3, 1h);
        deadline.reset();
        std::_Exit(4);
      },
      testing::ExitedWithCode(4), "");
}

}  // namespace
}  // namespace holdshort
