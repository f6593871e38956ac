#include "agent/surface/health_server.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <httplib.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "agent/listening.h"
#include "agent/surface/override_request.h"
#include "agent/surface/page.h"
#include "agent/surface/render.h"
#include "probes/kit/ascii.h"
#include "probes/kit/awaitable.h"
#include "probes/kit/crypto.h"
#include "probes/kit/http.h"

namespace holdshort {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int kWrongTokens = 5;  // in kWrongTokenWindow; each further wrong one is answered 429
constexpr std::chrono::seconds kWrongTokenWindow{60};
constexpr std::chrono::milliseconds kAcceptPause{10};  // when there is no descriptor and nobody to close

// A request that has been read, and room for its answer.
class MemoryStream final : public httplib::Stream {
 public:
  explicit MemoryStream(std::string_view request) : request_(request) {}
  bool is_readable() const override { return !request_.empty(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override {
    const std::size_t n = std::min(size, request_.size());
    std::memcpy(to, request_.data(), n);
    request_.remove_prefix(n);
    return static_cast<ssize_t>(n);
  }
  ssize_t write(const char* from, std::size_t size) override {
    answer.append(from, size);
    return static_cast<ssize_t>(size);
  }
  using httplib::Stream::write;
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

  std::string answer;

 private:
  std::string_view request_;
};

bool is_loopback(const std::string& address) {
  return address == "::1" || address.starts_with("127.") || address.starts_with("::ffff:127.");
}

// Same time for every wrong token of a length.
bool same_token(std::string_view a, std::string_view b) {
  const std::string x = crypto::sha256(a), y = crypto::sha256(b);
  unsigned char difference = 0;
  for (std::size_t i = 0; i < x.size(); ++i) difference |= static_cast<unsigned char>(x[i] ^ y[i]);
  return difference == 0;
}

// Host without its port.
std::string host_name(std::string host) {
  const std::size_t end = host.starts_with('[') ? host.find(']') : host.find(':');
  if (end == std::string::npos) return host;
  return host.substr(0, host.starts_with('[') ? end + 1 : end);
}

std::string sent_token(const httplib::Request& request) {
  const std::string value = request.get_header_value("Authorization");
  if (value.starts_with("Bearer ")) return value.substr(7);
  if (!value.starts_with("Basic ")) return "";
  const std::string pair = crypto::decode_base64(value.substr(6)).value_or("");
  const std::size_t colon = pair.find(':');
  return colon == std::string::npos ? "" : pair.substr(colon + 1);
}

// What becomes of a connection after an answer.
enum class Next { closes, stays, follows };  // follows: the status, by server-sent events

// The routes. Knows nothing of sockets: a request comes whole and is answered from memory.
class Site final : public httplib::Server {
 public:
  Site(const StatusBoard& board, std::optional<Secret> token, Commands commands)
      : board_(board), token_(std::move(token)), commands_(std::move(commands)) {
    set_default_headers({{"Cache-Control", "no-store"}});
    set_keep_alive_timeout(static_cast<std::time_t>(HealthServer::kIdle.count() / 1000));
    // Instead of its routes, which are std::regex.
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      route(request, response);
      return HandlerResponse::Handled;
    });
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty())
        response.set_content(fmt::format("{}\n", httplib::status_message(response.status)),
                             "text/plain; charset=utf-8");
    });
  }

  void set_token(std::optional<Secret> token) {
    const std::lock_guard lock(mutex_);
    token_ = std::move(token);
  }

  void set_gate(std::function<GateCounts()> counts) {
    const std::lock_guard lock(mutex_);
    gate_counts_ = std::move(counts);
  }

  // The answer to a whole request.
  std::string answer(std::string_view request, const std::string& peer, Next& next) {
    const std::size_t head = request.find("\r\n\r\n");
    body_ = head == std::string_view::npos ? "" : request.substr(head + 4);
    MemoryStream stream(request);
    bool closed = false;
    follows_ = false;
    const bool fine =
        process_request(stream, peer, 0, "", 0, false, closed, [](httplib::Request& r) { r.ranges.clear(); });
    next = follows_ ? Next::follows : fine && !closed ? Next::stays : Next::closes;
    return std::move(stream.answer);
  }

 private:
  void route(const httplib::Request& request, httplib::Response& response) {
    constexpr std::string_view kOneProbe = "/readyz/";
    if (request.path == "/recheck" || request.path == "/override") return command(request, response);
    if (request.method != "GET" && request.method != "HEAD") {
      response.set_header("Allow", "GET, HEAD");
      return reply(response, {.status = 405, .body = "method not allowed\n"});
    }
    if (request.path == "/livez") {
      const bool alive = board_.alive(std::chrono::steady_clock::now());
      return reply(response, {.status = alive ? 200 : 503,
                              .body = alive ? "alive\n" : "the scheduler's heart has stopped\n"});
    }
    const auto status = board_.load(Instant::now());
    if (request.path == "/readyz") {
      reply(response, request.has_param("verbose") ? render_readyz_verbose(*status) : render_readyz(*status));
    } else if (request.path.starts_with(kOneProbe)) {
      reply(response, render_readyz_probe(*status, request.path.substr(kOneProbe.size())));
    } else if (request.path == "/metrics") {
      reply(response, render_metrics(measure(*status)));
    } else if (request.path == "/status") {
      if (may_see(request, response)) reply(response, render_status_json(*status));
    } else if (request.path == "/") {
      if (may_see(request, response)) reply(response, render_page(*status, page_context()));
    } else if (request.path == "/events") {
      if (may_see(request, response)) follow(request, response);
    } else {
      response.status = 404;
    }
  }

  // A page of another site could not read it, but take up a viewer's place.
  void follow(const httplib::Request& request, httplib::Response& response) {
    if (comes_from_elsewhere(request)) {
      refuse(response, 403, "not for pages of other sites\n");
      return;
    }
    response.set_header("Content-Type", "text/event-stream");
    follows_ = request.method == "GET";
  }

  PageContext page_context() const {
    const Instant now = Instant::now();
    return {.now = now,
            .heart = board_.alive(now.monotonic) ? Heart::beats : Heart::stopped,
            .reload = board_.reload()};
  }

  // --- what changes something

  void command(const httplib::Request& request, httplib::Response& response) {
    if (request.method != "POST") {
      response.set_header("Allow", "POST");
      return reply(response, {.status = 405, .body = "method not allowed\n"});
    }
    if (!may_command(request, response)) return;
    if (request.path == "/recheck")
      recheck(request, response);
    else
      set_override(response);
  }

  // No page of another site may have a browser do it, even one that knows the token (RFC 6454, Fetch
  // Metadata).
  bool may_command(const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex_);
    if (!token_) return refuse(response, 403, "only with a status token, and none is configured\n");
    if (comes_from_elsewhere(request)) return refuse(response, 403, "not for pages of other sites\n");
    return has_token(request, response);
  }

  static bool comes_from_elsewhere(const httplib::Request& request) {
    const auto [first, last] = request.headers.equal_range("Sec-Fetch-Site");
    for (auto it = first; it != last; ++it)
      if (it->second != "same-origin" && it->second != "none") return true;
    const std::string host = ascii::lowered(request.get_header_value("Host"));
    const auto [begin, end] = request.headers.equal_range("Origin");
    for (auto it = begin; it != end; ++it) {
      const std::string origin = ascii::lowered(it->second);
      if (origin != "http://" + host && origin != "https://" + host) return true;
    }
    return false;
  }

  void recheck(const httplib::Request& request, httplib::Response& response) {
    std::optional<std::string> probe;
    if (request.has_param("probe")) probe = request.get_param_value("probe");
    const auto status = board_.load(Instant::now());
    if (probe && !has_probe(*status, *probe))
      return reply(response, {.status = 404, .body = "no such probe\n"});
    if (!commands_.recheck || !commands_.recheck(probe)) return too_busy(response);
    reply(response, {.status = 202, .body = fmt::format("runs now: {}\n", probe.value_or("all probes"))});
  }

  void set_override(httplib::Response& response) {
    const Result<Override> asked = parse_override(body_, Instant::now());
    if (!asked) return reply(response, {.status = 400, .body = asked.error().message + "\n"});
    if (!commands_.set_override || !commands_.set_override(*asked)) return too_busy(response);
    const auto status = board_.load(Instant::now());  // as it is in force
    reply(response, render_override(status->by_hand.value_or(*asked)));
  }

  static bool has_probe(const Status& status, const std::string& name) {
    return std::any_of(status.probes.begin(), status.probes.end(),
                       [&](const auto& probe) { return probe->name == name; });
  }

  static void too_busy(httplib::Response& response) {
    reply(response, {.status = 503, .body = "the agent does not get to it: see /livez\n"});
  }

  Measurements measure(const Status& status) {
    const std::lock_guard lock(mutex_);
    return {.status = status,
            .now = Instant::now(),
            .reload = board_.reload(),
            .scheduler_lag = board_.lag(),
            .gate = gate_counts_ ? std::optional(gate_counts_()) : std::nullopt,
            .process = ProcessFacts::read()};
  }

  static void reply(httplib::Response& response, Answer answer) {
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.set_header(name, value);
    response.set_content(std::move(answer.body), answer.content_type);
  }

  // Loopback may look without the token, but not for a page of another site that a browser was led to (DNS
  // rebinding).
  bool may_see(const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex_);
    const std::string sent = sent_token(request);
    if (sent.empty() && is_loopback(request.remote_addr)) {
      const std::string host = host_name(request.get_header_value("Host"));
      if (host == "localhost" || host == "127.0.0.1" || host == "[::1]") return true;
      return refuse(response, 403, "ask as localhost, or with the status token\n");
    }
    if (!token_)
      return refuse(response, 403, "from elsewhere only with a status token, and none is configured\n");
    return has_token(request, response);
  }

  // The right one always; of wrong ones kWrongTokens a window. Locked; there is a token.
  bool has_token(const httplib::Request& request, httplib::Response& response) {
    const std::string sent = sent_token(request);
    if (!sent.empty() && same_token(sent, token_->reveal())) return true;
    if (!sent.empty() && too_many_wrong()) return refuse(response, 429, "too many wrong tokens\n");
    response.set_header("WWW-Authenticate", "Basic realm=\"holdshort\"");
    return refuse(response, 401, "the status token is needed\n");
  }

  static bool refuse(httplib::Response& response, int status, const char* text) {
    reply(response, {.status = status, .body = text});
    return false;
  }

  bool too_many_wrong() {
    const auto now = std::chrono::steady_clock::now();
    while (!wrong_.empty() && now - wrong_.front() > kWrongTokenWindow) wrong_.pop_front();
    if (wrong_.size() >= kWrongTokens) return true;
    wrong_.push_back(now);
    return false;
  }

  const StatusBoard& board_;
  std::mutex mutex_;
  std::optional<Secret> token_;
  std::function<GateCounts()> gate_counts_;  // empty: there is no gate
  std::deque<Monotonic> wrong_;
  const Commands commands_;
  std::string_view body_;  // of the request that is being answered
  bool follows_ = false;   // whether it is one for events
};

