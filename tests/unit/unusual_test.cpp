// What is usual is learnt, what departs from it is said once, and noise is neither.
#include "agent/unusual/behaviour.h"

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdshort::unusual {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

// --- the arithmetic

struct Limits {
  const char* name;
  Figures figures;
  Floor floor;
  Place place;
};
class PlaceOf : public testing::TestWithParam<Limits> {};
TEST_P(PlaceOf, IsTold) { EXPECT_EQ(place_of(GetParam().figures, GetParam().floor), GetParam().place); }
const Floor kNone{0, 0}, kTenth{0.1, 0}, kFive{0, 5};
INSTANTIATE_TEST_SUITE_P(
    Unusual, PlaceOf,
    testing::Values(Limits{"TheMedianItself", {100, 100, 1}, kNone, Place::inside},
                    Limits{"FourDeviations", {106, 100, 1}, kNone, Place::between},
                    Limits{"SixDeviations", {109, 100, 1}, kNone, Place::above},
                    Limits{"ThreeDeviationsBelow", {97.4, 100, 1}, kNone, Place::inside},
                    Limits{"SevenDeviationsBelow", {89, 100, 1}, kNone, Place::below},
                    Limits{"AMadOf0WithinTheRelativeFloor", {104, 100, 0}, kTenth, Place::inside},
                    Limits{"AMadOf0BeyondTheRelativeFloor", {111, 100, 0}, kTenth, Place::above},
                    Limits{"AMadOf0WithinTheAbsoluteFloor", {102, 100, 0}, kFive, Place::inside},
                    Limits{"AMadOf0BeyondTheAbsoluteFloor", {106, 100, 0}, kFive, Place::above},
                    Limits{"LittleOfLittle", {4, 1, 0}, kFive, Place::between},
                    Limits{"NothingOfLittle", {0, 4, 0}, kFive, Place::between},
                    Limits{"NothingOfMuch", {0, 100, 10}, kFive, Place::below},
                    Limits{"AThirdIsAsFarAsThreeTimes", {33, 100, 0}, {2, 5}, Place::below},
                    Limits{"AMedianOf0", {6, 0, 0}, kFive, Place::above}),
    [](const auto& row) { return row.param.name; });

TEST(Baseline, HasMedianAndMadOfItsWindowAlone) {
  Baseline baseline;
  for (int i = 0; i < 1000; ++i) baseline.add(1e6);
  for (std::size_t i = 0; i < kWindow; ++i) baseline.add(i % 2 == 0 ? 10 : 14);
  EXPECT_EQ(baseline.size(), kWindow);
  EXPECT_DOUBLE_EQ(baseline.figures(0).median, 14);
  EXPECT_DOUBLE_EQ(baseline.figures(0).mad, 4);
}

TEST(Baseline, LearnsUntilItHasEnoughSamples) {
  Baseline baseline;
  for (std::size_t i = 0; i < kMinSamples + kLag; ++i) {
    EXPECT_TRUE(baseline.learning());
    baseline.add(1);
  }
  EXPECT_FALSE(baseline.learning());
}

TEST(Streak, TurnsOnlyAfterSeveralInARow) {
  Streak streak;
  for (int i = 1; i < kInARow; ++i) EXPECT_FALSE(streak.next(Place::above));
  EXPECT_FALSE(streak.next(Place::between));
  for (int i = 1; i < kInARow; ++i) EXPECT_FALSE(streak.next(Place::above));
  EXPECT_FALSE(streak.next(Place::below));  // the other side
  for (int i = 1; i < kInARow - 1; ++i) EXPECT_FALSE(streak.next(Place::below));
  EXPECT_EQ(streak.next(Place::below), Turn::became_unusual);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(streak.next(i % 2 ? Place::between : Place::above));
  for (int i = 1; i < kInARow; ++i) EXPECT_FALSE(streak.next(Place::inside));
  EXPECT_FALSE(streak.next(Place::between));
  for (int i = 1; i < kInARow; ++i) EXPECT_FALSE(streak.next(Place::inside));
  EXPECT_EQ(streak.next(Place::inside), Turn::became_usual);
}

TEST(Streak, AnInterruptionBreaksTheRow) {
  Streak streak;
  for (int i = 1; i < kInARow; ++i) streak.next(Place::above);
  streak.interrupt();
  EXPECT_FALSE(streak.next(Place::above));
}

TEST(Unusual, CostsAProbeLittleMemory) {
  EXPECT_LE(sizeof(OfProbe), 2048u);
  EXPECT_LE(sizeof(OfGate), 512u);
}

// --- a probe

struct Answers {
  double milliseconds = 12;
  std::size_t bytes = 500;
  int refused = 2, served = 8, broken = 0, absent = 0;
};

Tally tally_of(const Answers& answers) {
  Tally tally;
  const auto add = [&](int status, int count) {
    Response response;
    response.status = status;
    response.timing.total = std::chrono::microseconds(std::lround(answers.milliseconds * 1000));
    response.body = std::string(answers.bytes, 'x');
    for (int i = 0; i < count; ++i) tally.add(response);
  };
  add(200, answers.served);
  add(403, answers.refused);
  add(502, answers.broken);
  add(0, answers.absent);
  return tally;
}

// One that has learnt what Answers' defaults are.
struct Learned {
  Learned() {
    for (std::size_t i = 0; i < kWindow; ++i) run({});
  }
  std::vector<Event> run(const Answers& answers, int runs = 1) {
    std::vector<Event> events;
    for (int i = 0; i < runs; ++i)
      for (const Event& event : probe.ran(tally_of(answers), Wall())) events.push_back(event);
    return events;
  }
  OfProbe probe;
};

struct Step {
  const char* name;
  Answers answers;
  std::vector<Metric> unusual;
  const char* text = "";
};
class UnusualStep : public testing::TestWithParam<Step> {};
TEST_P(UnusualStep, IsSaidOnceAfterSomeRunsAndIsOverWhenItIs) {
  Learned learned;
  EXPECT_THAT(learned.run(GetParam().answers, kInARow - 1), IsEmpty());
  const std::vector<Event> events = learned.run(GetParam().answers);
  std::vector<Metric> metrics;
  for (const Event& event : events) {
    metrics.push_back(event.metric);
    EXPECT_EQ(event.turn, Turn::became_unusual);
    EXPECT_THAT(text_of(event.metric, event.of, event.figures), HasSubstr(GetParam().text));
  }
  EXPECT_EQ(metrics, GetParam().unusual);
  EXPECT_THAT(learned.run(GetParam().answers, 10), IsEmpty());
  EXPECT_EQ(learned.probe.departures().size(), metrics.size());
  EXPECT_EQ(learned.run({}, kInARow).size(), metrics.size());
  EXPECT_THAT(learned.probe.departures(), IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Unusual, UnusualStep,
                         testing::Values(Step{"TheSame", {}, {}},
                                         Step{"LatencyFiveTimes",
                                              {.milliseconds = 60},
                                              {Metric::latency},
                                              "latency 60.0 ms, usually 12.0 ms (5.0 times, MAD 0.0 ms)"},
                                         Step{"LatencyTwiceButLittle", {.milliseconds = 24}, {}},
                                         Step{"BodiesTwiceAsLong",
                                              {.bytes = 1000},
                                              {Metric::size},
                                              "size 1000 bytes, usually 500 bytes"},
                                         Step{"EmptyBodies", {.bytes = 0}, {Metric::size}, "size 0 bytes"},
                                         Step{"BodiesAFewBytesLonger", {.bytes = 550}, {}},
                                         Step{"ServedWhereRefused",
                                              {.refused = 0, .served = 10},
                                              {}},  // two of ten answers: a verdict's affair, not this one's
                                         Step{"RefusedWhereServed",
                                              {.refused = 6, .served = 4},
                                              {Metric::status},
                                              "status 4xx 60%, usually 20%"},
                                         Step{"Errors",
                                              {.refused = 0, .served = 0, .broken = 10},
                                              {Metric::status},
                                              "status 5xx 100%, usually 0% (MAD"},
                                         Step{"NoAnswers",
                                              {.refused = 0, .served = 0, .absent = 10},
                                              {Metric::status},
                                              "status no answer 100%"}),
                         [](const auto& row) { return row.param.name; });

TEST(Unusual, AnAppThatIsFarFasterIsSaidToo) {
  OfProbe probe;
  for (std::size_t i = 0; i < kWindow; ++i) probe.ran(tally_of({.milliseconds = 200}), Wall());
  std::vector<Event> events;
  for (int i = 0; i < kInARow; ++i)
    for (const Event& event : probe.ran(tally_of({.milliseconds = 20}), Wall())) events.push_back(event);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].metric, Metric::latency);
}

