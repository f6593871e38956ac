// The checks that a probe of type "secret" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::secret_probe {

inline constexpr std::string_view kPresentReferences = "OWASP API8:2023, ASVS 13.3.1, CWE-1188";
inline constexpr std::string_view kDefaultReferences = "OWASP API8:2023, ASVS 13.2.3, CWE-1392, CWE-798";
inline constexpr std::string_view kPublicReferences = "OWASP API8:2023, ASVS 13.2.3, CWE-1392, CWE-321";
inline constexpr std::string_view kWeakReferences = "OWASP API8:2023, ASVS 11.5.1, CWE-1391, CWE-331";
inline constexpr std::string_view kStoredReferences = "OWASP API8:2023, ASVS 13.3.1, CWE-798, CWE-540";

inline constexpr CheckRow kChecks[] = {
    {"secret.present", "The secret is set and not empty.", kPresentReferences},
    {"secret.well_formed",
     "Nothing stands around the value: no quotes, white space, or name of its variable.", kPresentReferences},
    {"secret.not_placeholder", "The value is no placeholder.", kDefaultReferences},
    {"secret.not_published", "The value is no default that a framework or tutorial publishes.",
     kPublicReferences},
    {"secret.not_denied", "The value is none of `deny`.", kDefaultReferences},
    {"secret.not_test_key", "The value is no key of a provider's test mode.", kDefaultReferences},
    {"secret.length", "The value has at least `min_length` bytes.", kWeakReferences},
    {"secret.entropy", "The value is as hard to guess as `min_entropy_bits` says.", kWeakReferences},
    {"secret.not_committed", "The value stands in none of `not_in_files`.", kStoredReferences},
};

}  // namespace holdshort::secret_probe
