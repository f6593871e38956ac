#include "agent/gate/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "agent/gate/gate.h"
#include "agent/gate/http2.h"

namespace holdshort::gate {

// The parts of an answer; HEAD gets the first alone. They name nothing (contract, section 5).
struct Connection::Said {
  std::string_view head, body;
};

namespace {

constexpr int kRounds = 8;  // of reading, before others get their turn

using Said = Connection::Said;

constexpr Said kReady{
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nCache-Control: no-store\r\n"
    "Connection: close\r\n\r\n",
    "ready"};
constexpr Said kNotReady{
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n"
    "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
    "not ready"};
constexpr Said kRejected{
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: text/plain\r\nContent-Length: 20\r\n"
    "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
    "service unavailable\n"};
constexpr Said kReplayed{
    "HTTP/1.1 503 Service Unavailable\r\nfly-replay: elsewhere=true\r\nRetry-After: 1\r\n"
    "Content-Type: text/plain\r\nContent-Length: 20\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
    "service unavailable\n"};
constexpr Said kUnreachable{
    "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nCache-Control: "
    "no-store\r\n"
    "Connection: close\r\n\r\n",
    "bad gateway\n"};
constexpr Said kMalformed{
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: close\r\n\r\n",
    "bad request\n"};
constexpr Said kTooLarge{
    "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n"
    "Connection: close\r\n\r\n",
    "head too large\n"};
constexpr Said kTooLate{
    "HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain\r\nContent-Length: 16\r\nConnection: "
    "close\r\n\r\n",
    "request timeout\n"};
constexpr Said kNothing{"", ""};  // the connection only closes

// Bytes go at once. The request carries the acknowledgement that would else be a packet of its own, before
// it.
void prepare(int descriptor) {
  const int on = 1, off = 0;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(descriptor, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
}

// 0 once it is connected, else errno: EINPROGRESS, and EALREADY from then on.
int connect_to(int descriptor, const SocketAddress& address) {
  const int result = ::connect(descriptor, static_cast<const sockaddr*>(address.data()),
                               static_cast<socklen_t>(address.size()));
  return result == 0 || errno == EISCONN ? 0 : errno;
}

// After a read of `n` bytes of at most `size`: how much to read next.
std::size_t adapted(std::size_t size, std::size_t n, bool all_taken) {
  if (!all_taken) return kSmallRead;
  return n == size ? std::min(size * 2, kLargeRead) : size;
}

}  // namespace

bool Hub::is_full() const {
  return connections() > static_cast<std::size_t>(config.max_connections) || descriptors >= max_descriptors;
}

std::chrono::milliseconds Hub::patience(Phase phase) const {
  switch (phase) {
    case Phase::fresh:
    case Phase::head:
      return Gate::kHeadDeadline;
    case Phase::idle:
      return config.idle_timeout;
    case Phase::held:
      return config.hold_timeout;
    case Phase::connecting:
      return Gate::kConnectDeadline;
    case Phase::linger:
      return Gate::kLinger;
    case Phase::cut:
      return kCutDeadline;
    case Phase::active:
      break;
  }
  return std::chrono::milliseconds::max();
}

// --- the client's side

void Connection::start(Hub& hub, int client) {
  Connections& list = hub.in(Phase::fresh);
  Connection& self = *list.emplace_back(std::make_unique<Connection>(hub));
  self.place_ = std::prev(list.end());
  self.client_.open(client);
  ++hub.descriptors;
  hub.counters.connections.fetch_add(1, std::memory_order_relaxed);
  self.deadline_ = std::chrono::steady_clock::now() + hub.patience(Phase::fresh);
  self.read_client();
}

void Connection::on_readable(Wire& wire) {
  if (gone_) return;
  if (&wire == &client_) return read_client();
  if (app_.is_open() && !connecting_) read_app();
}

void Connection::on_writable(Wire& wire) {
  if (gone_) return;
  if (&wire == &client_) return flush_to_client();
  if (connecting_) return connected();
  if (app_.is_open()) flush_to_app();
}

void Connection::read_client() {
  for (int round = 0; round < kRounds && wants_client(); ++round) {
    const std::size_t room = client_room();
    const std::ptrdiff_t n = client_.receive(hub_.scratch.data(), room);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return lose_client();
    if (n == 0) {
      if (phase_ == Phase::linger) return end(Ending::orderly, Ending::orderly);
      client_ended_ = true;
      break;
    }
    take({hub_.scratch.data(), static_cast<std::size_t>(n)});
    if (gone_) return;
    if (room == client_read_) client_read_ = adapted(room, static_cast<std::size_t>(n), to_app_.empty());
    if (static_cast<std::size_t>(n) < room) break;
  }
  conclude();
  settle();
  rearm();
}

bool Connection::wants_client() const {
  if (gone_ || client_ended_ || phase_ == Phase::cut) return false;
  if (phase_ == Phase::linger) return true;
  return (!said_ || awaits_frames()) && to_app_.empty() && inbox_.size() < kMaxInboxBytes;
}

// A stream is read in large pieces; what may turn out to be the next requests is not, for it may have to stay
// here.
std::size_t Connection::client_room() const {
  if (phase_ == Phase::linger) return kSmallRead;
  if (!inbox_.empty()) return kMaxInboxBytes - inbox_.size();
  if (framing_.is_tunnel()) return client_read_;
  if (!framing_.is_in_body()) return kSmallRead;
  const std::uint64_t known = framing_.bytes_to_come();
  return known == 0 ? client_read_
                    : static_cast<std::size_t>(std::min<std::uint64_t>(client_read_, known + kSmallRead));
}

void Connection::take(std::string_view bytes) {
  if (phase_ == Phase::linger) {
    thrown_away_ += bytes.size();
    if (thrown_away_ > kMaxLingerBytes) end(Ending::orderly, Ending::orderly);
    return;
  }
  if (inbox_.empty()) {
    inbox_.append(bytes.substr(process(bytes)));
    return;
  }
  inbox_.append(bytes);
  process_inbox();
}

void Connection::process_inbox() {
  inbox_.erase(0, process(inbox_));
  if (inbox_.empty()) inbox_ = {};  // who waits for the next request stores nothing
}

// Passes on what may be passed on; returns how many bytes that were.
std::size_t Connection::process(std::string_view bytes) {
  using Part = RequestFraming::Part;
  std::size_t from = 0, to = 0;  // what goes on, as soon as its end is known
  partial_head_ = false;
  bool stopped = false;
  while (to < bytes.size() && !said_ && !stopped) {
    if (framing_.is_in_head() && tracking_.awaits_switch()) break;  // what follows may be no HTTP
    const RequestFraming::Step step = framing_.next(bytes.substr(to));
    switch (step.part) {
      case Part::body:
      case Part::tunnel:
        to += step.bytes;
        break;
      case Part::incomplete:
        stopped = partial_head_ = true;
        break;
      case Part::too_large:
        head_only_ = false;
        answer(kTooLarge, Answer::bad_request);
        break;
      case Part::malformed:
        refuse_malformed();
        break;
      case Part::head:
        // The judgement is about what goes on now: nothing may wait before it.
        relay(bytes.substr(from, to - from));
        from = to;
        if (!admit(framing_.head(), bytes.substr(to))) {
          stopped = true;
          break;
        }
        tracking_.expect(framing_.head());
        framing_.take_head();
        to += step.bytes;
    }
  }
  relay(bytes.substr(from, to - from));
  return to;
}

bool Connection::admit(const RequestHead& head, std::string_view bytes) {
  const bool health = is_health(head, bytes);
  head_only_ = head.method == Method::head;
  http2_ = head.is_http2();
  if (health && !served_) {
    refuse(head, health);
    return false;
  }
  if (is_blocked()) return false;
  if (!hub_.lets_through()) {
    refuse(head, health);
    return false;
  }
  held_ = false;
  if (!served_ && hub_.is_full()) {
    answer(kRejected, Answer::shed);
    return false;
  }
  if (!app_.is_open() || connecting_) {
    if (!connect()) return false;
  }
  if (!std::exchange(served_, true)) hub_.counters.count(Answer::relayed);
  last_ = head.closes;
  enter(Phase::active);
  return true;
}

bool Connection::is_blocked() const {
  return !to_app_.empty() || tracking_.is_full() || app_ended_ || app_deaf_ || tracking_.is_lost();
}

bool Connection::is_health(const RequestHead& head, std::string_view bytes) const {
  if (head.method != Method::get && head.method != Method::head) return false;
  const std::string_view target = bytes.substr(head.target_at, head.target_bytes);
  return target.substr(0, target.find('?')) == hub_.config.health_path;
}

// The request does not go on: the gate answers it, or holds it.
void Connection::refuse(const RequestHead& head, bool health) {
  if (health) return answer(hub_.lets_through() ? kReady : kNotReady, Answer::health);
  const WhenClosed when_closed = hub_.shutting ? WhenClosed::reject : hub_.config.when_closed;
  if (when_closed == WhenClosed::hold) {
    if (std::exchange(held_, true)) return;
    hub_.counters.count(Answer::held);
    if (hub_.hurry) hub_.hurry();
    return;
  }
  const bool can_replay =
      when_closed == WhenClosed::replay && !head.replayed && head.body != BodyKind::tunnel;
  if (can_replay) return answer(kReplayed, Answer::replayed);
  answer(kRejected, Answer::rejected);
}

void Connection::refuse_malformed() {
  cut_request_ = framing_.is_in_body();
  head_only_ = false;
  answer(kMalformed, Answer::bad_request);
}

void Connection::send_to_client(std::string_view bytes, After after) {
  std::ptrdiff_t n = 0;
  if (to_client_.empty()) {
    do n = client_.send(bytes, after);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) return lose_client();
    n = std::max<std::ptrdiff_t>(n, 0);
  }
  to_client_.append(bytes.substr(static_cast<std::size_t>(n)));
}

void Connection::flush_to_client() {
  const std::string waiting = std::exchange(to_client_, {});
  send_to_client(waiting);
  if (!gone_ && phase_ == Phase::cut) try_cut();
  if (!gone_ && to_client_.empty() && phase_ != Phase::cut) return read_app();
  if (!gone_) rearm();
}

void Connection::lose_client() { end(Ending::reset, Ending::reset); }

// --- the app's side

// Whether there is a connection to the app. Else one is under way, or an answer says that there is none.
bool Connection::connect() {
  if (!connecting_) try_addresses(0);
  return app_.is_open() && !connecting_;
}

void Connection::try_addresses(std::size_t from) {
  const auto& addresses = hub_.upstream.addresses();
  connecting_ = false;
  for (address_ = from; address_ < addresses.size(); ++address_) {
    const SocketAddress& address = addresses[address_];
    const int descriptor = socket(address.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0 && errno == EAFNOSUPPORT) continue;
    if (descriptor < 0) return answer(kRejected, Answer::shed);
    if (address.protocol().family() != AF_UNIX) prepare(descriptor);
    int error = connect_to(descriptor, address);
    // Over loopback it is made by now, though nobody waited for it.
    if (error == EINPROGRESS) error = connect_to(descriptor, address);
    if (error == 0 || error == EALREADY) {
      app_.open(descriptor);
      ++hub_.descriptors;
      connecting_ = error == EALREADY;
      if (connecting_) return app_.wait_to_write();
      hub_.upstream.prefer(address_);
      return;
    }
    ::close(descriptor);
    if (error == EAGAIN) {  // a socket whose queue is full
      connecting_ = true;
      return;
    }
  }
  hub_.upstream.look_up_again();
  answer(kUnreachable, Answer::relayed);
}

void Connection::connected() {
  const auto& addresses = hub_.upstream.addresses();
  const int error =
      address_ < addresses.size() ? connect_to(app_.descriptor(), addresses[address_]) : EADDRNOTAVAIL;
  if (error == EALREADY) return app_.wait_to_write();
  if (error == 0) {
    connecting_ = false;
    hub_.upstream.prefer(address_);
  } else {
    close_app(Ending::orderly);
    try_addresses(address_ + 1);
  }
  resume();
}

void Connection::retry() {
  if (!connecting_ || app_.is_open()) return;
  try_addresses(0);
  resume();
}

void Connection::relay(std::string_view bytes) {
  if (bytes.empty() || app_deaf_ || !app_.is_open()) return;
  std::ptrdiff_t n = 0;
  if (to_app_.empty()) {
    do n = app_.send(bytes);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) return app_is_deaf(errno);
    n = std::max<std::ptrdiff_t>(n, 0);
  }
  to_app_.append(bytes.substr(static_cast<std::size_t>(n)));
}

