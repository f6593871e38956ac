#include "probes/kit/environment.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace holdshort {
namespace {

namespace fs = std::filesystem;

class SystemEnvironmentTest : public testing::Test {
 protected:
  SystemEnvironmentTest() {
    std::string name = (fs::temp_directory_path() / "holdshort-environment-XXXXXX").string();
    if (::mkdtemp(name.data())) folder_ = name;
  }
  ~SystemEnvironmentTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& contents) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << contents;
  }
  std::string why(const Result<std::string>& result) const {
    return result ? "no error" : result.error().message;
  }

  fs::path folder_;
  const SystemEnvironment environment_;
};

TEST_F(SystemEnvironmentTest, AVariableThatIsEmptyIsNotAbsent) {
  ::setenv("HOLDSHORT_TEST_EMPTY", "", 1);
  ::unsetenv("HOLDSHORT_TEST_ABSENT");
  EXPECT_EQ(environment_.variable("HOLDSHORT_TEST_EMPTY"), "");
  EXPECT_EQ(environment_.variable("HOLDSHORT_TEST_ABSENT"), std::nullopt);
}

TEST_F(SystemEnvironmentTest, AFileIsReadWholeUpToItsBound) {
  const std::string contents = std::string("a\0b\r\n", 5) + std::string(100'000, 'x');
  write("file", contents);
  EXPECT_EQ(environment_.read_file(path("file"), contents.size()).value(), contents);
  EXPECT_EQ(why(environment_.read_file(path("file"), contents.size() - 1)), "longer than 100004 bytes");
}

TEST_F(SystemEnvironmentTest, TheStartOfALongerFileIsReadToItsBound) {
  write("a", "0123456789");
  EXPECT_EQ(environment_.read_start(path("a"), 4).value_or("none"), "0123");
  EXPECT_EQ(environment_.read_start(path("a"), 100).value_or("none"), "0123456789");
  EXPECT_EQ(why(environment_.read_start(path("b"), 4)), kNoSuchFile);
}

TEST_F(SystemEnvironmentTest, TheSocketsOfAProcessAreTold) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct stat status {};
  ASSERT_EQ(::fstat(socket, &status), 0);
  for (const int pid : {kOwnProcess, static_cast<int>(::getpid())}) {
    const auto sockets = environment_.process_sockets(pid);
    ASSERT_TRUE(sockets);
    EXPECT_EQ(std::count(sockets->begin(), sockets->end(), status.st_ino), 1) << pid;
  }
  ::close(socket);
}

TEST_F(SystemEnvironmentTest, AFileBehindASymbolicLinkIsRead) {
  write("file", "x");
  fs::create_symlink("file", folder_ / "link");
  EXPECT_EQ(environment_.read_file(path("link"), 10).value(), "x");
}

TEST_F(SystemEnvironmentTest, WhatIsNoFileIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(why(environment_.read_file(path("fifo"), 10)), "is not a regular file");
  EXPECT_EQ(why(environment_.read_file("/dev/zero", 10)), "is not a regular file");
  EXPECT_EQ(why(environment_.read_file(folder_.string(), 10)), "is a directory");
  EXPECT_EQ(why(environment_.read_file(path("none"), 10)), kNoSuchFile);
  EXPECT_EQ(why(environment_.read_file(path("none/below"), 10)), kNoSuchFile);
}

// Root may read everything, so these are asked as somebody else.
class AsNobody {
 public:
  AsNobody() : own_(::geteuid()) {
    if (own_ == 0) worked_ = ::seteuid(kNobody) == 0;
  }
  ~AsNobody() {
    if (own_ == 0 && ::seteuid(own_) != 0) std::abort();
  }
  bool worked() const { return worked_; }

 private:
  static constexpr uid_t kNobody = 65534;
  uid_t own_;
  bool worked_ = true;
};

TEST_F(SystemEnvironmentTest, WhatMayNotBeReadIsAnErrorAndNotAbsent) {
  write("tree/closed/file", "x");
  fs::permissions(folder_, fs::perms::all);
  fs::permissions(folder_ / "tree", fs::perms::all);
  fs::permissions(folder_ / "tree/closed", fs::perms::all);
  fs::permissions(folder_ / "tree/closed/file", fs::perms::none);
  {
    const AsNobody nobody;
    ASSERT_TRUE(nobody.worked());
    EXPECT_EQ(why(environment_.read_file(path("tree/closed/file"), 10)), "permission denied");
  }
  for (const auto allowed :
       {fs::perms::none, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read}) {
    fs::permissions(folder_ / "tree/closed", allowed);
    const AsNobody nobody;
    const auto files = environment_.list_files(path("tree"), 10);
    ASSERT_FALSE(files);
    EXPECT_TRUE(files.error().message.starts_with(path("tree/closed"))) << files.error().message;
    EXPECT_TRUE(files.error().message.ends_with(": permission denied")) << files.error().message;
  }
  fs::permissions(folder_ / "tree/closed", fs::perms::owner_all);
}

