// Where the app listens, as socket addresses.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "probes/kit/url.h"

namespace holdshort::gate {

using SocketAddress = boost::asio::generic::stream_protocol::endpoint;

// Loop thread only.
class Upstream {
 public:
  explicit Upstream(boost::asio::io_context& loop) : resolver_(loop) {}
  // Addresses are known at once for a literal, "localhost" or a socket; a name is looked up in the
  // background.
  void set(const Url& app);
  // In the order in which to try them; empty while a name has not been found.
  const std::vector<SocketAddress>& addresses() const { return addresses_; }
  // This one worked: it comes first from now on.
  void prefer(std::size_t index);
  // None worked: a name may mean another address by now.
  void look_up_again();
  void stop() { resolver_.cancel(); }

 private:
  boost::asio::ip::tcp::resolver resolver_;
  std::vector<SocketAddress> addresses_;
  std::string name_;  // "": nothing to look up
  std::uint16_t port_ = 0;
  bool looking_ = false;
};

}  // namespace holdshort::gate
