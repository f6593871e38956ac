// holdshort lint: judge a fly.toml.
#pragma once

#include <string>

namespace holdshort {

// `file`; "" is ./fly.toml. A holdshort.toml in the same folder is taken into account.
// Returns the exit status: 0 no error, 1 at least one, 2 the file cannot be read.
int run_lint(const std::string& file);

}  // namespace holdshort
