// The status page as text. How it looks and behaves in a browser: tests/e2e/page.mjs.
#include "agent/surface/page.h"

#include <fmt/format.h>

#include <gtest/gtest.h>

#include "agent/surface/page_assets.h"
#include "agent/timestamp.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;

const Wall kNow{1'800'000'000s};

std::shared_ptr<ProbeStatus> probe(std::string name, State state, Severity severity = Severity::required) {
  auto status = std::make_shared<ProbeStatus>();
  status->name = std::move(name);
  status->type = "authentication";
  status->state = state;
  status->severity = severity;
  status->since = kNow - 192s;
  status->next_run = kNow + 8s;
  return status;
}

Status status_of(std::vector<std::shared_ptr<ProbeStatus>> probes) {
  Status status;
  status.ready = true;
  status.since = kNow - 1h;
  for (auto& one : probes) {
    if (one->severity == Severity::required && one->state != State::passing) {
      status.ready = false;
      status.holding.push_back(one->name);
    }
    status.probes.push_back(std::move(one));
  }
  return status;
}

std::string page(const Status& status, PageContext context = {}) {
  context.now.wall = kNow;
  return render_page(status, context).body;
}

bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

Check evidence(const std::string& observed) {
  return {.id = "authentication.none",
          .outcome = Outcome::fail,
          .request = "GET /admin",
          .expected = "401 or 403",
          .observed = observed,
          .references = {"CWE-306", "ASVS 8.3.1"},
          .summary = "GET /admin answered 200"};
}

TEST(Page, SaysInOneGlanceWhetherItIsReadyAndWhatHoldsIt) {
  EXPECT_TRUE(has(page(status_of({probe("a", State::passing)})), "<h1>\u2713 Ready</h1>"));
  const std::string broken = page(status_of({probe("a", State::failing)}));
  EXPECT_TRUE(has(broken, "<h1>\u2717 Not ready</h1>"));
  EXPECT_TRUE(has(broken, "Held by <a href=\"#probe-a\">a</a>"));
  EXPECT_TRUE(has(broken, "<title>\u2717 not ready"));
}

TEST(Page, WhatNeedsAttentionComesFirst) {
  const std::string text = page(status_of(
      {probe("fine", State::passing), probe("advised", State::failing, Severity::advisory),
       probe("waits", State::pending), probe("old", State::stale), probe("broken", State::failing)}));
  std::size_t last = 0;
  for (const char* name : {"broken", "old", "waits", "advised", "fine"}) {
    const std::size_t at = text.find(fmt::format("id=\"probe-{}\"", name));
    EXPECT_GT(at, last) << name;
    last = at;
  }
}

TEST(Page, ABrokenControlShowsItsEvidenceAndWhatToDo) {
  auto broken = probe("a", State::failing);
  broken->checks = shared({evidence("200")});
  broken->runbook = "https://runbooks.test/admin";
  broken->run_id = "0c00591e36aa8af36ffed710c3336057";
  const std::string text = page(status_of({broken}));
  for (const char* part :
       {"<dt>sent</dt><dd class=\"code\">GET /admin</dd>", "<dd class=\"code\">401 or 403</dd>",
        "<dd class=\"code\">200</dd>", "href=\"https://cwe.mitre.org/data/definitions/306.html\"",
        "ASVS 8.3.1", "href=\"https://runbooks.test/admin\"", "failing for 3m12s", "Next in 8s",
        "<code>0c00591e36aa8af36ffed710c3336057</code>", "<b>Fails:</b>"})
    EXPECT_TRUE(has(text, part)) << part;
}

TEST(Page, TheStripHasABarForEveryRunThatIsKept) {
  auto one = probe("a", State::passing);
  for (std::size_t n = 0; n < kHistory; ++n) {
    auto run = std::make_shared<RunRecord>();
    run->ended = kNow;
    run->outcome = n % 2 ? Outcome::pass : Outcome::fail;
    run->duration = std::chrono::milliseconds(n);
    one->history.push_back(run);
  }
  const std::string text = page(status_of({one}));
  EXPECT_EQ(count(text, "<rect class=\"pass\""), kHistory / 2);
  EXPECT_EQ(count(text, "<rect class=\"fail\""), kHistory / 2);
  EXPECT_TRUE(has(text, "<title>pass, 59.0 ms, 08:00:00 UTC</title>"));
}

TEST(Page, WhatAnAppOrAConfigurationSaysIsNeverMarkup) {
  const std::string attack =
      "\"'><img src=x onerror=alert(1)></title></style><script>alert(1)</script>\x01\xff";
  auto hostile = probe("a", State::failing);
  hostile->summary = hostile->description = hostile->run_id = attack;
  hostile->runbook = "https://x/" + attack;
  Check check = evidence(attack);
  check.id = check.request = check.expected = check.summary = attack;
  check.references = {attack};
  hostile->checks = shared({check});
  Status status = status_of({hostile});
  status.app = status.machine = status.region = status.release = status.version = attack;
  status.by_hand = Override{.ready = true, .reason = attack, .ttl = 1h, .set = {{}, kNow}};
  const std::string text = page(status);
  EXPECT_EQ(count(text, "<script>"), 1u);  // ours
  EXPECT_EQ(count(text, "</style>"), 1u);
  EXPECT_EQ(count(text, "</title>"), 1u);
  EXPECT_FALSE(has(text, "<img"));
  EXPECT_FALSE(has(text, "\xff"));
  EXPECT_FALSE(has(text, "\x01"));
}

TEST(Page, OverrideStalenessADeadSchedulerAndARejectedFileAreBanners) {
  Status status = status_of({probe("a", State::stale)});
  const std::string quiet = page(status_of({probe("a", State::passing)}));
  for (const char* banner : {"id=\"override\"", "id=\"stale\"", "The scheduler has stopped", "was rejected"})
    EXPECT_FALSE(has(quiet, banner)) << banner;
  status.by_hand = Override{.ready = true, .reason = "incident 42", .ttl = 30min, .set = {{}, kNow}};
  status.ready = true;
  const std::string loud =
      page(status, {.now = {}, .heart = Heart::stopped, .reload = {Reload::Result::rejected, kNow}});
  for (const char* banner : {"id=\"override\"", "incident 42", "for another 30m", "Otherwise held by",
                             "id=\"stale\"", "The scheduler has stopped", "was rejected"})
    EXPECT_TRUE(has(loud, banner)) << banner;
}

TEST(Page, LoadsNothingAndLetsOnlyItsOwnStyleAndScriptWork) {
  const Answer answer = render_page(status_of({probe("a", State::passing)}), {});
  const auto header = [&](std::string_view name) {
    for (const auto& [key, value] : answer.headers)
      if (key == name) return value;
    return std::string();
  };
  const std::string policy = header("Content-Security-Policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; style-src 'sha256-")) << policy;
  EXPECT_FALSE(has(policy, "unsafe"));
  EXPECT_TRUE(has(policy, "frame-ancestors 'none'"));
  EXPECT_EQ(header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header("Referrer-Policy"), "no-referrer");
  EXPECT_TRUE(has(answer.body, fmt::format("<style>{}</style>", page::kStyle)));
  EXPECT_TRUE(has(answer.body, fmt::format("<script>{}</script>", page::kScript)));
  EXPECT_FALSE(has(answer.body, " style=\""));
  EXPECT_FALSE(has(answer.body, " src="));
  EXPECT_FALSE(has(answer.body, " onclick"));
}

TEST(Page, KeepsItselfUpToDateWithoutScriptsToo) {
  EXPECT_TRUE(has(page(status_of({})), "<noscript><meta http-equiv=\"refresh\""));
}

TEST(SpanText, IsReadByPeople) {
  EXPECT_EQ(span_text(-5s), "0s");
  EXPECT_EQ(span_text(42400ms), "42s");
  EXPECT_EQ(span_text(192s), "3m12s");
  EXPECT_EQ(span_text(26h + 3min + 2s), "26h3m");
}

TEST(Page, SaysWhatToDoAlsoWithoutARunbookAndOnlyOnce) {
  auto failing = probe("a", State::failing);
  failing->checks = shared({evidence("200")});
  const std::string html = page(status_of({failing}));
  EXPECT_EQ(count(html, "the path is open to everybody"), 1u);
  EXPECT_TRUE(has(html, "<b>Do:</b> the path is open to everybody"));
  Check by_path = evidence("200");
  by_path.id = "authentication.path.case";
  failing->checks = shared({evidence("200"), by_path});
  EXPECT_TRUE(has(page(status_of({failing})), "<dt>do</dt><dd class=\"code\">roll back, or let"));
  failing->state = State::stale;
  EXPECT_TRUE(has(page(status_of({failing})), "<b>Do:</b> it runs again by itself"));
  failing->state = State::passing;
  EXPECT_FALSE(has(page(status_of({failing})), "<b>Do:</b>"));
}

}  // namespace
}  // namespace holdshort
