#include "probes/listeners/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace holdshort::listeners {
namespace {

constexpr std::string_view kListening = "0A";  // TCP_LISTEN (proc_pid_net(5))
constexpr std::size_t kIpv4Digits = 8, kIpv6Digits = 32, kWordDigits = 8;

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

template <class Number>
std::optional<Number> number(std::string_view text, int base) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "0100007F:0BB8": words of 32 bits in the machine's own order, the port as a number.
bool read_address(std::string_view text, Listener& listener) {
  const std::string_view digits = text.substr(0, text.find(':'));
  if (digits.size() == text.size()) return false;
  if (digits.size() != kIpv4Digits && digits.size() != kIpv6Digits) return false;
  listener.is_ipv4 = digits.size() == kIpv4Digits;
  unsigned char* to = listener.address.data();
  if (listener.is_ipv4) {
    listener.address[10] = listener.address[11] = 0xff;
    to += 12;
  }
  for (std::size_t i = 0; i < digits.size(); i += kWordDigits, to += sizeof(std::uint32_t)) {
    const auto word = number<std::uint32_t>(digits.substr(i, kWordDigits), 16);
    if (!word) return false;
    std::memcpy(to, &*word, sizeof(*word));
  }
  const auto port = number<std::uint16_t>(text.substr(digits.size() + 1), 16);
  if (port) listener.port = *port;
  return port.has_value();
}

// "  0: 0100007F:0BB8 00000000:0000 0A tx:rx tr:when retrnsmt uid timeout inode ..."
bool read_line(std::string_view line, std::vector<Listener>& listeners) {
  Listener listener;
  next_word(line);
  const std::string_view local = next_word(line);
  next_word(line);
  const bool is_listening = next_word(line) == kListening;
  for (int skipped = 0; skipped < 3; ++skipped) next_word(line);
  const auto user = number<int>(next_word(line), 10);
  next_word(line);
  const auto inode = number<std::uint64_t>(next_word(line), 10);
  if (!user || !inode || !read_address(local, listener)) return false;
  listener.user = *user;
  listener.inode = *inode;
  if (is_listening) listeners.push_back(listener);
  return true;
}

}  // namespace

bool Listener::is_loopback() const {
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<unsigned char, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  const bool is_mapped = std::equal(kMapped.begin(), kMapped.end(), address.begin());
  return is_mapped ? address[12] == 127 : address == kLoopback;
}

std::string Listener::host() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_ipv4) {
    ::inet_ntop(AF_INET, address.data() + 12, text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  }
  return text.data();
}

std::string Listener::text() const {
  return (is_ipv4 ? host() : "[" + host() + "]") + ":" + std::to_string(port);
}

std::optional<std::string> canonical_address(const std::string& text) {
  Listener listener;
  listener.is_ipv4 = ::inet_pton(AF_INET, text.c_str(), listener.address.data() + 12) == 1;
  if (!listener.is_ipv4 && ::inet_pton(AF_INET6, text.c_str(), listener.address.data()) != 1)
    return std::nullopt;
  return listener.host();
}

bool read_table(std::string_view table, std::vector<Listener>& listeners) {
  bool is_title = true;
  while (!table.empty()) {
    const std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    if (!std::exchange(is_title, false) && !line.empty() && !read_line(line, listeners)) return false;
  }
  return !is_title;
}

Result<std::vector<Listener>> all_listeners(const Environment& environment) {
  std::vector<Listener> listeners;
  bool any = false;
  for (const char* const path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    Result<std::string> table = environment.read_start(path, kMaxTableBytes);
    if (!table && table.error().message == kNoSuchFile) continue;  // a kernel without that protocol
    if (!table) return failure(fmt::format("{}: {}", path, table.error().message));
    const bool is_cut = table->size() >= kMaxTableBytes;
    if (is_cut) table->resize(table->rfind('\n') + 1);
    const std::size_t lines = static_cast<std::size_t>(std::count(table->begin(), table->end(), '\n'));
    const std::size_t before = listeners.size();
    if (!read_table(*table, listeners)) return failure(fmt::format("{} is not as Linux writes it", path));
    if (is_cut && listeners.size() - before + 1 >= lines)
      return failure(fmt::format("{} lists more than {} listening sockets", path, listeners.size() - before));
    any = true;
  }
  if (!any) return failure("/proc/net/tcp is not there");
  return listeners;
}

}  // namespace holdshort::listeners
