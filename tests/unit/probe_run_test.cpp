// What holds for a run of every type: it is not begun where it has no way to the app, and it never throws.
#include "agent/probe_run.h"

#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using testing::HasSubstr;
using testing_support::ConfiguredProbe;
using testing_support::Stage;

ProbeOutcome run(Stage& stage, const ProbeConfig& declared, Probe& probe) {
  return stage.complete([&](ProbeContext& context) { return run_probe(declared, probe, context); });
}

struct Row {
  const char* type;
  const char* keys;
};

// Every type that has a connection to the app.
constexpr Row kConnected[] = {
    {"http", ""},
    {"tcp", "address = '127.0.0.1:1'\n"},
    {"authentication", "path = '/admin'\n"},
    {"jwt", "algorithm = 'HS256'\nsecret = { env = 'ADMIN_TOKEN' }\n"},
    {"authorization",
     "rules = [{ as = 'ops', path = '/a', expect = 'allow' }, { as = 'ops', path = '/b', expect = 'deny' "
     "}]\n"},
    {"input_validation", "body = '{\"a\": 1}'\n"},
    {"rate_limit", "limit = 5\nwindow = '1m'\n"},
    {"webhook", "secret = { env = 'ADMIN_TOKEN' }\nscheme = 'github'\n"},
    {"exposure", ""},
    {"headers", ""},
    {"cors", ""},
    {"tls", "address = '127.0.0.1:1'\n"},
    {"redis", "store = { env = 'REDIS_URL' }\n"},
};

struct Declared {
  explicit Declared(const Row& row)
      : made(std::string("[identities.ops]\nbearer = { env = 'ADMIN_TOKEN' }\n[probes.p]\ntype = '") +
                 row.type + "'\nvia = 'private'\n" + row.keys,
             [](testing_support::FakeEnvironment& environment) {
               environment.variables["REDIS_URL"] = "redis://:secret-of-redis@127.0.0.1:1/0";
             }),
        stage([](const testing_support::Sent&) { return testing_support::answer(200); }, made.environment) {}

  ProbeOutcome run() {
    stage.identities.by_name = made.config.identities;
    return holdshort::run(stage, made.config.probes.at(0), *made.probe);
  }

  ConfiguredProbe made;
  Stage stage;
};

class ProbeRun : public testing::TestWithParam<Row> {};

TEST_P(ProbeRun, ViaPrivateWithoutAPrivateAddressSendsNothingAndIsSkipped) {
  Declared declared(GetParam());
  const ProbeOutcome outcome = declared.run();
  EXPECT_EQ(outcome.outcome(), Outcome::skipped);
  ASSERT_EQ(outcome.checks.size(), 1u);
  EXPECT_EQ(outcome.checks[0].id, std::string(GetParam().type) + ".via");
  EXPECT_THAT(outcome.summary(), HasSubstr("needs FLY_PRIVATE_IP"));
  EXPECT_TRUE(declared.stage.client.sent.empty());
  EXPECT_EQ(outcome.requests, 0);
}

TEST_P(ProbeRun, ViaPrivateWithAPrivateAddressIsBegun) {
  Declared declared(GetParam());
  declared.stage.app.private_ip = "127.0.0.1";
  const ProbeOutcome outcome = declared.run();
  EXPECT_EQ(testing_support::find(outcome, std::string(GetParam().type) + ".via"), nullptr);
  EXPECT_FALSE(outcome.checks.empty());
  for (const testing_support::Sent& sent : declared.stage.client.sent)
    EXPECT_EQ(sent.endpoint.source_address, "127.0.0.1");
}

INSTANTIATE_TEST_SUITE_P(Types, ProbeRun, testing::ValuesIn(kConnected),
                         [](const auto& instance) { return std::string(instance.param.type); });

TEST(ProbeRunTypes, EveryTypeThatHasAConnectionIsInTheTable) {
  for (const ProbeType& type : probe_types()) {
    bool is_there = false;
    for (const Row& row : kConnected) is_there = is_there || type.name == row.type;
    EXPECT_EQ(is_there, type.talks != ProbeType::Talks::nothing) << type.name;
  }
}

TEST(ProbeRunTypes, WhatHasNoConnectionRunsWhateverViaSays) {
  ConfiguredProbe made("[probes.p]\ntype = 'secret'\nenv = 'ADMIN_TOKEN'\nvia = 'private'\n");
  Stage stage([](const testing_support::Sent&) { return testing_support::answer(200); }, made.environment);
  EXPECT_EQ(run(stage, made.config.probes.at(0), *made.probe).outcome(), Outcome::pass);
}

class Broken final : public Probe {
 public:
  Awaitable<ProbeOutcome> run(ProbeContext&) override {
    throw std::runtime_error("a defect of ours");
    co_return ProbeOutcome();
  }
};

TEST(ProbeRunTypes, AProbeThatBreaksHasSeenNothing) {
  ConfiguredProbe made("[probes.p]\ntype = 'http'\n");
  Stage stage([](const testing_support::Sent&) { return testing_support::answer(200); }, made.environment);
  Broken broken;
  const ProbeOutcome outcome = run(stage, made.config.probes.at(0), broken);
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_THAT(outcome.summary(), HasSubstr("the probe broke"));
}

}  // namespace
}  // namespace holdshort