TEST(Unusual, NothingIsSaidWhileItLearns) {
  OfProbe probe;
  for (std::size_t i = 0; i < kMinSamples + kLag; ++i)
    EXPECT_THAT(probe.ran(tally_of({.milliseconds = i % 2 ? 5.0 : 5000.0}), Wall()), IsEmpty());
}

TEST(Unusual, SpikesAreNot) {
  Learned learned;
  for (int i = 0; i < 200; ++i) {
    EXPECT_THAT(learned.run({.milliseconds = 3000, .served = 0, .absent = 8}, kInARow - 1), IsEmpty());
    EXPECT_THAT(learned.run({}, 10), IsEmpty());
  }
}

TEST(Unusual, ASlowDriftIsFollowed) {
  Learned learned;
  Answers answers;
  for (int i = 0; i < 2000; ++i) {
    answers.milliseconds *= 1.003;  // 400 times in the end
    answers.bytes += 1;
    EXPECT_THAT(learned.run(answers), IsEmpty()) << i;
  }
}

TEST(Unusual, AStepThatStaysIsUsualOnceItIsHalfOfWhatCounts) {
  Learned learned;
  EXPECT_EQ(learned.run({.milliseconds = 60}, kInARow).size(), 1u);
  const std::vector<Event> events = learned.run({.milliseconds = 60}, (kWindow - kLag) / 2 + kLag + kInARow);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].turn, Turn::became_usual);
  EXPECT_NEAR(events[0].figures.median, 0.06, 1e-6);
}

