// A Line is one exchange: its connection of any kind (TCP, TLS over TCP, unix socket), what is written, and
// the parser that judges what comes. One Deadline closes the Lines of a call when their time is up, whatever
// they wait for, so that no peer can stretch it; whatever fails then is read off as how the exchange ended.
// Writing goes on beside reading: an early 401 or 413 is an answer, and the write that fails because of it is
// not the end.
#include "probes/kit/http_client.h"

#include <netinet/in.h>

#include <array>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "probes/kit/response_parser.h"

namespace holdshort {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Unix = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;
using Since = std::chrono::steady_clock::time_point;

constexpr std::size_t kReadBuffer = 16 * 1024;

// A connection of any kind. Errors are values; after close() everything that waits comes back with one.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual Awaitable<ErrorCode> handshake() = 0;
  virtual Awaitable<ErrorCode> write(std::string_view bytes) = 0;
  virtual void write_now(std::string_view byte) = 0;  // one that the socket's buffer is sure to take
  virtual Awaitable<std::pair<ErrorCode, std::size_t>> read(asio::mutable_buffer into) = 0;
  virtual void close() = 0;
};

template <class Stream>
class StreamWire : public Wire {
 public:
  template <class... Args>
  explicit StreamWire(Args&&... args) : stream_(std::forward<Args>(args)...) {}

  Awaitable<ErrorCode> handshake() override { co_return ErrorCode(); }

