// Connecting, as the HTTP client and the probes of other protocols do it: names become addresses, addresses
// are tried in turn.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "probes/kit/awaitable.h"
#include "probes/kit/reached.h"
#include "probes/kit/url.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

namespace holdshort {

using Stream = boost::asio::generic::stream_protocol;  // TCP and unix sockets alike

// "connection refused": the system's words as they stand inside our sentences.
std::string words_of(const boost::system::error_code& error);

// One attempt to connect. Loop thread only; outlives the coroutine that waits for connect().
class Dialler {
 public:
  Dialler(const boost::asio::any_io_executor& executor, Stream::socket& socket)
      : executor_(executor), socket_(socket) {}
  // Literal addresses and "localhost" (RFC 6761 6.3) do without a resolver. `source` is the address to bind
  // before connecting; "": the system chooses. Never throws. Where cancel() ended it, `how` is timeout.
  Awaitable<Dialled> connect(Address address, std::string source);
  // Ends connect() at once. Closes the socket.
  void cancel();

 private:
  struct Lookup;
  Awaitable<std::vector<Stream::endpoint>> endpoints(const Address& address, Dialled& failure);
  Awaitable<std::vector<Stream::endpoint>> resolve(const Address& address, Dialled& failure);
  boost::system::error_code open(const Stream::endpoint& endpoint, const std::string& source);
  boost::system::error_code begin(const Stream::endpoint& endpoint);
  bool met_itself(const Stream::endpoint& endpoint) const;

  const boost::asio::any_io_executor executor_;
  Stream::socket& socket_;
  std::shared_ptr<Lookup> lookup_;
  bool cancelled_ = false;
};

}  // namespace holdshort
