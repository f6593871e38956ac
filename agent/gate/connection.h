// One client of the gate, and its connection to the app.
//
// Bytes go as they come, in both directions; only a request's head waits, until it is whole and judged:
//
//   fresh       no whole head yet: one descriptor, two seconds
//   connecting  the first request has been let through, the app's connection is being made
//   active      a request, its response or a tunnel is under way
//   idle        nothing is: the next request is waited for
//   head        the next request's head has begun
//   held        a request waits for the gate to open (when_closed = "hold")
//   linger      all has been said: what the client still sends is thrown away, so that our last bytes are not
//               lost to a reset
//   cut         the app has reset: so shall the client's side be, as soon as it has what came before
//
// Nothing is read from a side while the other still has to take what came before: that bounds the buffers.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "agent/config/config.h"
#include "agent/gate/counters.h"
#include "agent/gate/framing.h"
#include "agent/gate/poller.h"
#include "agent/gate/upstream.h"
#include "agent/status.h"

namespace holdshort::gate {

enum class Phase { fresh, head, idle, active, held, connecting, linger, cut };
inline constexpr std::size_t kPhases = 8;

class Connection;
using Connections = std::list<std::unique_ptr<Connection>>;

inline constexpr std::size_t kSmallRead = 16 * 1024;   // bytes at a time, where the other side is slow
inline constexpr std::size_t kLargeRead = 128 * 1024;  // where it takes all at once
inline constexpr std::size_t kMaxInboxBytes = kMaxHeadBytes + 4096;  // of requests that cannot go on yet
inline constexpr std::size_t kMaxLingerBytes = 1024 * 1024;          // thrown away, then the client is cut
inline constexpr std::size_t kSpareConnections =
    64;  // beyond the limit, for those who ask for the health path
inline constexpr std::chrono::milliseconds kCutDeadline{1000};

// What the connections share. Loop thread only, but for the counters and the board.
struct Hub {
  Hub(boost::asio::io_context& io, const StatusBoard& status_board, GateConfig gate_config)
      : board(status_board), config(std::move(gate_config)), upstream(io), poller(io) {}

  // Whether a request may go on now: the verdict is judged by its age, each time.
  bool lets_through() const { return !shutting && board.is_ready(Instant::now()); }
  // No room for another client that is served; those who ask for the health path still are.
  bool is_full() const;
  std::size_t connections() const {
    return static_cast<std::size_t>(counters.connections.load(std::memory_order_relaxed));
  }
  Connections& in(Phase phase) { return phases[static_cast<std::size_t>(phase)]; }
  std::chrono::milliseconds patience(Phase phase) const;  // max: without end

  const StatusBoard& board;
  GateConfig config;
  Upstream upstream;
  Poller poller;
  Counters counters;
  Connections gone;                                     // until nobody is inside one of them
  std::array<Connections, kPhases> phases;              // in the order of their deadlines
  std::size_t descriptors = 0, max_descriptors = 1024;  // of clients and their app connections
  bool open = false;                                    // as last seen; requests are judged anew
  bool shutting = false;                                // for good
  std::function<void()> hurry;
  std::array<char, kLargeRead> scratch;
};

class Connection final : private Wire::Owner {
 public:
  struct Said;  // an answer of the gate's own

  // Takes over the connected `client`, and a place in the hub's lists until it is gone.
  static void start(Hub& hub, int client);
  explicit Connection(Hub& hub) : hub_(hub), client_(hub.poller, *this), app_(hub.poller, *this) {}

  void gate_changed();
  void expire();        // its deadline has passed
  void retry();         // in Phase::connecting, from time to time
  void try_cut();       // in Phase::cut, from time to time
  void end_of_drain();  // whatever is under way ends
  void drop();          // there is no room
  Monotonic deadline() const { return deadline_; }

 private:
  void on_readable(Wire& wire) override;
  void on_writable(Wire& wire) override;

  // The client's side.
  void read_client();
  bool wants_client() const;
  std::size_t client_room() const;
  void take(std::string_view bytes);
  std::size_t process(std::string_view bytes);
  void process_inbox();
  bool admit(const RequestHead& head, std::string_view bytes);
  bool is_blocked() const;
  bool is_health(const RequestHead& head, std::string_view bytes) const;
  void refuse(const RequestHead& head, bool health);
  void send_to_client(std::string_view bytes, After after = After::nothing);
  void flush_to_client();
  void lose_client();

  // The app's side.
  bool connect();
  void try_addresses(std::size_t from);
  void connected();
  void relay(std::string_view bytes);
  void flush_to_app();
  void app_is_deaf(int error);
  void read_app();
  void lose_app();

  // The whole.
  void resume();
  void conclude();
  bool may_say() const;
  bool awaits_frames() const;
  void say();
  void say_http2();
  void conclude_app_end();
  void conclude_client_end();
  void answer(const Said& said, Answer counted);
  void refuse_malformed();
  void begin_linger();
  void settle();
  void enter(Phase phase);
  void rearm();
  void end(Ending client, Ending app);
  void close_app(Ending ending);
  bool is_ending() const { return gone_ || phase_ == Phase::linger || phase_ == Phase::cut; }
  bool is_quiet() const;  // nothing is under way in either direction

  Hub& hub_;
  Wire client_, app_;
  RequestFraming framing_;
  ResponseTracking tracking_;
  std::string inbox_;               // of the client: what cannot go on yet
  std::string to_app_, to_client_;  // what the other side has not taken yet
  const Said* said_ = nullptr;      // what the gate will say, and then close
  std::size_t address_ = 0;         // of the app, that is being tried
  std::size_t client_read_ = kSmallRead, app_read_ = kSmallRead;
  std::size_t thrown_away_ = 0;
  Phase phase_ = Phase::fresh;
  Connections::iterator place_;
  Monotonic deadline_ = Monotonic::max();
  bool gone_ = false;
  bool served_ = false;        // its first request has gone to the app
  bool partial_head_ = false;  // inbox_ is one
  bool head_only_ = false;     // said_ answers a HEAD
  bool cut_request_ = false;   // said_ answers a request of which a part has gone to the app
  bool said_it_ = false;
  bool http2_ = false;  // said_ answers a client that speaks HTTP/2
  bool late_ = false;   // its request has not come in time
  bool last_ = false;   // the request relayed last says that no other follows
  bool held_ = false, connecting_ = false;
  bool client_ended_ = false, client_end_passed_ = false;
  bool app_ended_ = false, app_end_passed_ = false;
  bool app_deaf_ = false;   // takes nothing any more
  bool app_reset_ = false;  // a write has met its reset
};

}  // namespace holdshort::gate
