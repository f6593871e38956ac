// The checks that a probe of type "exposure" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::exposure {

inline constexpr std::string_view kFilesReferences = "OWASP API8:2023, ASVS 13.4.1, CWE-538";
inline constexpr std::string_view kToolsReferences = "OWASP API8:2023, OWASP API9:2023, ASVS 13.4.5, CWE-200";
inline constexpr std::string_view kListedReferences = "OWASP API8:2023, ASVS 13.4.3, CWE-548";
inline constexpr std::string_view kAboveReferences = "OWASP API8:2023, ASVS 13.4.1, CWE-22";
inline constexpr std::string_view kInternalsReferences = "OWASP API8:2023, ASVS 16.5.1, CWE-209, CWE-489";
inline constexpr std::string_view kSecretsReferences = "OWASP API3:2023, ASVS 13.3.1, CWE-200, CWE-522";
inline constexpr std::string_view kForbiddenReferences = "OWASP API3:2023, ASVS 14.2.6, CWE-200";

inline constexpr CheckRow kChecks[] = {
    {"exposure.answers", "A path that cannot exist is answered, and something is served or not found.", "",
     CheckRow::Ends::never_judges},
    {"exposure.declared_path", "A path of `paths` shows nothing of the catalogue.", kFilesReferences,
     CheckRow::Ends::never_fails},
    {"exposure.environment_file", "No environment file (.env) is served.", kFilesReferences},
    {"exposure.repository", "No version control folder (.git) is served.", kFilesReferences},
    {"exposure.key_file", "No private key is served.", kFilesReferences},
    {"exposure.configuration", "No configuration with secrets is served.", kFilesReferences},
    {"exposure.dump", "No database dump or backup is served.", kFilesReferences},
    {"exposure.log_file", "No log is served.", kFilesReferences},
    {"exposure.manifest", "No manifest of dependencies or build is served.", kFilesReferences},
    {"exposure.debug_tool", "No debugger or profiler is reachable.", kToolsReferences},
    {"exposure.server_status", "No status page of a server is reachable.", kToolsReferences},
    {"exposure.actuator", "No management endpoint shows its environment.", kToolsReferences},
    {"exposure.metrics", "No metrics are shown to strangers.", kToolsReferences},
    {"exposure.api_docs", "No API description is shown to strangers.", kToolsReferences},
    {"exposure.admin_tool", "No administration tool is reachable.", kToolsReferences},
    {"exposure.traversal", "No file above the public folder can be reached.", kAboveReferences},
    {"exposure.listing", "No folder shows a list of its files.", kListedReferences},
    {"exposure.internals", "No provoked error shows a stack trace or other internals.", kInternalsReferences},
    {"exposure.secret", "No answer carries the value of a declared secret, in any usual encoding.",
     kSecretsReferences},
    {"exposure.secret_elsewhere", "No answer to another probe carries the value of a declared secret.",
     kSecretsReferences},
    {"exposure.forbidden", "No answer matches `forbid`.", kForbiddenReferences},
    {"exposure.still_answers", "The app still answers at the end.", "", CheckRow::Ends::never_judges},
};

}  // namespace holdshort::exposure
