// The endpoints on agent.listen.
//
// Asio owns the sockets and reads each request's head under one deadline, so that a slow client costs a
// descriptor and no thread; cpp-httplib parses, routes and renders from memory. On a thread of its own: it
// answers while the probe loop is busy, and tells when that has died.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/status.h"
#include "agent/surface/metrics.h"
#include "probes/kit/result.h"
#include "probes/kit/secret.h"
#include "probes/kit/url.h"

namespace holdshort {

// What a person may ask for by POST. Called on the server's thread; true once it is in force, false where the
// agent does not get to it in time.
struct Commands {
  std::function<bool(const std::optional<std::string>& probe)> recheck;  // nullopt: all
  std::function<bool(const Override& by_hand)> set_override;
};

class HealthServer {
 public:
  // Binds and answers (503 until the board says otherwise). Fails where the port cannot be bound: the message
  // names it.
  static Result<std::unique_ptr<HealthServer>> start(const ListenAddress& listen, const StatusBoard& board,
                                                     std::optional<Secret> status_token,
                                                     Commands commands = {});
  ~HealthServer();  // closes at once
  std::uint16_t port() const;
  void set_status_token(std::optional<Secret> token);
  // What /metrics asks of the gate, on the server's thread; an empty one ends it: once this returns none is
  // under way.
  void set_gate(std::function<GateCounts()> counts);

  static constexpr std::size_t kMaxBodyBytes = 64 * 1024;
  static constexpr std::size_t kMaxHeadBytes = 16 * 1024;
  static constexpr std::chrono::milliseconds kHeadDeadline{2000};
  static constexpr std::chrono::milliseconds kIdle{60000};  // between two requests of a connection
  static constexpr std::chrono::milliseconds kWriteDeadline{2000};
  static constexpr std::size_t kMaxConnections =
      256;  // one more: the one that has been silent longest is closed

  // /events: server-sent events (WHATWG HTML 9.2). One more viewer gets 503, one that does not read is
  // dropped.
  static constexpr std::size_t kMaxViewers = 8;
  static constexpr std::chrono::milliseconds kLook{250};        // how soon viewers learn of a change
  static constexpr std::chrono::milliseconds kRunsEvery{2000};  // and of runs that changed nothing
  static constexpr std::chrono::milliseconds kHeartbeat{15000};
  static constexpr std::chrono::milliseconds kReconnect{2000};        // what viewers are told to wait
  static constexpr std::chrono::milliseconds kUnacknowledged{10000};  // of a viewer's host, then it is gone
  static constexpr int kViewerBuffer = 4096;                          // bytes that the kernel keeps for one

 private:
  struct Impl;
  explicit HealthServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdshort
