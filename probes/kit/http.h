// One HTTP/1.1 exchange as values. Requests are what will stand on the wire, responses what was seen on it.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/url.h"

namespace holdshort {

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

// ASCII only, as field names are (RFC 9110 5.1).
bool same_name(std::string_view a, std::string_view b);
// The first field of that name; null where there is none.
const std::string* find_header(const std::vector<Header>& headers, std::string_view name);
// The value of every field of that name, in order.
std::vector<std::string> field_lines(const std::vector<Header>& headers, std::string_view name);
// What the lines of that name list, between commas, trimmed; nothing where they are empty (RFC 9110 5.6.1).
std::vector<std::string> field_items(const std::vector<Header>& headers, std::string_view name);

// "GET /admin": for reports. What is not visible ASCII is escaped.
std::string describe(std::string_view method, std::string_view target);

// Where a request goes and how the connection is made.
struct Endpoint {
  Url url;
  std::string tls_server_name;  // SNI and the name to verify; empty: url.host
  bool tls_skip_verify = false;
  std::string source_address;  // to bind before connecting; empty: the system chooses
};

// Written byte for byte: "METHOD SP target SP HTTP/1.1", the headers in order, duplicates included, the body.
// Nothing is added: Host, Content-Length and Connection are up to whoever makes the request.
struct Request {
  std::string method = "GET";
  std::string target = "/";
  std::vector<Header> headers;
  std::string body;
};

struct Limits {
  std::chrono::milliseconds deadline{
      5000};  // one for all of it: resolve, connect, TLS, write, read to the last byte
  std::size_t max_header_bytes = 16 * 1024;  // status line and fields, 1xx answers included
  std::size_t max_headers = 100;
  std::size_t max_body_bytes = 64 * 1024;
};

// How an exchange ended. All but `complete` leave something unseen.
enum class Ended {
  complete,    // to the last byte that the framing promised
  capped,      // cut by one of the Limits' sizes
  cut_short,   // closed before the framing said so: a short Content-Length, no last chunk (RFC 9112 8)
  reset,       // ECONNRESET or EPIPE before the message was whole
  timeout,     // the deadline passed
  refused,     // no connection: refused, unreachable, name not found, source address not ours
  tls_failed,  // the handshake or the certificate
  not_http,    // bytes that are no HTTP/1 response, conflicting lengths among them (RFC 9112 6.3)
};
std::string_view name_of(Ended);

struct Timing {  // since the start of send(); zero where the phase was not reached
  std::chrono::microseconds connect{};
  std::chrono::microseconds tls{};
  std::chrono::microseconds first_byte{};
  std::chrono::microseconds total{};
};

struct Response {
  Ended ended = Ended::refused;
  int status = 0;               // 0: no status line was seen
  std::vector<Header> headers;  // of the final answer (not 1xx), in order
  std::string body;             // de-chunked, never decompressed; what was read of it
  Timing timing;
  std::string error;  // for humans where ended != complete: "connection refused"

  const std::string* header(std::string_view name) const { return find_header(headers, name); }
  // Whether a browser would show it as a page: by its type, or by its beginning where it has none.
  bool is_page() const;
  // Whether the absence of a header proves anything: all of them were read.
  bool shows_headers() const;
  // Whether the absence of something in `body` proves anything: complete, and not compressed.
  bool shows_all() const;
  // "401", "no answer: connection refused", "200, cut short".
  std::string text() const;
  // The same as the end of a sentence: "answered 401", "gave no answer: connection refused".
  std::string sentence() const;
};

}  // namespace holdshort
