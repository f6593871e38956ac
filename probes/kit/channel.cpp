#include "probes/kit/channel.h"

#include <optional>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "probes/kit/dial.h"
#include "probes/kit/handshake.h"

namespace holdshort {

namespace asio = boost::asio;
using boost::system::error_code;

// The timer's callback outlives the Channel by a turn of the loop, so it shares this.
struct Channel::Impl {
  explicit Impl(const asio::any_io_executor& executor)
      : timer(executor), socket(executor), dialler(executor, socket) {}

  void close() {
    timer.cancel();
    dialler.cancel();
  }

  tl::unexpected<Error> why(const error_code& failed) const {
    return failure(expired ? "no answer in time" : words_of(failed));
  }

  asio::steady_timer timer;
  Stream::socket socket;
  Dialler dialler;
  std::optional<Handshake> handshake;  // its SSL, in `tls`, goes first
  std::optional<asio::ssl::stream<Stream::socket&>> tls;
  bool expired = false;
};

Channel::Channel(std::chrono::milliseconds deadline) : deadline_(deadline) {}
Channel::~Channel() { close(); }

void Channel::close() {
  if (impl_) impl_->close();
}

bool Channel::expired() const { return impl_ && impl_->expired; }

Awaitable<Dialled> Channel::connect(Address address, std::string source) {
  impl_ = std::make_shared<Impl>(co_await asio::this_coro::executor);
  impl_->timer.expires_after(deadline_);
  impl_->timer.async_wait([impl = impl_](const error_code& cancelled) {
    if (cancelled) return;
    impl->expired = true;
    impl->close();
  });
  co_return co_await impl_->dialler.connect(std::move(address), std::move(source));
}

Awaitable<TlsSeen> Channel::start_tls(std::shared_ptr<TlsContext> context, std::string host, Wall now) {
  const std::shared_ptr<Impl> impl = impl_;
  TlsSeen seen;
  Handshake& handshake = impl->handshake.emplace(std::move(context));
  try {
    impl->tls.emplace(impl->socket, handshake.context());
  } catch (const boost::system::system_error& error) {
    seen.error = words_of(error.code());
    co_return seen;
  }
  SSL* const ssl = impl->tls->native_handle();
  if (!handshake.begin(ssl, std::move(host), now)) {
    seen.error = "the name to ask for is none";
    co_return seen;
  }
  error_code failed;
  co_await impl->tls->async_handshake(asio::ssl::stream_base::client,
                                      asio::redirect_error(asio::use_awaitable, failed));
  seen = handshake.end(ssl, failed);
  if (impl->expired) {
    seen.end = TlsSeen::End::timeout;
    seen.error = "no TLS handshake in time";
  }
  co_return seen;
}

// At the end of its TLS a peer need not say so: what a protocol's own framing leaves open is its affair.
Awaitable<Result<std::string>> Channel::read(std::size_t max_bytes) {
  const std::shared_ptr<Impl> impl = impl_;
  std::string bytes(max_bytes, '\0');
  error_code failed;
  std::size_t count = 0;
  if (impl->tls) {
    count = co_await impl->tls->async_read_some(asio::buffer(bytes),
                                                asio::redirect_error(asio::use_awaitable, failed));
  } else {
    count = co_await impl->socket.async_read_some(asio::buffer(bytes),
                                                  asio::redirect_error(asio::use_awaitable, failed));
  }
  bytes.resize(count);
  const bool is_end = failed == asio::error::eof || failed == asio::ssl::error::stream_truncated;
  Result<std::string> result = std::move(bytes);
  if (failed && (impl->expired || !is_end)) result = impl->why(failed);
  co_return result;
}

Awaitable<Result<void>> Channel::write(std::string bytes) {
  const std::shared_ptr<Impl> impl = impl_;
  error_code failed;
  if (impl->tls) {
    co_await asio::async_write(*impl->tls, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, failed));
  } else {
    co_await asio::async_write(impl->socket, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, failed));
  }
  Result<void> result;
  if (failed) result = impl->why(failed);
  co_return result;
}

}  // namespace holdshort
