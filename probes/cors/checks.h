// The checks that a probe of type "cors" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::cors {

inline constexpr std::string_view kReadReferences = "OWASP API8:2023, ASVS 3.4.2, CWE-942, CWE-346";
inline constexpr std::string_view kPreflightReferences = "OWASP API8:2023, ASVS 3.5.2, CWE-942, CWE-346";
inline constexpr std::string_view kCachingReferences = "OWASP API8:2023, ASVS 3.4.2, CWE-525";

inline constexpr CheckRow kChecks[] = {
    {"cors.identity", "The identity has credentials to send.", "", CheckRow::Ends::never_judges},
    {"cors.served", "The path is served without an Origin.", "", CheckRow::Ends::never_fails},
    {"cors.foreign", "Another site may not read the answer.", kReadReferences},
    {"cors.null", "The origin null, as a sandboxed frame sends it may not read the answer.", kReadReferences},
    {"cors.prefix", "A site whose name begins like an allowed one may not read the answer.", kReadReferences},
    {"cors.suffix", "A site whose name ends like an allowed one may not read the answer.", kReadReferences},
    {"cors.parent_suffix",
     "A site whose name ends like the parent of an allowed one may not read the answer.", kReadReferences},
    {"cors.dot", "A site with another letter for a dot of an allowed one may not read the answer.",
     kReadReferences},
    {"cors.last_dot",
     "A site with another letter for the last dot of an allowed one may not read the answer.",
     kReadReferences},
    {"cors.http", "The unencrypted form of an allowed site may not read the answer.", kReadReferences},
    {"cors.subdomain", "An undeclared name below an allowed site may not read the answer.", kReadReferences},
    {"cors.preflight_foreign", "Another site is refused in a preflight for DELETE.", kPreflightReferences},
    {"cors.preflight_null",
     "The origin null, as a sandboxed frame sends it is refused in a preflight for DELETE.",
     kPreflightReferences},
    {"cors.allowed", "A declared origin is allowed, by one value.", kReadReferences},
    {"cors.vary", "A permission for one origin is not kept by shared caches without Vary: Origin.",
     kCachingReferences},
    {"cors.still_served", "The path is served without an Origin at the end.", "",
     CheckRow::Ends::never_fails},
};

}  // namespace holdshort::cors
