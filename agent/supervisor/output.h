// Standard output while an app is supervised: the app writes into a pipe, a thread of its own relays that
// byte for byte, and the agent's lines go between the app's (Interleaver).
//
// On a thread, because an app whose output nobody takes stands still; and because a log whose reader is stuck
// must not hold up the agent.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "probes/kit/result.h"

namespace holdshort {

class Output {
 public:
  // Relays to descriptor `out`. `err` is the app's standard error: where it is the same file as `out`, its
  // lines go through the same pipe, so that the log falls into neither.
  static Result<std::unique_ptr<Output>> start(int out, int err);
  // Writes what the app and the agent have written so far; a reader that does not read gets kPatience.
  ~Output();

  // The pipe's end for the app, until app_begins().
  int app_end() const;
  // The app has that end, and ours is closed. What it writes comes after the lines before this call.
  void app_begins();
  bool takes_stderr() const;
  // A line of the agent with its line break. Any thread; never waits. Lines that nobody reads are dropped,
  // the oldest first, beyond kMaxQueued bytes.
  void line(std::string_view line);
  // What it left unfinished comes before the lines that follow. Any thread.
  void app_has_ended();

  static constexpr int kPatience = 1000;  // milliseconds
  static constexpr std::size_t kMaxQueued = 1024 * 1024;

 private:
  struct Impl;
  explicit Output(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdshort
