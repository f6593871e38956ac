// When each probe runs, what its outcome means for readiness, and who is told.
//
// One coroutine per probe on one loop: a hung target costs a frame, not a thread, and delays nobody. The
// scheduler owns the tracks and publishes a Status after every change; surfaces only read that.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/log.h"
#include "agent/status.h"
#include "probes/probe.h"

namespace holdshort {

// The world the scheduler lives in; all of it outlives the scheduler.
struct World {
  HttpClient& client;
  Clock& clock;
  const Environment& environment;
  Offload& offload;
  Log& log;
  StatusBoard& board;
  std::uint64_t seed;  // of jitter, run ids, synthetic addresses
  // Clients' connections since the gate's start; nullopt, or no function: there is no gate.
  std::function<std::optional<std::uint64_t>()> gate_connections = {};
};

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
  // A request waits for the verdict: what holds readiness runs now, but not sooner than its startup_interval
  // after its last run.
  void hurry();
  // Runs the probe of that name, or all of them, now.
  void recheck(const std::optional<std::string>& name);
  // Takes the place of the one before; ends by itself. Published when this returns.
  void set_override(Override by_hand);
  // when_failing = "exit" and a control seen broken: run() has returned because of it.
  bool wants_exit() const;

  static constexpr std::chrono::milliseconds kStopLimit{1000};
  static constexpr std::chrono::milliseconds kTick{250};  // how often ages and clocks are looked at
  static constexpr double kJitter = 0.1;  // a run begins up to this share of its interval early, never late
  static constexpr double kRest = 0.1;  // what is left of an interval, at least, after a run that takes long

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with coroutines that may outlive *this, until the loop is destroyed
};

}  // namespace holdshort
