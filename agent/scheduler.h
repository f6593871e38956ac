// When each probe runs, what its outcome means for readiness, and who is told.
//
// One coroutine per probe on one loop: a hung target costs a frame, not a thread, and delays nobody. The scheduler
// owns the tracks and publishes a Status after every change; surfaces only read that.
//
// Until a probe has passed for the first time it runs again startup_interval after each run, and the first probe that
// sees anything at all wakes those that wait for the app to come up. From then on it begins every interval (or
// Probe::cadence()), up to kJitter of it early; a first fail after a pass is repeated at once. A stale probe without a
// cadence of its own is in a hurry again. Nothing cancels a run: a verdict that hangs grows stale by time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/log.h"
#include "agent/status.h"
#include "probes/probe.h"

namespace holdshort {

// The world the scheduler lives in; all of it outlives the scheduler, and the loop may be destroyed before or after it:
// a run that hung until then is dropped without touching it.
struct World {
  HttpClient& client;
  Clock& clock;
  const Environment& environment;
  Offload& offload;
  Log& log;
  StatusBoard& board;
  std::uint64_t seed;  // of jitter, run ids, synthetic addresses
};

// Loop thread only, but for the constructor, which publishes the first Status: nothing is ready.
class Scheduler {
 public:
  Scheduler(World world, Config config);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;

  // Runs until stop(); then returns within kStopLimit, whatever the probes wait for.
  Awaitable<void> run();
  void stop();
  // Keeps state, history and schedule of every probe whose definition is unchanged (SIGHUP).
  void reload(Config config);
  // when_failing = "exit" and a control seen broken: run() has returned because of it.
  bool wants_exit() const;

  static constexpr std::chrono::milliseconds kStopLimit{1000};
  static constexpr std::chrono::milliseconds kStopGrace{250};    // for runs under way when stop() comes
  static constexpr std::chrono::milliseconds kClockCheck{1000};  // how often wall and monotonic clock are compared
  static constexpr std::chrono::milliseconds kClockJump = holdshort::kClockJump;
  static constexpr double kJitter = 0.1;  // a run begins up to this share of its interval early, never late
  // How long it has not been ready when the log says so again; then every last of these.
  static constexpr std::chrono::seconds kReminders[] = {std::chrono::seconds(10), std::chrono::minutes(1),
                                                        std::chrono::minutes(10)};

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdshort
