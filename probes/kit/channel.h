// A connection of a probe that speaks another protocol than HTTP: one deadline over all of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "probes/kit/awaitable.h"
#include "probes/kit/reached.h"
#include "probes/kit/result.h"
#include "probes/kit/tls.h"
#include "probes/kit/url.h"

namespace holdshort {

// Loop thread only; outlives whoever waits for it. Nothing here throws for what the peer does. After the
// deadline everything ends at once.
class Channel {
 public:
  explicit Channel(std::chrono::milliseconds deadline);  // counts from connect() on
  ~Channel();                                            // closes
  // Once, and first. `source`: the address to bind; "": the system chooses.
  Awaitable<Dialled> connect(Address address, std::string source);
  // Once, after connect(). What is read and written then goes through TLS, where it was established. `host`
  // and `now`: the certificate's, see TlsSeen.
  Awaitable<TlsSeen> start_tls(std::shared_ptr<TlsContext> context, std::string host, Wall now);
  // What has come, at most `max_bytes`; "" where the peer has closed in good order.
  Awaitable<Result<std::string>> read(std::size_t max_bytes);
  Awaitable<Result<void>> write(std::string bytes);
  void close();
  bool expired() const;

 private:
  struct Impl;
  const std::chrono::milliseconds deadline_;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdshort
