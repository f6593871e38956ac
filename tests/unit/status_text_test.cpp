// What `holdshort status` shows of /status.
#include "agent/cli/status.h"

#include <gtest/gtest.h>

#include "agent/surface/render.h"
#include "agent/timestamp.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;

const Wall kNow{1'800'000'000s};

std::shared_ptr<ProbeStatus> probe(std::string name, State state, Outcome outcome) {
  auto status = std::make_shared<ProbeStatus>();
  status->name = std::move(name);
  status->type = "authentication";
  status->state = state;
  status->outcome = outcome;
  status->since = kNow - 192s;
  status->next_run = kNow + 8s;
  status->summary = "GET /admin answered 200 without credentials";
  status->runbook = "https://runbooks.test/admin";
  status->checks = shared({{.id = "authentication.none",
                            .outcome = outcome,
                            .request = "GET /admin",
                            .expected = "401 or 403",
                            .observed = "200\x1b[2J\n",
                            .references = {"CWE-306"},
                            .summary = "x"}});
  for (const Outcome one : {outcome, Outcome::pass, Outcome::inconclusive}) {
    auto run = std::make_shared<RunRecord>();
    run->outcome = one;
    run->ended = kNow;
    status->history.push_back(run);
  }
  return status;
}

std::string shown(const Status& status, Colour colour = Colour::no) {
  const auto text = render_status_text(render_status_json(status).body, kNow, colour);
  EXPECT_TRUE(text);
  EXPECT_EQ(text->ready, status.ready);
  return text->text;
}

Status broken() {
  Status status;
  status.app = "orders";
  status.since = kNow - 192s;
  status.probes = {probe("alive", State::passing, Outcome::pass),
                   probe("admin", State::failing, Outcome::fail)};
  return status;
}

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

TEST(StatusText, WhatIsBrokenComesFirstWithItsEvidence) {
  const std::string text = shown(broken());
  EXPECT_TRUE(text.starts_with("NOT READY  orders  for 3m12s")) << text;
  EXPECT_LT(text.find("failing   admin"), text.find("passing   alive")) << text;
  for (const char* part : {"sent:     GET /admin", "expected: 401 or 403", "observed: 200", "CWE-306",
                           "[?.x]", "next run in 8s", "runbook: https://runbooks.test/admin"})
    EXPECT_TRUE(has(text, part)) << part;
}

TEST(StatusText, NothingThatAnAppAnswersReachesTheTerminalAsACommand) {
  const std::string text = shown(broken());
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_TRUE(has(text, "\\x1b[2J\\n"));
}

TEST(StatusText, ColoursOnlyWhereTheyAreWanted) {
  EXPECT_TRUE(has(shown(broken(), Colour::yes), "\x1b[31mNOT READY\x1b[0m"));
}

TEST(StatusText, AnOverrideIsShown) {
  Status status = broken();
  status.ready = true;
  status.by_hand = Override{.ready = true, .reason = "incident 42", .ttl = 30min, .set = {{}, kNow}};
  const std::string text = shown(status);
  EXPECT_TRUE(text.starts_with("READY")) << text;
  EXPECT_TRUE(has(text, "BY HAND  ready until 2027-01-15T08:30:00.000Z: incident 42")) << text;
}

TEST(StatusText, WhatIsNoStatusIsSaid) {
  for (const char* other :
       {"", "<html>", "{}", "[]", R"({"ready": "yes"})", R"({"ready": true, "checks": 1})"})
    EXPECT_FALSE(render_status_text(other, kNow, Colour::no)) << other;
}

TEST(Timestamp, IsReadBackToTheSecond) {
  EXPECT_EQ(parse_timestamp(timestamp(kNow + 123ms)), kNow);
  for (const char* other : {"", "yesterday", "2026-11-23"}) EXPECT_FALSE(parse_timestamp(other)) << other;
}

TEST(StatusText, SaysWhatToDoAlsoWithoutARunbookAndOnlyOnce) {
  auto one = probe("admin_locked", State::failing, Outcome::fail);
  one->runbook = "";
  Status status;
  status.probes = {one};
  const std::string text = shown(status);
  const std::string line = "do:      the path is open to everybody";
  ASSERT_NE(text.find(line), std::string::npos) << text;
  EXPECT_EQ(text.find("do:", text.find(line) + 1), std::string::npos) << text;
  status.probes = {probe("admin_locked", State::passing, Outcome::pass)};
  EXPECT_EQ(shown(status).find("do:"), std::string::npos);
}

}  // namespace
}  // namespace holdshort
