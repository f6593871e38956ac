#include "agent/supervisor/output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "agent/supervisor/interleaver.h"

namespace holdshort {

namespace {

// What a pipe holds: one read takes all that was written before it.
constexpr std::size_t kPipeBytes = 64 * 1024;

void close_once(int& descriptor) {
  if (descriptor >= 0) ::close(std::exchange(descriptor, -1));
}

bool is_same_file(int a, int b) {
  struct stat of_a {
  }, of_b{};
  return ::fstat(a, &of_a) == 0 && ::fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino && of_a.st_rdev == of_b.st_rdev;
}

struct Item {
  enum class Kind { line, app_begins, app_has_ended };
  Kind kind = Kind::line;
  std::string line;
};

// An eventfd; readable from ring() on, until silence().
class Bell {
 public:
  Bell() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Bell() { close_once(descriptor_); }
  Bell(const Bell&) = delete;
  int descriptor() const { return descriptor_; }
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(descriptor_, &one, sizeof one);
  }
  void silence() const {
    std::uint64_t rung = 0;
    [[maybe_unused]] const ssize_t read = ::read(descriptor_, &rung, sizeof rung);
  }

 private:
  int descriptor_;
};

pollfd to_read(int descriptor) { return {.fd = descriptor, .events = POLLIN, .revents = 0}; }

}  // namespace

struct Output::Impl {
  ~Impl() {
    close_once(app_end);
    close_once(read_end);
  }

  // Nobody writes any more, or nobody reads: then the app's pipe breaks.
  void close_pipe() {
    close_once(read_end);
    from_app = -1;
  }

  void push(Item item) {
    {
      const std::lock_guard lock(mutex);
      queued_bytes += item.line.size();
      queue.push_back(std::move(item));
      while (queued_bytes > kMaxQueued) {
        queued_bytes -= queue.front().line.size();
        queue.pop_front();
      }
    }
    queued.ring();
  }

  std::deque<Item> take() {
    queued.silence();
    const std::lock_guard lock(mutex);
    queued_bytes = 0;
    return std::exchange(queue, {});
  }

  // --- the thread

  void relay() {
    bool is_last = false;
    while (!is_last) {
      pollfd waits[] = {to_read(queued.descriptor()), to_read(from_app), to_read(stopped.descriptor())};
      ::poll(waits, 3, -1);
      is_last = waits[2].revents != 0;
      turn();
    }
    // Whoever still writes does not hold up the end.
    std::string rest;
    interleaver.end_of_app(rest);
    write_all(rest);
  }

  // The lines are taken before the app's bytes are read: what the app wrote before a line goes out before it.
  void turn() {
    std::deque<Item> items = take();
    std::string bytes;
    read_app(bytes);
    for (Item& item : items) {
      if (item.kind == Item::Kind::line) interleaver.log(std::move(item.line), bytes);
      if (item.kind == Item::Kind::app_has_ended) interleaver.end_of_app(bytes);
      if (item.kind != Item::Kind::app_begins) continue;
      from_app = read_end;
      read_app(bytes);
    }
    write_all(bytes);
  }

  // What the pipe holds now, as far as it may be written.
  void read_app(std::string& bytes) {
    if (from_app < 0) return;
    const ssize_t count = ::read(from_app, buffer.data(), buffer.size());
    if (count > 0) interleaver.app({buffer.data(), static_cast<std::size_t>(count)}, bytes);
    if (count != 0) return;
    close_pipe();
    interleaver.end_of_app(bytes);
  }

  // A slow reader slows the app down, as it would without us. One that is gone breaks the app's pipe.
  void write_all(std::string_view bytes) {
    while (!bytes.empty() && await_reader()) {
      // No more than POLLOUT promises: a write that blocks could not be given up.
      const ssize_t written = ::write(out, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
      if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
      if (written >= 0 || errno == EINTR || errno == EAGAIN) continue;
      if (errno == EPIPE) close_pipe();
      return;
    }
  }

  // False where the end has come and the reader has had its time.
  bool await_reader() {
    using std::chrono::steady_clock;
    pollfd waits[] = {{.fd = out, .events = POLLOUT, .revents = 0}, to_read(stopped.descriptor())};
    if (!given_up_at) {
      if (::poll(waits, 2, -1) < 0) return errno == EINTR;
      if (waits[0].revents != 0) return true;
      given_up_at = steady_clock::now() + std::chrono::milliseconds(kPatience);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*given_up_at - steady_clock::now());
    const int ready = ::poll(waits, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    return ready > 0 || (ready < 0 && errno == EINTR);
  }

  int out = -1;
  int app_end = -1;
  int read_end = -1;
  int from_app = -1;  // the same once the app has begun
  bool takes_stderr = false;
  Bell queued, stopped;
  Interleaver interleaver;
  std::vector<char> buffer = std::vector<char>(kPipeBytes);
  std::optional<std::chrono::steady_clock::time_point> given_up_at;
  std::mutex mutex;
  std::deque<Item> queue;
  std::size_t queued_bytes = 0;
  std::thread thread;
};

Output::Output(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Output>> Output::start(int out, int err) {
  auto impl = std::make_unique<Impl>();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return failure(fmt::format("cannot make a pipe for the app's output: {}", std::strerror(errno)));
  impl->read_end = ends[0];
  impl->app_end = ends[1];
  ::fcntl(impl->read_end, F_SETFL, O_NONBLOCK);  // of our end alone: the app's blocks, as it expects
  impl->out = out;
  impl->takes_stderr = is_same_file(out, err);
  if (::isatty(out) == 1) impl->interleaver = Interleaver(0);  // somebody waits for the prompt
  impl->thread = std::thread([raw = impl.get()] { raw->relay(); });
  return std::unique_ptr<Output>(new Output(std::move(impl)));
}

Output::~Output() {
  close_once(impl_->app_end);
  impl_->stopped.ring();
  impl_->thread.join();
}

int Output::app_end() const { return impl_->app_end; }
void Output::app_begins() {
  close_once(impl_->app_end);
  impl_->push({.kind = Item::Kind::app_begins, .line = {}});
}
bool Output::takes_stderr() const { return impl_->takes_stderr; }
void Output::line(std::string_view line) {
  impl_->push({.kind = Item::Kind::line, .line = std::string(line)});
}
void Output::app_has_ended() { impl_->push({.kind = Item::Kind::app_has_ended, .line = {}}); }

}  // namespace holdshort
