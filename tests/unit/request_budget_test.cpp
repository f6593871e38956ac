// The pace of all probes together, on a clock that is moved by hand.
#include "agent/request_budget.h"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include "agent/observed_client.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_probe.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing_support::ManualClock;

constexpr int kRate = 50;

struct Bench {
  Bench() { clock.advance(1s); }  // the budget has been idle
  Monotonic begin() const { return start; }
  std::chrono::milliseconds at(std::size_t n) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(times.at(n) - start);
  }
  // The most that was sent in any second.
  int most_in_a_second() const {
    std::ptrdiff_t most = 0;
    for (auto from = times.begin(); from != times.end(); ++from)
      most = std::max(most, std::upper_bound(from, times.end(), *from + 999ms) - from);
    return static_cast<int>(most);
  }

  boost::asio::io_context loop{1};
  ManualClock clock{loop};
  std::vector<Monotonic> times;
  testing_support::ScriptedClient wire{[this](const testing_support::Sent&) {
    times.push_back(clock.now());
    return testing_support::answer(200);
  }};
  RequestBudget budget{clock, kRate};
  Monotonic start{};
};

Awaitable<void> send(HttpClient& client, int requests) {
  for (int n = 0; n < requests; ++n) co_await client.send(Endpoint(), Request(), Limits());
}
Awaitable<void> burst(HttpClient& client, int requests) {
  std::vector<Request> all(static_cast<std::size_t>(requests));
  co_await client.burst(Endpoint(), std::move(all), Limits());
}
Awaitable<void> reserve_and_send(MeteredClient& client, int reserved, int sent) {
  co_await client.reserve(reserved);
  co_await send(client, sent);
}

void spawn(Bench& bench, Awaitable<void> work) {
  boost::asio::co_spawn(bench.loop, std::move(work), boost::asio::detached);
}

TEST(RequestBudget, InASecondNoMoreThanTheRateAndItsSmallStockIsSent) {
  Bench bench;
  MeteredClient client(bench.wire, &bench.budget);
  spawn(bench, send(client, 300));
  bench.clock.advance(3s);
  EXPECT_LE(bench.most_in_a_second(), kRate + kRate / 10);
  EXPECT_GE(bench.times.size(), 3u * kRate);
}

TEST(RequestBudget, ManyProbesShareIt) {
  Bench bench;
  MeteredClient a(bench.wire, &bench.budget), b(bench.wire, &bench.budget);
  spawn(bench, send(a, 200));
  spawn(bench, send(b, 200));
  bench.clock.advance(2s);
  EXPECT_LE(bench.times.size(), 2u * kRate + kRate / 10);
}

TEST(RequestBudget, ABurstIsSavedForAndThenSentAtOnce) {
  Bench bench;
  bench.start = bench.clock.now();
  MeteredClient client(bench.wire, &bench.budget);
  spawn(bench, burst(client, kRate));
  bench.clock.advance(800ms);
  EXPECT_TRUE(bench.times.empty());
  bench.clock.advance(200ms);
  ASSERT_EQ(bench.times.size(), static_cast<std::size_t>(kRate));
  EXPECT_EQ(bench.times.front(), bench.times.back());
}

TEST(RequestBudget, PayersAreServedInTheOrderOfTheirComing) {
  Bench bench;
  MeteredClient big(bench.wire, &bench.budget), small(bench.wire, &bench.budget);
  spawn(bench, burst(big, 20));
  bench.clock.settle();
  spawn(bench, send(small, 1));
  bench.clock.advance(2s);
  ASSERT_EQ(bench.times.size(), 21u);
  EXPECT_EQ(std::count(bench.times.begin(), bench.times.end(), bench.times.front()), 20);
}

TEST(RequestBudget, WhatIsReservedIsThenSentAtFullSpeedButNoMore) {
  Bench bench;
  MeteredClient client(bench.wire, &bench.budget);
  spawn(bench, reserve_and_send(client, 40, 60));
  bench.clock.advance(10s);
  ASSERT_EQ(bench.times.size(), 60u);
  EXPECT_EQ(bench.times[0], bench.times[39]);
  EXPECT_GT(bench.times[59], bench.times[39] + 200ms);
}

TEST(RequestBudget, AReservationLeavesHalfToOthers) {
  Bench bench;
  bench.start = bench.clock.now();
  MeteredClient saver(bench.wire, &bench.budget), other(bench.wire, &bench.budget);
  spawn(bench, reserve_and_send(saver, 100, 0));
  spawn(bench, send(other, 1000));
  bench.clock.advance(4s);  // at half the rate the saver needs all of it
  EXPECT_GE(bench.times.size(), 95u);
}

