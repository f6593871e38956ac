// What the published status may be believed for: suspensions, secrets, names. Time is moved by hand.
#include "agent/scheduler.h"

#include <map>
#include <nlohmann/json.hpp>
#include "agent/surface/render.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include "tests/support/fake_environment.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_probe.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing_support::ManualClock;

// A probe whose outcome the test sets, and which may hang.
struct Control {
  Outcome outcome = Outcome::pass;
  bool hangs = false;
  std::chrono::milliseconds takes{0};
  std::string says;
  int runs = 0;
  std::vector<Pace> paces;
  std::vector<std::string> failed_before, run_ids;
};

std::map<std::string, Control>& controls() {
  static std::map<std::string, Control> all;
  return all;
}

class Scripted final : public Probe {
 public:
  explicit Scripted(std::string name) : name_(std::move(name)) {}
  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Control& control = controls()[name_];
    ++control.runs;
    control.paces.push_back(context.pace);
    control.failed_before.push_back(context.failed_before);
    control.run_ids.push_back(context.run_id);
    if (control.hangs) co_await context.clock.sleep_until(Monotonic::max());
    if (control.takes.count() > 0) {
      const Monotonic end = context.clock.now() + control.takes;
      co_await context.clock.sleep_until(end);
    }
    ProbeOutcome outcome;
    outcome.add({.id = name_ + ".check",
                 .outcome = control.outcome,
                 .request = {},
                 .expected = {},
                 .observed = {},
                 .references = {},
                 .summary = name_ + " says so" + control.says});
    co_return outcome;
  }

 private:
  std::string name_;
};

std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics&) {
  return std::make_unique<Scripted>(settings.name);
}
const Explanation kNothing{};
const ProbeType kScripted{"scripted", ProbeType::Talks::nothing, {}, kNothing, make};

ProbeConfig probe(std::string name, Severity severity = Severity::required) {
  ProbeConfig config;
  config.name = std::move(name);
  config.type = &kScripted;
  config.severity = severity;
  config.interval = 15s;
  config.timeout = 5s;
  config.startup_interval = 250ms;
  config.definition = config.name;
  config.values = std::make_shared<const Values>();
  return config;
}

Config config_of(std::vector<std::string> names) {
  Config config;
  for (std::string& name : names) config.probes.push_back(probe(std::move(name)));
  return config;
}

struct Bench {
  explicit Bench(Config config) : client([](const testing_support::Sent&) { return Response{}; }) {
    scheduler = std::make_unique<Scheduler>(World{client, clock, environment, offload, log, board, 1},
                                            std::move(config));
    boost::asio::co_spawn(loop, scheduler->run(), [this](std::exception_ptr) { ended = true; });
    clock.settle();
  }
  ~Bench() { controls().clear(); }
  bool ready() const { return board.load(Instant::of(clock))->ready; }
  State state(std::size_t n = 0) const { return board.load(Instant::of(clock))->probes.at(n)->state; }
  int logged(std::string_view event) const {
    int count = 0;
    for (const std::string& line : lines)
      count += line.find("\"event\":\"" + std::string(event) + "\"") != std::string::npos;
    return count;
  }

  boost::asio::io_context loop{1};
  ManualClock clock{loop};
  testing_support::ScriptedClient client;
  testing_support::FakeEnvironment environment;
  testing_support::InlineOffload offload;
  StatusBoard board;
  std::vector<std::string> lines;
  Log log{LogLevel::debug, LogFormat::json, [this](std::string_view line) { lines.emplace_back(line); },
          [this] { return clock.wall_now(); }};
  std::unique_ptr<Scheduler> scheduler;
  bool ended = false;
};

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
  ManualClock clock{loop};
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
