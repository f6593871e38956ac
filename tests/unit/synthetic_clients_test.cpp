// The addresses that requests claim to come from: nobody's, and used again as late as possible.
#include "probes/kit/synthetic_clients.h"

#include <set>

#include <gtest/gtest.h>

namespace holdshort {
namespace {

constexpr std::uint64_t kSeeds[] = {0, 1, 0x5a5a5a5a5a5a5a5a, 62ull << 16, 63ull << 16, ~0ull};

TEST(SyntheticClients, EveryAddressForExhaustionHasItsTurnBeforeOneComesAgain) {
  for (const std::uint64_t seed : kSeeds) {
    SyntheticClients clients(seed);
    std::set<std::string> seen;
    for (int n = 0; n < 254; ++n) {
      const std::string address = clients.for_exhaustion();
      EXPECT_TRUE(address.starts_with("203.0.113.")) << address;
      EXPECT_NE(address, "203.0.113.0");
      EXPECT_NE(address, "203.0.113.255");
      seen.insert(address);
    }
    EXPECT_EQ(seen.size(), 254u) << seed;
  }
}

TEST(SyntheticClients, OrdinaryRequestsNeverComeFromAnAddressForExhaustion) {
  SyntheticClients clients(7);
  std::set<std::string> seen;
  for (int n = 0; n < 493; ++n) {
    const std::string address = clients.any();
    EXPECT_TRUE(address.starts_with("192.0.2.") || address.starts_with("198.51.100.")) << address;
    seen.insert(address);
  }
  EXPECT_EQ(seen.size(), 493u);
}

// Where Machines share a limiter's store and two of them meet at one address.
TEST(SyntheticClients, TwoThatMeetPartAgain) {
  SyntheticClients one(0), other(1ull << 16);  // strides 1 and 3
  std::set<std::string> used;
  for (int n = 0; n < 6; ++n) used.insert(one.for_exhaustion());
  int met = 0;
  for (int n = 0; n < 6; ++n) met += used.contains(other.for_exhaustion()) ? 1 : 0;
  EXPECT_LE(met, 2);
}

}  // namespace
}  // namespace holdshort
