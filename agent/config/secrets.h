// What no line of a log and no report may hold.
#pragma once

#include <vector>

#include "agent/config/config.h"

namespace holdshort {

// All that the configuration refers to. Those of a login are in its whole body.
std::vector<Secret> secrets_of(const Config& config);
// What identities show to the app: tokens, passwords, cookies, the bodies of logins. No key that signs.
std::vector<Secret> credentials_of(const Config& config);

}  // namespace holdshort
