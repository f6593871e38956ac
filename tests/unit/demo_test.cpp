// `holdshort demo` is the whole product in one process: that it ends well means that every event it tells was
// seen.
#include "agent/cli/demo.h"

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdshort {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Demo, TellsOfControlsComingUpAndOfOneThatBreaks) {
  ::setenv("HOLDSHORT_DEMO_FAST", "1", 1);
  testing::internal::CaptureStdout();
  const int status = run_demo();
  const std::string told = testing::internal::GetCapturedStdout();
  EXPECT_EQ(status, 0) << told;
  // Held before anything listens, for each missing control, and again after the break; cleared once.
  EXPECT_EQ(times(told, "GET /readyz -> 503"), 6u);
  EXPECT_EQ(times(told, "GET /readyz -> 200"), 1u);
  EXPECT_LT(told.find("GET /readyz -> 200"), told.rfind("GET /readyz -> 503"));
  EXPECT_LT(told.find("GET /healthz -> 200"), told.find("GET /readyz -> 200"))
      << "the app was healthy before it was safe";
  EXPECT_THAT(told, HasSubstr("GET /ADMIN")) << "the evidence names the request that got in";
  EXPECT_THAT(told, Not(HasSubstr("\033["))) << "standard output is no terminal";
  EXPECT_THAT(told, Not(HasSubstr("changeme")));
}

}  // namespace
}  // namespace holdshort
