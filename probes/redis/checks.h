// The checks that a probe of type "redis" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::redis_probe {

inline constexpr std::string_view kAuthReferences = "OWASP API8:2023, ASVS 13.2.1, CWE-306";
inline constexpr std::string_view kTlsReferences = "OWASP API8:2023, ASVS 12.3.1, CWE-319";
inline constexpr std::string_view kExpiryReferences = "OWASP API4:2023, ASVS 2.4.1, CWE-770";

inline constexpr CheckRow kChecks[] = {
    {"redis.authenticated", "The store's credentials are accepted.", kAuthReferences,
     CheckRow::Ends::never_fails},
    {"redis.unauthenticated", "A client without credentials is refused.", kAuthReferences},
    {"redis.wrong_password", "A wrong password is refused.", kAuthReferences},
    {"redis.tls", "The store is spoken to by TLS, with a certificate that verifies.", kTlsReferences},
    {"redis.expiry", "Every key that `key_pattern` matches expires.", kExpiryReferences},
};

}  // namespace holdshort::redis_probe