void Connection::flush_to_app() {
  const std::string waiting = std::exchange(to_app_, {});
  relay(waiting);
  if (to_app_.empty()) resume();
  if (!gone_) rearm();
}

// It may have answered before it stopped to listen: that is still read. A reset that a write has met is not
// told to the next read.
void Connection::app_is_deaf(int error) {
  app_deaf_ = true;
  app_reset_ = app_reset_ || error != EPIPE;
  to_app_.clear();
}

void Connection::read_app() {
  for (int round = 0; round < kRounds && to_client_.empty() && !app_ended_ && app_.is_open(); ++round) {
    const std::ptrdiff_t n = app_.receive(hub_.scratch.data(), app_read_);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0 && errno != EPIPE) return lose_app();  // EPIPE: a reset that followed an orderly end
    if (n <= 0) {
      if (app_reset_) return lose_app();
      app_ended_ = true;
      tracking_.end();
      break;
    }
    const std::string_view bytes(hub_.scratch.data(), static_cast<std::size_t>(n));
    tracking_.feed(bytes);
    send_to_client(bytes, last_ && app_.is_ending() ? After::end : After::nothing);
    if (gone_) return;
    const bool was_full = bytes.size() == app_read_;
    app_read_ = adapted(app_read_, bytes.size(), to_client_.empty());
    if (!was_full && !app_.is_ending()) break;
  }
  if (tracking_.is_tunnel() && !framing_.is_tunnel()) framing_.become_tunnel();
  resume();
}

