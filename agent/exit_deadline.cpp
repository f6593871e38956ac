#include "agent/exit_deadline.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stop_token>

namespace holdshort {

ExitDeadline::ExitDeadline(int status, std::chrono::milliseconds limit)
    : thread_([status, limit](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any stopped;
        std::unique_lock lock(mutex);
        stopped.wait_for(lock, stop, limit, [&stop] { return stop.stop_requested(); });
        if (!stop.stop_requested()) std::_Exit(status);
      }) {}

}  // namespace holdshort
