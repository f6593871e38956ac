// Outcomes over time -> pending | passing | failing | stale, and from these: ready or not.
//
// A pure state machine: no thread, no socket, no clock of its own. One Track per probe, told of every
// completed run:
//
//   pending --success_threshold passes--> passing        pending --failure_threshold fails after grace-->
//   failing passing --failure_threshold fails, the first confirmed--> failing (outcome fail) passing
//   --inconclusive_threshold inconclusive runs in a row--> failing (outcome inconclusive) failing
//   --success_threshold passes--> passing any but pending --older than max_age, or the clock jumped--> stale
//   stale --a pass; success_threshold passes where it had been failing--> passing
//   stale --failure_threshold fails, the first after a pass confirmed--> failing (outcome fail)
//
// A skipped run counts as a pass: the control does not apply here. Inconclusive runs never turn pending or
// stale into anything: nothing was seen. They break a row of passes, but no row of fails. A fail whose repeat
// is inconclusive is dropped. Fails within grace_period leave pending as it is; the first pass ends the
// grace.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/clock.h"
#include "probes/probe.h"

namespace holdshort {

enum class State { pending, passing, failing, stale };
std::string_view name_of(State);

struct Thresholds {
  int failure = 1, success = 1, inconclusive = 3;
  bool confirm = true;
  std::chrono::milliseconds grace_period{};
};

// One probe over time.
class Track {
 public:
  Track(Thresholds thresholds, Monotonic started) : thresholds_(thresholds), started_(started) {}

  enum class Next { as_scheduled, confirm_now };
  // A run ended at `now`. confirm_now: this first fail after a pass counts only if a run at once sees it
  // again.
  Next completed(Outcome outcome, Monotonic now);
  // To be called when time has passed: a verdict older than `max_age` becomes stale.
  void age(Monotonic now, std::chrono::milliseconds max_age);
  // The wall clock jumped against the monotonic clock (a Machine resumed): what was seen is from another
  // time.
  void distrust();

  State state() const { return state_; }
  std::optional<Outcome> outcome() const {
    return outcome_;
  }                                                  // of the last run that counted; for failing: why
  bool ever_passed() const { return ever_passed_; }  // has been in the state passing
  // The last moment at which age() leaves the state as it is; max where it cannot grow stale.
  Monotonic valid_until(std::chrono::milliseconds max_age) const;

 private:
  bool has_verdict() const { return state_ == State::passing || state_ == State::failing; }
  bool is_first_fail() const;
  void passed(Outcome outcome);
  void failed(Monotonic now);
  void saw_nothing();
  void settle(State state, Outcome why);

  Thresholds thresholds_;
  Monotonic started_;
  State state_ = State::pending;
  State settled_ = State::pending;  // what state_ was before it became stale
  std::optional<Outcome> outcome_;
  std::optional<Monotonic> last_completed_;
  int fails_ = 0, passes_ = 0, inconclusives_ = 0;
  bool unconfirmed_ = false, ever_passed_ = false, grace_over_ = false;
};

// How long a verdict lives: three missed runs and one last timeout.
constexpr std::chrono::milliseconds max_age(std::chrono::milliseconds cadence,
                                            std::chrono::milliseconds timeout) {
  return 3 * cadence + timeout;
}

}  // namespace holdshort
