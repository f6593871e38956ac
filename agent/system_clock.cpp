#include "agent/system_clock.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace holdshort {

Monotonic SystemClock::now() const { return std::chrono::steady_clock::now(); }

Wall SystemClock::wall_now() const { return std::chrono::system_clock::now(); }

Awaitable<void> SystemClock::sleep_until(Monotonic when) {
  boost::asio::steady_timer timer(executor_, when);
  boost::system::error_code ignored;
  co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
}

}  // namespace holdshort
