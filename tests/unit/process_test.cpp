// What a supervised app finds when it starts, and what its end is called.
#include "agent/supervisor/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdshort {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// What `command` writes to standard output; fails where it does not end with 0.
std::string output_of(const CommandLineOfApp& command, StandardError error = StandardError::inherited,
                      std::size_t descriptors = 0) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const auto child = start_child(command, ends[1], error, descriptors);
  ::close(ends[1]);
  std::string all;
  char buffer[4096];
  for (ssize_t count; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<std::size_t>(count));
  ::close(ends[0]);
  EXPECT_TRUE(child) << child.error().message;
  int status = -1;
  if (child) ::waitpid(*child, &status, 0);
  EXPECT_EQ(status, 0);
  return all;
}

std::string shell(const std::string& script) { return output_of({"sh", "-c", script}); }

TEST(StartChild, ArgumentsArriveAsTheyAre) {
  EXPECT_EQ(output_of({"printf", "%s|", "", "a b", "$HOME", "[1,2]", "--", "\"q\""}),
            "|a b|$HOME|[1,2]|--|\"q\"|");
}

TEST(StartChild, TheLimitOfDescriptorsIsTheOneItIsGiven) {
  EXPECT_EQ(output_of({"sh", "-c", "ulimit -Sn"}, StandardError::inherited, 123), "123\n");
}

TEST(StartChild, NoDescriptorOfOursIsInherited) {
  const int leak = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  const int high = ::fcntl(leak, F_DUPFD, 500);
  // The shell opens the folder it lists, as 3.
  EXPECT_EQ(shell("cd /proc/self/fd && echo *"), "0 1 2 3\n");
  ::close(leak);
  ::close(high);
}

TEST(StartChild, SignalsAreAtTheirDefaultsAndNoneIsBlocked) {
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGHUP, &ignore, &before);
  sigset_t blocked, mask_before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &mask_before);
  const std::string signals = output_of({"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"});
  ::pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
  ::sigaction(SIGHUP, &before, nullptr);
  EXPECT_EQ(signals, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(StartChild, TheFolderAndTheEnvironmentAreOurs) {
  ::setenv("HOLDSHORT_TEST_OF_START", "a\nb", 1);
  EXPECT_EQ(shell("printf '%s' \"$HOLDSHORT_TEST_OF_START\""), "a\nb");
  ::unsetenv("HOLDSHORT_TEST_OF_START");
  EXPECT_EQ(shell("readlink /proc/self/cwd"), shell("readlink /proc/$PPID/cwd"));
}

TEST(StartChild, StandardErrorJoinsTheOutputWhereAsked) {
  EXPECT_EQ(output_of({"sh", "-c", "echo a >&2"}, StandardError::like_output), "a\n");
}

std::string line_of(int descriptor) {
  std::string line;
  for (char c = 0; c != '\n' && ::read(descriptor, &c, 1) == 1;) line += c;
  return line;
}

TEST(StartChild, TheChildGetsSigtermWhenWeEnd) {
  int output[2], end[2];
  ASSERT_EQ(::pipe2(output, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(end, O_CLOEXEC), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const auto child =
        start_child({"sh", "-c", "sleep 1000 & trap \"echo told; kill $!; exit\" TERM; echo up; wait"},
                    output[1], StandardError::inherited);
    char byte = 0;
    const bool told = ::read(end[0], &byte, 1) == 1;
    ::_exit(child && told ? 0 : 1);
  }
  ::close(output[1]);
  EXPECT_EQ(line_of(output[0]), "up\n");
  EXPECT_EQ(::write(end[1], "x", 1), 1);
  int status = -1;
  ::waitpid(parent, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(line_of(output[0]), "told\n");
  for (const int descriptor : {output[0], end[0], end[1]}) ::close(descriptor);
}

struct Row {
  const char* name;
  CommandLineOfApp command;
  int status;
  const char* message;
};
class StartFails : public testing::TestWithParam<Row> {};
const Row kRows[] = {
    {"NotFoundInPathIs127", {"holdshort-no-such-command"}, 127, "holdshort-no-such-command: not found"},
    {"NotFoundByPathIs127", {"/no/such/file", "x"}, 127, "/no/such/file: not found"},
    {"AFileWithoutTheRightToExecuteIs126", {"/etc/passwd"}, 126, "/etc/passwd: Permission denied"},
    {"AFolderIs126", {"/etc"}, 126, "/etc: Permission denied"},
    {"AFileBelowAFileIs126", {"/etc/passwd/x"}, 126, "/etc/passwd/x: Not a directory"},
    {"AnEmptyNameIs127", {""}, 127, "not found"},
};
TEST_P(StartFails, WithAShellsStatus) {
  const auto child = start_child(GetParam().command, STDOUT_FILENO, StandardError::inherited);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().status, GetParam().status);
  EXPECT_THAT(child.error().message, HasSubstr(GetParam().message));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // nothing is left of it
  EXPECT_EQ(exec_in_place(GetParam().command).status, GetParam().status);
}
INSTANTIATE_TEST_SUITE_P(Table, StartFails, testing::ValuesIn(kRows),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(Ending, ASignalIsToldAsAShellTellsIt) {
  EXPECT_EQ((Ending{Ending::Kind::exited, 3}).status(), 3);
  EXPECT_EQ((Ending{Ending::Kind::killed, SIGKILL}).status(), 137);
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
  EXPECT_EQ(signal_name(63), "signal 63");
}

TEST(Descendants, AreFoundHoweverDeep) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  // Each shell tells its PID when it is there; the last waits to be killed.
  const auto child = start_child({"sh", "-c", "echo $$; sh -c 'echo $$; exec sleep 1000'; true"}, ends[1],
                                 StandardError::inherited);
  ASSERT_TRUE(child);
  ::close(ends[1]);
  std::string told;
  while (std::count(told.begin(), told.end(), '\n') < 2) {
    char byte = 0;
    ASSERT_EQ(::read(ends[0], &byte, 1), 1);
    told += byte;
  }
  ::close(ends[0]);
  const int outer = *child;
  const int inner = std::stoi(told.substr(told.find('\n')));
  EXPECT_THAT(descendants(), Contains(outer));
  EXPECT_THAT(descendants(), Contains(inner));
  ::kill(inner, SIGKILL);
  ::waitpid(outer, nullptr, 0);
  EXPECT_THAT(descendants(), Not(Contains(outer)));
}

}  // namespace
}  // namespace holdshort