TEST(Unusual, AnInterruptionBreaksTheRowOfAProbe) {
  Learned learned;
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(learned.run({.milliseconds = 60}, kInARow - 1), IsEmpty());
    learned.probe.interrupt();
  }
}

TEST(Unusual, ARunThatSentNothingSaysNothing) {
  OfProbe probe;
  for (std::size_t i = 0; i < 10 * kWindow; ++i) EXPECT_THAT(probe.ran(Tally(), Wall()), IsEmpty());
}

// --- the gate

struct Traffic {
  Traffic() { go(3, kWindow); }
  // `samples` with so many connections a second.
  std::vector<Event> go(double rate, std::size_t samples, OfGate::Gate state = OfGate::Gate::open) {
    std::vector<Event> events;
    for (std::size_t i = 0; i < samples; ++i) {
      now += OfGate::kEvery;
      count += static_cast<std::uint64_t>(rate * 10);
      if (const auto event = gate.look(count, state, now, Wall())) events.push_back(*event);
    }
    return events;
  }
  OfGate gate;
  Monotonic now{std::chrono::hours(1)};
  std::uint64_t count = 0;
};

TEST(UnusualGate, AFloodAndItsEndAreSaid) {
  Traffic traffic;
  const auto events = traffic.go(30, kInARow);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(text_of(events[0].metric, events[0].of, events[0].figures),
            "connections 30.0/s, usually 3.0/s (10.0 times, MAD 0.0/s)");
  EXPECT_EQ(traffic.gate.departures().size(), 1u);
  EXPECT_EQ(traffic.go(3, kInARow).size(), 1u);
  EXPECT_THAT(traffic.gate.departures(), IsEmpty());
}

TEST(UnusualGate, ADropToNothingIsSaid) {
  Traffic traffic;
  const auto events = traffic.go(0, kInARow);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].turn, Turn::became_unusual);
  EXPECT_EQ(events[0].figures.observed, 0);
}

TEST(UnusualGate, WhatComesWhileItIsClosedIsNotLookedAt) {
  Traffic traffic;
  EXPECT_THAT(traffic.go(0, 100, OfGate::Gate::closed), IsEmpty());
  EXPECT_THAT(traffic.go(100, 100, OfGate::Gate::closed), IsEmpty());
  EXPECT_THAT(traffic.go(3, 100), IsEmpty());
  EXPECT_EQ(traffic.go(30, kInARow).size(), 1u);  // and nothing was forgotten
}

