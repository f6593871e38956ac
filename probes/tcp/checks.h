// The checks that a probe of type "tcp" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::tcp_probe {

inline constexpr CheckRow kChecks[] = {
    {"tcp.port", "The port is as `expect` says: open, or closed by a refusal.",
     "OWASP API8:2023, ASVS 13.4.5, CWE-668"},
};

}  // namespace holdshort::tcp_probe
