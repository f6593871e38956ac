// Outcomes over time, one sentence of the contract a row.
#include "agent/readiness.h"

#include <gtest/gtest.h>

#include "agent/status.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;

const Monotonic kStart{1h};
constexpr auto kMaxAge = max_age(15s, 5s);  // a verdict lives 3 x 15s + 5s = 50s

struct Ran {
  std::chrono::milliseconds at;
  Outcome outcome;
};

constexpr Outcome P = Outcome::pass, F = Outcome::fail, I = Outcome::inconclusive, S = Outcome::skipped;

struct Row {
  const char* name;
  std::vector<Ran> history;
  std::chrono::milliseconds asked_at;
  State state;
  Thresholds thresholds{};
};

Thresholds unconfirmed(int failure = 1, int success = 1, int inconclusive = 3,
                       std::chrono::milliseconds grace = {}) {
  return {.failure = failure,
          .success = success,
          .inconclusive = inconclusive,
          .confirm = false,
          .grace_period = grace};
}

class Readiness : public testing::TestWithParam<Row> {};

TEST_P(Readiness, Holds) {
  const Row& row = GetParam();
  Track track(row.thresholds, kStart);
  for (const Ran& run : row.history) {
    track.age(kStart + run.at, kMaxAge);
    track.completed(run.outcome, kStart + run.at);
  }
  track.age(kStart + row.asked_at, kMaxAge);
  EXPECT_EQ(name_of(track.state()), name_of(row.state));
}

INSTANTIATE_TEST_SUITE_P(
    States, Readiness,
    testing::Values(
        Row{"NeverRunIsPending", {}, 1s, State::pending}, Row{"OnePassPasses", {{0s, P}}, 1s, State::passing},
        Row{"InconclusiveIsNotAPass", {{0s, I}, {1s, I}, {2s, I}, {3s, I}}, 4s, State::pending},
        Row{"AFailBeforeTheFirstPassFails", {{0s, F}}, 1s, State::failing},
        Row{"SkippedCountsAsAPass", {{0s, S}}, 1s, State::passing},
        Row{"FirstFailAfterAPassAwaitsItsRepeat", {{0s, P}, {15s, F}}, 15s, State::passing},
        Row{"AFailSeenTwiceFails", {{0s, P}, {15s, F}, {15s, F}}, 16s, State::failing},
        Row{"AFailThatIsNotSeenAgainIsDropped", {{0s, P}, {15s, F}, {15s, P}}, 16s, State::passing},
        Row{"AFailWhoseRepeatIsUnclearIsDropped", {{0s, P}, {15s, F}, {15s, I}}, 16s, State::passing},
        Row{"WithoutConfirmationOneFailFails", {{0s, P}, {15s, F}}, 15s, State::failing, unconfirmed()},
        Row{"TheFailureThresholdCountsRunsInARow",
            {{0s, P}, {1s, F}, {2s, F}, {3s, P}, {4s, F}, {5s, F}},
            6s,
            State::passing,
            unconfirmed(3)},
        Row{"TheFailureThresholdIsReached",
            {{0s, P}, {1s, F}, {2s, F}, {3s, F}},
            4s,
            State::failing,
            unconfirmed(3)},
        Row{"AConfirmedPairCountsOnce", {{0s, P}, {15s, F}, {15s, F}}, 16s, State::passing, {.failure = 2}},
        Row{"TheSuccessThresholdHolds", {{0s, P}, {1s, P}}, 2s, State::pending, unconfirmed(1, 3)},
        Row{"TheSuccessThresholdIsReached",
            {{0s, P}, {1s, P}, {2s, P}},
            3s,
            State::passing,
            unconfirmed(1, 3)},
        Row{"AnInconclusiveRunBreaksARowOfPasses",
            {{0s, P}, {1s, I}, {2s, P}},
            3s,
            State::pending,
            unconfirmed(1, 2)},
        Row{"TwoInconclusiveRunsAreBorne", {{0s, P}, {15s, I}, {30s, I}}, 31s, State::passing},
        Row{"ThreeInconclusiveRunsFail", {{0s, P}, {15s, I}, {30s, I}, {45s, I}}, 46s, State::failing},
        Row{"AFailingProbeRecovers", {{0s, P}, {15s, F}, {15s, F}, {30s, P}}, 31s, State::passing},
        Row{"AnInconclusiveRunIsNoRecovery", {{0s, F}, {15s, I}}, 16s, State::failing},
        Row{"AFailInTheGracePeriodIsPending", {{5s, F}}, 6s, State::pending, unconfirmed(1, 1, 3, 10s)},
        Row{"AFailAfterTheGracePeriodFails",
            {{5s, F}, {11s, F}},
            12s,
            State::failing,
            unconfirmed(1, 1, 3, 10s)},
        Row{"TheFirstPassEndsTheGracePeriod",
            {{1s, P}, {2s, F}},
            3s,
            State::failing,
            unconfirmed(1, 1, 3, 10s)},
        Row{"VerdictAtItsAgeLimitStillCounts", {{0s, P}}, 50s, State::passing},
        Row{"AnOlderVerdictIsStale", {{0s, P}}, 51s, State::stale},
        Row{"AStaleVerdictPassesAgain", {{0s, P}, {60s, P}}, 61s, State::passing},
        Row{"AStaleVerdictStaysSoWhileNothingIsSeen", {{0s, P}, {60s, I}}, 61s, State::stale},
        Row{"PendingDoesNotAge", {{0s, I}}, 1h, State::pending}),
    [](const auto& row) { return row.param.name; });

