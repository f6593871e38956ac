// docs/status.schema.json and what /status answers cannot drift apart.
#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/surface/render.h"
#include "tests/support/json_schema.h"
#include "tests/support/scheduler_bench.h"

namespace holdshort {
namespace {

using namespace testing_support;
using Json = nlohmann::json;

// Readers of /status must bear new keys; here a key that the schema does not name is a fault.
void forbid_other_keys(Json& part) {
  if (part.is_object() && part.contains("properties") && part["properties"].is_object())
    part["additionalProperties"] = false;
  for (Json& inner : part)
    if (inner.is_structured()) forbid_other_keys(inner);
}

Json strict_schema() {
  std::ifstream file(std::string(HOLDSHORT_SOURCE_DIR) + "/docs/status.schema.json");
  Json schema = Json::parse(file);
  forbid_other_keys(schema);
  return schema;
}

std::string misfit_of(const std::string& body) { return misfit(strict_schema().dump(), body); }

// The pointers of every key that the schema names.
void collect_keys(const Json& part, const Json::json_pointer& at, std::vector<Json::json_pointer>& keys) {
  if (!part.is_object()) return;
  for (const auto& [word, says] : part.items()) {
    if (word != "properties" && word != "$defs") continue;
    for (const auto& [name, inner] : says.items()) {
      if (word == "properties") keys.push_back(at / word / name);
      collect_keys(inner, at / word / name, keys);
    }
  }
}

ProbeStatus in_full(State state, Outcome outcome, Severity severity) {
  ProbeStatus probe;
  probe.name = "admin_locked";
  probe.type = "authentication";
  probe.description = "only the staff";
  probe.runbook = "https://runbooks.test/admin";
  probe.severity = severity;
  probe.state = state;
  probe.outcome = outcome;
  probe.summary = "GET /admin answered 200";
  probe.run_id = std::string(32, 'a');
  probe.next_run = Wall(std::chrono::seconds(1'800'000'000));
  probe.checks = shared({{.id = "authentication.none",
                          .outcome = outcome,
                          .request = "GET /admin",
                          .expected = "401 or 403",
                          .observed = "200",
                          .references = {"CWE-306"},
                          .summary = "GET /admin answered 200"}});
  probe.unusual = {{.metric = unusual::Metric::status,
                    .of = "5xx",
                    .figures = {.observed = 0.5, .median = 0.1, .mad = 0.05},
                    .since = Wall(std::chrono::seconds(1'800'000'000))}};
  for (std::size_t n = 0; n < kHistory; ++n) {
    auto run = std::make_shared<RunRecord>();
    run->run_id = probe.run_id;
    run->outcome = outcome;
    run->summary = std::make_shared<const std::string>(probe.summary);
    run->duration = std::chrono::microseconds(1234);
    run->requests = 50;
    probe.history.push_back(run);
  }
  return probe;
}

// Every state with every outcome and severity, with and without an override.
std::vector<Status> all_kinds() {
  std::vector<Status> all(1);  // the first: before anything is known
  for (const State state : {State::pending, State::passing, State::failing, State::stale})
    for (const Outcome outcome : {Outcome::pass, Outcome::fail, Outcome::inconclusive, Outcome::skipped})
      for (const Severity severity : {Severity::required, Severity::advisory}) {
        Status status;
        status.version = "0.1.0";
        status.app = "orders";
        status.probes = {std::make_shared<const ProbeStatus>(in_full(state, outcome, severity))};
        all.push_back(status);
        status.ready = true;
        status.by_hand = Override{.ready = true,
                                  .reason = "a drill",
                                  .ttl = std::chrono::minutes(30),
                                  .set = Instant{Monotonic(), Wall(std::chrono::seconds(1'800'000'000))}};
        status.holding = {"admin_locked"};
        status.gate_unusual.emplace();
        all.push_back(status);
      }
  return all;
}

TEST(StatusSchema, EveryStatusFits) {
  for (const Status& status : all_kinds()) {
    const std::string body = render_status_json(status).body;
    ASSERT_EQ(misfit_of(body), "") << body;
  }
}

// Without one of its keys the schema no longer fits: so that key is in the output.
TEST(StatusSchema, EveryKeyOfTheSchemaIsFoundInAStatus) {
  std::vector<std::string> bodies;
  for (const Status& status : all_kinds()) bodies.push_back(render_status_json(status).body);
  std::vector<Json::json_pointer> keys;
  collect_keys(strict_schema(), Json::json_pointer(), keys);
  EXPECT_GT(keys.size(), 30u);
  for (const Json::json_pointer& key : keys) {
    Json without = strict_schema();
    without[key.parent_pointer()].erase(key.back());
    const std::string schema = without.dump();
    EXPECT_TRUE(std::any_of(bodies.begin(), bodies.end(), [&](const std::string& body) {
      return !misfit(schema, body).empty();
    })) << key.to_string();
  }
}

TEST(StatusSchema, WhatARealSchedulerPublishesFits) {
  controls()["b"].outcome = Outcome::fail;
  Bench bench(config_of({"a", "b", "c"}));
  for (int n = 0; n < 70; ++n) {
    controls()["c"].outcome = static_cast<Outcome>(n % 4);
    bench.clock.advance(15s);
    ASSERT_EQ(misfit_of(render_status_json(*bench.board.load(Instant::of(bench.clock))).body), "");
  }
}

TEST(StatusSchema, WhatDoesNotFitIsSeen) {
  const Json good = Json::parse(render_status_json(all_kinds().back()).body);
  ASSERT_EQ(misfit_of(good.dump()), "");
  const auto with = [&](const char* pointer, Json value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = std::move(value);
    return misfit_of(bad.dump());
  };
  EXPECT_NE(with("/status", "good"), "");
  EXPECT_NE(with("/ready", 1), "");
  EXPECT_NE(with("/something_new", 1), "");
  EXPECT_NE(with("/since", "yesterday"), "");
  EXPECT_NE(with("/override/reason", ""), "");
  EXPECT_NE(with("/override", false), "");
  EXPECT_NE(with("/holding/0", "no name"), "");
  EXPECT_NE(with("/checks/admin_locked/0/outcome", "ok"), "");
  EXPECT_NE(with("/checks/admin_locked/0/history/0/requests", -1), "");
  EXPECT_NE(with("/checks/admin_locked/0/observed/0/references", Json::array({1})), "");
  EXPECT_NE(with("/checks/admin_locked/1", Json::object()), "");
  Json bad = good;
  bad["checks"]["no name"] = good["checks"]["admin_locked"];
  EXPECT_NE(misfit_of(bad.dump()), "");
  bad = good;
  bad.erase("holding");
  EXPECT_NE(misfit_of(bad.dump()), "");
}

}  // namespace
}  // namespace holdshort
