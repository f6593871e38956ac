// The HTTP client of the probes: a connection for every request, bytes as they were given, one deadline,
// caps.
//
// A Connection is one exchange. run(), a coroutine, resolves, connects, shakes hands and reads; the request
// is written beside it by plain callbacks, so that an answer which comes before our write has ended is seen
// (RFC 9112 9.5). The deadline is one timer that closes the socket: whatever is waiting ends at once, and the
// reason is `timeout`. What was read goes through a ResponseParser, which says when the answer is whole. A
// burst is many Connections that write all but their last byte, meet at a Latch, and are released in one
// loop.
//
// Shared ownership, because callbacks outlive run() by a turn of the loop: run()'s caller and every pending
// callback hold a Connection; a Closer ends them when the caller goes, also by being destroyed.
#include "probes/kit/http_client.h"

#include <array>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "probes/kit/dial.h"
#include "probes/kit/latch.h"
#include "probes/kit/response_parser.h"
#include "probes/kit/trust_store.h"

namespace holdshort {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using Executor = asio::any_io_executor;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kReadBufferBytes = 16 * 1024;

std::string serialise(const Request& request) {
  std::string wire = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  for (const Header& header : request.headers) {
    wire.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  return wire.append("\r\n").append(request.body);
}

// Made when first needed: the system's store costs milliseconds and memory.
class TlsContexts {
 public:
  // Throws system_error where OpenSSL cannot be set up.
  ssl::context& get(const Endpoint& endpoint) {
    std::optional<ssl::context>& context = endpoint.tls_skip_verify ? trusting_ : verifying_;
    if (!context) context.emplace(make(endpoint.tls_skip_verify ? ssl::verify_none : ssl::verify_peer));
    return *context;
  }

 private:
  static ssl::context make(ssl::verify_mode verify) {
    ssl::context context(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    context.set_verify_mode(verify);
    if (verify != ssl::verify_none) trust_system_store(context.native_handle());
    return context;
  }
  std::optional<ssl::context> verifying_, trusting_;
};

enum class LastByte { sent, held };

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Where the last byte is held, `written` hears once that the rest is written or never will be.
  Connection(const Executor& executor, TlsContexts& tls_contexts, Endpoint endpoint, const Request& request,
             const Limits& limits, SteadyTime start, LastByte last_byte, std::shared_ptr<Latch> written)
      : tls_contexts_(tls_contexts),
        endpoint_(std::move(endpoint)),
        wire_(serialise(request)),
        start_(start),
        last_byte_(last_byte),
        written_(std::move(written)),
        deadline_(executor, start + limits.deadline),
        socket_(executor),
        dialler_(executor, socket_),
        answer_(request.method, limits) {}

  // Returns when the answer is whole, when nothing more can come, or at the deadline. To be called once.
  Awaitable<void> run();
  // Sends the byte held back, unless the exchange is over or the rest could not be written.
  void release();
  // Ends whatever is pending.
  void close();
  Response take();

 private:
  void start_deadline();
  void give_up(Ended ended, std::string_view error);
  std::chrono::microseconds elapsed() const;
  Awaitable<void> connect();
  Awaitable<void> shake_hands();
  bool prepare_tls();
  std::string why_tls_failed(const error_code& error);
  void write(std::size_t begin, std::size_t end);
  void on_written(const error_code& error, std::size_t end);
  void tell_written();
  Awaitable<void> read_answer();
  void on_read_error(const error_code& error);

  TlsContexts& tls_contexts_;
  const Endpoint endpoint_;
  const std::string wire_;
  const SteadyTime start_;
  const LastByte last_byte_;
  std::shared_ptr<Latch> written_;
  bool all_but_last_written_ = false;
  bool write_was_reset_ = false;
  bool expired_ = false;
  std::string_view late_ = "no connection in time";  // what the deadline's passing means in this phase
  asio::steady_timer deadline_;
  Stream::socket socket_;
  Dialler dialler_;
  std::optional<ssl::stream<Stream::socket&>> tls_;
  ResponseParser answer_;
  Timing timing_;
  std::array<char, kReadBufferBytes> buffer_;
};

Awaitable<void> Connection::run() {
  start_deadline();
  co_await connect();
  if (!answer_.done() && endpoint_.url.scheme == Url::Scheme::https) co_await shake_hands();
  if (!answer_.done()) {
    late_ = "no whole answer in time";
    write(0, last_byte_ == LastByte::held ? wire_.size() - 1 : wire_.size());
    co_await read_answer();
  }
  timing_.total = elapsed();
  close();
  tell_written();
}

void Connection::start_deadline() {
  deadline_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (cancelled) return;
    self->expired_ = true;
    self->close();
  });
}

