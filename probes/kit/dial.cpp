#include "probes/kit/dial.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "probes/kit/latch.h"

namespace holdshort {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

error_code bind_source(Stream::socket& socket, const Stream::endpoint& endpoint, const std::string& source) {
  error_code failed;
  const tcp::endpoint from(asio::ip::make_address(source, failed), 0);
  if (failed) return failed;
  if (from.protocol().family() != endpoint.protocol().family()) {
    return asio::error::make_error_code(asio::error::address_family_not_supported);
  }
  // The port is chosen when connecting, so that bursts do not run out of ports (ip(7)). Without it they may.
  const int on = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  socket.bind(from, failed);
  return failed;
}

error_code pending_error(Stream::socket& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return {error, boost::system::system_category()};
}

Reached reached_of(const error_code& error) {
  if (error == asio::error::connection_refused) return Reached::refused;
  // The kernel has asked for two minutes.
  if (error == asio::error::timed_out) return Reached::timeout;
  // Of a unix socket: there is none, so nobody listens on it.
  const bool is_missing = error.category() == boost::system::system_category() &&
                          (error.value() == ENOENT || error.value() == ENOTDIR);
  return is_missing ? Reached::refused : Reached::unreachable;
}

// Of several addresses that all failed: what leaves most open counts.
void keep_vaguer(Dialled& kept, Dialled next) {
  const auto rank = [](Reached how) { return how == Reached::timeout ? 2 : how == Reached::refused ? 1 : 0; };
  if (kept.error.empty() || rank(next.how) >= rank(kept.how)) kept = std::move(next);
}

}  // namespace

std::string words_of(const error_code& error) {
  std::string words = error.message();
  if (words.size() > 1 && words[0] >= 'A' && words[0] <= 'Z' && words[1] >= 'a' && words[1] <= 'z') {
    words[0] = static_cast<char>(words[0] + ('a' - 'A'));
  }
  return words;
}

// getaddrinfo cannot be interrupted: it ends on Asio's resolver thread when it likes, and finds this.
struct Dialler::Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor, 1) {}
  tcp::resolver resolver;
  Latch done;
  error_code failed;
  tcp::resolver::results_type results;
};

void Dialler::cancel() {
  cancelled_ = true;
  if (lookup_) {
    lookup_->resolver.cancel();
    lookup_->done.arrive();
  }
  error_code ignored;
  socket_.close(ignored);
}

Awaitable<Dialled> Dialler::connect(Address address, std::string source) {
  Dialled outcome;
  const std::vector<Stream::endpoint> candidates = co_await endpoints(address, outcome);
  for (const Stream::endpoint& endpoint : candidates) {
    if (cancelled_) break;
    error_code failed = open(endpoint, source);
    if (!failed) failed = begin(endpoint);
    if (failed == asio::error::in_progress) {
      co_await socket_.async_wait(Stream::socket::wait_write,
                                  asio::redirect_error(asio::use_awaitable, failed));
      if (!failed) failed = pending_error(socket_);
    }
    if (cancelled_) break;
    if (!failed && met_itself(endpoint))
      failed = asio::error::make_error_code(asio::error::connection_refused);
    if (!failed) {
      outcome = {Reached::open, {}};
      co_return outcome;
    }
    Dialled next{reached_of(failed), words_of(failed)};
    keep_vaguer(outcome, std::move(next));
  }
  if (cancelled_) outcome = {Reached::timeout, "no connection in time"};
  co_return outcome;
}

// Nothing where there is none, and `failure` says why.
Awaitable<std::vector<Stream::endpoint>> Dialler::endpoints(const Address& address, Dialled& failure) {
  std::vector<Stream::endpoint> found;
  if (!address.path.empty()) {
    if (address.path.size() < sizeof(sockaddr_un::sun_path)) {
      found.emplace_back(asio::local::stream_protocol::endpoint(address.path));
    } else {
      failure = {Reached::unreachable, "the socket's path is too long"};
    }
    co_return found;
  }
  error_code is_name;
  const asio::ip::address literal = asio::ip::make_address(address.host, is_name);
  if (!is_name) {
    found.emplace_back(tcp::endpoint(literal, address.port));
  } else if (address.host == "localhost") {
    found.emplace_back(tcp::endpoint(asio::ip::address_v4::loopback(), address.port));
    found.emplace_back(tcp::endpoint(asio::ip::address_v6::loopback(), address.port));
  } else {
    found = co_await resolve(address, failure);
  }
  co_return found;
}

Awaitable<std::vector<Stream::endpoint>> Dialler::resolve(const Address& address, Dialled& failure) {
  std::vector<Stream::endpoint> found;
  const auto lookup = std::make_shared<Lookup>(executor_);
  lookup_ = lookup;
  try {
    lookup->resolver.async_resolve(
        address.host, std::to_string(address.port), tcp::resolver::numeric_service,
        [lookup](const error_code& failed, const tcp::resolver::results_type& results) {
          lookup->failed = failed;
          lookup->results = results;
          lookup->done.arrive();
        });
  } catch (const boost::system::system_error& no_thread) {
    failure = {Reached::unresolved, words_of(no_thread.code())};
    co_return found;
  }
  co_await lookup->done.wait();
  if (lookup->failed) failure = {Reached::unresolved, words_of(lookup->failed)};
  if (cancelled_ || lookup->failed) co_return found;
  for (const auto& entry : lookup->results) found.emplace_back(entry.endpoint());
  co_return found;
}

error_code Dialler::open(const Stream::endpoint& endpoint, const std::string& source) {
  error_code failed;
  socket_.close(failed);
  socket_.open(endpoint.protocol(), failed);
  if (failed || endpoint.protocol().family() == AF_UNIX) return failed;
  socket_.set_option(tcp::no_delay(true), failed);
  if (failed || source.empty()) return failed;
  return bind_source(socket_, endpoint, source);
}

// in_progress: the socket's becoming writable tells the rest. A connection over loopback stands when
// connect(2) returns, though that says otherwise; to see it here spares a simple probe two turns of the loop.
error_code Dialler::begin(const Stream::endpoint& endpoint) {
  error_code failed;
  socket_.native_non_blocking(true, failed);
  if (failed ||
      ::connect(socket_.native_handle(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0) {
    return failed;
  }
  failed = error_code(errno, boost::system::system_category());
  pollfd writable{.fd = socket_.native_handle(), .events = POLLOUT, .revents = 0};
  if (failed != asio::error::in_progress || ::poll(&writable, 1, 0) != 1) return failed;
  return pending_error(socket_);
}

// Where the system chose the very port it was to reach, a socket connects to itself: nobody listens there.
bool Dialler::met_itself(const Stream::endpoint& endpoint) const {
  error_code failed;
  return endpoint.protocol().family() != AF_UNIX && socket_.local_endpoint(failed) == endpoint && !failed;
}

}  // namespace holdshort
