// When probes run and what becomes of their outcomes. Time is moved by hand.
#include "agent/scheduler.h"

#include <gtest/gtest.h>

#include "tests/support/scheduler_bench.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing_support::Bench;
using testing_support::config_of;
using testing_support::controls;
using testing_support::probe;

TEST(Scheduler, IsNotReadyBeforeEveryRequiredProbeHasPassed) {
  controls()["b"].outcome = Outcome::inconclusive;
  Bench bench(config_of({"a", "b"}));
  bench.clock.advance(2s);
  EXPECT_FALSE(bench.ready());
  controls()["b"].outcome = Outcome::pass;
  bench.clock.advance(250ms);
  EXPECT_TRUE(bench.ready());
}

TEST(Scheduler, ProbesThatSawNothingRunAtOnceWhenOneSeesTheApp) {
  std::vector<std::string> names;
  for (int n = 0; n < 20; ++n) names.push_back("p" + std::to_string(n));
  for (const std::string& name : names) controls()[name].outcome = Outcome::inconclusive;
  Bench bench(config_of(names));
  bench.clock.advance(5s);
  for (const std::string& name : names) controls()[name].outcome = Outcome::pass;
  bench.clock.advance(13ms);  // a twentieth of the startup interval: one of them runs
  EXPECT_TRUE(bench.ready());
}

TEST(Scheduler, AtStartupAsksFirstWhatFailedBefore) {
  controls()["a"].outcome = Outcome::fail;
  Bench bench(config_of({"a"}));
  bench.clock.advance(300ms);
  EXPECT_EQ(controls()["a"].failed_before, (std::vector<std::string>{"", "a.check"}));
  EXPECT_EQ(controls()["a"].paces, (std::vector<Pace>{Pace::startup, Pace::startup}));
}

TEST(Scheduler, RunsOnItsIntervalOrAlittleEarlier) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(150s);
  EXPECT_GE(controls()["a"].runs, 11);
  EXPECT_LE(controls()["a"].runs, 13);
  EXPECT_EQ(controls()["a"].paces.back(), Pace::watch);
}

TEST(Scheduler, HoweverLongARunTakesTheNextBeginsWithinItsInterval) {
  controls()["a"].takes = 6s;
  Bench bench(config_of({"a"}));
  bench.clock.advance(7s);
  const int before = controls()["a"].runs;
  bench.clock.advance(150s);
  EXPECT_GE(controls()["a"].runs, before + 10);
}

TEST(Scheduler, ARunThatTakesLongerThanItsIntervalIsFollowedByARest) {
  controls()["a"].takes = 20s;
  Bench bench(config_of({"a"}));
  bench.clock.advance(20s);
  ASSERT_TRUE(bench.ready());
  bench.clock.advance(1s);
  EXPECT_EQ(controls()["a"].runs, 1);
  bench.clock.advance(600ms);
  EXPECT_EQ(controls()["a"].runs, 2);
}

TEST(Scheduler, AFailIsConfirmedByAskingFirstWhatFailedAndThenAllIsLookedAt) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  controls()["a"].outcome = Outcome::fail;
  bench.clock.advance(30s);
  const auto& paces = controls()["a"].paces;
  ASSERT_GE(paces.size(), 4u);
  EXPECT_EQ(std::vector(paces.begin(), paces.begin() + 4),
            (std::vector{Pace::startup, Pace::watch, Pace::watch, Pace::steady}));
  const auto& first = controls()["a"].failed_before;
  EXPECT_EQ(std::vector(first.begin(), first.begin() + 4), (std::vector<std::string>{"", "", "a.check", ""}));
}

TEST(Scheduler, AConfirmationGoesAheadOfOtherProbesInTheBudget) {
  Bench bench(config_of({"a", "hog"}));
  bench.clock.advance(1s);
  ASSERT_TRUE(bench.ready());
  const int before = controls()["a"].runs;
  controls()["a"].bursts = 1;
  controls()["a"].takes = 100ms;
  controls()["a"].outcome = Outcome::fail;
  bench.scheduler->recheck("a");
  bench.clock.settle();
  controls()["hog"].bursts = 500;  // ten seconds' worth
  bench.scheduler->recheck("hog");
  bench.clock.advance(250ms);
  EXPECT_EQ(controls()["a"].runs, before + 2);
  EXPECT_EQ(bench.state(0), State::failing);
}

TEST(Scheduler, ABrokenControlIsSeenTwiceAtOnceAndClosesWithinOneInterval) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  const int before = controls()["a"].runs;
  controls()["a"].outcome = Outcome::fail;
  bench.clock.advance(15s);
  EXPECT_FALSE(bench.ready());
  EXPECT_EQ(controls()["a"].runs, before + 2);
  const auto& ids = controls()["a"].run_ids;
  EXPECT_NE(ids[ids.size() - 1], ids[ids.size() - 2]);
  EXPECT_EQ(ids.back().find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(ids.back().size(), 32u);
}

