#include "probes/kit/synthetic_clients.h"

#include <fmt/format.h>

namespace holdshort {

namespace {
constexpr std::uint64_t kFirstBlock = 239;   // 192.0.2.16-254: the first addresses are the proxy's
constexpr std::uint64_t kSecondBlock = 254;  // 198.51.100.1-254
constexpr std::uint64_t kThirdBlock = 254;   // 203.0.113.1-254
}  // namespace

// An odd stride below 127 has no factor in common with 254: all addresses have their turn.
SyntheticClients::SyntheticClients(std::uint64_t seed)
    : next_(seed), next_limited_(seed >> 8), stride_((seed >> 16) % 63 * 2 + 1) {}

std::string SyntheticClients::any() {
  const std::uint64_t n = next_++ % (kFirstBlock + kSecondBlock);
  return n < kFirstBlock ? fmt::format("192.0.2.{}", n + 16)
                         : fmt::format("198.51.100.{}", n - kFirstBlock + 1);
}

std::string SyntheticClients::for_exhaustion() {
  next_limited_ += stride_;
  return fmt::format("203.0.113.{}", next_limited_ % kThirdBlock + 1);
}

}  // namespace holdshort
