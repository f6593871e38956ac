// Readiness set by hand: what it does, for how long, and who sees it. Time is moved by hand.
#include "agent/surface/override_request.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/surface/metrics.h"
#include "agent/surface/render.h"
#include "tests/support/scheduler_bench.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing_support::Bench;
using testing_support::config_of;
using testing_support::controls;

enum class Says { ready, not_ready };

Override by_hand(const Bench& bench, Says says, std::chrono::milliseconds ttl = 30min) {
  return {.ready = says == Says::ready, .reason = "a drill", .ttl = ttl, .set = Instant::of(bench.clock)};
}

std::shared_ptr<const Status> now(const Bench& bench) { return bench.board.load(Instant::of(bench.clock)); }

bool gate_may_open(const Bench& bench) { return is_ready(*now(bench), Instant::of(bench.clock)); }

TEST(OverrideRequest, HasReadinessReasonAndTtl) {
  const Instant at{Monotonic(1h), Wall(2h)};
  const auto asked = parse_override(R"({"ready": false, "reason": " draining ", "ttl": "30m"})", at);
  ASSERT_TRUE(asked) << asked.error().message;
  EXPECT_FALSE(asked->ready);
  EXPECT_EQ(asked->reason, "draining");
  EXPECT_EQ(asked->ttl, 30min);
  EXPECT_EQ(asked->until(), Wall(2h + 30min));
  EXPECT_TRUE(parse_override(R"({"ready": true, "reason": "x", "ttl": "4h"})", at));
}

TEST(OverrideRequest, AnythingElseIsRefusedWithTheRemedy) {
  const std::string long_reason(Override::kMaxReason + 1, 'x');
  for (const std::string& body : std::vector<std::string>{
           "",
           "ready",
           "[]",
           "true",
           R"({"ready": true, "reason": "x"})",
           R"({"ready": true, "ttl": "1m"})",
           R"({"reason": "x", "ttl": "1m"})",
           R"({"ready": "true", "reason": "x", "ttl": "1m"})",
           R"({"ready": 1, "reason": "x", "ttl": "1m"})",
           R"({"ready": null, "reason": "x", "ttl": "1m"})",
           R"({"ready": true, "reason": "  ", "ttl": "1m"})",
           R"({"ready": true, "reason": ["x"], "ttl": "1m"})",
           R"({"ready": true, "reason": "x", "ttl": 60})",
           R"({"ready": true, "reason": "x", "ttl": "60"})",
           R"({"ready": true, "reason": "x", "ttl": "0s"})",
           R"({"ready": true, "reason": "x", "ttl": "4h1ms"})",
           R"({"ready": true, "reason": "x", "ttl": "1m", "until": "then"})",
           R"({"ready": true, "reason": "x", "ttl": "1m"} trailing)",
           R"({"ready": true, "reason": ")" + long_reason + R"(", "ttl": "1m"})",
           std::string(60000, '['),
       }) {
    const auto asked = parse_override(body, {});
    ASSERT_FALSE(asked) << body.substr(0, 80);
    EXPECT_NE(asked.error().message.find("write {\"ready\""), std::string::npos);
  }
}

TEST(Override, ReadyOpensWhatProbesHoldAndSaysWhichTheyAre) {
  controls()["a"].outcome = Outcome::fail;
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  ASSERT_FALSE(bench.ready());
  bench.scheduler->set_override(by_hand(bench, Says::ready));
  EXPECT_TRUE(bench.ready());
  EXPECT_TRUE(gate_may_open(bench));
  EXPECT_EQ(now(bench)->holding, std::vector<std::string>{"a"});
  bench.clock.advance(1min);
  EXPECT_TRUE(bench.ready());
}

TEST(Override, NotReadyDrainsAnInstanceWhoseProbesPass) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  ASSERT_TRUE(bench.ready());
  bench.scheduler->set_override(by_hand(bench, Says::not_ready));
  EXPECT_FALSE(bench.ready());
  EXPECT_FALSE(gate_may_open(bench));
  EXPECT_EQ(render_readyz(*now(bench)).status, 503);
  bench.clock.advance(1min);
  EXPECT_FALSE(bench.ready());
}

TEST(Override, EndsByItselfAndWhatWasSeenCountsAgain) {
  for (const Says says : {Says::ready, Says::not_ready}) {
    const bool forced = says == Says::ready;
    controls()["a"].outcome = forced ? Outcome::fail : Outcome::pass;
    Bench bench(config_of({"a"}));
    bench.clock.advance(1s);
    bench.scheduler->set_override(by_hand(bench, says, 10s));
    bench.clock.advance(9999ms);
    EXPECT_EQ(bench.ready(), forced);
    bench.clock.advance(1ms);
    EXPECT_EQ(bench.ready(), !forced);
    EXPECT_EQ(gate_may_open(bench), !forced);
    EXPECT_FALSE(now(bench)->by_hand);
    bench.clock.advance(Scheduler::kTick);
    EXPECT_EQ(bench.ready(), !forced);
    EXPECT_EQ(bench.logged("override.ended"), 1);
  }
}

TEST(Override, EndsInTimeAlsoWhereTheLoopIsStuckOrTheMachineWasSuspended) {
  controls()["a"].outcome = Outcome::fail;
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  bench.scheduler->set_override(by_hand(bench, Says::ready, 10min));
  const auto snapshot = now(bench);
  const Instant set = Instant::of(bench.clock);
  EXPECT_TRUE(is_ready(*snapshot, {set.monotonic + 9min, set.wall + 9min}));
  EXPECT_FALSE(is_ready(*snapshot, {set.monotonic + 10min, set.wall + 10min}));  // nothing has run since
  EXPECT_FALSE(as_of(snapshot, {set.monotonic + 10min, set.wall + 10min})->ready);
  EXPECT_FALSE(is_ready(*snapshot, {set.monotonic, set.wall + 10min}));  // suspended
  EXPECT_FALSE(is_ready(*snapshot, {set.monotonic + 10min, set.wall}));  // the wall clock was set back
}

