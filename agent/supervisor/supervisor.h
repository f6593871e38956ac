// The app as a child of the agent: started, told what the agent is told, waited for, and at the end nothing
// of it left.
//
//   runs --(it ends)--> leaving --(what it left behind has ended, or was killed)--> run() returns
//
// The process becomes a subreaper: what the app orphans is ours, and is reaped. Children that other threads
// of the process have started are left to them (__WNOTHREAD), so probes may fork where they block anyway.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "agent/log.h"
#include "agent/supervisor/output.h"
#include "agent/supervisor/process.h"
#include "probes/kit/awaitable.h"
#include "probes/kit/clock.h"

namespace holdshort {

// Main thread only, which is the loop's: the app dies with the thread that started it.
class Supervisor {
 public:
  // `clock`, `log` and `output` outlive it.
  Supervisor(boost::asio::any_io_executor loop, Clock& clock, Log& log, Output& output);
  ~Supervisor();

  // Starts the app, once. `descriptors`: its soft limit of them; 0: ours.
  std::optional<StartFailure> start(const CommandLineOfApp& command, std::size_t descriptors = 0);
  // Returns how the app ended, when nothing that it left behind runs any more.
  Awaitable<Ending> run();

  // To the app while it runs; nothing afterwards.
  void forward(int signal);
  // What still runs then is killed. `because`: the signal that began the stop.
  void kill_at(Monotonic when, int because);

  // What an app that ends by itself leaves behind gets SIGTERM and so long; in a stop, until it is killed.
  static constexpr std::chrono::milliseconds kLeavingTime{500};
  // How long after a kill its victims are waited for.
  static constexpr std::chrono::milliseconds kDyingTime{250};

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with coroutines that may outlive *this, until the loop is destroyed
};

}  // namespace holdshort
