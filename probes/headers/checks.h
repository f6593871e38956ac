// The checks that a probe of type "headers" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::headers_probe {

inline constexpr CheckRow kChecks[] = {
    {"headers.served", "At least one declared path is served.", "", CheckRow::Ends::never_judges},
    {"headers.answered", "An answer is one that users get: below 500, and no 404 on a declared path.", "",
     CheckRow::Ends::never_judges},
    {"headers.no_version", "Server and X-Powered-By name no version.",
     "OWASP API8:2023, ASVS 13.4.6, CWE-497"},
    {"headers.forbidden", "No field of `forbid` is there.", "OWASP API8:2023, CWE-693"},
    {"headers.required", "Every field of `require` is there.", "OWASP API8:2023, CWE-693"},
    {"headers.content_type_options", "X-Content-Type-Options says nosniff.",
     "OWASP API8:2023, ASVS 3.4.4, CWE-693"},
    {"headers.content_security_policy", "Pages have a Content-Security-Policy that restricts scripts.",
     "OWASP API8:2023, ASVS 3.4.3, CWE-79"},
    {"headers.framing", "Pages say who may frame them.", "OWASP API8:2023, ASVS 3.4.6, CWE-1021"},
    {"headers.referrer_policy", "No Referrer-Policy gives whole URLs to other sites.",
     "OWASP API8:2023, ASVS 3.4.5, CWE-200"},
    {"headers.cache_control", "What the identity is served is not kept by shared caches.",
     "OWASP API8:2023, ASVS 14.3.2, CWE-525"},
    {"headers.strict_transport_security", "Strict-Transport-Security has at least `hsts_min_age`.",
     "OWASP API8:2023, ASVS 3.4.1, CWE-319"},
    {"headers.cookies", "A cookie has Secure, HttpOnly, SameSite and its prefix in order.",
     "OWASP API8:2023, ASVS 3.3.1", CheckRow::Ends::only_passes},
    {"headers.cookie_secure", "A cookie has Secure.", "OWASP API8:2023, ASVS 3.3.1, CWE-614",
     CheckRow::Ends::never_passes},
    {"headers.cookie_http_only", "A cookie that scripts need not read has HttpOnly.",
     "OWASP API8:2023, ASVS 3.3.4, CWE-1004", CheckRow::Ends::never_passes},
    {"headers.cookie_same_site", "SameSite=None comes with Secure.", "OWASP API8:2023, ASVS 3.3.2, CWE-1275",
     CheckRow::Ends::never_passes},
    {"headers.cookie_prefix", "A cookie keeps what its prefix __Host- or __Secure- promises.",
     "OWASP API8:2023, ASVS 3.3.3, CWE-614", CheckRow::Ends::never_passes},
};

}  // namespace holdshort::headers_probe
