// The checks that a probe of type "webhook" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::webhook {

inline constexpr std::string_view kUnsignedReferences = "OWASP API2:2023, ASVS 4.1.5, CWE-345";
inline constexpr std::string_view kForgedReferences = "OWASP API2:2023, ASVS 4.1.5, CWE-347";
inline constexpr std::string_view kUnsetReferences = "OWASP API2:2023, ASVS 4.1.5, CWE-347, CWE-1188";
inline constexpr std::string_view kReplayedReferences = "OWASP API2:2023, ASVS 4.1.5, CWE-294";

inline constexpr CheckRow kChecks[] = {
    {"webhook.accepted", "A rightly signed event is accepted.", kUnsignedReferences,
     CheckRow::Ends::never_fails},
    {"webhook.unsigned", "An event without a signature is refused.", kUnsignedReferences},
    {"webhook.wrong_key", "A signature by a key that nobody has is refused.", kForgedReferences},
    {"webhook.empty_key", "A signature by an empty key is refused.", kUnsetReferences},
    {"webhook.changed_body", "A body that was changed after it was signed is refused.", kForgedReferences},
    {"webhook.replayed", "An event that was signed ten minutes ago is refused.", kReplayedReferences},
    {"webhook.changed_timestamp", "An old event that says it is new is refused.", kReplayedReferences},
    {"webhook.duplicated_signature", "Two signatures, both by keys that nobody has, are not believed.",
     kForgedReferences},
    {"webhook.still_accepted", "A rightly signed event is accepted again at the end.", kUnsignedReferences,
     CheckRow::Ends::never_fails},
};

}  // namespace holdshort::webhook
