// Headers by which proxies tell an app who its caller is. From a caller himself an app must not believe them.
#pragma once

#include <vector>

#include "probes/kit/http.h"

namespace holdshort {

// All of them, each saying that the caller is an administrator (CWE-290).
std::vector<Header> identity_headers();

}  // namespace holdshort
