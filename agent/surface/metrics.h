// /metrics: Prometheus' text format 0.0.4. Labels are names of the configuration and words of ours, never
// what an app said.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "agent/status.h"
#include "agent/surface/process_facts.h"
#include "agent/surface/render.h"

namespace holdshort {

// What the gate has done, where there is one.
struct GateCounts {
  bool open = false;
  std::int64_t connections = 0;                                         // open now
  std::array<std::pair<std::string_view, std::uint64_t>, 7> answers{};  // by word, since start
};

// All that is measured at one moment.
struct Measurements {
  const Status& status;  // as of `now`
  Instant now;
  Reload reload{};
  std::chrono::nanoseconds scheduler_lag{};
  std::optional<GateCounts> gate;
  std::optional<ProcessFacts> process;
};

Answer render_metrics(const Measurements& measured);

}  // namespace holdshort
