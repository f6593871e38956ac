#include "agent/listening.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace holdshort {
namespace {

constexpr int kBacklog = 4096;  // the kernel lowers it to its somaxconn

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) found = nullptr;
  return {found, freeaddrinfo};
}

// -1 and errno where it does not work.
int open_listener(const addrinfo& address) {
  const int descriptor = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const int on = 1, off = 0;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.ai_family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 && listen(descriptor, kBacklog) == 0)
    return descriptor;
  const int error = errno;
  close(descriptor);
  errno = error;
  return -1;
}

std::string reason(int error, std::string_view key) {
  if (error == EADDRINUSE)
    return fmt::format("the address is in use; stop what listens there, or change {}", key);
  if (error == EACCES) return "not allowed; choose a port above 1023";
  return std::strerror(error);
}

}  // namespace

Result<int> listen_on(const ListenAddress& address, std::string_view key) {
  std::vector<std::string> hosts = {address.host};
  if (address.host == "::") hosts.emplace_back("0.0.0.0");
  int error = EADDRNOTAVAIL;
  for (const std::string& host : hosts) {
    const Addresses found = look_up(host, address.port);
    for (const addrinfo* one = found.get(); one; one = one->ai_next) {
      const int descriptor = open_listener(*one);
      if (descriptor >= 0) return descriptor;
      error = errno;
    }
    if (error != EAFNOSUPPORT && error != EADDRNOTAVAIL) break;
  }
  return failure(fmt::format("cannot listen on {}: {}", address.text(), reason(error, key)));
}

std::uint16_t port_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  const auto port = address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                                  : reinterpret_cast<const sockaddr_in&>(address).sin_port;
  return ntohs(port);
}

}  // namespace holdshort
