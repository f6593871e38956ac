// holdshort validate: parse and judge the configuration, change nothing.
#pragma once

#include <string>

#include "agent/config/config.h"

namespace holdshort {

// Returns the exit status: 0 no error, 1 at least one, 2 the file cannot be read.
int run_validate(const std::string& config);
// To standard error, one line each, as compilers write them.
void print_diagnostics(const Loaded& loaded);

}  // namespace holdshort
