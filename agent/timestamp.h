// How points in time are written.
#pragma once

#include <string>

#include "probes/kit/clock.h"

namespace holdshort {

// RFC 3339, UTC, milliseconds: "2026-11-23T10:00:00.123Z".
std::string timestamp(Wall time);

}  // namespace holdshort
