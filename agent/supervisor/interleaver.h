// Puts the agent's lines between the lines of the app, on a stream that both share.
//
// The app's bytes stay as they are and in their order. Only their time may change: an unfinished line is held
// until it ends, so that the log need not wait for an app that stops in the middle of one.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace holdshort {

class Interleaver {
 public:
  // `held`: of an unfinished line, in bytes; a longer one goes out in pieces, and the log waits for its end.
  explicit Interleaver(std::size_t held = kMaxHeld) : max_held_(held) {}

  // Each appends to `out` what may be written now.
  void app(std::string_view bytes, std::string& out);
  void log(std::string line, std::string& out);  // whole, with its line break
  // The app is gone: what it left unfinished goes out, and the next line of the log begins a line of its own.
  void end_of_app(std::string& out);

  static constexpr std::size_t kMaxHeld = 64 * 1024;
  static constexpr std::size_t kMaxWaiting =
      256 * 1024;  // bytes of log behind an endless line; the oldest go

 private:
  void release_log(std::string& out);

  std::size_t max_held_;
  std::string held_;                 // an unfinished line of which nothing has been written
  bool in_line_ = false;             // a part of the app's unfinished line has been written
  bool is_over_ = false;             // that line will not be finished
  std::deque<std::string> waiting_;  // lines of the log that came in the middle of it
  std::size_t waiting_bytes_ = 0;
};

}  // namespace holdshort
