// Time that stands still until a test moves it; who sleeps is woken by advance().
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "probes/kit/clock.h"

namespace holdshort::testing_support {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(boost::asio::io_context& loop) : loop_(loop) {}
  Monotonic now() const override { return monotonic_; }
  Wall wall_now() const override { return wall_; }

  Awaitable<void> sleep_until(Monotonic when) override {
    if (when <= monotonic_) co_return;
    const auto timer =
        std::make_shared<boost::asio::steady_timer>(loop_, boost::asio::steady_timer::time_point::max());
    sleepers_.push_back({when, timer});
    boost::system::error_code ignored;
    co_await timer->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }

  // Goes from sleeper to sleeper, so that each wakes at its own time, and lets the loop run dry in between.
  void advance(std::chrono::milliseconds by) {
    const Monotonic end = monotonic_ + by;
    settle();
    while (true) {
      const auto first = std::min_element(sleepers_.begin(), sleepers_.end(),
                                          [](const Sleeper& a, const Sleeper& b) { return a.when < b.when; });
      if (first == sleepers_.end() || first->when > end) break;
      move_to(std::max(first->when, monotonic_));
      settle();
    }
    move_to(end);
    settle();
  }
  // Everything at once, as after SIGSTOP: nobody ran in between.
  void leap(std::chrono::milliseconds by) {
    move_to(monotonic_ + by);
    settle();
  }
  // A suspended Machine: the wall clock alone went on.
  void suspend(std::chrono::milliseconds by) { wall_ += by; }

  void settle() {
    loop_.restart();
    while (loop_.poll() > 0) {
    }
  }

 private:
  struct Sleeper {
    Monotonic when;
    std::shared_ptr<boost::asio::steady_timer> timer;
  };

  void move_to(Monotonic when) {
    wall_ += std::chrono::duration_cast<Wall::duration>(when - monotonic_);
    monotonic_ = when;
    std::erase_if(sleepers_, [&](const Sleeper& sleeper) {
      if (sleeper.when > monotonic_) return false;
      sleeper.timer->cancel();
      return true;
    });
  }

  boost::asio::io_context& loop_;
  Monotonic monotonic_{std::chrono::hours(1)};
  Wall wall_{std::chrono::hours(500000)};
  std::vector<Sleeper> sleepers_;
};

}  // namespace holdshort::testing_support