  Awaitable<ErrorCode> write(std::string_view bytes) override {
    ErrorCode error;
    co_await asio::async_write(stream_, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

  void write_now(std::string_view byte) override {
    ErrorCode ignored;
    stream_.write_some(asio::buffer(byte), ignored);
  }

  Awaitable<std::pair<ErrorCode, std::size_t>> read(asio::mutable_buffer into) override {
    ErrorCode error;
    const std::size_t n =
        co_await stream_.async_read_some(into, asio::redirect_error(asio::use_awaitable, error));
    co_return std::pair(error, n);
  }

  void close() override {
    ErrorCode ignored;
    stream_.lowest_layer().close(ignored);
  }

  auto& socket() { return stream_.lowest_layer(); }

 protected:
  Stream stream_;
};

class TlsWire final : public StreamWire<asio::ssl::stream<tcp::socket>> {
 public:
  TlsWire(asio::any_io_executor executor, asio::ssl::context& context, const Endpoint& endpoint)
      : StreamWire(std::move(executor), context),
        name_(endpoint.tls_server_name.empty() ? endpoint.url.host : endpoint.tls_server_name) {
    ErrorCode is_name;
    asio::ip::make_address(name_, is_name);
    if (is_name)
      SSL_set_tlsext_host_name(stream_.native_handle(), name_.c_str());  // RFC 6066 3: no literal addresses
    if (!endpoint.tls_skip_verify) stream_.set_verify_callback(asio::ssl::host_name_verification(name_));
  }

  Awaitable<ErrorCode> handshake() override {
    ErrorCode error;
    co_await stream_.async_handshake(asio::ssl::stream_base::client,
                                     asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

 private:
  std::string name_;
};

// Wakes one who waits for others, not for time.
class Bell {
 public:
  explicit Bell(const asio::any_io_executor& executor) : timer_(executor, Since::max()) {}
  void ring() {
    rung_ = true;
    timer_.cancel();
  }
  Awaitable<void> wait() {
    ErrorCode ignored;
    if (!rung_) co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

 private:
  asio::steady_timer timer_;
  bool rung_ = false;
};

struct Line {
  Line(const Request& request, const Limits& limits) : parser(request.method, limits) {
    bytes.reserve(256 + request.body.size());
    bytes += request.method + " " + request.target + " HTTP/1.1\r\n";
    for (const Header& header : request.headers) bytes += header.name + ": " + header.value + "\r\n";
    bytes += "\r\n" + request.body;
  }

  std::string bytes;  // the request as it stands on the wire
  std::unique_ptr<Wire> wire;
  ResponseParser parser;
  Timing timing;
};
using LinePtr = std::shared_ptr<Line>;

std::chrono::microseconds since(Since start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
}

// Closes every line of a call when its time is up.
class Deadline {
 public:
  Deadline(const asio::any_io_executor& executor, Since start, std::chrono::milliseconds time)
      : state_(std::make_shared<State>(executor, start + time)) {
    state_->timer.async_wait([state = state_](ErrorCode error) {
      if (!error) state->pass();
    });
  }
  ~Deadline() { state_->timer.cancel(); }
  Deadline(const Deadline&) = delete;

  bool passed() const { return state_->passed; }
  void watch(LinePtr line) { state_->lines.push_back(std::move(line)); }
  void watch(std::shared_ptr<Bell> bell) { state_->bell = std::move(bell); }

 private:
  struct State {
    State(const asio::any_io_executor& executor, Since when) : timer(executor, when) {}
    void pass() {
      passed = true;
      for (const LinePtr& line : lines)
        if (line->wire) line->wire->close();
      if (bell) bell->ring();
    }
    asio::steady_timer timer;
    std::vector<LinePtr> lines;
    std::shared_ptr<Bell> bell;
    bool passed = false;
  };
  std::shared_ptr<State> state_;
};

// Where a name leads. Empty with an error in `why`.
struct Places {
  std::vector<tcp::endpoint> endpoints;
  std::string why;
};

class Client final : public HttpClient {
 public:
  Awaitable<Response> send(Endpoint endpoint, Request request, Limits limits) override {
    std::vector<Request> one;
    one.push_back(std::move(request));
    std::vector<Response> responses =
        co_await exchange(std::move(endpoint), std::move(one), limits, Release::whole);
    co_return std::move(responses.front());
  }

  Awaitable<std::vector<Response>> burst(Endpoint endpoint, std::vector<Request> requests,
                                         Limits limits) override {
    return exchange(std::move(endpoint), std::move(requests), limits, Release::by_last_byte);
  }

 private:
  enum class Release { whole, by_last_byte };

  Awaitable<std::vector<Response>> exchange(Endpoint endpoint, std::vector<Request> requests, Limits limits,
                                            Release release) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const Since start = std::chrono::steady_clock::now();
    Deadline deadline(executor, start, limits.deadline);
    std::vector<LinePtr> lines;
    for (const Request& request : requests) {
      lines.push_back(std::make_shared<Line>(request, limits));
      deadline.watch(lines.back());
    }
    const Places places = co_await resolve(executor, endpoint, deadline);
    for (const LinePtr& line : lines) co_await open(executor, line, endpoint, places, deadline, start);
    if (release == Release::by_last_byte) co_await hold_last_byte(lines);
    for (const LinePtr& line : lines) {
      if (line->parser.done()) continue;
      if (release == Release::by_last_byte) {
        line->wire->write_now(std::string_view(line->bytes).substr(line->bytes.size() - 1));
      } else {
        asio::co_spawn(executor, write_all(line), asio::detached);
      }
    }
    co_await read_all(executor, lines, deadline, start);
    std::vector<Response> responses;
    for (const LinePtr& line : lines) responses.push_back(finish(*line, start));
    co_return responses;
  }

  // --- connecting

  // Literal addresses and "localhost" need nobody. A name is looked up beside us: getaddrinfo cannot be
  // called off, so at the deadline it is left behind.
  static Awaitable<Places> resolve(asio::any_io_executor executor, const Endpoint& endpoint,
                                   Deadline& deadline) {
    Places places;
    const Url& url = endpoint.url;
    if (url.scheme == Url::Scheme::unix_socket) co_return places;
    ErrorCode no_literal;
    const auto address = asio::ip::make_address(url.host, no_literal);
    if (!no_literal) {
      places.endpoints.emplace_back(address, url.port);
      co_return places;
    }
    if (url.host == "localhost") {
      places.endpoints.emplace_back(asio::ip::address_v4::loopback(), url.port);
      places.endpoints.emplace_back(asio::ip::address_v6::loopback(), url.port);
      co_return places;
    }
    struct Lookup {
      explicit Lookup(const asio::any_io_executor& e) : resolver(e) {}
      tcp::resolver resolver;
      Places places;
    };
    const auto lookup = std::make_shared<Lookup>(executor);
    const auto bell = std::make_shared<Bell>(executor);
    deadline.watch(bell);
    lookup->resolver.async_resolve(url.host, std::to_string(url.port),
                                   [lookup, bell](ErrorCode error, const tcp::resolver::results_type& found) {
                                     for (const auto& entry : found)
                                       lookup->places.endpoints.push_back(entry.endpoint());
                                     if (error) lookup->places.why = "the name cannot be resolved";
                                     bell->ring();
                                   });
    co_await bell->wait();
    co_return lookup->places;
  }

  // Connects and shakes hands, or gives the line up.
  Awaitable<void> open(asio::any_io_executor executor, LinePtr line, const Endpoint& endpoint,
                       const Places& places, const Deadline& deadline, Since start) {
    ErrorCode error = co_await connect(executor, *line, endpoint, places);
    if (deadline.passed()) {
      line->parser.give_up(Ended::timeout, "timed out while connecting");
      co_return;
    }
    if (error || !line->wire) {
      line->parser.give_up(Ended::refused, error ? error.message() : places.why);
      co_return;
    }
    line->timing.connect = since(start);
    error = co_await line->wire->handshake();
    if (endpoint.url.scheme == Url::Scheme::https) line->timing.tls = since(start);
    if (!error) co_return;
    line->parser.give_up(deadline.passed() ? Ended::timeout : Ended::tls_failed,
                         deadline.passed() ? "timed out in the TLS handshake" : tls_words(error));
  }

  Awaitable<ErrorCode> connect(asio::any_io_executor executor, Line& line, const Endpoint& endpoint,
                               const Places& places) {
    ErrorCode error;
    if (endpoint.url.scheme == Url::Scheme::unix_socket) {
      auto wire = std::make_unique<StreamWire<Unix::socket>>(executor);
      auto& socket = wire->socket();
      line.wire = std::move(wire);
      co_await socket.async_connect(Unix::endpoint(endpoint.url.path),
                                    asio::redirect_error(asio::use_awaitable, error));
      co_return error;
    }
    for (const tcp::endpoint& place : places.endpoints) {
      tcp::socket::lowest_layer_type* socket = nullptr;
      if (endpoint.url.scheme == Url::Scheme::https) {
        auto wire = std::make_unique<TlsWire>(executor, tls_context(endpoint.tls_skip_verify), endpoint);
        socket = &wire->socket();
        line.wire = std::move(wire);
      } else {
        auto wire = std::make_unique<StreamWire<tcp::socket>>(executor);
        socket = &wire->socket();
        line.wire = std::move(wire);
      }
      error = prepare(*socket, place, endpoint.source_address);
      if (!error) co_await socket->async_connect(place, asio::redirect_error(asio::use_awaitable, error));
      if (!error || error == asio::error::operation_aborted) break;
    }
    co_return error;
  }

  template <class Socket>
  static ErrorCode prepare(Socket& socket, const tcp::endpoint& to, const std::string& source) {
    ErrorCode error;
    socket.open(to.protocol(), error);
    if (error) return error;
    socket.set_option(tcp::no_delay(true), error);
    if (source.empty()) return {};
    const auto address = asio::ip::make_address(source, error);
    if (error) return error;
    const int on = 1;  // the port is chosen at connect, so that one address serves many connections
    ::setsockopt(socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    socket.bind(tcp::endpoint(address, 0), error);
    return error;
  }

  // The system's store is read once, and only if there is an https target.
  asio::ssl::context& tls_context(bool skip_verify) {
    std::optional<asio::ssl::context>& context = skip_verify ? blind_ : verifying_;
    if (!context) {
      context.emplace(asio::ssl::context::tls_client);
      ErrorCode ignored;
      context->set_verify_mode(skip_verify ? asio::ssl::verify_none : asio::ssl::verify_peer, ignored);
      if (!skip_verify) context->set_default_verify_paths(ignored);
    }
    return *context;
  }

  static std::string tls_words(const ErrorCode& error) {
    if (error.category() == asio::error::get_ssl_category()) {
      const char* reason = ERR_reason_error_string(static_cast<unsigned long>(error.value()));
      return std::string("TLS: ") + (reason ? reason : "handshake failed");
    }
    return "TLS: " + error.message();
  }

  // --- writing and reading

  static Awaitable<void> write_all(LinePtr line) {
    co_await line->wire->write(line->bytes);  // what fails here shows in what is read
  }

  static Awaitable<void> hold_last_byte(const std::vector<LinePtr>& lines) {
    for (const LinePtr& line : lines) {
      if (line->parser.done()) continue;
      const std::string_view but_last(line->bytes.data(), line->bytes.size() - 1);
      co_await line->wire->write(but_last);
    }
  }

  struct Reading {
    Reading(const asio::any_io_executor& executor, std::size_t lines) : bell(executor), left(lines) {}
    Bell bell;
    std::size_t left;
  };

  static Awaitable<void> read_all(asio::any_io_executor executor, const std::vector<LinePtr>& lines,
                                  const Deadline& deadline, Since start) {
    if (lines.size() == 1) {
      co_await read_one(lines.front(), deadline, start);
      co_return;
    }
    const auto reading = std::make_shared<Reading>(executor, lines.size());
    for (const LinePtr& line : lines) {
      asio::co_spawn(executor, read_one(line, deadline, start), [reading](std::exception_ptr) {
        if (--reading->left == 0) reading->bell.ring();
      });
    }
    if (!lines.empty()) co_await reading->bell.wait();
  }

  static Awaitable<void> read_one(LinePtr line, const Deadline& deadline, Since start) {
    std::array<char, kReadBuffer> buffer;
    while (!line->parser.done()) {
      const auto [error, n] = co_await line->wire->read(asio::buffer(buffer));
      if (n > 0 && line->timing.first_byte.count() == 0) line->timing.first_byte = since(start);
      line->parser.feed({buffer.data(), n});
      if (!error || line->parser.done()) continue;
      if (deadline.passed()) {
        line->parser.give_up(Ended::timeout, "timed out");
      } else if (error == asio::error::eof) {
        line->parser.close();
      } else if (error == asio::ssl::error::stream_truncated) {
        line->parser.give_up(Ended::cut_short, "the TLS connection ended without saying so");
      } else {
        line->parser.give_up(Ended::reset, error.message());
      }
    }
  }

  static Response finish(Line& line, Since start) {
    if (line.wire) line.wire->close();
    line.timing.total = since(start);
    Response response = line.parser.take();
    response.timing = line.timing;
    return response;
  }

  std::optional<asio::ssl::context> verifying_, blind_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client() { return std::make_unique<Client>(); }

}  // namespace holdshort
