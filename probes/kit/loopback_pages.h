// Pages of our own on loopback for as long as a run lasts. An app that fetches one was led there by what a
// request told it (SSRF, CWE-918): nobody else knows its path.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "probes/kit/awaitable.h"
#include "probes/kit/result.h"

namespace holdshort {

// Loop thread only. Listens on 127.0.0.1 from open() until it is destroyed.
class LoopbackPages {
 public:
  // What strangers may cost, each of whom is answered or closed by then.
  static constexpr std::size_t kMaxVisitors = 8, kMaxHeadBytes = 8192;
  explicit LoopbackPages(std::chrono::milliseconds deadline = std::chrono::seconds(2));
  ~LoopbackPages();
  LoopbackPages(const LoopbackPages&) = delete;
  LoopbackPages& operator=(const LoopbackPages&) = delete;

  // Once, and first. At a port that the system chooses. *this ends before the loop that it is opened on.
  Awaitable<Result<void>> open();
  bool is_open() const;
  // The URL that answers with `body` from now on. `secret_path`: a segment that nobody guesses.
  std::string add(const std::string& secret_path, std::string media_type, std::string body);
  // Whether exactly this URL was asked for.
  bool was_fetched(const std::string& url) const;

 private:
  struct State;
  const std::chrono::milliseconds deadline_;
  std::shared_ptr<State> state_;
};

}  // namespace holdshort