TEST(Scheduler, AHungProbeDelaysNoOtherAndGrowsStale) {
  Bench bench(config_of({"a", "b"}));
  bench.clock.advance(1s);
  EXPECT_TRUE(bench.ready());
  controls()["a"].hangs = true;
  const int before = controls()["b"].runs;
  bench.clock.advance(70s);
  EXPECT_EQ(bench.state(0), State::stale);
  EXPECT_EQ(bench.state(1), State::passing);
  EXPECT_FALSE(bench.ready());
  EXPECT_GE(controls()["b"].runs, before + 4);
}

TEST(Scheduler, NoMoreProbesThanAllowedAreInFlight) {
  Config config = config_of({"a", "b", "c"});
  config.agent.max_concurrency = 2;
  for (const char* name : {"a", "b", "c"}) controls()[name].hangs = true;
  Bench bench(std::move(config));
  bench.clock.advance(2s);
  EXPECT_EQ(controls()["a"].runs + controls()["b"].runs + controls()["c"].runs, 2);
}

TEST(Scheduler, AfterASuspensionEveryVerdictIsStaleUntilItsProbeHasRun) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  EXPECT_TRUE(bench.ready());
  controls()["a"].outcome = Outcome::inconclusive;
  bench.clock.suspend(1h);
  EXPECT_FALSE(bench.ready());  // before the loop has run at all
  bench.clock.advance(1s);
  EXPECT_EQ(bench.logged("clock.jumped"), 1);
  EXPECT_EQ(bench.state(), State::stale);
  controls()["a"].outcome = Outcome::pass;
  bench.clock.advance(15s);
  EXPECT_TRUE(bench.ready());
}

TEST(Scheduler, AStoppedProcessDoesNotAnswerFromOldVerdicts) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  const int before = controls()["a"].runs;
  bench.clock.leap(20s);
  EXPECT_EQ(bench.logged("clock.jumped"), 1);
  EXPECT_GT(controls()["a"].runs, before);
}

TEST(Scheduler, AFirstFailKeepsNoVerdictThatHasExpired) {
  Config config = config_of({"a"});
  config.probes[0].interval = 1s;
  config.probes[0].timeout = 500ms;  // a verdict lives for 3.5 s
  Bench bench(std::move(config));
  bench.clock.advance(1100ms);
  ASSERT_TRUE(bench.ready());
  controls()["a"].outcome = Outcome::fail;
  controls()["a"].takes = 300ms;
  for (const int before = controls()["a"].runs; controls()["a"].runs == before;) bench.clock.advance(1ms);
  bench.clock.advance(260ms);  // the next look at ages is due after the run's end
  bench.clock.leap(4500ms);    // too short for a jump
  EXPECT_FALSE(bench.ready());
}

TEST(Scheduler, AQuestionThatWaitsMakesWhatHoldsRunNow) {
  Config config = config_of({"a", "b"});
  Bench bench(std::move(config));
  bench.clock.advance(1s);
  controls()["a"].outcome = Outcome::fail;
  bench.clock.advance(15s);
  ASSERT_FALSE(bench.ready());
  bench.clock.advance(1s);
  controls()["a"].outcome = Outcome::pass;
  const int others = controls()["b"].runs, before = controls()["a"].runs;
  bench.scheduler->hurry();
  bench.clock.settle();
  EXPECT_TRUE(bench.ready());
  EXPECT_EQ(controls()["a"].runs, before + 1);
  EXPECT_EQ(controls()["b"].runs, others) << "it holds nothing";
  controls()["a"].outcome = Outcome::fail;
  bench.scheduler->hurry();
  bench.clock.settle();
  EXPECT_EQ(controls()["a"].runs, before + 1) << "it passes";
}

TEST(Scheduler, AReloadKeepsWhatIsUnchanged) {
  Bench bench(config_of({"a", "b"}));
  bench.clock.advance(1s);
  EXPECT_TRUE(bench.ready());
  const int runs = controls()["a"].runs;
  controls()["c"].outcome = Outcome::inconclusive;
  bench.scheduler->reload(config_of({"a", "c"}));
  bench.clock.settle();
  EXPECT_FALSE(bench.ready());
  EXPECT_EQ(bench.state(0), State::passing);
  EXPECT_EQ(controls()["a"].runs, runs);
  EXPECT_EQ(controls()["c"].runs, 1);
  const int of_b = controls()["b"].runs;
  controls()["c"].outcome = Outcome::pass;
  bench.clock.advance(60s);
  EXPECT_TRUE(bench.ready());
  EXPECT_EQ(controls()["b"].runs, of_b);
}

