#include "agent/status.h"

#include <algorithm>
#include <utility>

#include "probes/remedy.h"

namespace holdshort {

Instant Instant::now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

bool clock_jumped(std::chrono::nanoseconds offset, std::chrono::nanoseconds later_offset) {
  return std::chrono::abs(later_offset - offset) > kClockJump;
}

bool is_ready(const Status& status, Instant now) {
  if (status.by_hand && !status.by_hand->is_over(now)) return status.by_hand->ready;
  const bool ready = status.by_hand ? status.holding.empty() : status.ready;
  if (!ready || status.valid_until == Monotonic::max()) return ready;  // rests on no verdict
  return now.monotonic <= status.valid_until && !clock_jumped(status.clock_offset, now.offset());
}

namespace {

constexpr std::string_view kStaleRemedy =
    "it runs again by itself; where this stays, the agent gets no processor time or its runs do not end: "
    "look at "
    "the Machine's load and at holdshort_scheduler_lag_seconds";

bool has_verdict(const ProbeStatus& probe) {
  return probe.state == State::passing || probe.state == State::failing;
}

std::shared_ptr<const ProbeStatus> made_stale(const ProbeStatus& probe, Wall now) {
  auto stale = std::make_shared<ProbeStatus>(probe);
  stale->state = State::stale;
  stale->since = now;
  stale->holds = probe.severity == Severity::required;
  return stale;
}

}  // namespace

std::string_view remedy_of(const ProbeStatus& probe) {
  if (probe.state == State::passing) return "";
  if (probe.state == State::stale) return kStaleRemedy;
  const Check* worst = worst_of(*probe.checks);
  return worst ? remedy_for(probe.type, *worst) : "";
}

std::shared_ptr<const Status> as_of(std::shared_ptr<const Status> status, Instant now) {
  const bool jumped = clock_jumped(status->clock_offset, now.offset());
  const auto expired = [&](const std::shared_ptr<const ProbeStatus>& probe) {
    return has_verdict(*probe) && (jumped || now.monotonic > probe->valid_until);
  };
  const bool override_over = status->by_hand && status->by_hand->is_over(now);
  if (!override_over && std::none_of(status->probes.begin(), status->probes.end(), expired)) return status;

  auto aged = std::make_shared<Status>(*status);
  aged->holding.clear();
  for (auto& probe : aged->probes) {
    if (expired(probe)) probe = made_stale(*probe, now.wall);
    if (probe->holds) aged->holding.push_back(probe->name);
  }
  if (override_over) aged->by_hand.reset();
  if (!aged->by_hand) aged->ready = (status->by_hand || status->ready) && aged->holding.empty();
  if (aged->ready != status->ready) aged->since = now.wall;
  return aged;
}

void StatusBoard::publish(std::shared_ptr<const Status> status) {
  {
    const std::lock_guard lock(mutex_);
    status_.swap(status);
  }
  const std::lock_guard lock(listener_mutex_);
  if (listener_) listener_();
}

bool StatusBoard::is_ready(Instant now) const {
  const std::lock_guard lock(mutex_);
  return holdshort::is_ready(*status_, now);
}

void StatusBoard::on_publish(std::function<void()> listener) {
  const std::lock_guard lock(listener_mutex_);
  listener_ = std::move(listener);
}

std::shared_ptr<const Status> StatusBoard::load(Instant now) const {
  std::shared_ptr<const Status> status;
  {
    const std::lock_guard lock(mutex_);
    status = status_;
  }
  return as_of(std::move(status), now);
}

void StatusBoard::beat(Monotonic now) {
  beat_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

bool StatusBoard::alive(Monotonic now) const {
  const Monotonic beat{Monotonic::duration(beat_.load(std::memory_order_relaxed))};
  return beat != Monotonic() && now - beat <= kSilence;
}

void StatusBoard::set_lag(std::chrono::nanoseconds lag) {
  lag_.store(lag.count(), std::memory_order_relaxed);
}

std::chrono::nanoseconds StatusBoard::lag() const {
  return std::chrono::nanoseconds(lag_.load(std::memory_order_relaxed));
}

void StatusBoard::set_reload(Reload reload) {
  const std::lock_guard lock(mutex_);
  reload_ = reload;
}

Reload StatusBoard::reload() const {
  const std::lock_guard lock(mutex_);
  return reload_;
}

}  // namespace holdshort
