#include "agent/gate/upstream.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace holdshort::gate {

namespace asio = boost::asio;
using asio::ip::tcp;

void Upstream::set(const Url& app) {
  addresses_.clear();
  name_.clear();
  port_ = app.port;
  if (app.scheme == Url::Scheme::unix_socket) {
    addresses_.emplace_back(asio::local::stream_protocol::endpoint(app.path));
    return;
  }
  if (app.host == "localhost") {
    addresses_.emplace_back(tcp::endpoint(asio::ip::address_v4::loopback(), port_));
    addresses_.emplace_back(tcp::endpoint(asio::ip::address_v6::loopback(), port_));
    return;
  }
  boost::system::error_code error;
  const asio::ip::address literal = asio::ip::make_address(app.host, error);
  if (!error) {
    addresses_.emplace_back(tcp::endpoint(literal, port_));
    return;
  }
  name_ = app.host;
  look_up_again();
}

void Upstream::prefer(std::size_t index) {
  if (index == 0) return;
  const auto begin = addresses_.begin();
  std::rotate(begin, begin + static_cast<std::ptrdiff_t>(index), addresses_.end());
}

void Upstream::look_up_again() {
  if (name_.empty() || std::exchange(looking_, true)) return;
  resolver_.async_resolve(
      name_, std::to_string(port_), tcp::resolver::numeric_service,
      [this, name = name_](boost::system::error_code error, tcp::resolver::results_type found) {
        looking_ = false;
        if (error || name != name_) return;
        addresses_.clear();
        for (const auto& entry : found) addresses_.emplace_back(entry.endpoint());
      });
}

}  // namespace holdshort::gate
