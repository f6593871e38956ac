// The listening TCP sockets of this network namespace, as /proc/net/tcp and tcp6 tell them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/environment.h"

namespace holdshort::listeners {

struct Listener {
  std::array<unsigned char, 16> address{};  // in network order; IPv4 as ::ffff:a.b.c.d, but for `is_ipv4`
  bool is_ipv4 = false;
  std::uint16_t port = 0;
  int user = 0;  // uid
  std::uint64_t inode = 0;

  bool is_loopback() const;  // 127.0.0.0/8, ::1, or the former mapped into IPv6
  std::string host() const;  // "0.0.0.0", "::"
  std::string text() const;  // "0.0.0.0:5432", "[::]:5432"
};

// The listening ones of a table. False where a line is none of such a table.
bool read_table(std::string_view table, std::vector<Listener>& listeners);

// An address as Listener::host() writes it; nothing where the text is none.
std::optional<std::string> canonical_address(const std::string& text);

// All of both tables. Fails where there is none to read, or more than can be read. May block.
Result<std::vector<Listener>> all_listeners(const Environment& environment);

// Listening sockets stand at the beginning of the tables; connections, which may be many, behind them.
inline constexpr std::size_t kMaxTableBytes = 1024 * 1024;

}  // namespace holdshort::listeners
