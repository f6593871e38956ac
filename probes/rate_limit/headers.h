// What a server says of its limits: every generation of rate limit headers.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/clock.h"
#include "probes/kit/http.h"

namespace holdshort::rate_limit {

// One advertised limit. Windows and resets in seconds.
struct Advertised {
  std::string name;
  std::optional<std::int64_t> limit, remaining;
  std::optional<double> window, reset;
};

// RateLimit and RateLimit-Policy as structured fields (drafts 8 to 11) and as lists of limit=, remaining=,
// reset= (draft 7), RateLimit-Limit and its kin (up to draft 6), X-RateLimit-* with its variants. At most
// kMaxAdvertised.
std::vector<Advertised> advertised(const std::vector<Header>& headers, Wall now);
inline constexpr std::size_t kMaxAdvertised = 16;

// A Retry-After of either form (RFC 9110 10.2.3): seconds, or a date, which may be past (then 0).
std::optional<double> retry_after(const std::vector<Header>& headers, Wall now);

}  // namespace holdshort::rate_limit
