// The addresses that our requests claim to come from: TEST-NET blocks that no real user has (RFC 5737).
#pragma once

#include <cstdint>
#include <string>

namespace holdshort {

// Hands out addresses in turn, from a random start, so that one is used again as late as possible. rate_limit
// has a block of its own: a bucket it exhausts is nobody else's. Those come in random strides: where Machines
// share a limiter's store, two of them may meet at one address, and then not at the next.
class SyntheticClients {
 public:
  explicit SyntheticClients(std::uint64_t seed);
  std::string any();             // 192.0.2.16-254, then 198.51.100.1-254
  std::string for_exhaustion();  // 203.0.113.1-254

 private:
  std::uint64_t next_;
  std::uint64_t next_limited_, stride_;
};

}  // namespace holdshort
