// /metrics, as Prometheus reads it.
#include "agent/surface/metrics.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include <gtest/gtest.h>

namespace holdshort {
namespace {

const Wall kNow{std::chrono::seconds(1'800'000'000)};

std::shared_ptr<ProbeStatus> probe(std::string name, State state, std::optional<Outcome> outcome) {
  auto status = std::make_shared<ProbeStatus>();
  status->name = std::move(name);
  status->state = state;
  status->outcome = outcome;
  status->summary = "GET /secret-path answered 500";
  if (!outcome) return status;
  auto run = std::make_shared<RunRecord>();
  run->ended = kNow - std::chrono::seconds(7);
  run->duration = std::chrono::milliseconds(250);
  run->outcome = *outcome;
  status->history = {run};
  status->runs[static_cast<std::size_t>(*outcome)] = 3;
  status->requests = 42;
  status->not_passed = *outcome == Outcome::pass ? 0 : 3;
  return status;
}

Status two_probes() {
  Status status;
  status.version = "0.1.0";
  status.ready = true;
  auto advisory = probe("b.c-d", State::failing, Outcome::fail);
  advisory->severity = Severity::advisory;
  status.probes = {probe("a", State::passing, Outcome::pass), advisory,
                   probe("new", State::pending, std::nullopt)};
  return status;
}

// Samples by their whole name with labels.
std::map<std::string, double> samples(const std::string& text) {
  std::map<std::string, double> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    EXPECT_TRUE(all.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second) << line;
  }
  return all;
}

Measurements measured(const Status& status) {
  return {.status = status,
          .now = {Monotonic(), kNow},
          .reload = {Reload::Result::accepted, kNow},
          .scheduler_lag = std::chrono::milliseconds(2),
          .gate = std::nullopt,
          .process = std::nullopt};
}

TEST(Metrics, SayWhatTheContractNames) {
  const Status status = two_probes();
  const Answer answer = render_metrics(measured(status));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  auto seen = samples(answer.body);
  EXPECT_EQ(seen.at("holdshort_ready"), 1);
  EXPECT_EQ(seen.at(R"(holdshort_probe_success{probe="a"})"), 1);
  EXPECT_EQ(seen.at(R"(holdshort_probe_success{probe="b.c-d"})"), 0);
  EXPECT_EQ(seen.at(R"(holdshort_probe_success{probe="new"})"), 0);
  EXPECT_EQ(seen.at(R"(holdshort_probe_state{probe="a",state="passing"})"), 1);
  for (const char* other : {"pending", "failing", "stale"})
    EXPECT_EQ(seen.at(fmt::format(R"(holdshort_probe_state{{probe="a",state="{}"}})", other)), 0) << other;
  EXPECT_EQ(seen.at(R"(holdshort_probe_required{probe="a"})"), 1);
  EXPECT_EQ(seen.at(R"(holdshort_probe_required{probe="b.c-d"})"), 0);
  EXPECT_EQ(seen.at(R"(holdshort_probe_last_run_timestamp_seconds{probe="a"})"), 1'799'999'993);
  EXPECT_EQ(seen.at(R"(holdshort_probe_duration_seconds{probe="a"})"), 0.25);
  EXPECT_EQ(seen.at(R"(holdshort_probe_verdict_age_seconds{probe="a"})"), 7);
  EXPECT_EQ(seen.at(R"(holdshort_probe_runs_total{probe="b.c-d",outcome="fail"})"), 3);
  EXPECT_EQ(seen.at(R"(holdshort_probe_runs_total{probe="b.c-d",outcome="skipped"})"), 0);
  EXPECT_EQ(seen.at(R"(holdshort_probe_requests_total{probe="a"})"), 42);
  EXPECT_EQ(seen.at(R"(holdshort_probe_consecutive_failures{probe="b.c-d"})"), 3);
  EXPECT_EQ(seen.at(R"(holdshort_build_info{version="0.1.0"})"), 1);
  EXPECT_EQ(seen.at("holdshort_override_active"), 0);
  EXPECT_EQ(seen.at("holdshort_config_last_reload_successful"), 1);
  EXPECT_EQ(seen.at("holdshort_scheduler_lag_seconds"), 0.002);
}

TEST(Metrics, AProbeThatHasNotRunHasNoTimes) {
  const Status status = two_probes();
  const std::string text = render_metrics(measured(status)).body;
  for (const char* name : {"last_run_timestamp_seconds", "duration_seconds", "verdict_age_seconds"})
    EXPECT_EQ(text.find(fmt::format(R"(holdshort_probe_{}{{probe="new"}})", name)), std::string::npos)
        << name;
}

TEST(Metrics, SayNothingOfWhatTheAppAnswered) {
  const Status status = two_probes();
  EXPECT_EQ(render_metrics(measured(status)).body.find("secret-path"), std::string::npos);
}

TEST(Metrics, ARejectedConfigurationIsSeen) {
  const Status status;
  Measurements m = measured(status);
  m.reload.result = Reload::Result::rejected;
  EXPECT_EQ(samples(render_metrics(m).body).at("holdshort_config_last_reload_successful"), 0);
}

TEST(Metrics, SayWhatTheGateDoesOnlyWhereThereIsOne) {
  const Status status;
  Measurements m = measured(status);
  EXPECT_EQ(render_metrics(m).body.find("holdshort_gate"), std::string::npos);
  m.gate = GateCounts{.open = true,
                      .connections = 5,
                      .answers = {{{"relayed", 9},
                                   {"rejected", 8},
                                   {"held", 7},
                                   {"replayed", 6},
                                   {"health", 5},
                                   {"shed", 4},
                                   {"bad_request", 3}}}};
  auto seen = samples(render_metrics(m).body);
  EXPECT_EQ(seen.at("holdshort_gate_open"), 1);
  EXPECT_EQ(seen.at("holdshort_gate_connections"), 5);
  EXPECT_EQ(seen.at(R"(holdshort_gate_connections_total{answer="relayed"})"), 9);
  EXPECT_EQ(seen.at(R"(holdshort_gate_connections_total{answer="bad_request"})"), 3);
}

TEST(Metrics, EveryMetricIsDescribedOnceBeforeItsSamples) {
  const Status status = two_probes();
  Measurements m = measured(status);
  m.gate = GateCounts{};
  m.process = ProcessFacts::read();
  std::set<std::string> described;
  std::istringstream lines(render_metrics(m).body);
  std::string current;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      current = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(described.insert(current).second) << current;
    } else if (!line.starts_with('#')) {
      EXPECT_EQ(line.substr(0, line.find_first_of("{ ")), current);
    }
  }
}

TEST(ProcessFacts, AreThoseOfThisProcess) {
  const auto facts = ProcessFacts::read();
  ASSERT_TRUE(facts);
  EXPECT_GT(facts->resident_bytes, 1024u * 1024u);
  EXPECT_GT(facts->virtual_bytes, facts->resident_bytes);
  EXPECT_GE(facts->open_fds, 3u);
  EXPECT_GT(facts->max_fds, facts->open_fds);
  EXPECT_GE(facts->cpu_seconds, 0);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_LT(std::abs(now - facts->start_time_seconds), 3600);
}

TEST(Metrics, TellWhereTheTimeOfRequestsGoesOfProbesThatSendHttp) {
  auto http = probe("web", State::passing, Outcome::pass);
  http->type = "http";
  http->phases.first_byte = std::chrono::milliseconds(1500);
  auto other = probe("key", State::passing, Outcome::pass);
  other->type = "secret";
  Status status;
  status.probes = {http, other};
  const auto all = samples(render_metrics(measured(status)).body);
  EXPECT_EQ(all.at("holdshort_probe_phase_seconds_total{probe=\"web\",phase=\"first_byte\"}"), 1.5);
  for (const char* phase : {"connect", "tls", "transfer"})
    EXPECT_EQ(all.at(fmt::format("holdshort_probe_phase_seconds_total{{probe=\"web\",phase=\"{}\"}}", phase)),
              0);
  EXPECT_FALSE(all.contains("holdshort_probe_phase_seconds_total{probe=\"key\",phase=\"tls\"}"));
}

}  // namespace
}  // namespace holdshort
