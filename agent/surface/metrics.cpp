#include "agent/surface/metrics.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "probes/registry.h"

namespace holdshort {

namespace {

constexpr State kStates[] = {State::pending, State::passing, State::failing, State::stale};
constexpr Outcome kOutcomes[] = {Outcome::pass, Outcome::fail, Outcome::inconclusive, Outcome::skipped};

template <class Clock, class Duration>
double seconds(std::chrono::time_point<Clock, Duration> time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::string label(std::string_view name, std::string_view value) {
  std::string text = fmt::format("{}=\"", name);
  for (const char c : value) {
    if (c == '\\' || c == '"')
      text += {'\\', c};
    else
      text += c == '\n' ? "\\n" : std::string(1, c);
  }
  return text + '"';
}

class Exposition {
 public:
  // What follows belongs to this metric.
  void metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }
  template <class Number>
  void sample(Number value, std::string_view labels = {}) {
    if (labels.empty())
      text_ += fmt::format("{} {}\n", name_, value);
    else
      text_ += fmt::format("{}{{{}}} {}\n", name_, labels, value);
  }
  template <class Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    metric(name, "gauge", help);
    sample(value);
  }
  template <class Number>
  void counter(std::string_view name, std::string_view help, Number value) {
    metric(name, "counter", help);
    sample(value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string name_, text_;
};

void add_agent(Exposition& out, const Measurements& m) {
  out.metric("holdshort_build_info", "gauge", "The version that is running; always 1.");
  out.sample(1, label("version", m.status.version));
  out.gauge("holdshort_ready", "1 where the Machine may have traffic, as /readyz says.",
            static_cast<int>(m.status.ready));
  out.gauge("holdshort_override_active", "1 while readiness is set by hand.",
            static_cast<int>(m.status.by_hand.has_value()));
  out.gauge("holdshort_config_last_reload_successful",
            "1 where the configuration was accepted when it was read last.",
            static_cast<int>(m.reload.result == Reload::Result::accepted));
  out.gauge("holdshort_config_last_reload_success_timestamp_seconds",
            "When a configuration was accepted last.", seconds(m.reload.accepted));
  out.gauge("holdshort_scheduler_lag_seconds", "How late the scheduler's last tick was.",
            seconds(m.scheduler_lag));
}

// One metric with a sample for every probe; `value` says nothing where there is none yet.
template <class Value>
void add_for_each(Exposition& out, const Status& status, std::string_view name, std::string_view type,
                  std::string_view help, Value value) {
  out.metric(name, type, help);
  for (const auto& probe : status.probes)
    if (const auto number = value(*probe)) out.sample(*number, label("probe", probe->name));
}

void add_states(Exposition& out, const Status& status) {
  out.metric("holdshort_probe_state", "gauge", "1 for the state the probe is in, 0 for the others.");
  for (const auto& probe : status.probes)
    for (const State state : kStates)
      out.sample(static_cast<int>(probe->state == state),
                 label("probe", probe->name) + ',' + label("state", name_of(state)));
}

void add_runs(Exposition& out, const Status& status) {
  out.metric("holdshort_probe_runs_total", "counter", "Runs by outcome, since start.");
  for (const auto& probe : status.probes)
    for (const Outcome outcome : kOutcomes)
      out.sample(probe->runs[static_cast<std::size_t>(outcome)],
                 label("probe", probe->name) + ',' + label("outcome", name_of(outcome)));
}

const RunRecord* last_run(const ProbeStatus& probe) {
  return probe.history.empty() ? nullptr : probe.history.front().get();
}

// Where the time of requests goes. Divided by the requests it is the mean of one.
void add_phases(Exposition& out, const Status& status) {
  constexpr std::pair<std::string_view, std::chrono::microseconds Phases::*> kPhases[] = {
      {"connect", &Phases::connect},
      {"tls", &Phases::tls},
      {"first_byte", &Phases::first_byte},
      {"transfer", &Phases::transfer}};
  out.metric("holdshort_probe_phase_seconds_total", "counter",
             "Time that requests to the app took, by phase, since start.");
  for (const auto& probe : status.probes) {
    const ProbeType* type = find_probe_type(probe->type);
    if (!type || type->talks != ProbeType::Talks::http) continue;
    for (const auto& [phase, time] : kPhases)
      out.sample(seconds(probe->phases.*time), label("probe", probe->name) + ',' + label("phase", phase));
  }
}

void add_probes(Exposition& out, const Measurements& m) {
  using Number = std::optional<double>;
  const auto gauge = [&](std::string_view name, std::string_view help, auto value) {
    add_for_each(out, m.status, name, "gauge", help, value);
  };
  gauge("holdshort_probe_success", "1 where the last run passed, else 0.",
        [](const ProbeStatus& p) { return Number(p.outcome == Outcome::pass ? 1 : 0); });
  add_states(out, m.status);
  gauge("holdshort_probe_required", "1 where the probe holds readiness, 0 where it only reports.",
        [](const ProbeStatus& p) { return Number(p.severity == Severity::required ? 1 : 0); });
  gauge("holdshort_probe_last_run_timestamp_seconds", "When the last run ended.", [](const ProbeStatus& p) {
    const RunRecord* run = last_run(p);
    return run ? Number(seconds(run->ended)) : std::nullopt;
  });
  gauge("holdshort_probe_verdict_age_seconds", "How long ago the last run ended.", [&](const ProbeStatus& p) {
    const RunRecord* run = last_run(p);
    return run ? Number(seconds(m.now.wall - run->ended)) : std::nullopt;
  });
  gauge("holdshort_probe_duration_seconds", "How long the last run took.", [](const ProbeStatus& p) {
    const RunRecord* run = last_run(p);
    return run ? Number(seconds(run->duration)) : std::nullopt;
  });
  gauge("holdshort_probe_consecutive_failures",
        "Runs in a row, up to the last, that failed or were inconclusive.",
        [](const ProbeStatus& p) { return Number(static_cast<double>(p.not_passed)); });
  add_runs(out, m.status);
  add_for_each(out, m.status, "holdshort_probe_requests_total", "counter",
               "Requests sent to the app, since start.",
               [](const ProbeStatus& p) { return std::optional(p.requests); });
  add_phases(out, m.status);
}

bool departs(const std::vector<unusual::Departure>& departures, unusual::Metric metric) {
  return std::any_of(departures.begin(), departures.end(),
                     [&](const unusual::Departure& departure) { return departure.metric == metric; });
}

void add_unusual(Exposition& out, const Status& status) {
  out.metric("holdshort_probe_unusual", "gauge",
             "1 while the answers to the probe are not as usual; no verdict rests on it.");
  for (const auto& probe : status.probes)
    for (const unusual::Metric metric : unusual::kMetricsOfProbe)
      out.sample(static_cast<int>(departs(probe->unusual, metric)),
                 label("probe", probe->name) + ',' + label("metric", unusual::name_of(metric)));
  if (status.gate_unusual)
    out.gauge("holdshort_gate_unusual", "1 while connections come at an unusual rate.",
              static_cast<int>(!status.gate_unusual->empty()));
}

void add_gate(Exposition& out, const GateCounts& gate) {
  out.gauge("holdshort_gate_open", "1 while the gate lets traffic through.", static_cast<int>(gate.open));
  out.gauge("holdshort_gate_connections", "Connections of clients that are open.", gate.connections);
  out.metric("holdshort_gate_connections_total", "counter", "Connections by how they were dealt with.");
  for (const auto& [answer, count] : gate.answers) out.sample(count, label("answer", answer));
}

void add_process(Exposition& out, const ProcessFacts& process) {
  out.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
              process.cpu_seconds);
  out.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
            process.start_time_seconds);
  out.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", process.resident_bytes);
  out.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", process.virtual_bytes);
  out.gauge("process_open_fds", "Number of open file descriptors.", process.open_fds);
  out.gauge("process_max_fds", "Maximum number of open file descriptors.", process.max_fds);
}

}  // namespace

Answer render_metrics(const Measurements& measured) {
  Exposition out;
  add_agent(out, measured);
  add_probes(out, measured);
  add_unusual(out, measured.status);
  if (measured.gate) add_gate(out, *measured.gate);
  if (measured.process) add_process(out, *measured.process);
  return {.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8", .body = out.take()};
}

}  // namespace holdshort
