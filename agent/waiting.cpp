#include "agent/waiting.h"

#include <algorithm>
#include <deque>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace holdshort {

namespace {

// Wakes its one waiter when it is cancelled.
using Signal = boost::asio::steady_timer;

Signal make_signal(const boost::asio::any_io_executor& executor) {
  return Signal(executor, Signal::time_point::max());
}

Awaitable<void> wait(Signal& signal) {
  boost::system::error_code ignored;
  co_await signal.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
}

}  // namespace

struct Alarm::State {
  Clock& clock;
  Signal signal;
  bool rung = false;
  Monotonic earliest = Monotonic::max();  // when the first of the sleepers wakes
};

Alarm::Alarm(boost::asio::any_io_executor executor, Clock& clock)
    : state_(new State{.clock = clock, .signal = make_signal(executor)}) {}

// The clock's sleep cannot be cut short (Asio of Boost 1.74 cancels no coroutine), so each runs in a
// coroutine of its own, in slices: when nobody waits any more it ends with the slice. Slices of all alarms
// end together, so that the processor wakes once for them. A sleep that still serves is not begun again.
Awaitable<void> Alarm::sleep(std::weak_ptr<State> sleeper, Clock& clock, Monotonic when) {
  while (clock.now() < when) {
    const Monotonic slice_end = std::chrono::floor<std::chrono::milliseconds>(clock.now()) + kSlice;
    co_await clock.sleep_until(std::min(when, slice_end - slice_end.time_since_epoch() % kSlice));
    if (sleeper.expired()) co_return;
  }
  const std::shared_ptr<State> state = sleeper.lock();
  if (!state) co_return;
  if (state->earliest == when) state->earliest = Monotonic::max();
  state->signal.cancel();
}

Awaitable<void> Alarm::wait_until(Monotonic when) {
  const std::shared_ptr<State> state = state_;
  while (!state->rung && state->clock.now() < when) {
    if (when < state->earliest) {
      state->earliest = when;
      boost::asio::co_spawn(state->signal.get_executor(), sleep(state, state->clock, when),
                            boost::asio::detached);
    }
    co_await wait(state->signal);
  }
  state->rung = false;
}

void Alarm::ring() {
  state_->rung = true;
  state_->signal.cancel();
}

struct Places::State {
  struct Asker {
    explicit Asker(const boost::asio::any_io_executor& executor) : signal(make_signal(executor)) {}
    Signal signal;
    bool served = false;
  };
  boost::asio::any_io_executor executor;
  int count = 1;
  int taken = 0;
  std::deque<std::shared_ptr<Asker>> queue;
};

Places::Places(boost::asio::any_io_executor executor, int count)
    : state_(new State{.executor = std::move(executor), .count = count, .queue = {}}) {}

void Places::serve(State& state) {
  while (!state.queue.empty() && state.taken < state.count) {
    ++state.taken;
    state.queue.front()->served = true;
    state.queue.front()->signal.cancel();
    state.queue.pop_front();
  }
}

Awaitable<Places::Place> Places::take() {
  const std::shared_ptr<State> state = state_;
  const auto asker = std::make_shared<State::Asker>(state->executor);
  state->queue.push_back(asker);
  serve(*state);
  while (!asker->served) co_await wait(asker->signal);
  co_return Place(state);
}

Places::Place::~Place() {
  if (!state_) return;
  --state_->taken;
  serve(*state_);
}

void Places::set_count(int count) {
  state_->count = count;
  serve(*state_);
}

}  // namespace holdshort