TEST(UnusualGate, FewConnectionsMayStayAway) {
  OfGate gate;
  Traffic traffic;
  traffic.go(0.5, 2 * kWindow);
  EXPECT_THAT(traffic.go(0, 100), IsEmpty());
}

// --- a day of noise: the rate of false alarms is a number

int false_alarms(std::mt19937_64& random, const std::function<double(std::mt19937_64&)>& milliseconds,
                 int runs) {
  OfProbe probe;
  int alarms = 0;
  for (int i = 0; i < runs; ++i) {
    Tally tally;
    Response response;
    response.status = 200;
    response.body = std::string(400 + random() % 200, 'x');
    response.timing.total = std::chrono::microseconds(std::lround(milliseconds(random) * 1000));
    tally.add(response);
    for (const Event& event : probe.ran(tally, Wall())) alarms += event.turn == Turn::became_unusual;
  }
  return alarms;
}

double normal(std::mt19937_64& random) { return std::normal_distribution<double>(0, 1)(random); }

// 24 hours of a run a second, of one request each: nothing is averaged.
constexpr int kDay = 24 * 3600;

TEST(UnusualNoise, ADayOfHeavyTailsAndSpikesRaisesNoAlarm) {
  std::mt19937_64 random(1);
  const auto lognormal_with_spikes = [](std::mt19937_64& r) {
    const double latency = 20 * std::exp(0.5 * normal(r));
    return r() % 100 == 0 ? 50 * latency : latency;  // one in a hundred waits for a collector or a disk
  };
  EXPECT_EQ(false_alarms(random, lognormal_with_spikes, kDay), 0);
}

TEST(UnusualNoise, ADayOfVeryHeavyTailsRaisesAFewAtMost) {
  std::mt19937_64 random(2);
  const auto lognormal = [](std::mt19937_64& r) { return 20 * std::exp(normal(r)); };
  EXPECT_LE(false_alarms(random, lognormal, kDay), 5);  // one in twenty runs takes five times the median
}

TEST(UnusualNoise, ADayWithPausesThatHoldRunsAfterRunsRaisesNoAlarm) {
  std::mt19937_64 random(3);
  int pause = 0;
  const auto with_pauses = [&](std::mt19937_64& r) {
    if (pause == 0 && r() % 600 == 0) pause = 1 + static_cast<int>(r() % 3);  // runs that one pause slows
    const double latency = 5 * std::exp(0.3 * normal(r));
    return pause > 0 ? (--pause, latency + 400) : latency;
  };
  EXPECT_EQ(false_alarms(random, with_pauses, kDay), 0);
}

TEST(UnusualNoise, ADayOfPoissonTrafficRaisesNoAlarm) {
  for (const double rate : {0.1, 1.0, 3.0, 50.0}) {
    std::mt19937_64 random(4);
    std::poisson_distribution<std::uint64_t> arrivals(rate * 10);
    OfGate gate;
    Monotonic now{std::chrono::hours(1)};
    std::uint64_t count = 0;
    int alarms = 0;
    for (int i = 0; i < kDay / 10; ++i) {
      now += OfGate::kEvery;
      count += arrivals(random);
      const auto event = gate.look(count, OfGate::Gate::open, now, Wall());
      alarms += event && event->turn == Turn::became_unusual;
    }
    EXPECT_EQ(alarms, 0) << rate;
  }
}

TEST(UnusualNoise, FiveTimesTheLatencyIsSeenThroughHeavyTails) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    OfProbe probe;
    const auto run = [&](double factor) {
      Answers answers{.milliseconds = factor * 20 * std::exp(0.5 * normal(random))};
      for (const Event& event : probe.ran(tally_of(answers), Wall()))
        if (event.turn == Turn::became_unusual) return true;
      return false;
    };
    for (std::size_t i = 0; i < kWindow; ++i) run(1);
    bool seen = false;
    for (std::size_t i = 0; i < kWindow / 2 && !seen; ++i) seen = run(5);
    EXPECT_TRUE(seen) << seed;
  }
}

}  // namespace
}  // namespace holdshort::unusual
