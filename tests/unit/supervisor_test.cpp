// The app as a child: its end, its signals, its orphans. Real processes, time moved by hand: no test waits
// for more than a process to end.
#include "agent/supervisor/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/manual_clock.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// An app without children that does `what` (Perl) at a signal. Perl calls its handlers between two sleeps.
CommandLineOfApp app_with_handlers(const std::string& handlers, const std::string& first = "") {
  return {"perl", "-e",
          handlers + first + "$| = 1; print \"ready\\n\"; select(undef, undef, undef, 0.005) while 1"};
}

// A supervised shell script. It tells through standard output, of which nothing else is written.
class Bench {
 public:
  explicit Bench(const std::string& script) : Bench(CommandLineOfApp{"sh", "-c", script}) {}
  explicit Bench(const CommandLineOfApp& command) {
    EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
    output_ = *Output::start(ends_[1], STDERR_FILENO);
    supervisor_ = std::make_unique<Supervisor>(loop_.get_executor(), clock_, log_, *output_);
    failure = supervisor_->start(command);
    if (!failure)
      boost::asio::co_spawn(loop_, supervisor_->run(), [this](std::exception_ptr error, Ending how) {
        EXPECT_FALSE(error);
        ending = how;
      });
  }
  ~Bench() {
    output_.reset();
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  // The next line of the app.
  std::string line() {
    std::string text;
    while (!text.ends_with('\n')) {
      char byte = 0;
      const ssize_t count = ::read(ends_[0], &byte, 1);  // a child's end interrupts it
      if (count == 1) text += byte;
      if (count == 0) break;
    }
    return text.substr(0, text.find('\n'));
  }
  void signal(int number) { supervisor_->forward(number); }
  void kill_after(std::chrono::milliseconds time, int because = SIGTERM) {
    supervisor_->kill_at(clock_.now() + time, because);
  }
  void advance(std::chrono::milliseconds by) { clock_.advance(by); }
  Ending wait() {
    loop_.restart();
    while (!ending) loop_.run_one();
    return *ending;
  }
  nlohmann::json logged(std::string_view event) const {
    for (const nlohmann::json& line : lines_)
      if (line["event"] == event) return line;
    return {};
  }

  std::optional<StartFailure> failure;
  std::optional<Ending> ending;

 private:
  int ends_[2] = {-1, -1};
  boost::asio::io_context loop_;
  testing_support::ManualClock clock_{loop_};
  std::vector<nlohmann::json> lines_;
  Log log_{LogLevel::debug, LogFormat::json,
           [this](std::string_view line) { lines_.push_back(nlohmann::json::parse(line)); },
           [this] { return clock_.wall_now(); }};
  std::unique_ptr<Output> output_;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST(Supervisor, TheAppsStatusIsTold) {
  Bench bench("exit 7");
  EXPECT_EQ(bench.wait().status(), 7);
  EXPECT_EQ(bench.logged("app.exited")["status"], 7);
  EXPECT_EQ(bench.logged("app.exited")["level"], "error");
  EXPECT_FALSE(bench.logged("app.exited").contains("signal"));
}

TEST(Supervisor, AnAppKilledBySignalNIs128PlusN) {
  Bench bench("kill -SEGV $$");
  EXPECT_EQ(bench.wait().status(), 128 + SIGSEGV);
  EXPECT_EQ(bench.logged("app.exited")["signal"], SIGSEGV);
  EXPECT_THAT(bench.logged("app.exited")["message"], HasSubstr("SIGSEGV"));
}

TEST(Supervisor, TheStartIsLoggedWithoutTheArguments) {
  Bench bench("echo secret-of-the-arguments");
  bench.wait();
  EXPECT_THAT(bench.logged("app.started")["message"], HasSubstr("sh runs"));
  EXPECT_THAT(bench.logged("app.started").dump(), Not(HasSubstr("secret-of-the-arguments")));
}

TEST(Supervisor, ACommandThatCannotBeStartedIsNoApp) {
  Bench bench(CommandLineOfApp{"/no/such/app"});
  ASSERT_TRUE(bench.failure);
  EXPECT_EQ(bench.failure->status, 127);
  EXPECT_TRUE(bench.logged("app.started").is_null());
}

TEST(Supervisor, SignalsReachTheApp) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT}) {
    Bench bench(app_with_handlers("$SIG{" + signal_name(number).substr(3) + "} = sub { exit 42 };"));
    EXPECT_EQ(bench.line(), "ready");
    bench.signal(number);
    EXPECT_EQ(bench.wait().status(), 42) << number;
  }
}

TEST(Supervisor, AnAppThatEndsInItsTimeIsNotKilled) {
  Bench bench(app_with_handlers("$SIG{TERM} = sub { exit 0 };"));
  bench.line();
  bench.kill_after(4500ms);
  bench.signal(SIGTERM);
  EXPECT_EQ(bench.wait().status(), 0);
  EXPECT_EQ(bench.logged("app.exited")["level"], "info");
}

TEST(Supervisor, WhatStillRunsWhenTheTimeIsOverIsKilled) {
  Bench bench(app_with_handlers("$SIG{TERM} = 'IGNORE';"));
  bench.line();
  bench.kill_after(4500ms);
  bench.signal(SIGTERM);
  bench.advance(4499ms);
  EXPECT_FALSE(bench.ending);
  bench.advance(1ms);
  EXPECT_EQ(bench.wait().status(), 128 + SIGKILL);
  EXPECT_THAT(bench.logged("app.exited")["message"], HasSubstr("still ran"));
}

// A process that the app does not wait for, in the words of Perl; it tells its PID.
std::string orphan(const std::string& does) {
  return "unless (fork) { exit if fork; $| = 1; print \"$$\\n\"; " + does + " } wait; ";
}

TEST(Supervisor, OrphansAreReapedWhileTheAppRuns) {
  Bench bench(app_with_handlers("$SIG{USR1} = sub { exit 0 };", orphan("exit")));
  // Two lines, in whichever order.
  const std::string lines[] = {bench.line(), bench.line()};
  const int pid = std::stoi(lines[0] == "ready" ? lines[1] : lines[0]);
  while (::kill(pid, 0) == 0) bench.advance(1ms);  // a zombie would still be there
  EXPECT_FALSE(bench.ending);
  bench.signal(SIGUSR1);
  EXPECT_EQ(bench.wait().status(), 0);
}

TEST(Supervisor, WhatTheAppLeavesBehindGetsSigtermAndTheTimeForIt) {
  Bench bench(app_with_handlers("$SIG{USR1} = sub { exit 5 };", orphan("exec 'sleep', '1000'")));
  const std::string lines[] = {bench.line(), bench.line()};
  const int pid = std::stoi(lines[0] == "ready" ? lines[1] : lines[0]);
  bench.signal(SIGUSR1);
  EXPECT_EQ(bench.wait().status(), 5);
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(Supervisor, WhatTheAppLeavesBehindAndWillNotEndIsKilled) {
  Bench bench(app_with_handlers("$SIG{USR1} = sub { exit 5 };",
                                "$SIG{TERM} = 'IGNORE'; " + orphan("exec 'sleep', '1000'")));
  const std::string lines[] = {bench.line(), bench.line()};
  const int pid = std::stoi(lines[0] == "ready" ? lines[1] : lines[0]);
  bench.signal(SIGUSR1);
  while (bench.logged("app.exited").is_null()) bench.advance(0ms);
  EXPECT_FALSE(bench.ending);
  bench.advance(Supervisor::kLeavingTime);
  EXPECT_EQ(bench.wait().status(), 5);
  EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace holdshort
