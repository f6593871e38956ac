// The checks that a probe of type "rate_limit" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::rate_limit {

inline constexpr std::string_view kLimitReferences = "OWASP API4:2023, ASVS 2.4.1, CWE-770";
inline constexpr std::string_view kSpoofReferences = "OWASP API4:2023, ASVS 15.3.4, CWE-348, CWE-290";
inline constexpr std::string_view kRaceReferences = "OWASP API4:2023, ASVS 2.3.4, CWE-362, CWE-367";

inline constexpr CheckRow kChecks[] = {
    {"rate_limit.identity", "The identity has credentials to send.", kLimitReferences,
     CheckRow::Ends::never_judges},
    {"rate_limit.observed", "The RateLimit headers of two requests show the declared limit, counting down.",
     kLimitReferences},
    {"rate_limit.limited", "One client is limited after `limit` requests, within `tolerance`.",
     kLimitReferences},
    {"rate_limit.per_client", "Another client is still served: not all share one count.", kLimitReferences},
    {"rate_limit.concurrency", "Requests that arrive together do not exceed the limit.", kRaceReferences},
    {"rate_limit.retry_after", "The refusal carries a valid Retry-After.", kLimitReferences},
    {"rate_limit.spoof", "No header of `spoof_headers`, all of them together, resets the limit.",
     kSpoofReferences, CheckRow::Ends::only_passes},
    {"rate_limit.spoof.*", "The header that the id ends in, alone, does not reset the limit.",
     kSpoofReferences},
    {"rate_limit.path.query", "A query behind the path does not reset the limit.", kSpoofReferences},
    {"rate_limit.path.case", "The path in another case does not reset the limit.", kSpoofReferences},
    {"rate_limit.path.trailing_slash", "A trailing slash does not reset the limit.", kSpoofReferences},
    {"rate_limit.path.encoded_letter", "An encoded letter in the path does not reset the limit.",
     kSpoofReferences},
};

}  // namespace holdshort::rate_limit
