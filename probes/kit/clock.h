// Time as a seam: production asks the machine, tests move it by hand.
#pragma once

#include <chrono>

#include "probes/kit/awaitable.h"

namespace holdshort {

using Monotonic = std::chrono::steady_clock::time_point;
using Wall = std::chrono::system_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  // Stands still while the Machine is suspended; all intervals and deadlines use it.
  virtual Monotonic now() const = 0;
  virtual Wall wall_now() const = 0;
  // Returns at `when`, or earlier when the waiting coroutine is cancelled (the agent stops). Never throws.
  virtual Awaitable<void> sleep_until(Monotonic when) = 0;
};

}  // namespace holdshort
