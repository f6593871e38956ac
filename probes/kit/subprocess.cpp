#include "probes/kit/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <system_error>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "probes/kit/descriptor.h"

namespace holdshort {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds kDeathTakes{1};  // after SIGKILL; a process in the kernel may take longer
constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::size_t kMaxReadAtOnce = 128 * 1024;  // then others have their turn
constexpr std::size_t kMaxLeftBytes = 256 * 1024;   // read after its end: a pipe holds less

struct Started {
  int pid = 0;
  Descriptor process, output;
  std::string error;  // "": it runs
};

std::string words_of(int code) {
  switch (code) {
    case ENOENT:
      return "no such program (or the interpreter that its first line names)";
    case EACCES:
      return "it is not executable";
    case ENOEXEC:
      return "it is no program: a script begins with #! and its interpreter";
    default:
      return std::generic_category().message(code);
  }
}

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t all, none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Blocks until exec has succeeded or failed. The parent's memory is shared meanwhile, so glibc itself does
// what happens in the child.
Started start(Command command) {
  constexpr int kFirstOfOurs = 3;
  Started started;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    started.error = words_of(errno);
    return started;
  }
  started.output = Descriptor(ends[0]);
  Descriptor input(ends[1]);
  // Above the streams that they become, should the agent itself have started without them.
  const Descriptor safe(::fcntl(input.get(), F_DUPFD_CLOEXEC, kFirstOfOurs));
  input.reset();
  // Opened here and not in the child, where its absence would look like that of the program.
  Descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (null.get() < 0) {
    started.error = "there is no /dev/null to be its input";
    return started;
  }
  const Descriptor nothing(::fcntl(null.get(), F_DUPFD_CLOEXEC, kFirstOfOurs));
  null.reset();

  SpawnActions actions;
  ::posix_spawn_file_actions_adddup2(actions.get(), safe.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(actions.get(), safe.get(), STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(actions.get(), nothing.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(actions.get(), kFirstOfOurs);
  const SpawnAttributes attributes;
  const std::vector<char*> arguments = pointers_to(command.arguments);
  const std::vector<char*> environment = pointers_to(command.environment);
  const int failed = ::posix_spawnp(&started.pid, arguments.front(), actions.get(), attributes.get(),
                                    arguments.data(), environment.data());
  if (failed != 0) {
    started.error = words_of(failed);
    return started;
  }
  started.process = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, started.pid, 0)));
  if (started.process.get() < 0) {
    const int code = errno;
    ::kill(-started.pid, SIGKILL);
    ::waitpid(started.pid, nullptr, 0);
    started.error = "this kernel gives no handle to a process (pidfd_open): " + words_of(code);
  }
  return started;
}

// One program that runs. Its callbacks hold it; close() ends them.
class Running : public std::enable_shared_from_this<Running> {
 public:
  Running(const asio::any_io_executor& executor, Started started)
      : pid_(started.pid),
        process_(executor, started.process.release()),
        output_(executor, started.output.release()),
        timer_(executor) {
    error_code ignored;
    output_.non_blocking(true, ignored);
  }

  Awaitable<Finished> run(std::chrono::milliseconds deadline) {
    watch_process();
    watch_output();
    co_await wait_for_end(deadline);
    const bool is_late = !has_ended_;
    kill_group();
    if (is_late) co_await wait_for_end(kDeathTakes);
    take_output(kMaxLeftBytes);
    Finished finished = reap();
    if (is_late) finished.how = Finished::How::late;
    finished.output = std::move(tail_);
    finished.output_is_cut = is_cut_;
    is_over_ = true;
    co_return finished;
  }

