// What the log says of probes and readiness, so that an on-call engineer sees at a glance which control
// broke.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/log.h"
#include "agent/status.h"

namespace holdshort::events {

// What a missing status token means, also for `validate`.
inline constexpr std::string_view kNoStatusToken =
    "[agent] has no status_token: /status and the page answer on loopback alone, POST /recheck and /override "
    "not at all; set one: status_token = { env = \"HOLDSHORT_STATUS_TOKEN\" }";

// A probe as it is now, and why.
struct Standing {
  const ProbeStatus& probe;
  std::optional<Outcome> outcome;  // for failing: why
  std::string reason;              // "GET /admin answered 200 without credentials"
};

void probe_changed(Log& log, const Standing& now, State from);
void probe_result(Log& log, const ProbeStatus& probe, const RunRecord& run);
// Without `by_hand` `holding` is empty exactly where the Machine is ready; `required` counts the required
// probes.
void readiness_changed(Log& log, bool ready, const std::vector<Standing>& holding, std::size_t required,
                       const std::optional<Override>& by_hand);
// Nothing has changed: it does not pass still, though the Machine has traffic all the same.
void not_passing(Log& log, const Standing& now, std::chrono::seconds lasted);
// Still not ready: for whoever watches an app that never comes up.
void readiness_waiting(Log& log, const std::vector<Standing>& holding, std::chrono::seconds waited);
void clock_jumped(Log& log, std::chrono::nanoseconds by);
// The process ran no code for so long, though it should have.
void stood_still(Log& log, std::chrono::nanoseconds gap);
void nothing_required(Log& log);
// Of a probe, or of the gate where `probe` is "".
void behaviour_changed(Log& log, const std::string& probe, const unusual::Event& event);
void no_status_token(Log& log);
void override_set(Log& log, const Override& by_hand);
void override_ended(Log& log, const Override& by_hand);

}  // namespace holdshort::events
