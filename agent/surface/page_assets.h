// The status page's style and script, as they stand in the page: the policy names them by their hashes.
#pragma once

#include <string_view>

namespace holdshort::page {

extern const std::string_view kStyle;
extern const std::string_view kScript;

}  // namespace holdshort::page
