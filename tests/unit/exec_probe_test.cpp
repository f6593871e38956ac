// The exec probe with real programs: what they get, how they end, and that nothing of them is left.
#include "probes/exec/exec.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing_support::ConfiguredProbe;
using testing_support::Stage;

// Not as a TOML basic string: scripts have quotes and backslashes.
std::string sh(const std::string& script, const std::string& keys = "") {
  return "command = ['/bin/sh', '-c', '''" + script + "''']\n" + keys;
}

struct Executed {
  explicit Executed(const std::string& keys) : configured("[probes.p]\ntype = \"exec\"\n" + keys + "\n") {}
  ProbeOutcome operator()() {
    Stage stage([](const testing_support::Sent&) { return Response(); }, configured.environment);
    return configured.run(stage);
  }
  ConfiguredProbe configured;
};

Check run(const std::string& keys) { return Executed(keys)().checks.at(0); }

struct Row {
  const char* name;
  std::string keys;
  Outcome outcome;
  const char* observed;
  const char* summary;
};
class ExecProbe : public testing::TestWithParam<Row> {};
const Row kRows[] = {
    {"ZeroPasses", sh("echo ignored; echo migrations are done"), Outcome::pass, "exit status 0",
     "migrations are done"},
    {"SilenceIsNoMatter", sh("exit 0"), Outcome::pass, "exit status 0", "/bin/sh exited with status 0"},
    {"AnotherStatusFails", sh("echo schema is at 41, wanted 42; exit 3"), Outcome::fail, "exit status 3",
     "schema is at 41, wanted 42"},
    {"StandardErrorCountsToo", sh("echo no access >&2; exit 1"), Outcome::fail, "exit status 1", "no access"},
    {"BlankLinesAreNoLastLine", sh(R"(printf 'reason\r\n \n\n'; exit 1)"), Outcome::fail, "exit status 1",
     "reason"},
    {"ASignalShowsNothing", sh("echo half way; kill -SEGV $$"), Outcome::inconclusive, "signal 11",
     "/bin/sh was killed by signal 11: half way"},
    {"NoSuchProgram", "command = ['/no/such/program']", Outcome::inconclusive,
     "not started: no such program (or the interpreter that its first line names)", ""},
    {"NotOnThePath", "command = ['holdshort-has-no-such-program']", Outcome::inconclusive,
     "not started: no such program (or the interpreter that its first line names)", ""},
    {"NotExecutable", "command = ['/etc/passwd']", Outcome::inconclusive, "not started: it is not executable",
     ""},
    {"AFolder", "command = ['/etc']", Outcome::inconclusive, "not started: it is not executable", ""},
    {"FoundOnThePath", "command = ['true']", Outcome::pass, "exit status 0", "true exited with status 0"},
    {"TerminalSequencesAreDropped", sh(R"(printf '\033[31mred\033[0m\a\n'; exit 1)"), Outcome::fail,
     "exit status 1", "red"},
    {"WhatIsNoTextIsNotShown", sh(R"(printf 'a\377b\n'; exit 1)"), Outcome::fail, "exit status 1", "a?b"},
};
TEST_P(ExecProbe, Judges) {
  const Check check = run(GetParam().keys);
  EXPECT_EQ(name_of(check.outcome), name_of(GetParam().outcome));
  EXPECT_EQ(check.observed, GetParam().observed);
  if (*GetParam().summary) {
    EXPECT_EQ(check.summary, GetParam().summary);
  }
  EXPECT_EQ(check.id, "exec.exit");
}
INSTANTIATE_TEST_SUITE_P(Table, ExecProbe, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ExecProbeRun, ThereIsNoShellBetween) {
  EXPECT_EQ(run("command = ['echo', '$HOME;', '*', '`id`']").summary, "$HOME; * `id`");
}