TEST(ReadinessConfirmation, AFailAfterAPassAsksForARunAtOnce) {
  Track track({}, kStart);
  EXPECT_EQ(track.completed(P, kStart), Track::Next::as_scheduled);
  EXPECT_EQ(track.completed(F, kStart + 1s), Track::Next::confirm_now);
  EXPECT_EQ(track.completed(F, kStart + 1s), Track::Next::as_scheduled);
  EXPECT_EQ(track.outcome(), F);
}

TEST(ReadinessSuspension, EveryVerdictIsStaleUntilItsProbeHasRunAgain) {
  Track track({}, kStart);
  track.completed(P, kStart);
  track.distrust();
  EXPECT_EQ(track.state(), State::stale);
  track.completed(P, kStart + 1s);
  EXPECT_EQ(track.state(), State::passing);
}

// --- the snapshot

std::shared_ptr<const Status> ready_until(Monotonic until, Instant published) {
  auto status = std::make_shared<Status>();
  auto probe = std::make_shared<ProbeStatus>();
  probe->name = "admin_locked";
  probe->state = State::passing;
  probe->valid_until = until;
  status->ready = true;
  status->probes = {probe};
  status->valid_until = until;
  status->clock_offset = published.offset();
  return status;
}

TEST(Snapshot, IsReadyUntilItsFirstVerdictIsStale) {
  const Instant now{kStart, Wall{1000h}};
  StatusBoard board;
  EXPECT_FALSE(board.load(now)->ready);
  board.publish(ready_until(kStart + 50s, now));
  EXPECT_TRUE(board.load(now)->ready);
  const Instant later{kStart + 51s, Wall{1000h} + 51s};
  EXPECT_FALSE(board.load(later)->ready);
  EXPECT_EQ(board.load(later)->holding, std::vector<std::string>{"admin_locked"});
  EXPECT_EQ(board.load(later)->probes[0]->state, State::stale);
}

TEST(Snapshot, OfASuspendedMachineIsNotReady) {
  const Instant now{kStart, Wall{1000h}};
  StatusBoard board;
  board.publish(ready_until(kStart + 50s, now));
  EXPECT_TRUE(is_ready(*board.load(now), {kStart + 1s, Wall{1000h} + 1s + kClockJump}));
  EXPECT_FALSE(board.load({kStart + 1s, Wall{1000h} + 2s + kClockJump})->ready);
  EXPECT_FALSE(board.load({kStart + 1s, Wall{1000h} - 2s - kClockJump})->ready);
}

TEST(Heart, IsAliveWhileItBeats) {
  StatusBoard board;
  EXPECT_FALSE(board.alive(kStart));
  board.beat(kStart);
  EXPECT_TRUE(board.alive(kStart + StatusBoard::kSilence));
  EXPECT_FALSE(board.alive(kStart + StatusBoard::kSilence + 1s));
}

}  // namespace
}  // namespace holdshort
