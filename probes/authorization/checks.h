// The checks that a probe of type "authorization" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::authorization {

inline constexpr std::string_view kFunctionLevelReferences =
    "OWASP API5:2023, ASVS 8.2.1, ASVS 8.3.1, CWE-285, CWE-862";
inline constexpr std::string_view kObjectLevelReferences = "OWASP API1:2023, ASVS 8.2.2, ASVS 8.4.1, CWE-639";
inline constexpr std::string_view kPropertyLevelReferences =
    "OWASP API3:2023, ASVS 8.2.3, ASVS 15.3.1, CWE-213, CWE-915";
inline constexpr std::string_view kAnonymousReferences = "OWASP API2:2023, ASVS 8.2.1, CWE-306, CWE-862";

inline constexpr CheckRow kChecks[] = {
    {"authorization.allow", "Every `allow` rule is served: without that, denials prove nothing.",
     kFunctionLevelReferences, CheckRow::Ends::never_fails},
    {"authorization.baseline", "A path that cannot exist answers.", "", CheckRow::Ends::never_judges},
    {"authorization.anonymous", "A rule without an identity is denied.", kAnonymousReferences},
    {"authorization.function_level", "An identity without the role is denied.", kFunctionLevelReferences},
    {"authorization.object_level",
     "An identity is denied what belongs to another, and does not see its marker.", kObjectLevelReferences},
    {"authorization.spoofed_identity",
     "Headers that name an entitled identity or role open nothing to one that is denied.",
     "OWASP API5:2023, ASVS 4.1.3, ASVS 8.3.1, CWE-290"},
    {"authorization.property_level",
     "An identity is served its thing without the part that the rule's marker names.",
     kPropertyLevelReferences},
    {"authorization.id_in_query",
     "Another's id in the query, beside its own in the path or the other way round, shows nothing of the "
     "other's.",
     kObjectLevelReferences},
    {"authorization.still_allowed", "Who was denied something is served what it may see, at the end.",
     kFunctionLevelReferences, CheckRow::Ends::never_fails},
};

}  // namespace holdshort::authorization
