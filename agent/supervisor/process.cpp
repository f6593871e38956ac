#include "agent/supervisor/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace holdshort {

namespace {

constexpr int kNotFound = 127;
constexpr int kNotExecutable = 126;
constexpr int kFirstOfOurs = STDERR_FILENO + 1;

StartFailure failure_of(const CommandLineOfApp& command, int error) {
  return {.status = error == ENOENT ? kNotFound : kNotExecutable,
          .message = fmt::format("cannot start {}: {}", command.front(),
                                 error == ENOENT ? "not found" : std::strerror(error))};
}

std::vector<char*> argv_of(const CommandLineOfApp& command) {
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  return argv;
}

// All signals are blocked while it lives.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

struct Birth {
  char* const* argv;
  int output;
  StandardError error;
  pid_t parent, group;
  int tell_failure;  // closed by exec
  rlim_t descriptors;
};

// --- in the child, where other threads may hold any lock: nothing but system calls

void default_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &action, nullptr);
}

void limit_descriptors(rlim_t soft) {
  rlimit limit{};
  if (soft == 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = soft;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void close_at_exec_from(int first) {
  if (::close_range(static_cast<unsigned>(first), UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0) return;
  rlimit limit{};  // a kernel before 5.11
  ::getrlimit(RLIMIT_NOFILE, &limit);
  for (int descriptor = first; static_cast<rlim_t>(descriptor) < limit.rlim_max; ++descriptor)
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

// Whoever presses Ctrl-C means the app; with us in one group it would get the signal twice.
void take_the_terminal(pid_t group_of_parent) {
  if (::tcgetpgrp(STDIN_FILENO) != group_of_parent || ::setpgid(0, 0) != 0) return;
  ::tcsetpgrp(STDIN_FILENO, ::getpid());
}

[[noreturn]] void become(const Birth& birth) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != birth.parent) ::_exit(128 + SIGTERM);  // it died before that held
  take_the_terminal(birth.group);
  ::dup2(birth.output, STDOUT_FILENO);
  if (birth.error == StandardError::like_output) ::dup2(birth.output, STDERR_FILENO);
  close_at_exec_from(kFirstOfOurs);
  limit_descriptors(birth.descriptors);
  default_signals();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(birth.argv[0], birth.argv);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(birth.tell_failure, &error, sizeof error);
  ::_exit(kNotFound);
}

// --- /proc

struct Relation {
  int pid = 0;
  int parent = 0;
};

// "PID (name) STATE PARENT ...": the name may hold anything.
std::optional<Relation> relation_of(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::stringstream text;
  text << file.rdbuf();
  const std::string stat = text.str();
  const std::size_t name_ends = stat.rfind(')');
  if (name_ends == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_ends + 1));
  char state = 'Z';
  Relation relation{.pid = pid};
  fields >> state >> relation.parent;
  if (!fields || state == 'Z' || state == 'X') return std::nullopt;
  return relation;
}

std::vector<Relation> all_relations() {
  std::vector<Relation> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return all;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    int pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (const auto relation = relation_of(pid)) all.push_back(*relation);
  }
  return all;
}

}  // namespace

void open_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream)
    if (::fcntl(stream, F_GETFD) == -1) ::open("/dev/null", O_RDWR);  // takes the lowest free number
}

StartFailure exec_in_place(const CommandLineOfApp& command) {
  const std::vector<char*> argv = argv_of(command);
  ::execvp(argv[0], argv.data());
  return failure_of(command, errno);
}

tl::expected<int, StartFailure> start_child(const CommandLineOfApp& command, int output, StandardError error,
                                            std::size_t descriptors) {
  const std::vector<char*> argv = argv_of(command);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return tl::unexpected(failure_of(command, errno));
  const Birth birth{.argv = argv.data(),
                    .output = output,
                    .error = error,
                    .parent = ::getpid(),
                    .group = ::getpgrp(),
                    .tell_failure = ends[1],
                    .descriptors = descriptors};
  pid_t child = -1;
  int why = 0;
  {
    // A signal between fork and exec would run our handlers in the child, on descriptors it shares with us.
    const SignalsBlocked blocked;
    child = ::fork();
    if (child == 0) become(birth);
    why = errno;
  }
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    return tl::unexpected(failure_of(command, why));
  }
  ssize_t told = -1;
  do told = ::read(ends[0], &why, sizeof why);
  while (told < 0 && errno == EINTR);
  ::close(ends[0]);
  if (told != sizeof why) return child;
  ::waitpid(child, nullptr, 0);
  return tl::unexpected(failure_of(command, why));
}

void stop_with_the_app(int app) {
  if (::getpgid(app) != app) return;
  ::raise(SIGTSTP);  // the kernel drops it where no shell could continue us
  if (::tcgetpgrp(STDIN_FILENO) == ::getpgrp()) ::tcsetpgrp(STDIN_FILENO, app);
  ::kill(-app, SIGCONT);
}

int Ending::status() const { return kind == Kind::exited ? number : 128 + number; }

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::vector<int> descendants() {
  const std::vector<Relation> all = all_relations();
  std::vector<int> found{::getpid()};
  for (std::size_t next = 0; next < found.size(); ++next)
    for (const Relation& relation : all)
      if (relation.parent == found[next]) found.push_back(relation.pid);
  found.erase(found.begin());
  return found;
}

long out_of_memory_kills() {
  std::ifstream file("/proc/vmstat");
  std::string name;
  for (long count = 0; file >> name >> count;)
    if (name == "oom_kill") return count;
  return 0;
}

}  // namespace holdshort