  // Where run() was abandoned, this waits for its death: a moment, unless the kernel holds it.
  void close() {
    error_code ignored;
    if (!is_over_) {
      kill_group();
      pollfd waiting{process_.native_handle(), POLLIN, 0};
      ::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kDeathTakes).count()));
      reap();
    }
    process_.close(ignored);
    output_.close(ignored);
  }

 private:
  Awaitable<void> wait_for_end(std::chrono::milliseconds at_most) {
    error_code ignored;
    timer_.expires_after(at_most);
    if (!has_ended_) co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  void watch_process() {
    process_.async_wait(Handle::wait_read, [self = shared_from_this()](const error_code& closed) {
      if (closed) return;
      self->has_ended_ = true;
      self->timer_.cancel();
    });
  }

  void watch_output() {
    output_.async_wait(Handle::wait_read, [self = shared_from_this()](const error_code& closed) {
      if (!closed && self->take_output(kMaxReadAtOnce)) self->watch_output();
    });
  }

  // False where no more will come.
  bool take_output(std::size_t max_bytes) {
    std::array<char, kReadBytes> bytes;
    for (std::size_t taken = 0; taken < max_bytes;) {
      const ssize_t count = ::read(output_.native_handle(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return count < 0 && errno == EAGAIN;
      taken += static_cast<std::size_t>(count);
      tail_.append(bytes.data(), static_cast<std::size_t>(count));
      if (tail_.size() <= kMaxOutputBytes) continue;
      tail_.erase(0, tail_.size() - kMaxOutputBytes);
      is_cut_ = true;
    }
    return true;
  }

  // Its number is its own as long as nobody has taken its status: until then it names no other group.
  void kill_group() {
    siginfo_t info{};
    if (is_reaped_ || wait(info, WEXITED | WNOHANG | WNOWAIT) != 0) return;
    ::kill(-pid_, SIGKILL);
  }

  int wait(siginfo_t& info, int options) const {
    int result = 0;
    do {
      result = ::waitid(P_PIDFD, static_cast<id_t>(process_.native_handle()), &info, options);
    } while (result != 0 && errno == EINTR);
    return result;
  }

  Finished reap() {
    Finished finished;
    if (is_reaped_) return finished;
    siginfo_t info{};
    if (wait(info, WEXITED | WNOHANG) != 0) {
      is_reaped_ = true;
      finished.how = Finished::How::lost;
      finished.error = "its exit status was taken by somebody else: " + words_of(errno);
    } else if (info.si_pid != 0) {
      is_reaped_ = true;
      finished.how = info.si_code == CLD_EXITED ? Finished::How::exited : Finished::How::killed;
      finished.code = info.si_status;
    }
    return finished;
  }

  using Handle = asio::posix::stream_descriptor;
  const int pid_;
  // Not const: native_handle() of Boost 1.74 is not.
  mutable Handle process_;
  Handle output_;
  asio::steady_timer timer_;
  bool has_ended_ = false, is_reaped_ = false, is_over_ = false;
  std::string tail_;
  bool is_cut_ = false;
};

// Ends the program when the coroutine that waits for it ends or is destroyed.
class Closer {
 public:
  explicit Closer(std::shared_ptr<Running> running) : running_(std::move(running)) {}
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;
  ~Closer() { running_->close(); }

 private:
  const std::shared_ptr<Running> running_;
};

}  // namespace

Awaitable<Finished> run_to_end(Command command, std::chrono::milliseconds deadline, Offload& offload) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  // Shared: where this coroutine is abandoned meanwhile, `start` still writes into it.
  struct Start {
    ~Start() {
      if (started.process.get() < 0) return;
      ::kill(-started.pid, SIGKILL);
      ::waitpid(started.pid, nullptr, 0);
    }
    Command command;
    Started started;
  };
  const auto begun = std::make_shared<Start>();
  begun->command = std::move(command);
  std::function<void()> work = [begun] { begun->started = start(std::move(begun->command)); };
  co_await offload.run(std::move(work));
  if (!begun->started.error.empty()) {
    Finished finished;
    finished.error = begun->started.error;
    co_return finished;
  }
  const auto running = std::make_shared<Running>(executor, std::move(begun->started));
  const Closer closer(running);
  co_return co_await running->run(deadline);
}

}  // namespace holdshort