TEST(RequestBudget, AReservationTakesAtMostHalf) {
  Bench bench;
  bench.start = bench.clock.now();
  MeteredClient saver(bench.wire, &bench.budget);
  spawn(bench, reserve_and_send(saver, 100, 1));
  bench.clock.advance(3900ms);
  EXPECT_TRUE(bench.times.empty());
  bench.clock.advance(200ms);
  EXPECT_EQ(bench.times.size(), 1u);
}

TEST(RequestBudget, WhoIsUrgentGoesAheadOfAllThatWaitAndTheRateHolds) {
  Bench bench;
  MeteredClient big(bench.wire, &bench.budget), small(bench.wire, &bench.budget);
  MeteredClient urgent(bench.wire, &bench.budget, Urgency::urgent);
  spawn(bench, burst(big, 2 * kRate));
  spawn(bench, send(small, kRate));
  bench.clock.advance(500ms);
  ASSERT_TRUE(bench.times.empty());
  bench.start = bench.clock.now();
  spawn(bench, send(urgent, kRate));
  bench.clock.advance(900ms);
  EXPECT_EQ(bench.times.size(), static_cast<std::size_t>(kRate));
  bench.clock.advance(1400ms);  // the big one was due after 1400ms, and has to save for a second more
  EXPECT_EQ(bench.times.size(), static_cast<std::size_t>(kRate));
  bench.clock.advance(200ms);
  EXPECT_GE(bench.times.size(), static_cast<std::size_t>(3 * kRate));
  bench.clock.advance(1s);
  EXPECT_EQ(bench.times.size(), static_cast<std::size_t>(4 * kRate));
}

TEST(RequestBudget, UrgentOnesAreServedInTheOrderOfTheirComing) {
  Bench bench;
  bench.start = bench.clock.now();
  MeteredClient a(bench.wire, &bench.budget, Urgency::urgent), b(bench.wire, &bench.budget, Urgency::urgent);
  spawn(bench, burst(a, kRate));
  spawn(bench, burst(b, kRate));
  bench.clock.advance(1s);
  EXPECT_EQ(bench.times.size(), static_cast<std::size_t>(kRate));
  bench.clock.advance(1s);
  EXPECT_EQ(bench.times.size(), static_cast<std::size_t>(2 * kRate));
}

TEST(RequestBudget, WithoutOneNothingWaits) {
  Bench bench;
  MeteredClient client(bench.wire, nullptr);
  spawn(bench, reserve_and_send(client, 1000, 500));
  bench.clock.settle();
  EXPECT_EQ(bench.times.size(), 500u);
}

TEST(RequestBudget, ANewRateHoldsForThoseWhoPayFromThenOn) {
  Bench bench;
  MeteredClient client(bench.wire, &bench.budget);
  bench.budget.set_rate(5);
  spawn(bench, send(client, 100));
  bench.clock.advance(10s);
  EXPECT_LE(bench.times.size(), 52u);
  EXPECT_GE(bench.times.size(), 49u);
}

TEST(Phases, ArePartsOfTheTimeThatRequestsTook) {
  Phases phases;
  phases.add(Timing{.connect = 2ms, .tls = 7ms, .first_byte = 17ms, .total = 20ms});
  phases.add(Timing{.connect = 1ms, .tls = 0ms, .first_byte = 4ms, .total = 4ms});
  EXPECT_EQ(phases.connect, 3ms);
  EXPECT_EQ(phases.tls, 5ms);
  EXPECT_EQ(phases.first_byte, 13ms);
  EXPECT_EQ(phases.transfer, 3ms);
}

TEST(Phases, OfARequestThatWasGivenUpHaveOnlyWhatWasReached) {
  Phases phases;
  phases.add(Timing{.connect = 0ms, .tls = 0ms, .first_byte = 0ms, .total = 5000ms});
  phases.add(Timing{.connect = 2ms, .tls = 0ms, .first_byte = 0ms, .total = 5000ms});
  EXPECT_EQ(phases.connect, 2ms);
  EXPECT_EQ(phases.tls + phases.first_byte + phases.transfer, 0ms);
}

TEST(ObservedClient, AddsUpThePhasesOfAllRequestsOfARun) {
  boost::asio::io_context loop{1};
  testing_support::ScriptedClient wire{[](const testing_support::Sent&) {
    Response response = testing_support::answer(200);
    response.timing = Timing{.connect = 1ms, .tls = 0ms, .first_byte = 3ms, .total = 4ms};
    return response;
  }};
  Sightings sightings;
  ObservedClient client(wire, sightings, "a");
  boost::asio::co_spawn(loop, send(client, 2), boost::asio::detached);
  boost::asio::co_spawn(loop, burst(client, 3), boost::asio::detached);
  loop.run();
  EXPECT_EQ(client.phases().connect, 5ms);
  EXPECT_EQ(client.phases().first_byte, 10ms);
  EXPECT_EQ(client.phases().transfer, 5ms);
}

}  // namespace
}  // namespace holdshort
