#include "agent/events.h"

#include <fmt/format.h>

#include "agent/timestamp.h"
#include "probes/kit/duration.h"
#include "probes/kit/text.h"

namespace holdshort::events {

namespace {

using Attributes = std::vector<Log::Attribute>;

bool is_required(const ProbeStatus& probe) { return probe.severity == Severity::required; }

LogLevel level_of(const Standing& now) {
  if (now.probe.state == State::passing || now.probe.state == State::pending) return LogLevel::info;
  const bool broken =
      now.probe.state == State::failing && now.outcome == Outcome::fail && is_required(now.probe);
  return broken ? LogLevel::error : LogLevel::warn;
}

enum class Runs { untold, counted };

// "admin_locked (GET /admin answered 200 without credentials), alive (connection refused; 40 runs in a row)"
std::string list(const std::vector<Standing>& holding, Runs runs = Runs::untold) {
  std::string text;
  for (const Standing& one : holding) {
    text += fmt::format("{}{} ({}", text.empty() ? "" : ", ", one.probe.name, one.reason);
    if (runs == Runs::counted && one.probe.not_passed > 1)
      text += fmt::format("; {} runs in a row", one.probe.not_passed);
    text += ')';
  }
  return text;
}

std::vector<std::string> names(const std::vector<Standing>& holding) {
  std::vector<std::string> names;
  for (const Standing& one : holding) names.push_back(one.probe.name);
  return names;
}

// Beside the reason for a state: what to do about it. A verdict that is too old says nothing of the control.
void add_remedy(Attributes& attributes, const ProbeStatus& probe) {
  if (probe.state == State::stale) return;
  if (const std::string_view remedy = remedy_of(probe); !remedy.empty())
    attributes.emplace_back("remedy", std::string(remedy));
}

std::string_view ready_word(bool ready) { return ready ? "ready" : "not ready"; }

std::int64_t whole_seconds(std::chrono::nanoseconds time) {
  return std::chrono::round<std::chrono::seconds>(time).count();
}

}  // namespace

void probe_changed(Log& log, const Standing& now, State from) {
  const ProbeStatus& probe = now.probe;
  std::string message =
      fmt::format("{}: {} -> {}: {}", probe.name, name_of(from), name_of(probe.state), now.reason);
  if (probe.state == State::failing && is_required(probe) && !probe.holds)
    message += "; still ready, because when_failing = \"report\"";
  Attributes attributes = {{"probe", probe.name},
                           {"from", std::string(name_of(from))},
                           {"to", std::string(name_of(probe.state))},
                           {"outcome", now.outcome ? std::string(name_of(*now.outcome)) : std::string()},
                           {"summary", now.reason},
                           {"run_id", probe.run_id}};
  add_remedy(attributes, probe);
  if (!probe.runbook.empty()) attributes.emplace_back("runbook", probe.runbook);
  log.write(level_of(now), "probe.changed", message, attributes);
}

void probe_result(Log& log, const ProbeStatus& probe, const RunRecord& run) {
  if (!log.writes(LogLevel::debug)) return;  // every run comes by here
  const std::string outcome(name_of(run.outcome));
  const std::int64_t milliseconds = run.duration.count() / 1000;
  log.write(LogLevel::debug, "probe.result", fmt::format("{}: {}: {}", probe.name, outcome, *run.summary),
            {{"probe", probe.name},
             {"outcome", outcome},
             {"summary", *run.summary},
             {"duration_ms", milliseconds},
             {"requests", std::int64_t{run.requests}},
             {"run_id", run.run_id}});
}

void readiness_changed(Log& log, bool ready, const std::vector<Standing>& holding, std::size_t required,
                       const std::optional<Override>& by_hand) {
  std::string message;
  if (by_hand) {
    message = fmt::format("{} by hand: {}", ready_word(ready), by_hand->reason);
    if (ready && !holding.empty()) message += "; otherwise held by " + list(holding);
  } else if (!ready) {
    message = "not ready: " + list(holding);
  } else if (required == 0) {
    message = "ready: no probe is required";
  } else {
    message = fmt::format("ready: {} required probe{} passing", required, required == 1 ? " is" : "s are");
  }
  log.write(ready ? LogLevel::info : LogLevel::error, "readiness.changed", message,
            {{"ready", ready}, {"holding", names(holding)}});
}

void readiness_waiting(Log& log, const std::vector<Standing>& holding, std::chrono::seconds waited) {
  Attributes attributes = {{"holding", names(holding)}, {"seconds", std::int64_t{waited.count()}}};
  if (!holding.empty()) add_remedy(attributes, holding.front().probe);
  log.write(LogLevel::warn, "readiness.waiting",
            fmt::format("not ready for {}: {}", Duration(waited).text(), list(holding, Runs::counted)),
            attributes);
}

void not_passing(Log& log, const Standing& now, std::chrono::seconds lasted) {
  const ProbeStatus& probe = now.probe;
  Attributes attributes = {{"probe", probe.name},
                           {"state", std::string(name_of(probe.state))},
                           {"outcome", now.outcome ? std::string(name_of(*now.outcome)) : std::string()},
                           {"summary", now.reason},
                           {"seconds", std::int64_t{lasted.count()}},
                           {"runs", static_cast<std::int64_t>(probe.not_passed)},
                           {"run_id", probe.run_id}};
  add_remedy(attributes, probe);
  log.write(LogLevel::warn, "probe.not_passing",
            fmt::format("{}: {} for {}, {} in a row: {}", probe.name, name_of(probe.state),
                        Duration(lasted).text(), counted(probe.not_passed, "run"), now.reason),
            attributes);
}

void clock_jumped(Log& log, std::chrono::nanoseconds by) {
  log.write(
      LogLevel::warn, "clock.jumped",
      fmt::format(
          "the wall clock moved {}s against the monotonic clock: the Machine was suspended, or its clock "
          "set; every verdict is stale until its probe has run again",
          whole_seconds(by)),
      {{"seconds", whole_seconds(by)}});
}

void stood_still(Log& log, std::chrono::nanoseconds gap) {
  log.write(LogLevel::warn, "clock.jumped",
            fmt::format(
                "the agent stood still for {}s: it was stopped, or got no processor; every verdict is stale "
                "until its probe has run again",
                whole_seconds(gap)),
            {{"seconds", whole_seconds(gap)}});
}

void nothing_required(Log& log) {
  log.write(LogLevel::warn, "config.warning",
            "no enabled probe is required: /readyz answers 200 whatever the app does; give one severity = "
            "\"required\"");
}

void behaviour_changed(Log& log, const std::string& probe, const unusual::Event& event) {
  const bool departs = event.turn == unusual::Turn::became_unusual;
  const unusual::Figures& figures = event.figures;
  Attributes attributes = {{"metric", std::string(unusual::name_of(event.metric))},
                           {"observed", figures.observed},
                           {"median", figures.median},
                           {"mad", figures.mad},
                           {"factor", figures.factor()}};
  if (!probe.empty()) attributes.insert(attributes.begin(), {"probe", probe});
  if (!event.of.empty()) attributes.emplace_back("of", std::string(event.of));
  log.write(departs ? LogLevel::warn : LogLevel::info, departs ? "behaviour.unusual" : "behaviour.usual",
            fmt::format("{}: {}{}; readiness does not rest on it", probe.empty() ? "gate" : probe,
                        departs ? "" : "as usual again: ", unusual::text_of(event.metric, event.of, figures)),
            attributes);
}

void no_status_token(Log& log) { log.write(LogLevel::warn, "config.warning", kNoStatusToken); }

void override_set(Log& log, const Override& by_hand) {
  log.write(LogLevel::warn, "override.set",
            fmt::format("{} by hand until {}: {}", ready_word(by_hand.ready), timestamp(by_hand.until()),
                        by_hand.reason),
            {{"ready", by_hand.ready}, {"reason", by_hand.reason}, {"until", timestamp(by_hand.until())}});
}

void override_ended(Log& log, const Override& by_hand) {
  log.write(
      LogLevel::warn, "override.ended",
      fmt::format("no longer {} by hand: readiness follows the probes again", ready_word(by_hand.ready)),
      {{"ready", by_hand.ready}, {"reason", by_hand.reason}});
}

}  // namespace holdshort::events