// What the reader must know of a head; what it means is cpp-httplib's business.
struct Head {
  std::size_t body_bytes = 0;
  bool acceptable = true;  // false: a body that would have to be de-chunked, or a length that is none

  // Drops Range lines: the answer's status must not depend on how it is asked for.
  static Head read(std::string& head) {
    Head result;
    std::string kept;
    for (std::size_t at = 0; at < head.size();) {
      const std::size_t end = std::min(head.find("\r\n", at), head.size() - 2) + 2;
      const std::string_view line = std::string_view(head).substr(at, end - at);
      const std::string_view name = line.substr(0, std::min(line.find(':'), line.size()));
      if (same_name(name, "content-length")) result.read_length(line.substr(name.size() + 1));
      if (same_name(name, "transfer-encoding")) result.acceptable = false;
      if (!same_name(name, "range")) kept += line;
      at = end;
    }
    head = std::move(kept);
    return result;
  }

 private:
  void read_length(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    const std::size_t end = text.find_last_not_of(" \t\r\n");
    if (begin == std::string_view::npos || end == std::string_view::npos) {
      acceptable = false;
      return;
    }
    const auto [stop, error] = std::from_chars(text.data() + begin, text.data() + end + 1, body_bytes);
    acceptable = acceptable && error == std::errc() && stop == text.data() + end + 1;
  }
};

}  // namespace

