// The redis probe; registered in probes/registry.cpp.
#pragma once

#include <memory>

#include "probes/registry.h"

namespace holdshort::redis_probe {

extern const std::span<const Field> kFields;
extern const Explanation kExplanation;
std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics& diagnostics);

// What the store's owner is asked in a run at most: see the explanation.
inline constexpr int kScanRounds = 10, kScanCount = 100;
inline constexpr int kWholeScanRounds = 100, kWholeScanCount = 1000;
// From INCR to EXPIRE a counter may be seen without one: only what has none twice, this far apart, counts.
inline constexpr std::chrono::milliseconds kSettles{200};

}  // namespace holdshort::redis_probe
