// The immutable snapshot that every surface renders. Made by the probe loop, loaded by everybody else.
//
// A snapshot outlives what it says: the loop may be stuck or the process stopped (SIGSTOP, a suspended
// Machine). So it tells until when each verdict may be believed, and whoever loads it does so for a moment in
// time.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/config.h"
#include "agent/phases.h"
#include "agent/readiness.h"
#include "agent/unusual/behaviour.h"

namespace holdshort {

// A moment on both clocks.
struct Instant {
  Monotonic monotonic;
  Wall wall;
  static Instant now();
  static Instant of(const Clock& clock) { return {clock.now(), clock.wall_now()}; }
  // Constant while neither clock is set and the Machine is not suspended.
  std::chrono::nanoseconds offset() const { return wall.time_since_epoch() - monotonic.time_since_epoch(); }
};

// A difference of the offsets of two moments that means the Machine was suspended between them, or its clock
// set.
inline constexpr std::chrono::milliseconds kClockJump{5000};
bool clock_jumped(std::chrono::nanoseconds offset, std::chrono::nanoseconds later_offset);

inline const std::shared_ptr<const std::string> kNoWords = std::make_shared<const std::string>();

// One run as it is kept in a probe's history.
struct RunRecord {
  std::string run_id;
  Wall ended;
  Outcome outcome = Outcome::inconclusive;
  std::shared_ptr<const std::string> summary = kNoWords;  // never null; equal ones share it
  std::chrono::microseconds duration{};
  int requests = 0;
};

inline constexpr std::size_t kHistory = 60;  // runs kept for each probe

// Snapshots that differ in one probe share what the others saw.
using SharedChecks = std::shared_ptr<const std::vector<Check>>;
inline SharedChecks shared(std::vector<Check> checks) {
  return std::make_shared<const std::vector<Check>>(std::move(checks));
}
inline const SharedChecks kNoChecks = shared({});

struct ProbeStatus {
  std::string name, type, description, runbook;
  Severity severity = Severity::required;
  State state = State::pending;
  Wall since;                      // in this state
  std::optional<Outcome> outcome;  // of the last run; nullopt: none yet
  std::string summary;             // of the last run
  std::string run_id;
  SharedChecks checks = kNoChecks;                        // of the last run; never null
  std::vector<std::shared_ptr<const RunRecord>> history;  // newest first; never null
  std::optional<Wall> next_run;                           // of the next run, or of the one under way
  std::uint64_t runs[4] = {};                             // by Outcome, since start
  std::uint64_t requests = 0;                             // since start
  Phases phases;                                          // of these requests, since start
  std::uint64_t not_passed = 0;  // runs in a row, the last one included, that neither passed nor were skipped
  std::vector<unusual::Departure> unusual;   // says nothing of the verdict
  bool holds = false;                        // is one of the reasons for not being ready
  Monotonic valid_until = Monotonic::max();  // the state is stale after it; max: it cannot grow stale (again)
};

// What to do about a probe that is not passing; "" where nothing is known to help. Lives for ever.
std::string_view remedy_of(const ProbeStatus& probe);

// Readiness set by hand, for a while (break-glass, or to drain an instance). In memory alone: a restart ends
// it.
struct Override {
  bool ready = false;
  std::string reason;
  std::chrono::milliseconds ttl{};
  Instant set{};

  static constexpr std::chrono::hours kLongest{4};
  static constexpr std::size_t kMaxReason = 300;  // bytes

  Wall until() const { return set.wall + ttl; }
  // By whichever clock says so first: the monotonic one stands still while a Machine is suspended.
  bool is_over(Instant now) const { return now.monotonic >= set.monotonic + ttl || now.wall >= until(); }
};

struct Status {
  std::string version, app, region, machine, release;
  bool ready = false;  // what was seen, or what `by_hand` says
  Wall since;          // `ready` has this value
  std::optional<Override> by_hand;
  std::vector<std::string> holding;  // required probes that hold readiness, or would without `by_hand`
  std::vector<std::shared_ptr<const ProbeStatus>> probes;       // in the configuration's order; never null
  std::optional<std::vector<unusual::Departure>> gate_unusual;  // nullopt: there is no gate
  Monotonic valid_until = Monotonic::max();  // the earliest of the required probes: `ready` is void after it;
                                             // max: there is no required probe
  std::chrono::nanoseconds clock_offset{};   // Instant::offset() when it was published
};

// Whether the Machine may have traffic at `now`. What the gate asks; allocates nothing.
bool is_ready(const Status& status, Instant now);
// `status` as it stands at `now`: verdicts that have grown too old are stale, an override that is over is
// gone. The same object where nothing has changed.
std::shared_ptr<const Status> as_of(std::shared_ptr<const Status> status, Instant now);

// The last time the configuration was read.
struct Reload {
  enum class Result { accepted, rejected } result = Result::accepted;
  Wall accepted;  // when one was accepted last
};

// Where the loop publishes and surfaces load. Any thread.
class StatusBoard {
 public:
  void publish(std::shared_ptr<const Status> status);
  // As it stands at `now`. Never null: before the first publication nothing is ready.
  std::shared_ptr<const Status> load(Instant now) const;
  // Whether load(now) would be ready. Allocates nothing.
  bool is_ready(Instant now) const;
  // `listener` is called after every publication, on the publisher's thread, and must be quick; an empty one
  // ends it: once this returns none is under way.
  void on_publish(std::function<void()> listener);
  // The scheduler's heart: beaten at every tick while it lives. Monotonic.
  void beat(Monotonic now);
  bool alive(Monotonic now) const;
  // How late the scheduler's last tick was: the loop was busy, or got no processor.
  void set_lag(std::chrono::nanoseconds lag);
  std::chrono::nanoseconds lag() const;
  void set_reload(Reload reload);
  Reload reload() const;

  static constexpr std::chrono::seconds kSilence{10};  // without a beat for so long it is dead

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Status> status_ = std::make_shared<const Status>();
  std::mutex listener_mutex_;
  std::function<void()> listener_;
  Reload reload_;
  std::atomic<Monotonic::rep> beat_{0};  // 0: never
  std::atomic<std::chrono::nanoseconds::rep> lag_{0};
};

}  // namespace holdshort
