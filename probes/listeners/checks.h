// The checks that a probe of type "listeners" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::listeners {

inline constexpr std::string_view kExposedReferences = "OWASP API8:2023, ASVS 13.4.5, CWE-668";
inline constexpr std::string_view kDebugReferences = "OWASP API8:2023, ASVS 13.4.2, CWE-489";

inline constexpr CheckRow kChecks[] = {
    {"listeners.app", "The app's own port is seen among those that listen.", "",
     CheckRow::Ends::never_judges},
    {"listeners.beyond_loopback", "Nothing but `allow` listens beyond loopback.", kExposedReferences},
    {"listeners.debugger", "No debugger listens.", kDebugReferences, CheckRow::Ends::never_passes},
};

}  // namespace holdshort::listeners
