// What the published status may be believed for: suspensions, secrets, names. Time is moved by hand.
#include "agent/scheduler.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/surface/render.h"
#include "tests/support/scheduler_bench.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing_support::Bench;
using testing_support::config_of;
using testing_support::controls;

TEST(PublishedStatus, ARunThatEndsAfterASuspensionMakesNoOldVerdictGoodAgain) {
  Bench bench(config_of({"a", "b"}));
  bench.clock.advance(1s);
  ASSERT_TRUE(bench.ready());
  controls()["b"].takes = 37ms;  // so that it ends between two looks at the clocks
  const int before = controls()["b"].runs;
  while (controls()["b"].runs == before) bench.clock.advance(1ms);
  controls()["a"].outcome = Outcome::fail;  // broken meanwhile
  const int runs_of_a = controls()["a"].runs;
  bench.clock.suspend(1h);
  EXPECT_FALSE(bench.ready());
  while (controls()["a"].runs == runs_of_a) {
    bench.clock.advance(1ms);
    if (controls()["a"].runs == runs_of_a) {
      ASSERT_FALSE(bench.ready()) << "ready on a verdict from before the suspension";
    }
  }
}

TEST(PublishedStatus, ARunThatBeganBeforeASuspensionIsNoVerdictAfterIt) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  controls()["a"].takes = 2s;
  const int before = controls()["a"].runs;
  while (controls()["a"].runs == before) bench.clock.advance(1ms);
  bench.clock.suspend(1h);
  controls()["a"].outcome = Outcome::pass;
  bench.clock.advance(2500ms);  // the run from before has ended, the new one has not
  EXPECT_EQ(bench.state(), State::stale);
}

TEST(PublishedStatus, TheFirstStatusNamesTheProbesBeforeTheLoopRuns) {
  Config config = config_of({"a"});
  boost::asio::io_context loop{1};
  testing_support::ManualClock clock{loop};
  testing_support::ScriptedClient client([](const testing_support::Sent&) { return Response{}; });
  testing_support::FakeEnvironment environment;
  testing_support::InlineOffload offload;
  StatusBoard board;
  Log log{LogLevel::error, LogFormat::json, [](std::string_view) {}, [] { return Wall(); }};
  Scheduler scheduler(World{client, clock, environment, offload, log, board, 1}, std::move(config));
  EXPECT_EQ(render_readyz(*board.load(Instant::of(clock))).body, "not ready: a\n");
}

TEST(PublishedStatus, NoSecretReachesTheStatus) {
  controls()["a"].says = " correct-horse-battery";
  Bench bench(config_of({"a"}));
  bench.log.set_secrets({Secret("correct-horse-battery")});
  bench.clock.advance(20s);
  bench.clock.advance(20s);
  const std::string body = render_status_json(*bench.board.load(Instant::of(bench.clock))).body;
  const auto json = nlohmann::json::parse(body);
  EXPECT_EQ(json["checks"]["a"][0]["output"].get<std::string>().find("correct-horse"), std::string::npos);
}

Status one(const char* name, State state, bool ready) {
  auto probe = std::make_shared<ProbeStatus>();
  probe->name = name;
  probe->state = state;
  Status status;
  status.ready = ready;
  status.probes.push_back(probe);
  return status;
}

TEST(PublishedStatus, ARequiredProbeThatFailsIsAFailAlsoWhereItIsOnlyReported) {
  const auto json = nlohmann::json::parse(render_status_json(one("a", State::failing, true)).body);
  EXPECT_EQ(json["status"], "fail");
}

TEST(PublishedStatus, TheFirstLineNamesAtLeastOneHoweverLongItsName) {
  Status status;
  status.holding = {std::string(60, 'x'), "b"};
  EXPECT_NE(render_readyz(status).body.find("xxxxx"), std::string::npos) << render_readyz(status).body;
}

}  // namespace
}  // namespace holdshort
