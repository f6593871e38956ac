// What the endpoints say of a snapshot.
#include "agent/surface/render.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace holdshort {
namespace {

std::shared_ptr<ProbeStatus> probe(std::string name, State state, Severity severity = Severity::required) {
  auto status = std::make_shared<ProbeStatus>();
  status->name = std::move(name);
  status->type = "http";
  status->state = state;
  status->severity = severity;
  status->summary = "GET /secret-path answered 500";
  return status;
}

Status status_of(std::vector<std::shared_ptr<ProbeStatus>> probes) {
  Status status;
  status.ready = true;
  for (auto& one : probes) {
    if (one->severity == Severity::required && one->state != State::passing) {
      status.ready = false;
      status.holding.push_back(one->name);
    }
    status.probes.push_back(std::move(one));
  }
  return status;
}

TEST(Readyz, NamesTheProbesThatHoldInItsFirstLine) {
  const Answer answer = render_readyz(
      status_of({probe("a", State::failing), probe("b", State::pending), probe("c", State::passing)}));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "not ready: a, b\n");
}

TEST(Readyz, IsReadyWhateverAdvisoryProbesSay) {
  const Answer answer =
      render_readyz(status_of({probe("a", State::passing), probe("b", State::failing, Severity::advisory)}));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ready\n");
}

TEST(Readyz, TheFirstLineIsShorterThanEightyHoweverManyHold) {
  for (const std::size_t length : {1u, 10u, 40u, 63u}) {
    std::vector<std::shared_ptr<ProbeStatus>> probes;
    for (int n = 0; n < 200; ++n) {
      probes.push_back(probe(std::string(length, 'x'), State::failing));
      const std::string body = render_readyz(status_of(probes)).body;
      EXPECT_LT(body.find('\n'), kFirstLine) << length << ' ' << n;
    }
  }
}

TEST(ReadyzVerbose, HasTheSameStatusAndTellsNoReason) {
  for (const State state : {State::pending, State::passing, State::failing, State::stale}) {
    const Status status = status_of({probe("a", state), probe("b", State::failing, Severity::advisory)});
    const Answer verbose = render_readyz_verbose(status);
    EXPECT_EQ(verbose.status, render_readyz(status).status);
    EXPECT_EQ(verbose.body.find("secret-path"), std::string::npos);
    EXPECT_NE(verbose.body.find("[-]b failing"), std::string::npos);
  }
  EXPECT_NE(render_readyz_verbose(status_of({probe("a", State::passing)})).body.find("[+]a ok\n"),
            std::string::npos);
}

TEST(ReadyzProbe, AnswersForOne) {
  const Status status =
      status_of({probe("a", State::passing), probe("b", State::failing, Severity::advisory)});
  EXPECT_EQ(render_readyz_probe(status, "a").status, 200);
  EXPECT_EQ(render_readyz_probe(status, "b").status, 503);
  EXPECT_EQ(render_readyz_probe(status, "c").status, 404);
}

TEST(StatusJson, HasWhatTheContractNames) {
  const Answer answer = render_status_json(
      status_of({probe("a", State::passing), probe("b", State::failing, Severity::advisory)}));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/health+json");
  const auto json = nlohmann::json::parse(answer.body);
  EXPECT_EQ(json["status"], "warn");
  EXPECT_EQ(json["ready"], true);
  EXPECT_TRUE(json["override"].is_null());
  const auto& check = json["checks"]["b"][0];
  for (const char* key : {"componentType", "status", "state", "severity", "outcome", "since", "time",
                          "output", "run_id", "observed", "history", "next_run"})
    EXPECT_TRUE(check.contains(key)) << key;
  EXPECT_EQ(check["status"], "warn");
  EXPECT_EQ(nlohmann::json::parse(render_status_json(status_of({probe("a", State::failing)})).body)["status"],
            "fail");
}

}  // namespace
}  // namespace holdshort