// A reset: the client's side is reset too, but not before it has got what came before.
void Connection::lose_app() {
  close_app(Ending::orderly);
  enter(Phase::cut);
  try_cut();
  if (!gone_) rearm();
}

void Connection::try_cut() {
  if (to_client_.empty() && client_.bytes_in_flight() == 0) end(Ending::reset, Ending::orderly);
}

// --- the whole

// Something that others waited for has happened.
void Connection::resume() {
  if (gone_) return;
  if (!inbox_.empty() && !said_ && !is_ending()) process_inbox();
  if (gone_) return;
  conclude();
  settle();
  rearm();
}

bool Connection::is_quiet() const {
  return tracking_.outstanding() == 0 && !framing_.is_in_body() && !framing_.is_tunnel() &&
         to_client_.empty() && to_app_.empty();
}

// What has come to its end.
void Connection::conclude() {
  if (is_ending()) return;
  if (said_) {
    if (may_say()) say();
    return;
  }
  if (app_ended_) conclude_app_end();
  if (!is_ending() && client_ended_) conclude_client_end();
  // The gate has closed: a kept connection outlives no verdict.
  const bool kept = served_ && is_quiet() && inbox_.empty();
  if (!is_ending() && kept && !hub_.open && !hub_.lets_through()) begin_linger();
}