TEST(ExecProbeRun, AScriptWithoutInterpreterIsNotGivenToAShell) {
  const std::string path = testing::TempDir() + "holdshort_exec_" + std::to_string(::getpid());
  std::ofstream(path) << "exit 0\n";
  ::chmod(path.c_str(), 0700);
  EXPECT_THAT(run("command = ['" + path + "']").observed, HasSubstr("a script begins with #!"));
  ::unlink(path.c_str());
}

// --- what it gets

TEST(ExecProbeRun, TheEnvironmentIsEmptyButForWhatIsNamed) {
  EXPECT_EQ(run("command = ['/usr/bin/env']").summary, "/usr/bin/env exited with status 0");
  Executed named("command = ['/usr/bin/env']\nenv = ['MODE']");
  named.configured.environment.variables["MODE"] = "strict";
  named.configured.environment.variables["OTHER"] = "x";
  EXPECT_EQ(named().summary(), "MODE=strict");
}

TEST(ExecProbeRun, AVariableThatIsNotSetKeepsItFromRunning) {
  const Check check = run(sh("exit 0", "env = ['DATABASE_URL']"));
  EXPECT_EQ(check.outcome, Outcome::inconclusive);
  EXPECT_EQ(check.observed, "DATABASE_URL is not set");
}

TEST(ExecProbeRun, NoDescriptorOfOursReachesIt) {
  const int leaky = ::fcntl(STDERR_FILENO, F_DUPFD, 40);
  ASSERT_GE(leaky, 40);
  // 3 is ls's own, of the folder.
  EXPECT_EQ(run("command = ['/bin/ls', '-x', '-w', '1000', '/proc/self/fd']").summary, "0  1  2  3");
  ::close(leaky);
}

TEST(ExecProbeRun, StandardInputIsEmpty) { EXPECT_EQ(run("command = ['/usr/bin/wc', '-c']").summary, "0"); }

TEST(ExecProbeRun, SignalsAreAsAProgramExpectsThem) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto ignored = std::signal(SIGPIPE, SIG_IGN);
  // glibc ignores the two signals (32, 33) that it keeps to itself.
  EXPECT_EQ(run(sh("grep -c -E \"^Sig(Blk|Ign):.0+(180000000)?$\" /proc/self/status")).summary, "2");
  std::signal(SIGPIPE, ignored);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// --- its end

