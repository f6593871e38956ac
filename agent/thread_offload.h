// Runs what blocks (files, /proc) on a few threads, so that the probe loop never waits for a disk.
#pragma once

#include <atomic>
#include <memory>

#include "probes/probe.h"

namespace holdshort {

class ThreadOffload final : public Offload {
 public:
  // `executor`: of the loop on which callers are resumed; it outlives *this.
  explicit ThreadOffload(boost::asio::any_io_executor executor);
  ~ThreadOffload() override;  // waits for work that has begun; what has not is dropped with its coroutine
  Awaitable<void> run(std::function<void()> work) override;
  // Nothing is queued or under way. Work that hangs (a dead network file system) cannot be ended, only left
  // behind by ending the process.
  bool idle() const;

  static constexpr std::size_t kThreads = 2;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdshort
