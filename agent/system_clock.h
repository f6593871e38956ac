// The Machine's own clocks.
#pragma once

#include "probes/kit/clock.h"

namespace holdshort {

// Sleeps on the loop of `executor`, where every coroutine that sleeps must run.
class SystemClock final : public Clock {
 public:
  explicit SystemClock(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Monotonic now() const override;
  Wall wall_now() const override;
  Awaitable<void> sleep_until(Monotonic when) override;

 private:
  boost::asio::any_io_executor executor_;
};

}  // namespace holdshort
