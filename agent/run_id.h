// The name of one run: it ties the app's log lines to the probe that caused them.
#pragma once

#include <random>
#include <string>

namespace holdshort {

// 32 lower-case hex digits, not all zero: a trace id (W3C Trace Context 3.2.2.3).
std::string make_run_id(std::mt19937_64& random);

}  // namespace holdshort
