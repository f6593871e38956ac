// What no line of a log and no report may hold.
#pragma once

#include <vector>

#include "agent/config/config.h"

namespace holdshort {

// All that the configuration refers to. Those of a login are in its whole body.
std::vector<Secret> secrets_of(const Config& config);

}  // namespace holdshort
