// The checks that a probe of type "exec" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::exec_probe {

inline constexpr CheckRow kChecks[] = {
    {"exec.exit", "The command exits with status 0 in time."},
};

}  // namespace holdshort::exec_probe
