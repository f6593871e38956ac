// The checks that a probe of type "http" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::http_probe {

inline constexpr CheckRow kChecks[] = {
    {"http.identity", "The identity has credentials to send.", "", CheckRow::Ends::never_judges},
    {"http.status", "The status is one of `status`."},
    {"http.body_matches", "The body has every pattern of `body_matches`."},
    {"http.body_not_matches", "The body, read whole, has no pattern of `body_not_matches`."},
    {"http.marker", "The body has the marker."},
    {"http.header_matches", "A field of that name matches."},
    {"http.header_absent", "No field of that name is there."},
    {"http.json", "The value at the pointer is strictly equal, of the same type."},
    {"http.max_latency", "The whole answer takes at most `max_latency`."},
};

}  // namespace holdshort::http_probe