// Whoever has it open for writing lives.
class Pulse {
 public:
  Pulse() : path_(testing::TempDir() + "holdshort_pulse_" + std::to_string(::getpid())) {
    ::unlink(path_.c_str());
    EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    reader_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  ~Pulse() {
    ::close(reader_);
    ::unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }
  bool has_started() const { return sees(1); }
  bool has_stopped() const { return sees(0); }

 private:
  bool sees(ssize_t count) const {
    constexpr int kAmple = 20'000;  // ms
    pollfd waiting{reader_, POLLIN, 0};
    char beat = 0;
    return ::poll(&waiting, 1, kAmple) == 1 && ::read(reader_, &beat, 1) == count;
  }

  std::string path_;
  int reader_ = -1;
};

TEST(ExecProbeRun, TheDeadlineKillsTheWholeProcessGroup) {
  const Pulse pulse;
  const Check check = run(sh("trap \"\" TERM; (exec 9>" + pulse.path() +
                                 "; printf . >&9; sleep 1000 9>&9) & "
                                 "echo still at it; wait",
                             "timeout = '300ms'"));
  EXPECT_EQ(check.outcome, Outcome::inconclusive);
  EXPECT_EQ(check.observed, "still running after 300ms");
  EXPECT_THAT(check.summary, HasSubstr("still at it"));
  EXPECT_TRUE(pulse.has_started());
  EXPECT_TRUE(pulse.has_stopped());
}

TEST(ExecProbeRun, WhatItLeavesBehindNeitherHoldsTheRunUpNorLivesOn) {
  const Pulse pulse;
  const Check check = run(sh("exec 9>" + pulse.path() + "; printf . >&9; sleep 1000 & echo done"));
  EXPECT_EQ(check.outcome, Outcome::pass);
  EXPECT_EQ(check.summary, "done");
  EXPECT_TRUE(pulse.has_started());
  EXPECT_TRUE(pulse.has_stopped());
}

TEST(ExecProbeRun, AnEndlessOutputIsReadAndForgotten) {
  const Check check = run(sh("yes | head -c 3000000; echo; echo the end; exit 1", "timeout = '10s'"));
  EXPECT_EQ(check.outcome, Outcome::fail);
  EXPECT_EQ(check.summary, "the end");
}

TEST(ExecProbeRun, ALongLineIsCut) {
  const Check check = run(sh("head -c 1000 /dev/zero | tr '\\0' x; exit 1"));
  EXPECT_EQ(check.summary, std::string(200, 'x') + "...");
}

TEST(ExecProbeRun, NoZombieIsLeft) {
  run(sh("exit 0"));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(ExecProbeRun, AStatusThatSomebodyElseHasTakenIsNotKnown) {
  Finished finished;
  finished.how = Finished::How::lost;
  finished.error = "its exit status was taken by somebody else";
  EXPECT_EQ(exec_probe::judge("x", "5s", finished, Redactor()).outcome, Outcome::inconclusive);
}

TEST(ExecProbeRun, AnAbandonedRunKillsItsProgram) {
  const Pulse pulse;
  Command command;
  command.arguments = {"/bin/sh", "-c", "exec 9>" + pulse.path() + "; printf . >&9; sleep 1000"};
  testing_support::InlineOffload offload;
  {
    boost::asio::io_context loop;
    boost::asio::co_spawn(loop, run_to_end(std::move(command), 1h, offload),
                          [](const std::exception_ptr&, const Finished&) {});
    loop.poll();
    EXPECT_TRUE(pulse.has_started());
  }
  EXPECT_TRUE(pulse.has_stopped());
}

// --- secrets

TEST(ExecProbeRun, TheValuesOfItsVariablesAreNotRepeated) {
  Executed leaky(sh("echo connecting with $DATABASE_URL failed; exit 1", "env = ['DATABASE_URL']"));
  leaky.configured.environment.variables["DATABASE_URL"] = "postgres://app:t2Zq8mVb4Xw9Lk3R@db/app";
  EXPECT_EQ(leaky().summary(), "connecting with *** failed");
}

TEST(ExecProbeRun, ALineWithoutItsBeginningIsNotShownForItMayBeginWithHalfASecret) {
  Finished finished;
  finished.how = Finished::How::exited;
  finished.code = 1;
  finished.output = "Vb4Xw9Lk3R and much more";
  finished.output_is_cut = true;
  const Check check = exec_probe::judge("x", "5s", finished, Redactor({Secret("t2Zq8mVb4Xw9Lk3R")}));
  EXPECT_EQ(check.summary, "x exited with status 1");
}

TEST(ExecProbeRun, ArgumentsStayOutOfTheReport) {
  const Check check = run("command = ['/bin/false', '--password=hunter2hunter2']");
  EXPECT_EQ(check.request, "run /bin/false");
  EXPECT_THAT(check.summary, Not(HasSubstr("hunter2")));
}

// --- its keys

TEST(ExecProbeRun, RefusesWhatCannotBeACommand) {
  const std::pair<const char*, const char*> rows[] = {
      {"command = []", "\"command\""},
      {"command = ['']", "begins with an empty string"},
      {"command = ['x', \"a\\u0000b\"]", "NUL"},
      {"command = ['x']\nenv = ['A=B']", "no name of a variable"},
  };
  for (const auto& [keys, said] : rows) {
    testing_support::FakeEnvironment environment;
    const Loaded loaded = parse_config(
        "f", "[app]\nurl = \"http://127.0.0.1:1\"\n[probes.p]\ntype = \"exec\"\n" + std::string(keys),
        environment, {});
    ASSERT_EQ(loaded.diagnostics.size(), 1u) << keys;
    EXPECT_THAT(loaded.diagnostics[0].message, HasSubstr(said)) << keys;
  }
}

}  // namespace
}  // namespace holdshort
