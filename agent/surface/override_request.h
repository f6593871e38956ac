// What POST /override says.
#pragma once

#include <string_view>

#include "agent/status.h"
#include "probes/kit/result.h"

namespace holdshort {

// {"ready": true, "reason": "...", "ttl": "30m"}, from `now` on. Fails where one of the three is missing or
// wrong, or where there is anything else: a misspelt key must not change what is asked for.
Result<Override> parse_override(std::string_view body, Instant now);

}  // namespace holdshort