void Connection::close() {
  deadline_.cancel();
  dialler_.cancel();
}

Response Connection::take() {
  Response response = answer_.take();
  response.timing = timing_;
  return response;
}

// After the deadline everything fails because it had closed the socket: then that is the reason.
void Connection::give_up(Ended ended, std::string_view error) {
  if (expired_) {
    answer_.give_up(Ended::timeout, late_);
  } else {
    answer_.give_up(ended, error);
  }
}

std::chrono::microseconds Connection::elapsed() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start_);
}

Awaitable<void> Connection::connect() {
  Address address = Address::of(endpoint_.url);
  const Dialled dialled = co_await dialler_.connect(std::move(address), endpoint_.source_address);
  if (dialled.how == Reached::open && !expired_) {
    timing_.connect = elapsed();
  } else {
    give_up(Ended::refused, dialled.error);
  }
}

Awaitable<void> Connection::shake_hands() {
  late_ = "no TLS handshake in time";
  if (!prepare_tls()) {
    give_up(Ended::tls_failed, "OpenSSL could not be set up");
    co_return;
  }
  error_code failed;
  co_await tls_->async_handshake(ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, failed));
  if (failed || expired_) {
    give_up(Ended::tls_failed, why_tls_failed(failed));
  } else {
    timing_.tls = elapsed();
  }
}

// SNI carries names only (RFC 6066 3); an address is verified as one.
bool Connection::prepare_tls() {
  try {
    tls_.emplace(socket_, tls_contexts_.get(endpoint_));
  } catch (const boost::system::system_error&) {
    return false;
  }
  SSL* const handle = tls_->native_handle();
  const std::string& name =
      endpoint_.tls_server_name.empty() ? endpoint_.url.host : endpoint_.tls_server_name;
  error_code is_name;
  asio::ip::make_address(name, is_name);
  if (!is_name) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), name.c_str()) == 1;
  return SSL_set_tlsext_host_name(handle, name.c_str()) == 1 && SSL_set1_host(handle, name.c_str()) == 1;
}

std::string Connection::why_tls_failed(const error_code& error) {
  const long verdict = SSL_get_verify_result(tls_->native_handle());
  if (!endpoint_.tls_skip_verify && verdict != X509_V_OK) {
    return std::string("certificate: ") + X509_verify_cert_error_string(verdict);
  }
  if (error == asio::error::eof || error == ssl::error::stream_truncated)
    return "closed during the TLS handshake";
  return words_of(error);
}

void Connection::write(std::size_t begin, std::size_t end) {
  auto done = [self = shared_from_this(), end](const error_code& error, std::size_t) {
    self->on_written(error, end);
  };
  const asio::const_buffer bytes(wire_.data() + begin, end - begin);
  if (tls_) {
    asio::async_write(*tls_, bytes, std::move(done));
  } else {
    asio::async_write(socket_, bytes, std::move(done));
  }
}

// A failure ends nothing: the answer may be there already. But the reset that a write has taken from the
// socket would reach the reader as an orderly end. (EPIPE says that the peer had closed in good order
// before.)
void Connection::on_written(const error_code& error, std::size_t end) {
  if (error == asio::error::connection_reset) write_was_reset_ = true;
  all_but_last_written_ = !error && end < wire_.size();
  tell_written();
}

