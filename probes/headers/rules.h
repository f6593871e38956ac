// What one answer's security headers are worth to a browser that receives them. No I/O: each rule reads the
// fields as the standards have browsers read them, duplicates and conflicts included.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/http.h"

namespace holdshort::headers_probe {

inline constexpr std::size_t kMaxShown = 80;  // bytes of a peer's text in a report

struct Verdict {
  bool holds = false;
  std::string observed;  // "absent", "nosniff", "allows \"*\"": on one line, short
};

// Fetch: the first item of all lines must be nosniff.
Verdict content_type_options(const std::vector<Header>& headers);
// An enforced policy (not Report-Only) restricts scripts: no "*", "data:" or "http:", and 'unsafe-inline'
// only beside a nonce, a hash or 'strict-dynamic'. Of several policies each applies, so one that does is
// enough.
Verdict content_security_policy(const std::vector<Header>& headers);
// frame-ancestors that does not allow everybody, or else X-Frame-Options with one value.
Verdict framing(const std::vector<Header>& headers);
// The last policy that browsers know counts; unsafe-url gives paths and queries away. Absent is their safe
// default.
Verdict referrer_policy(const std::vector<Header>& headers);
// RFC 6797: the first line counts, and must be valid; lines that differ are a mistake.
Verdict transport_security(const std::vector<Header>& headers, std::chrono::seconds min_age);
// An answer to somebody known must not be kept by caches that others share: no-store or private, not public.
Verdict cache_control(const std::vector<Header>& headers);
// Server, X-Powered-By and their kin name a product at most.
Verdict no_version(const std::vector<Header>& headers);

}  // namespace holdshort::headers_probe
