#include "probes/kit/channel.h"

#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "probes/kit/dial.h"

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

Awaitable<Result<std::string>> Channel::read(std::size_t max_bytes) {
  std::string bytes(max_bytes, '\0');
  error_code failed;
  const std::size_t count = co_await impl_->socket.async_read_some(
      asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed));
  bytes.resize(count);
  Result<std::string> result = std::move(bytes);
  if (failed && (impl_->expired || failed != asio::error::eof)) result = impl_->why(failed);
  co_return result;
}

Awaitable<Result<void>> Channel::write(std::string bytes) {
  error_code failed;
  co_await asio::async_write(impl_->socket, asio::buffer(bytes),
                             asio::redirect_error(asio::use_awaitable, failed));
  Result<void> result;
  if (failed) result = impl_->why(failed);
  co_return result;
}

}  // namespace holdshort