void Connection::tell_written() {
  if (const std::shared_ptr<Latch> latch = std::exchange(written_, nullptr)) latch->arrive();
}

void Connection::release() {
  if (all_but_last_written_ && !answer_.done()) write(wire_.size() - 1, wire_.size());
}

Awaitable<void> Connection::read_answer() {
  while (!answer_.done()) {
    error_code failed;
    std::size_t count = 0;
    if (tls_) {
      count = co_await tls_->async_read_some(asio::buffer(buffer_),
                                             asio::redirect_error(asio::use_awaitable, failed));
    } else {
      count = co_await socket_.async_read_some(asio::buffer(buffer_),
                                               asio::redirect_error(asio::use_awaitable, failed));
    }
    if (count > 0 && timing_.first_byte.count() == 0) timing_.first_byte = elapsed();
    answer_.feed(std::string_view(buffer_.data(), count));
    if (failed) on_read_error(failed);
  }
}

void Connection::on_read_error(const error_code& error) {
  const bool is_end = error == asio::error::eof || error == ssl::error::stream_truncated;
  if (expired_ || error == asio::error::operation_aborted) {
    give_up(Ended::timeout, "cancelled");
  } else if (is_end && write_was_reset_) {
    give_up(Ended::reset, "connection reset by peer");
  } else if (error == asio::error::eof) {
    answer_.close();
  } else if (is_end) {
    // Nobody knows whether that end is the peer's (RFC 9112 9.8).
    give_up(Ended::cut_short, "closed without TLS close_notify");
  } else if (error.category() == asio::error::get_ssl_category()) {
    give_up(Ended::tls_failed, words_of(error));
  } else {
    give_up(Ended::reset, words_of(error));
  }
}

using Connections = std::vector<std::shared_ptr<Connection>>;

// Closes them when the coroutine that waits for them ends or is destroyed.
class Closer {
 public:
  explicit Closer(Connections connections) : connections_(std::move(connections)) {}
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;
  ~Closer() {
    for (const auto& connection : connections_) connection->close();
  }

 private:
  const Connections connections_;
};

Awaitable<void> run_owned(std::shared_ptr<Connection> connection) { co_await connection->run(); }

class AsioHttpClient final : public HttpClient {
 public:
  Awaitable<Response> send(Endpoint endpoint, Request request, Limits limits) override {
    const SteadyTime start = std::chrono::steady_clock::now();
    const Executor executor = co_await asio::this_coro::executor;
    const auto connection = std::make_shared<Connection>(executor, tls_contexts_, std::move(endpoint),
                                                         request, limits, start, LastByte::sent, nullptr);
    const Closer closer(Connections(1, connection));
    co_await connection->run();
    co_return connection->take();
  }

  Awaitable<std::vector<Response>> burst(Endpoint endpoint, std::vector<Request> requests,
                                         Limits limits) override {
    const SteadyTime start = std::chrono::steady_clock::now();
    const Executor executor = co_await asio::this_coro::executor;
    const auto written = std::make_shared<Latch>(executor, requests.size());
    const auto done = std::make_shared<Latch>(executor, requests.size());
    Connections connections;
    for (const Request& request : requests) {
      connections.push_back(std::make_shared<Connection>(executor, tls_contexts_, endpoint, request, limits,
                                                         start, LastByte::held, written));
    }
    const Closer closer(connections);
    for (const auto& connection : connections) {
      asio::co_spawn(executor, run_owned(connection), [done](const std::exception_ptr&) { done->arrive(); });
    }
    co_await written->wait();
    for (const auto& connection : connections) connection->release();
    co_await done->wait();

    std::vector<Response> responses;
    for (const auto& connection : connections) responses.push_back(connection->take());
    co_return responses;
  }

 private:
  TlsContexts tls_contexts_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client() { return std::make_unique<AsioHttpClient>(); }

}  // namespace holdshort
