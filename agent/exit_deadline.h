// A clean end that does not wait for what cannot be ended: a name lookup or a disk that hangs keeps its
// thread, and whoever joins that.
#pragma once

#include <chrono>
#include <thread>

namespace holdshort {

// From construction on destructors have `limit`; after it the process ends with `status` as it is. Destroyed
// before that, it does nothing.
class ExitDeadline {
 public:
  ExitDeadline(int status, std::chrono::milliseconds limit);

 private:
  std::jthread thread_;
};

}  // namespace holdshort