// The gate speaks after the app: when all earlier requests have been answered.
bool Connection::may_say() const {
  if (!to_client_.empty() || awaits_frames()) return false;
  return cut_request_ || tracking_.outstanding() == 0 || app_ended_ || said_ == &kNothing;
}

// HTTP/2 answers a request, and only once it has been sent.
bool Connection::awaits_frames() const {
  if (!said_ || said_it_ || !http2_ || served_ || late_ || client_ended_) return false;
  const std::string_view frames = std::string_view(inbox_).substr(framing_.head().bytes);
  return http2::first_request(frames).kind == http2::First::Kind::incomplete;
}

void Connection::say_http2() {
  using Kind = http2::First::Kind;
  const http2::First first = http2::first_request(std::string_view(inbox_).substr(framing_.head().bytes));
  if (first.kind == Kind::request) return send_to_client(http2::answer(first.stream, said_->head));
  send_to_client(http2::goodbye(first.kind == Kind::broken ? http2::ErrorCode::protocol_error
                                                           : http2::ErrorCode::no_error));
}

void Connection::say() {
  if (!std::exchange(said_it_, true)) {
    // Of the request that went wrong halfway the app waits for the rest; its response, if one has begun, can
    // only be cut. So are those before it: the client broke the rules.
    if (cut_request_ && (tracking_.outstanding() > 1 || tracking_.has_begun()))
      return end(Ending::reset, Ending::reset);
    close_app(cut_request_ ? Ending::reset : Ending::orderly);
    if (tracking_.is_lost()) return begin_linger();  // the app has had its last word
    if (http2_ && !served_) {
      say_http2();
    } else {
      if (!said_->head.empty()) send_to_client(said_->head);
      if (!gone_ && !head_only_ && !said_->body.empty()) send_to_client(said_->body);
    }
  }
  if (!gone_ && to_client_.empty()) begin_linger();
}

void Connection::conclude_app_end() {
  if (!to_client_.empty()) return;
  if (last_ && is_quiet() && inbox_.empty()) return end(Ending::orderly, Ending::orderly);
  const bool one_way = framing_.is_tunnel() || (framing_.is_in_body() && !app_deaf_);
  if (!one_way || client_ended_) {
    if (client_ended_ && !to_app_.empty()) return;
    return begin_linger();
  }
  if (!std::exchange(app_end_passed_, true)) client_.end_writing();
}

