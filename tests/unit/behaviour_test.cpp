// Unusual behaviour as the agent sees and shows it: an event, figures on every surface, and no verdict.
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/surface/metrics.h"
#include "agent/surface/page.h"
#include "agent/surface/render.h"
#include "tests/support/scheduler_bench.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing_support::answer;
using testing_support::Bench;
using testing_support::FakeEnvironment;
using testing_support::Sent;
using unusual::kInARow;
using unusual::kLag;
using unusual::kMinSamples;
using unusual::OfGate;

constexpr auto kLearning = kMinSamples + kLag;

Config config_of(const std::string& more = "") {
  const FakeEnvironment environment;
  Loaded loaded =
      parse_config("f", "[app]\nurl = \"http://127.0.0.1:3000\"\n[probes.orders]\ntype = \"http\"\n" + more,
                   environment, {});
  return std::move(*loaded.config);
}

struct Story {
  Story()
      : bench(
            config_of(), [size = size](const Sent&) { return answer(200, std::string(*size, 'x')); },
            [count = count] { return std::optional(*count); }) {}
  // So many runs of the one probe.
  void go(std::size_t runs) { bench.clock.advance(15s * static_cast<int>(runs)); }
  std::shared_ptr<const Status> status() const { return bench.board.load(Instant::of(bench.clock)); }
  std::string metrics() const {
    const auto now = status();
    return render_metrics({.status = *now, .now = Instant::of(bench.clock), .gate = {}, .process = {}}).body;
  }

  std::shared_ptr<std::size_t> size = std::make_shared<std::size_t>(500);
  std::shared_ptr<std::uint64_t> count = std::make_shared<std::uint64_t>(0);
  Bench bench;
};

TEST(Behaviour, ADepartureIsAnEventWithFiguresOnEverySurfaceAndNoVerdict) {
  Story story;
  story.go(2 * kLearning);
  EXPECT_EQ(story.bench.logged("behaviour.unusual"), 0);
  EXPECT_THAT(story.metrics(), HasSubstr("holdshort_probe_unusual{probe=\"orders\",metric=\"size\"} 0"));
  *story.size = 5000;
  story.go(kInARow + 2);
  EXPECT_EQ(story.bench.logged("behaviour.unusual"), 1);
  EXPECT_THAT(story.bench.lines,
              testing::Contains(testing::AllOf(
                  HasSubstr("orders: size 5000 bytes, usually 500 bytes (10.0 times, MAD 0 bytes)"),
                  HasSubstr("\"observed\":5000.0,\"median\":500.0,\"mad\":0.0,\"factor\":10.0"))));
  EXPECT_TRUE(story.bench.ready());
  EXPECT_EQ(story.bench.state(), State::passing);
  EXPECT_THAT(story.metrics(), HasSubstr("holdshort_probe_unusual{probe=\"orders\",metric=\"size\"} 1"));
  const std::string json = render_status_json(*story.status()).body;
  EXPECT_THAT(json, HasSubstr("\"status\": \"pass\""));
  EXPECT_THAT(json, Not(HasSubstr("\"status\": \"warn\"")));
  EXPECT_THAT(json, HasSubstr("\"factor\": 10.0"));
  const auto now = story.status();
  EXPECT_THAT(render_page(*now, {.now = Instant::of(story.bench.clock)}).body,
              HasSubstr("size 5000 bytes, usually 500 bytes"));
  *story.size = 500;
  story.go(kInARow + 2);
  EXPECT_EQ(story.bench.logged("behaviour.usual"), 1);
  EXPECT_TRUE(story.status()->probes[0]->unusual.empty());
}

TEST(Behaviour, ASuspensionBreaksTheRow) {
  Story story;
  story.go(2 * kLearning);
  for (int i = 0; i < 5; ++i) {
    *story.size = 5000;
    story.go(2);
    story.bench.clock.suspend(1h);
  }
  EXPECT_EQ(story.bench.logged("behaviour.unusual"), 0);
}

TEST(Behaviour, AChangedDefinitionIsLearntAnewAndAnUnchangedOneIsKept) {
  Story story;
  story.go(2 * kLearning);
  story.bench.scheduler->reload(config_of());
  *story.size = 5000;
  story.go(kInARow + 2);
  EXPECT_EQ(story.bench.logged("behaviour.unusual"), 1);
  story.bench.scheduler->reload(config_of("description = \"another\"\n"));
  *story.size = 50;
  story.go(kLearning - 3);
  EXPECT_EQ(story.bench.logged("behaviour.unusual"), 1);
  EXPECT_TRUE(story.status()->probes[0]->unusual.empty());
}

TEST(Behaviour, AFloodAtTheGateIsSaid) {
  Story story;
  const auto traffic = [&](std::uint64_t a_second, std::size_t samples) {
    for (std::size_t i = 0; i < samples; ++i) {
      *story.count += a_second * 10;
      story.bench.clock.advance(OfGate::kEvery);
    }
  };
  traffic(3, 2 * kLearning);
  EXPECT_THAT(story.metrics(), HasSubstr("holdshort_gate_unusual 0"));
  traffic(300, kInARow + 2);
  EXPECT_EQ(story.bench.logged("behaviour.unusual"), 1);
  EXPECT_THAT(story.metrics(), HasSubstr("holdshort_gate_unusual 1"));
  EXPECT_THAT(render_status_json(*story.status()).body, HasSubstr("\"metric\": \"connections\""));
  EXPECT_TRUE(story.bench.ready());
}

TEST(Behaviour, WithoutAGateNothingIsSaidOfOne) {
  Bench bench(config_of(), [](const Sent&) { return answer(200); });
  bench.clock.advance(60s);
  const auto status = bench.board.load(Instant::of(bench.clock));
  EXPECT_FALSE(status->gate_unusual);
  EXPECT_THAT(render_status_json(*status).body, Not(HasSubstr("\"gate\"")));
}

}  // namespace
}  // namespace holdshort
