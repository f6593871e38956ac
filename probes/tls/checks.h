// The checks that a probe of type "tls" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::tls_probe {

inline constexpr std::string_view kTrustReferences = "OWASP API8:2023, ASVS 12.2.2, CWE-295";
inline constexpr std::string_view kOldReferences = "OWASP API8:2023, ASVS 12.1.1, CWE-326";

inline constexpr CheckRow kChecks[] = {
    {"tls.handshake", "A handshake with the current versions of TLS succeeds.", kTrustReferences,
     CheckRow::Ends::never_judges},
    {"tls.chain", "The chain verifies against the system's store.", kTrustReferences},
    {"tls.name", "The certificate is for [app].host.", kTrustReferences},
    {"tls.days_left", "Every certificate is valid for at least `min_days_left`.", kTrustReferences},
    {"tls.version", "Versions of TLS below `min_version` are refused.", kOldReferences},
    {"tls.redirect", "The http URL redirects to https.", "OWASP API8:2023, ASVS 12.2.1, CWE-319"},
    {"tls.redirect_host", "The redirect stays on the host.", "OWASP API8:2023, ASVS 4.1.3, CWE-601, CWE-644"},
};

}  // namespace holdshort::tls_probe
