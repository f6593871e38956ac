// The way out to the app. A seam: production speaks TCP, TLS and unix sockets, tests script the answers.
#pragma once

#include <memory>
#include <vector>

#include "probes/kit/awaitable.h"
#include "probes/kit/http.h"

namespace holdshort {

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Sends `request` on a connection of its own and follows nothing. The answer is read even where writing
  // failed: an early 401 or 413 before our body has ended is returned, not lost (RFC 9112 9.5). Never throws
  // for what the peer does. Loop thread only; *this outlives the coroutine that waits; arguments are taken by
  // value and owned.
  [[nodiscard]] virtual Awaitable<Response> send(Endpoint endpoint, Request request, Limits limits) = 0;
  // As many connections as requests, all but the last byte of each sent, then the last bytes back to back, so
  // that the app sees them at the same moment. Answers in the order of the requests.
  [[nodiscard]] virtual Awaitable<std::vector<Response>> burst(Endpoint endpoint,
                                                               std::vector<Request> requests,
                                                               Limits limits) = 0;
};

// Boost.Asio on the executor of the coroutine that calls. Certificates are verified against the system's
// store, or SSL_CERT_FILE and SSL_CERT_DIR.
std::unique_ptr<HttpClient> make_http_client();

}  // namespace holdshort