TEST(Override, WhatEndsLeavesNoVerdictThatHasGrownOld) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  bench.scheduler->set_override(by_hand(bench, Says::not_ready, 10min));
  const auto snapshot = now(bench);
  const Instant set = Instant::of(bench.clock);
  const Instant later{set.monotonic + 10min, set.wall + 10min};  // the verdict lives 50 s
  EXPECT_FALSE(is_ready(*snapshot, later));
  EXPECT_FALSE(as_of(snapshot, later)->ready);
}

TEST(Override, TheLaterOneCounts) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  bench.scheduler->set_override(by_hand(bench, Says::not_ready, 4h));
  bench.scheduler->set_override(by_hand(bench, Says::not_ready, 1s));
  bench.clock.advance(1s);
  EXPECT_TRUE(bench.ready());
}

TEST(Override, ReadyKeepsABrokenControlFromEndingTheAgent) {
  Config config = config_of({"a"});
  config.when_failing = WhenFailing::exit;
  Bench bench(std::move(config));
  bench.clock.advance(1s);
  bench.scheduler->set_override(by_hand(bench, Says::ready, 1min));
  controls()["a"].outcome = Outcome::fail;
  bench.clock.advance(59s);
  EXPECT_FALSE(bench.ended);
  EXPECT_TRUE(bench.ready());
  bench.clock.advance(30s);
  EXPECT_TRUE(bench.ended);
}

TEST(Override, IsSpokenOfWithItsReasonAndSurvivesAReload) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  bench.scheduler->set_override(by_hand(bench, Says::not_ready));
  EXPECT_EQ(bench.logged("override.set"), 1);
  EXPECT_NE(bench.lines.back().find("a drill"), std::string::npos);
  bench.scheduler->reload(config_of({"a", "b"}));
  bench.clock.advance(1s);
  EXPECT_FALSE(bench.ready());
}

TEST(Override, IsShownEverywhere) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  bench.scheduler->set_override(by_hand(bench, Says::not_ready));
  const auto status = now(bench);
  EXPECT_EQ(render_readyz(*status).body, "not ready (by hand)\n");
  EXPECT_NE(render_readyz_verbose(*status).body.find("[!]override: not ready until "), std::string::npos);
  const auto json = nlohmann::json::parse(render_status_json(*status).body);
  EXPECT_EQ(json["override"]["ready"], false);
  EXPECT_EQ(json["override"]["reason"], "a drill");
  EXPECT_EQ(json["override"]["ttl"], "30m");
  EXPECT_EQ(json, nlohmann::json::parse(render_status_json(*status).body));
  EXPECT_EQ(json["override"], nlohmann::json::parse(render_override(*status->by_hand).body));
  EXPECT_NE(render_metrics({.status = *status, .now = Instant::of(bench.clock), .gate = {}, .process = {}})
                .body.find("holdshort_override_active 1\n"),
            std::string::npos);
}

TEST(Override, OnlyTheReadinessIsSetNotAnyProbe) {
  controls()["a"].outcome = Outcome::fail;
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  bench.scheduler->set_override(by_hand(bench, Says::ready));
  EXPECT_EQ(render_readyz(*now(bench)).body, "ready\n");
  EXPECT_EQ(render_readyz_probe(*now(bench), "a").status, 503);
  EXPECT_NE(render_readyz_verbose(*now(bench)).body.find("[-]a failing"), std::string::npos);
}

TEST(Override, AnAgentThatStopsIsNotMadeReady) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  bench.scheduler->stop();
  bench.scheduler->set_override(by_hand(bench, Says::ready));
  EXPECT_FALSE(now(bench)->by_hand);
}

TEST(Override, BeforeTheLoopRunsNothingIsReadyWithoutIt) {
  boost::asio::io_context loop{1};
  testing_support::ManualClock clock{loop};
  testing_support::ScriptedClient client([](const testing_support::Sent&) { return Response{}; });
  testing_support::FakeEnvironment environment;
  testing_support::InlineOffload offload;
  StatusBoard board;
  Log log{LogLevel::error, LogFormat::json, [](std::string_view) {}, [] { return Wall(); }};
  Scheduler scheduler(World{client, clock, environment, offload, log, board, 1}, config_of({"a"}));
  scheduler.set_override({.ready = false, .reason = "x", .ttl = 1min, .set = Instant::of(clock)});
  EXPECT_FALSE(board.load(Instant::of(clock))->ready);
}

TEST(Recheck, RunsAllOrTheOneThatIsNamedNow) {
  Bench bench(config_of({"a", "b"}));
  bench.clock.advance(1s);
  const int a = controls()["a"].runs, b = controls()["b"].runs;
  bench.scheduler->recheck("a");
  bench.clock.advance(1ms);
  EXPECT_EQ(controls()["a"].runs, a + 1);
  EXPECT_EQ(controls()["b"].runs, b);
  bench.scheduler->recheck(std::nullopt);
  bench.clock.advance(1ms);
  EXPECT_EQ(controls()["a"].runs, a + 2);
  EXPECT_EQ(controls()["b"].runs, b + 1);
}

}  // namespace
}  // namespace holdshort