void Connection::conclude_client_end() {
  if (!to_app_.empty() || held_ || connecting_) return;
  if (!app_.is_open()) return end(Ending::orderly, Ending::orderly);
  const bool waits = !inbox_.empty() && !partial_head_;
  if (waits) return;
  if (is_quiet()) return end(Ending::orderly, Ending::orderly);
  if (!std::exchange(client_end_passed_, true)) app_.end_writing();
}

void Connection::answer(const Said& said, Answer counted) {
  hub_.counters.count(counted);
  held_ = connecting_ = false;
  said_ = &said;
}

void Connection::begin_linger() {
  if (client_ended_) return end(Ending::orderly, Ending::orderly);
  close_app(Ending::orderly);
  inbox_.clear();
  client_.end_writing();
  enter(Phase::linger);
}

void Connection::gate_changed() {
  if (gone_) return;
  if (!hub_.open && phase_ == Phase::idle)
    return read_client();  // a request may have come that is judged now
  resume();
}

void Connection::expire() {
  switch (phase_) {
    case Phase::fresh:
    case Phase::head:
      if (awaits_frames()) {
        late_ = true;
        break;
      }
      head_only_ = http2_ = false;
      answer(kTooLate, Answer::bad_request);
      break;
    case Phase::held:
      answer(kRejected, Answer::rejected);
      break;
    case Phase::connecting:
      close_app(Ending::reset);
      enter(Phase::active);  // the next address has its own time
      try_addresses(address_ + 1);
      break;
    case Phase::idle:
      said_ = &kNothing;
      break;
    default:
      return end(phase_ == Phase::cut ? Ending::reset : Ending::orderly, Ending::orderly);
  }
  resume();
}

// Tunnels end in good order; a response that is cut must not look whole.
void Connection::end_of_drain() {
  if (gone_) return;
  if (held_ || (said_ && tracking_.outstanding() == 0)) {
    if (held_) answer(kRejected, Answer::rejected);
    return resume();
  }
  const Ending ending = framing_.is_tunnel() || is_quiet() ? Ending::orderly : Ending::reset;
  end(ending, ending);
}

void Connection::drop() { end(Ending::orderly, Ending::orderly); }

// The phase follows from what is under way.
void Connection::settle() {
  if (is_ending()) return;
  if (held_) return enter(Phase::held);
  if (connecting_) return enter(Phase::connecting);
  const bool waits_in_vain = tracking_.is_lost() && (said_ || !inbox_.empty());
  if (waits_in_vain) return enter(Phase::idle);
  if (awaits_frames()) {
    if (phase_ != Phase::fresh) enter(Phase::head);
    return;
  }
  if (said_ || framing_.is_tunnel()) return enter(Phase::active);
  if (!served_) return;
  if (partial_head_) return enter(Phase::head);
  if (app_ended_ || is_quiet()) return enter(Phase::idle);
  enter(Phase::active);
}

void Connection::enter(Phase phase) {
  if (gone_ || phase == phase_) return;
  hub_.in(phase).splice(hub_.in(phase).end(), hub_.in(phase_), place_);
  phase_ = phase;
  const std::chrono::milliseconds patience = hub_.patience(phase);
  deadline_ = patience == std::chrono::milliseconds::max() ? Monotonic::max()
                                                           : std::chrono::steady_clock::now() + patience;
}

void Connection::rearm() {
  if (gone_) return;
  if (!to_client_.empty()) client_.wait_to_write();
  if (wants_client()) client_.wait_to_read();
  if (!app_.is_open() || connecting_) return;
  if (!to_app_.empty()) app_.wait_to_write();
  if (!app_ended_ && to_client_.empty()) app_.wait_to_read();
}

void Connection::close_app(Ending ending) {
  if (!app_.is_open()) return;
  app_.close(ending);
  --hub_.descriptors;
  to_app_.clear();
}

void Connection::end(Ending client, Ending app) {
  if (std::exchange(gone_, true)) return;
  client_.close(client);
  --hub_.descriptors;
  close_app(app);
  hub_.counters.connections.fetch_sub(1, std::memory_order_relaxed);
  hub_.gone.splice(hub_.gone.end(), hub_.in(phase_), place_);
}

}  // namespace holdshort::gate
