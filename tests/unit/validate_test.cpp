// What `holdshort validate` says of a file that is right and yet not what one may have meant.
#include "agent/cli/validate.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "agent/events.h"

namespace holdshort {
namespace {

// A file that lives as long as this.
struct Written {
  explicit Written(const std::string& text) {
    const int file = ::mkstemp(name.data());
    if (file >= 0) ::close(file);
    std::ofstream(name) << text;
  }
  ~Written() { ::unlink(name.c_str()); }
  std::string name = "/tmp/holdshort-validate-XXXXXX";
};

std::string said(const std::string& agent, int expected_exit = 0) {
  const Written file("[app]\nurl = 'http://127.0.0.1:1'\n" + agent + "[probes.a]\ntype = 'http'\n");
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_validate(file.name), expected_exit);
  testing::internal::GetCapturedStdout();
  return testing::internal::GetCapturedStderr();
}

TEST(Validate, WarnsOnceThatWithoutAStatusTokenOnlyLoopbackIsServed) {
  const std::string text = said("");
  const std::size_t at = text.find("warning: [agent] has no status_token");
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_EQ(text.find("warning:", at + 1), std::string::npos) << text;
}

TEST(Validate, SaysNothingOfItWhereThereIsOneEvenIfItsVariableIsNotSetHere) {
  const std::string text = said("[agent]\nstatus_token = { env = 'HOLDSHORT_TEST_NOT_SET' }\n");
  EXPECT_EQ(text.find("has no status_token"), std::string::npos) << text;
}

TEST(Events, AMissingStatusTokenIsALineOfItsOwn) {
  std::string lines;
  Log log(
      LogLevel::info, LogFormat::json, [&](std::string_view line) { lines += line; }, [] { return Wall(); });
  events::no_status_token(log);
  EXPECT_NE(lines.find("\"level\":\"warn\",\"event\":\"config.warning\""), std::string::npos) << lines;
  EXPECT_NE(lines.find("loopback alone"), std::string::npos) << lines;
}

}  // namespace
}  // namespace holdshort