TEST_F(SystemEnvironmentTest, TheNullDeviceAndProcAreFiles) {
  EXPECT_EQ(environment_.read_file("/dev/null", 10).value(), "");
  EXPECT_FALSE(environment_.read_file("/proc/self/status", 100'000).value().empty());
}

TEST_F(SystemEnvironmentTest, FilesBelowAFolderAreListedWithoutFollowingLinks) {
  write("tree/a", "");
  write("tree/.hidden/b", "");
  write("elsewhere/c", "");
  fs::create_symlink(folder_ / "elsewhere", folder_ / "tree/link");
  fs::create_symlink(folder_ / "tree/a", folder_ / "tree/linked");
  ASSERT_EQ(::mkfifo(path("tree/fifo").c_str(), 0600), 0);
  std::vector<std::string> files = environment_.list_files(path("tree"), 10).value();
  std::sort(files.begin(), files.end());
  EXPECT_EQ(files, (std::vector<std::string>{path("tree/.hidden/b"), path("tree/a")}));
  EXPECT_EQ(environment_.list_files(path("tree/a"), 10).value(), std::vector<std::string>{path("tree/a")});
  EXPECT_EQ(environment_.list_files(path("tree/link"), 10).value(),
            std::vector<std::string>{path("tree/link/c")});
}

TEST_F(SystemEnvironmentTest, AListThatWouldBeCutIsAnError) {
  for (int i = 0; i < 3; ++i) write("tree/" + std::to_string(i), "");
  EXPECT_TRUE(environment_.list_files(path("tree"), 3));
  EXPECT_FALSE(environment_.list_files(path("tree"), 2));
  EXPECT_FALSE(environment_.list_files(path("none"), 2));
}

// The child of this test: known to run, and with a variable of its own.
class Child {
 public:
  explicit Child(const std::string& ready) {
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(pipe_ends[0], 0);
      ::close(pipe_ends[0]);
      ::close(pipe_ends[1]);
      // Says that it is there, then waits for the end of its input: it cannot outlive the test.
      const std::string script = "echo > '" + ready + "'; read line";
      const char* const arguments[] = {"sh", "-c", script.c_str(), nullptr};
      const char* const variables[] = {"HOLDSHORT_TEST_CHILD=yes", nullptr};
      ::execve("/bin/sh", const_cast<char* const*>(arguments), const_cast<char* const*>(variables));
      ::_exit(127);
    }
    ::close(pipe_ends[0]);
    write_end_ = pipe_ends[1];
  }
  ~Child() {
    ::close(write_end_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }
  int pid() const { return pid_; }

 private:
  int pid_ = -1, write_end_ = -1;
};

TEST_F(SystemEnvironmentTest, RunningProcessesAreShownWithTheirVariables) {
  ASSERT_EQ(::mkfifo(path("ready").c_str(), 0600), 0);
  const Child child(path("ready"));
  ASSERT_GT(child.pid(), 0);
  std::ifstream(path("ready")).get();  // opens when the child does
  const std::vector<Process> processes = environment_.processes();
  const auto found = std::find_if(processes.begin(), processes.end(),
                                  [&](const Process& p) { return p.pid == child.pid(); });
  ASSERT_NE(found, processes.end());
  EXPECT_EQ(found->name, "sh");
  ASSERT_EQ(found->arguments.size(), 3u);
  EXPECT_EQ(found->arguments[1], "-c");
  EXPECT_TRUE(
      std::none_of(processes.begin(), processes.end(), [](const Process& p) { return p.pid == ::getpid(); }));
  EXPECT_EQ(environment_.process_environment(child.pid()).value(),
            std::vector<std::string>{"HOLDSHORT_TEST_CHILD=yes"});
}

TEST_F(SystemEnvironmentTest, AProcessThatIsNotThereHasNoEnvironment) {
  EXPECT_FALSE(environment_.process_environment(0x7ffffff0));
}

}  // namespace
}  // namespace holdshort
