// A TCP server on loopback that does exactly what a test says, byte for byte, on the test's own loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "probes/kit/awaitable.h"

namespace holdshort::testing_support {

namespace asio = boost::asio;

// One accepted connection.
struct Peer {
  explicit Peer(asio::ip::tcp::socket accepted) : socket(std::move(accepted)) {}

  Awaitable<std::string> read_head() {
    std::string head;
    boost::system::error_code error;
    const std::size_t n = co_await asio::async_read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n",
                                                          asio::redirect_error(asio::use_awaitable, error));
    co_return head.substr(0, error ? head.size() : std::max(n, head.size()));
  }
  // False where the other side has gone.
  Awaitable<bool> write(std::string bytes) {
    boost::system::error_code error;
    co_await asio::async_write(socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
  }
  // Until the other side closes.
  Awaitable<void> wait() {
    char byte = 0;
    boost::system::error_code error;
    while (!error)
      co_await socket.async_read_some(asio::buffer(&byte, 1),
                                      asio::redirect_error(asio::use_awaitable, error));
  }
  void reset() {
    boost::system::error_code ignored;
    socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
  }

  asio::ip::tcp::socket socket;
};

// Serves every connection with `script` until it is destroyed. `loop` outlives it.
class RawServer {
 public:
  using Script = std::function<Awaitable<void>(std::shared_ptr<Peer>)>;
  RawServer(asio::io_context& loop, Script script)
      : acceptor_(std::make_shared<asio::ip::tcp::acceptor>(
            loop, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0))) {
    asio::co_spawn(loop, accept(acceptor_, std::move(script)), asio::detached);
  }
  ~RawServer() {
    boost::system::error_code ignored;
    acceptor_->close(ignored);
  }
  std::uint16_t port() const { return acceptor_->local_endpoint().port(); }

 private:
  static Awaitable<void> accept(std::shared_ptr<asio::ip::tcp::acceptor> acceptor, Script script) {
    while (acceptor->is_open()) {
      boost::system::error_code error;
      asio::ip::tcp::socket socket =
          co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      auto peer = std::make_shared<Peer>(std::move(socket));
      asio::co_spawn(acceptor->get_executor(), script(std::move(peer)), asio::detached);
    }
  }
  std::shared_ptr<asio::ip::tcp::acceptor> acceptor_;
};

}  // namespace holdshort::testing_support
