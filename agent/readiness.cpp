#include "agent/readiness.h"

#include <utility>

namespace holdshort {

std::string_view name_of(State state) {
  switch (state) {
    case State::pending:
      return "pending";
    case State::passing:
      return "passing";
    case State::failing:
      return "failing";
    case State::stale:
      return "stale";
  }
  return "";
}

Track::Next Track::completed(Outcome outcome, Monotonic now) {
  last_completed_ = now;
  const bool confirming = std::exchange(unconfirmed_, false);
  if (outcome == Outcome::fail && !confirming && is_first_fail()) {
    unconfirmed_ = true;
    return Next::confirm_now;
  }
  switch (outcome) {
    case Outcome::skipped:
    case Outcome::pass:
      passed(outcome);
      break;
    case Outcome::inconclusive:
      saw_nothing();
      break;
    case Outcome::fail:
      failed(now);
      break;
  }
  return Next::as_scheduled;
}

bool Track::is_first_fail() const { return thresholds_.confirm && settled_ == State::passing && fails_ == 0; }

void Track::passed(Outcome outcome) {
  fails_ = inconclusives_ = 0;
  grace_over_ = true;
  const bool only_aged = state_ == State::stale && settled_ == State::passing;
  if (++passes_ >= thresholds_.success || only_aged || state_ == State::passing)
    settle(State::passing, outcome);
}

void Track::failed(Monotonic now) {
  passes_ = inconclusives_ = 0;
  if (state_ == State::pending) outcome_ = Outcome::fail;
  const bool in_grace = state_ == State::pending && !grace_over_ && now < started_ + thresholds_.grace_period;
  if (!in_grace && ++fails_ >= thresholds_.failure) settle(State::failing, Outcome::fail);
}

void Track::saw_nothing() {
  passes_ = 0;
  if (state_ == State::pending) outcome_ = Outcome::inconclusive;
  if (++inconclusives_ >= thresholds_.inconclusive && state_ == State::passing)
    settle(State::failing, Outcome::inconclusive);
}

void Track::settle(State state, Outcome why) {
  state_ = settled_ = state;
  outcome_ = why;
  ever_passed_ = ever_passed_ || state == State::passing;
}

void Track::age(Monotonic now, std::chrono::milliseconds max_age) {
  if (now > valid_until(max_age)) state_ = State::stale;
}

Monotonic Track::valid_until(std::chrono::milliseconds max_age) const {
  return has_verdict() ? *last_completed_ + max_age : Monotonic::max();
}

void Track::distrust() {
  if (has_verdict()) state_ = State::stale;
  fails_ = passes_ = inconclusives_ = 0;
  unconfirmed_ = false;
}

}  // namespace holdshort
