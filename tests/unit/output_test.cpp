// The relay of the app's output, on real pipes: nothing here depends on who is quicker.
#include "agent/supervisor/output.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

namespace holdshort {
namespace {

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  void close_end(int which) {
    if (ends[which] >= 0) ::close(std::exchange(ends[which], -1));
  }
  std::string read_all() {  // until nobody has the writing end any more
    std::string all;
    char buffer[4096];
    for (ssize_t count; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<std::size_t>(count));
    return all;
  }
  int ends[2];
};

void write_to(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    ASSERT_GT(written, 0);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// The relay with the app's end in the hands of the test.
struct Bench {
  explicit Bench(int err = -1) : output(*Output::start(to_reader.ends[1], err)) {
    app = ::dup(output->app_end());
  }
  ~Bench() { end_app(); }
  void end_app() {
    if (app >= 0) ::close(std::exchange(app, -1));
  }
  // All that was written, once the relay has ended.
  std::string written() {
    output.reset();
    to_reader.close_end(1);
    return to_reader.read_all();
  }
  Pipe to_reader;
  std::unique_ptr<Output> output;
  int app = -1;
};

TEST(Output, WhatTheAppWroteComesBeforeTheLineOfItsEnd) {
  Bench bench;
  write_to(bench.app, "one\ntwo");
  bench.output->line("app.started\n");
  bench.output->app_begins();
  bench.output->app_has_ended();
  bench.output->line("app.exited\n");
  EXPECT_EQ(bench.written(), "app.started\none\ntwo\napp.exited\n");
}

TEST(Output, WhatStillStandsInThePipeIsWrittenAtTheEnd) {
  Bench bench;
  bench.output->app_begins();
  const std::string whole(60000, 'x');
  write_to(bench.app, whole);
  EXPECT_EQ(bench.written(), whole);
}

TEST(Output, SomebodyWhoKeepsThePipeDoesNotHoldUpTheEnd) {
  Bench bench;
  bench.output->app_begins();
  write_to(bench.app, "a\n");
  EXPECT_EQ(bench.written(), "a\n");  // bench.app is still open
}

TEST(Output, MegabytesPassUntouchedWithLinesOfTheLogBetweenLines) {
  Bench bench;
  bench.output->app_begins();
  std::string sent;
  for (int i = 0; i < 40000; ++i) sent += std::string(static_cast<std::size_t>(i % 97), 'a') + "\n";
  std::string seen;
  std::thread reader([&] { seen = bench.to_reader.read_all(); });
  for (std::size_t at = 0; at < sent.size(); at += 1000) {
    write_to(bench.app, std::string_view(sent).substr(at, 1000));
    bench.output->line("LOG\n");
  }
  bench.end_app();
  bench.output.reset();
  bench.to_reader.close_end(1);
  reader.join();
  std::string of_the_app;
  std::size_t lines = 0;
  for (std::size_t at = 0; at < seen.size();) {
    const std::size_t end = seen.find('\n', at) + 1;
    const std::string_view line = std::string_view(seen).substr(at, end - at);
    if (line == "LOG\n")
      ++lines;
    else
      of_the_app += line;
    at = end;
  }
  EXPECT_EQ(of_the_app, sent);
  EXPECT_EQ(lines, (sent.size() + 999) / 1000);
}

TEST(Output, AReaderThatIsGoneBreaksTheAppsPipeAsItWouldWithoutUs) {
  ::signal(SIGPIPE, SIG_IGN);
  Bench bench;
  bench.output->app_begins();
  bench.to_reader.close_end(0);
  int error = 0;
  while (error == 0)  // ends when the relay has seen it: a full pipe waits for that
    if (::write(bench.app, "x\n", 2) < 0) error = errno;
  EXPECT_EQ(error, EPIPE);
}

TEST(Output, AReaderThatDoesNotReadHoldsUpNeitherTheLogNorTheEnd) {
  Bench bench;
  bench.output->app_begins();
  const std::string line(4095, 'L');
  for (std::size_t i = 0; i < 2 * Output::kMaxQueued / 4096; ++i) bench.output->line(line + "\n");
  EXPECT_LE(bench.written().size(), std::size_t{64} * 1024);  // what a pipe holds
}

TEST(Output, StandardErrorIsTakenWhereItIsTheSameFile) {
  Pipe other;
  Bench bench;
  EXPECT_FALSE(bench.output->takes_stderr());
  EXPECT_TRUE((*Output::start(other.ends[1], other.ends[1]))->takes_stderr());
  EXPECT_FALSE((*Output::start(other.ends[1], bench.to_reader.ends[1]))->takes_stderr());
}

TEST(Output, TheAppsEndOfThePipeBlocksAsAProgramExpects) {
  Bench bench;
  EXPECT_EQ(::fcntl(bench.app, F_GETFL) & O_NONBLOCK, 0);
}

}  // namespace
}  // namespace holdshort