TEST(Scheduler, AdvisoryProbesNeverHold) {
  Config config = config_of({"a"});
  config.probes.push_back(probe("b", Severity::advisory));
  controls()["b"].outcome = Outcome::fail;
  Bench bench(std::move(config));
  bench.clock.advance(1s);
  EXPECT_TRUE(bench.ready());
  EXPECT_EQ(bench.state(1), State::failing);
}

TEST(Scheduler, WhereOnlyReportingIsWantedABrokenControlStaysReadyButNotAnUnseenOne) {
  Config config = config_of({"a"});
  config.when_failing = WhenFailing::report;
  controls()["a"].outcome = Outcome::fail;
  Bench bench(std::move(config));
  bench.clock.advance(1s);
  EXPECT_FALSE(bench.ready());  // before the first pass it always holds
  controls()["a"].outcome = Outcome::pass;
  bench.clock.advance(1s);
  EXPECT_TRUE(bench.ready());
  controls()["a"].outcome = Outcome::fail;
  bench.clock.advance(16s);
  EXPECT_EQ(bench.state(), State::failing);
  EXPECT_TRUE(bench.ready());
}

TEST(Scheduler, InconclusiveHoldsEvenWhereOnlyReportingIsWanted) {
  Config config = config_of({"a"});
  config.when_failing = WhenFailing::report;
  Bench bench(std::move(config));
  bench.clock.advance(1s);
  controls()["a"].outcome = Outcome::inconclusive;
  bench.clock.advance(50s);
  EXPECT_FALSE(bench.ready());
}

TEST(Scheduler, EndsWhereABrokenControlMustEndIt) {
  Config config = config_of({"a"});
  config.when_failing = WhenFailing::exit;
  Bench bench(std::move(config));
  bench.clock.advance(1s);
  controls()["a"].outcome = Outcome::fail;
  bench.clock.advance(16s);
  EXPECT_TRUE(bench.ended);
  EXPECT_TRUE(bench.scheduler->wants_exit());
}

TEST(Scheduler, StopsAtOnceWhateverProbesWaitFor) {
  controls()["a"].hangs = true;
  Bench bench(config_of({"a"}));
  bench.scheduler->stop();
  bench.clock.settle();
  EXPECT_TRUE(bench.ended);
}

// With Boost 1.83 the first probe's answer came before the probe was known, and nothing held.
TEST(Scheduler, IsNotReadyForAMomentWhileItsProbesBegin) {
  controls()["a"].outcome = controls()["b"].outcome = Outcome::inconclusive;
  Bench bench(config_of({"a", "b"}));
  bench.clock.advance(1s);
  EXPECT_EQ(bench.logged("readiness.changed"), 0);
  bench.scheduler->reload(config_of({"c", "a", "b"}));
  bench.clock.advance(1s);
  EXPECT_EQ(bench.logged("readiness.changed"), 0);
}

TEST(Scheduler, ARunOfWhichEverythingIsSkippedIsNoFailureInARow) {
  const auto not_passed = [](const Bench& bench) {
    return bench.board.load(Instant::of(bench.clock))->probes.at(0)->not_passed;
  };
  controls()["a"].outcome = Outcome::inconclusive;
  Bench bench(config_of({"a"}));
  bench.clock.advance(2s);
  EXPECT_GT(not_passed(bench), 0u);
  controls()["a"].outcome = Outcome::skipped;
  bench.clock.advance(20s);
  EXPECT_EQ(not_passed(bench), 0u);
}

TEST(Scheduler, AFirstRunThatSeesSomethingIsNotRepeatedBecauseAnotherSawTheAppFirst) {
  controls()["a"].takes = 200ms;
  controls()["b"].takes = 150ms;  // begins half a startup_interval after a, and ends after it
  Bench bench(config_of({"a", "b"}));
  bench.clock.advance(210ms);
  EXPECT_EQ(bench.state(0), State::passing);
  bench.clock.advance(75ms);
  EXPECT_TRUE(bench.ready());
  bench.clock.advance(100ms);
  EXPECT_EQ(controls()["b"].runs, 1);
}

TEST(Scheduler, AFirstRunThatSawNothingIsRepeatedAtOnceWhereAnotherSawTheAppMeanwhile) {
  controls()["a"].takes = 200ms;
  controls()["b"].takes = 150ms;  // begins half a startup_interval after a, and ends after it
  controls()["b"].outcome = Outcome::inconclusive;
  Bench bench(config_of({"a", "b"}));
  bench.clock.advance(210ms);
  EXPECT_EQ(controls()["b"].runs, 1);
  bench.clock.advance(75ms);
  EXPECT_EQ(controls()["b"].runs, 2);
}