struct HealthServer::Impl {
  // One client. Its timer cuts whatever it waits for.
  struct Session : std::enable_shared_from_this<Session> {
    Session(Impl& owner, tcp::socket accepted)
        : server(owner), socket(std::move(accepted)), timer(socket.get_executor()) {}

    void limit(std::chrono::milliseconds time) {
      timer.expires_after(time);
      timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (error) return;
        self->late = true;
        self->socket.cancel(error);
      });
    }

    void close() {
      boost::system::error_code ignored;
      socket.close(ignored);
      timer.cancel();
    }

    Impl& server;
    tcp::socket socket;
    asio::steady_timer timer;
    std::string buffer;
    bool late = false;
  };
  using SessionPtr = std::shared_ptr<Session>;

  // A client of /events.
  struct Viewer {
    explicit Viewer(asio::io_context& loop) : wake(loop) {}
    asio::steady_timer wake;  // rings at the next heartbeat; cancelled: there is something to do
    std::uint64_t told = 0;   // the edition it has
    bool gone = false;
  };
  using ViewerPtr = std::shared_ptr<Viewer>;

  Impl(const StatusBoard& status_board, std::optional<Secret> token, Commands commands)
      : board(status_board), site(status_board, std::move(token), std::move(commands)), acceptor(loop) {}

  // --- listening

  Result<void> listen(const ListenAddress& address) {
    const Result<int> descriptor = listen_on(address, "[agent].listen");
    if (!descriptor) return tl::unexpected(descriptor.error());
    port = port_of(*descriptor);
    acceptor.assign(tcp::v6(), *descriptor);  // the family matters only to what is opened by it
    return {};
  }

  void start() {
    asio::co_spawn(loop, accept(), asio::detached);
    thread = std::jthread([this] { loop.run(); });
  }

  void stop() {
    loop.stop();
    if (thread.joinable()) thread.join();
  }

  Awaitable<void> accept() {
    while (true) {
      boost::system::error_code error;
      tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted) co_return;
      if (error) {  // out of descriptors, most likely: somebody has to go
        const bool freed = close_longest_silent();
        if (!freed) co_await pause();
        continue;
      }
      if (sessions.size() >= kMaxConnections) close_longest_silent();
      socket.set_option(tcp::no_delay(true), error);
      const auto session = std::make_shared<Session>(*this, std::move(socket));
      sessions.push_back(session);
      asio::co_spawn(loop, serve(session), asio::detached);
    }
  }

  Awaitable<void> pause() {
    asio::steady_timer timer(loop, kAcceptPause);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  // Sessions are kept in the order of their last sign of life.
  bool close_longest_silent() {
    if (sessions.empty()) return false;
    sessions.front()->close();
    sessions.pop_front();
    return true;
  }

  void touch(const SessionPtr& session) {
    const auto it = std::find(sessions.begin(), sessions.end(), session);
    if (it != sessions.end()) sessions.splice(sessions.end(), sessions, it);
  }

  // --- one client

  static Awaitable<void> serve(SessionPtr session) {
    Impl& server = session->server;
    boost::system::error_code error;
    const std::string peer = session->socket.remote_endpoint(error).address().to_string();
    session->limit(kHeadDeadline);
    Next next = Next::stays;
    while (next == Next::stays) {
      std::string answer = co_await server.exchange(session, peer, next);
      if (next == Next::follows) co_await server.follow(session);
      if (answer.empty() || next == Next::follows) break;
      session->late = false;
      session->limit(kWriteDeadline);
      co_await asio::async_write(session->socket, asio::buffer(answer),
                                 asio::redirect_error(asio::use_awaitable, error));
      if (error || session->late) break;
      server.touch(session);
      if (session->buffer.empty()) session->limit(kIdle);
    }
    session->close();
    server.sessions.remove(session);
  }

  // Reads one request and makes its answer; "" where there is nobody to answer.
  Awaitable<std::string> exchange(SessionPtr session, std::string peer, Next& next) {
    std::string& buffer = session->buffer;
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (buffer.size() > kMaxHeadBytes) co_return refusal(431, "Request Header Fields Too Large", next);
      const bool more = co_await read_more(session);
      if (!more) co_return session->late && !buffer.empty() ? refusal(408, "Request Timeout", next) : "";
    }
    if (end > kMaxHeadBytes) co_return refusal(431, "Request Header Fields Too Large", next);
    std::string request = buffer.substr(0, end + 4);
    buffer.erase(0, end + 4);
    const Head head = Head::read(request);
    if (!head.acceptable) co_return refusal(400, "Bad Request", next);
    if (head.body_bytes > kMaxBodyBytes) co_return refusal(413, "Content Too Large", next);
    while (buffer.size() < head.body_bytes) {
      const bool more = co_await read_more(session);
      if (!more) co_return session->late ? refusal(408, "Request Timeout", next) : "";
    }
    request += buffer.substr(0, head.body_bytes);
    buffer.erase(0, head.body_bytes);
    std::string answer = site.answer(request, peer, next);
    if (next == Next::follows && viewers.size() >= kMaxViewers)
      co_return refusal(503, "Service Unavailable", next);
    co_return answer;
  }

  Awaitable<bool> read_more(SessionPtr session) {
    std::array<char, 4096> bytes;
    boost::system::error_code error;
    const std::size_t n = co_await session->socket.async_read_some(
        asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    // A later request's clock starts with its first byte.
    if (session->buffer.empty() && session->timer.expiry() > std::chrono::steady_clock::now() + kHeadDeadline)
      session->limit(kHeadDeadline);
    session->buffer.append(bytes.data(), n);
    co_return true;
  }

  static std::string refusal(int status, std::string_view reason, Next& next) {
    next = Next::closes;
    return fmt::format("HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status, reason);
  }

  // --- viewers

  // Until the viewer has gone, does not read, or the server ends. What it is told is small and says only that
  // there is something new: it fetches that at its own pace.
  Awaitable<void> follow(SessionPtr session) {
    const auto viewer = std::make_shared<Viewer>(loop);
    viewers.push_back(viewer);
    limit_kernel(session->socket);
    asio::co_spawn(loop, read_until_gone(session, viewer), asio::detached);
    if (!std::exchange(looking, true)) asio::co_spawn(loop, look_out(), asio::detached);
    std::string text = fmt::format(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        "Connection: close\r\n\r\nretry: {}\n\n",
        kReconnect.count());
    while (!viewer->gone) {
      boost::system::error_code error;
      session->late = false;
      session->limit(kWriteDeadline);
      co_await asio::async_write(session->socket, asio::buffer(text),
                                 asio::redirect_error(asio::use_awaitable, error));
      session->timer.cancel();
      if (error) break;
      touch(session);
      if (!viewer->gone && viewer->told == edition) {
        viewer->wake.expires_after(kHeartbeat);
        co_await viewer->wake.async_wait(asio::redirect_error(asio::use_awaitable, error));
      }
      text = viewer->told == edition ? ":\n\n" : news;
      viewer->told = edition;
    }
    // What it has not taken is not kept for it.
    if (session->late) session->socket.set_option(asio::socket_base::linger(true, 0), ignored_);
    viewers.remove(viewer);
  }

  void limit_kernel(tcp::socket& socket) {
    socket.set_option(asio::socket_base::send_buffer_size(kViewerBuffer), ignored_);
    const auto milliseconds = static_cast<unsigned>(kUnacknowledged.count());
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
  }

  static Awaitable<void> read_until_gone(SessionPtr session, ViewerPtr viewer) {
    std::array<char, 64> unread;
    boost::system::error_code error;
    while (!error)
      co_await session->socket.async_read_some(asio::buffer(unread),
                                               asio::redirect_error(asio::use_awaitable, error));
    viewer->gone = true;
    viewer->wake.cancel();
  }

  // They may come again, and are asked for the token that is right by then.
  void send_viewers_away() {
    for (const ViewerPtr& viewer : viewers) {
      viewer->gone = true;
      viewer->wake.cancel();
    }
  }

  // While anybody watches. Looks instead of being told: a verdict that grows too old is published by nobody.
  Awaitable<void> look_out() {
    asio::steady_timer timer(loop);
    boost::system::error_code ignored;
    while (!viewers.empty()) {
      look();
      timer.expires_after(kLook);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    looking = false;
    last_status.reset();
  }

  void look() {
    const Instant now = Instant::now();
    const auto status = board.load(now);
    std::string event = render_event(*status);
    const bool ran = status != last_status && now.monotonic - told_at >= kRunsEvery;
    if (event == last_event && !ran) return;
    ++edition;
    news = fmt::format("event: status\nid: {}\ndata: {}\n\n", edition, event);
    last_event = std::move(event);
    last_status = status;
    told_at = now.monotonic;
    for (const ViewerPtr& viewer : viewers) viewer->wake.cancel();
  }

  const StatusBoard& board;
  Site site;
  asio::io_context loop{1};
  tcp::acceptor acceptor;
  std::uint16_t port = 0;
  std::list<SessionPtr> sessions;
  std::list<ViewerPtr> viewers;
  bool looking = false;
  std::shared_ptr<const Status> last_status;  // when viewers were told last
  std::string last_event, news;               // what of it, and the same as an event
  Monotonic told_at{};
  std::uint64_t edition = 0;  // counts what viewers were told
  boost::system::error_code ignored_;
  std::jthread thread;
};

HealthServer::HealthServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HealthServer::~HealthServer() { impl_->stop(); }

Result<std::unique_ptr<HealthServer>> HealthServer::start(const ListenAddress& listen,
                                                          const StatusBoard& board,
                                                          std::optional<Secret> status_token,
                                                          Commands commands) {
  auto impl = std::make_unique<Impl>(board, std::move(status_token), std::move(commands));
  if (auto listening = impl->listen(listen); !listening) return tl::unexpected(listening.error());
  impl->start();
  return std::unique_ptr<HealthServer>(new HealthServer(std::move(impl)));
}

std::uint16_t HealthServer::port() const { return impl_->port; }

void HealthServer::set_gate(std::function<GateCounts()> counts) { impl_->site.set_gate(std::move(counts)); }
void HealthServer::set_status_token(std::optional<Secret> token) {
  impl_->site.set_token(std::move(token));
  asio::post(impl_->loop, [impl = impl_.get()] { impl->send_viewers_away(); });
}

}  // namespace holdshort
