// What the coroutines of the probe loop wait for: an alarm that may ring early, a place among those in
// flight.
//
// Loop thread only. Both keep their state alive as long as a coroutine waits, so that one which never wakes
// again (the agent stops) may be destroyed after its owner.
#pragma once

#include <memory>

#include "probes/kit/clock.h"

namespace holdshort {

// For one waiter at a time.
class Alarm {
 public:
  Alarm(boost::asio::any_io_executor executor, Clock& clock);
  // Returns at `when`, or at ring(); at once where it was rung since the last return. Monotonic::max() is
  // never.
  Awaitable<void> wait_until(Monotonic when);
  void ring();

  // How long a sleep outlives, at most, an alarm that nobody waits for any more.
  static constexpr std::chrono::milliseconds kSlice{500};

 private:
  struct State;
  static Awaitable<void> sleep(std::weak_ptr<State> sleeper, Clock& clock, Monotonic when);
  std::shared_ptr<State> state_;
};

// A semaphore that serves in the order of asking.
class Places {
  struct State;

 public:
  // Held while it lives.
  class Place {
   public:
    explicit Place(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Place(Place&&) = default;
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    std::shared_ptr<State> state_;  // null: moved from
  };

  Places(boost::asio::any_io_executor executor, int count);
  Awaitable<Place> take();
  void set_count(int count);  // those who hold a place keep it

 private:
  static void serve(State& state);
  std::shared_ptr<State> state_;
};

}  // namespace holdshort