TEST(Scheduler, TellsWhoeverWatchesAnAppThatNeverComesUp) {
  controls()["a"].outcome = Outcome::inconclusive;
  Bench bench(config_of({"a"}));
  bench.clock.advance(9s);
  EXPECT_EQ(bench.logged("readiness.waiting"), 0);
  bench.clock.advance(2s);
  EXPECT_EQ(bench.logged("readiness.waiting"), 1);
  bench.clock.advance(60s);
  EXPECT_EQ(bench.logged("readiness.waiting"), 2);
}

TEST(Scheduler, TellsWhoeverWatchesAnAppThatDoesNotComeBack) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  ASSERT_TRUE(bench.ready());
  controls()["a"].outcome = Outcome::fail;
  bench.clock.advance(15s);
  ASSERT_FALSE(bench.ready());
  EXPECT_EQ(bench.logged("readiness.waiting"), 0);
  bench.clock.advance(11s);
  EXPECT_EQ(bench.logged("readiness.waiting"), 1);
  controls()["a"].outcome = Outcome::pass;
  bench.clock.advance(16s);
  ASSERT_TRUE(bench.ready());
  bench.clock.advance(120s);
  EXPECT_EQ(bench.logged("readiness.waiting"), 1);
}

TEST(Scheduler, ARowOfFailuresIsALineWhereItBeginsAndThenOneAtGrowingDistanceWithTheirNumber) {
  Config config = config_of({"a"});
  config.probes.push_back(probe("extra", Severity::advisory));
  Bench bench(std::move(config));
  bench.clock.advance(1s);
  controls()["extra"].outcome = Outcome::fail;
  bench.clock.advance(15s);
  const int changes = bench.logged("probe.changed");
  EXPECT_EQ(bench.logged("probe.not_passing"), 0);
  bench.clock.advance(60s);
  EXPECT_EQ(bench.logged("probe.not_passing"), 1);
  bench.clock.advance(25min);  // 100 runs
  EXPECT_EQ(bench.logged("probe.not_passing"), 2);
  EXPECT_NE(bench.lines_with("probe.not_passing").back().find("runs in a row: extra says so"),
            std::string::npos)
      << bench.lines_with("probe.not_passing").back();
  bench.clock.advance(2h);
  EXPECT_EQ(bench.logged("probe.not_passing"), 4);
  EXPECT_EQ(bench.logged("probe.changed"), changes) << "nothing has changed";
  EXPECT_EQ(bench.logged("readiness.waiting"), 0);
  controls()["extra"].outcome = Outcome::pass;
  bench.clock.advance(2h);
  EXPECT_EQ(bench.logged("probe.not_passing"), 4);
}

TEST(Scheduler, AnAdvisoryProbeThatNeverSeesAnythingIsSpokenOf) {
  Config config = config_of({"a"});
  config.probes.push_back(probe("extra", Severity::advisory));
  controls()["extra"].outcome = Outcome::inconclusive;
  Bench bench(std::move(config));
  bench.clock.advance(59s);
  EXPECT_EQ(bench.logged("probe.not_passing"), 0);
  bench.clock.advance(2s);
  EXPECT_EQ(bench.logged("probe.not_passing"), 1);
}

TEST(Scheduler, WhatHoldsReadinessIsSpokenOfOnceWithTheNumberOfRuns) {
  controls()["a"].outcome = Outcome::inconclusive;
  Bench bench(config_of({"a"}));
  bench.clock.advance(62s);
  EXPECT_EQ(bench.logged("readiness.waiting"), 2);
  EXPECT_EQ(bench.logged("probe.not_passing"), 0);
  EXPECT_NE(bench.lines_with("readiness.waiting").back().find("runs in a row)"), std::string::npos);
}

TEST(Scheduler, AFailingProbeThatIsThenSeenBrokenIsSpokenOfAgain) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  controls()["a"].outcome = Outcome::inconclusive;
  bench.clock.advance(46s);
  ASSERT_EQ(bench.state(), State::failing);
  const int changes = bench.logged("probe.changed");
  controls()["a"].outcome = Outcome::fail;
  bench.clock.advance(31s);
  EXPECT_EQ(bench.state(), State::failing);
  EXPECT_EQ(bench.logged("probe.changed"), changes + 1);
}

TEST(Scheduler, AStaleProbeThatSeesNothingIsRunAgainAtStartupPace) {
  Bench bench(config_of({"a"}));
  bench.clock.advance(1s);
  controls()["a"].outcome = Outcome::inconclusive;
  bench.clock.suspend(60s);
  bench.clock.advance(1s);
  ASSERT_EQ(bench.state(), State::stale);
  const int runs = controls()["a"].runs;
  bench.clock.advance(1s);
  EXPECT_EQ(controls()["a"].runs, runs + 4);
  EXPECT_EQ(controls()["a"].paces.back(), Pace::startup);
}

}  // namespace
}  // namespace holdshort
