// How points in time are written.
#pragma once

#include <optional>
#include <string>

#include "probes/kit/clock.h"

namespace holdshort {

// RFC 3339, UTC, milliseconds: "2026-11-23T10:00:00.123Z".
std::string timestamp(Wall time);
// What timestamp() wrote, to the second; nothing where it is something else.
std::optional<Wall> parse_timestamp(const std::string& text);
// A span as people read it, in whole seconds, from an hour on in minutes: "42s", "3m12s", "26h3m". Never
// negative.
std::string span_text(Wall::duration span);

}  // namespace holdshort
