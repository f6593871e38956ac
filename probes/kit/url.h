// Where requests go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "probes/kit/result.h"

namespace holdshort {

// http(s)://host[:port][/path] or unix:/path/to/socket. Without credentials, query or fragment.
struct Url {
  enum class Scheme { http, https, unix_socket };

  // Fails on any other scheme, a missing host, a port outside 1..65535, user information, white space.
  [[nodiscard]] static Result<Url> parse(std::string_view text);

  Scheme scheme = Scheme::http;
  std::string host;         // lower case, IPv6 without brackets; empty for a unix socket
  std::uint16_t port = 80;  // 0 for a unix socket
  std::string path;  // "" or "/..." without a trailing slash: prefix of every probe's path; the socket's path
                     // for unix
  // As a Host header has it: brackets around IPv6, the port unless it is the scheme's own. "localhost" for a
  // unix socket.
  std::string authority() const;
  std::string text() const;
  bool operator==(const Url&) const = default;
};

// Where to connect without HTTP: "db.internal:5432", "[fdaa::3]:5432", "unix:/run/app.sock".
struct Address {
  // Fails on port 0 too.
  [[nodiscard]] static Result<Address> parse(std::string_view text);
  static Address of(const Url& url);
  std::string host;  // lower case, without brackets; empty for a unix socket
  std::uint16_t port = 0;
  std::string path;  // of a unix socket, else ""
  std::string text() const;
  bool operator==(const Address&) const = default;
};

// "[::]:9090", "127.0.0.1:9090", "localhost:9090": where to listen. Port 0 lets the system choose.
struct ListenAddress {
  [[nodiscard]] static Result<ListenAddress> parse(std::string_view text);
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string text() const;
};

}  // namespace holdshort
