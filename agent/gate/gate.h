// The service port, held: requests reach the app only while the board says ready.
//
// A thread and an event loop of its own, so that no probe delays a relayed byte. Every request is judged at
// the moment it is passed on, by the age of the verdict too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "agent/config/config.h"
#include "agent/gate/counters.h"
#include "agent/log.h"
#include "agent/status.h"

namespace holdshort {

class Gate {
 public:
  // What it stands between; all of it outlives the gate.
  struct World {
    StatusBoard& board;
    Log& log;
    int probes = 1;               // at a time: what they need of descriptors is left to them
    std::function<void()> hurry;  // a request is held: a new verdict is wanted. Any thread; must be quick
  };

  // Binds and answers. Fails where the port cannot be bound: the message names it.
  static Result<std::unique_ptr<Gate>> start(const GateConfig& config, const Url& app, World world);
  ~Gate();  // at once: what is under way is cut

  std::uint16_t port() const;
  const gate::Counters& counters() const;
  // All but `listen`, which stays. Any thread.
  void reload(const GateConfig& config, const Url& app);
  // Opens never again; `drained` is called once, on the gate's thread, when nothing is under way any more or
  // config.drain has passed. Any thread.
  void shut(std::function<void()> drained);

  static constexpr std::chrono::milliseconds kHeadDeadline{2000};  // of a first head from the connection on,
                                                                   // of a later one from its first byte on
  static constexpr std::chrono::milliseconds kConnectDeadline{5000};
  static constexpr std::chrono::milliseconds kLinger{1000};  // after our last byte, for the client's

 private:
  struct Impl;
  explicit Gate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdshort
