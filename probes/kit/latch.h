// Lets one coroutine wait until others, or callbacks, have arrived.
#pragma once

#include <chrono>
#include <cstddef>

#include "probes/kit/awaitable.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace holdshort {

// Loop thread only; outlives whoever waits.
class Latch {
 public:
  Latch(const boost::asio::any_io_executor& executor, std::size_t expected)
      : never_(executor, std::chrono::steady_clock::time_point::max()), expected_(expected) {}
  void arrive() {
    if (expected_ > 0 && --expected_ == 0) never_.cancel();
  }
  Awaitable<void> wait() {
    while (expected_ > 0) {
      boost::system::error_code woken;
      co_await never_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
  }

 private:
  boost::asio::steady_timer never_;
  std::size_t expected_;
};

}  // namespace holdshort
