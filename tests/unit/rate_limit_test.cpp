// The rate_limit probe against limiters that hold, that do not, and that only look like one.
#include <functional>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::expect_verdict;
using testing_support::find;
using testing_support::no_answer;
using testing_support::Sent;
using testing_support::Stage;

const char* const kConfig = R"(
[probes.search]
type = "rate_limit"
path = "/search"
limit = 10
window = "1m"
)";

// A fixed-window limiter over one endpoint, with its flaws as switches.
struct Limiter {
  int limit = 10;
  std::function<std::string(const Sent&)> key = [](const Sent& s) { return s.header("Fly-Client-IP"); };
  int refusal = 429, served = 200;
  bool atomic = true;
  bool headers = false;
  std::vector<Header> refusal_headers;
  std::function<bool(const Sent&)> routes = [](const Sent& s) {
    return s.request.target.substr(0, s.request.target.find('?')) == "/search";
  };
  std::map<std::string, int> counts;
  int bursting = 0;

  Response operator()(const Sent& sent) {
    if (!routes(sent)) return answer(404, R"({"error":"not found"})");
    int& count = counts[key(sent)];
    // Requests that arrive together all read the counter before one writes it.
    const int seen = sent.in_burst && !atomic ? count - bursting : count;
    bursting = sent.in_burst && !atomic ? bursting + 1 : 0;
    if (seen >= limit) return answer(refusal, "slow down", refusal_headers);
    ++count;
    Response response = answer(served, R"({"products":["lamp","desk"]})");
    if (headers) {
      response.headers.push_back({"RateLimit-Policy", std::to_string(limit) + ";w=60"});
      response.headers.push_back({"RateLimit", "limit=" + std::to_string(limit) + ", remaining=" +
                                                   std::to_string(limit - count) + ", reset=60"});
    }
    return response;
  }
};

// One that other Machines' probes use too: of the addresses for exhaustion those are used up for which
// `is_used`.
Limiter shared_with_others(std::function<bool(int last_octet)> is_used) {
  Limiter limiter;
  for (int n = 1; n < 255; ++n)
    if (is_used(n)) limiter.counts[fmt::format("203.0.113.{}", n)] = limiter.limit;
  return limiter;
}

Limiter with(std::function<void(Limiter&)> change) {
  Limiter limiter;
  change(limiter);
  return limiter;
}

std::string first_forwarded(const Sent& sent) {
  const std::string value = sent.header("X-Forwarded-For");
  return value.substr(0, value.find(','));
}

struct Row {
  const char* name;
  Limiter limiter;
  Outcome outcome;
  const char* worst;
  const char* more = "";
};

class RateLimit : public testing::TestWithParam<Row> {};

TEST_P(RateLimit, Judges) {
  ConfiguredProbe configured(std::string(kConfig) + GetParam().more);
  Limiter limiter = GetParam().limiter;
  Stage stage([&](const Sent& sent) { return limiter(sent); }, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  expect_verdict(outcome, GetParam().outcome, GetParam().worst);
  // The contract's promise: limit x (1 + tolerance) + concurrency for each bucket.
  std::map<std::string, int> by_client;
  for (const Sent& sent : stage.client.sent) ++by_client[sent.header("Fly-Client-IP")];
  for (const auto& [client, count] : by_client) EXPECT_LE(count, 11 + 8) << client;
}

INSTANTIATE_TEST_SUITE_P(
    Limiters, RateLimit,
    testing::Values(
        Row{"ALimitThatHoldsPasses", {}, Outcome::pass, ""},
        Row{"WithHeadersToo", with([](Limiter& l) { l.headers = true; }), Outcome::pass, ""},
        Row{"ALoginAnswers401UntilItIsLimited", with([](Limiter& l) { l.served = 401; }), Outcome::pass, ""},
        Row{"OneMoreIsWithinTheTolerance", with([](Limiter& l) { l.limit = 11; }), Outcome::pass, ""},
        Row{"ADeclaredStatusIsALimit", with([](Limiter& l) { l.refusal = 503; }), Outcome::pass, "",
            "limited_status = [503]\n"},
        Row{"NoLimitFails", with([](Limiter& l) { l.limit = 1000; }), Outcome::fail, "rate_limit.limited"},
        Row{"ALimitThatIsTooHighFails", with([](Limiter& l) { l.limit = 12; }), Outcome::fail,
            "rate_limit.limited"},
        Row{"ALimitThatBitesTooEarlyFails", with([](Limiter& l) { l.limit = 5; }), Outcome::fail,
            "rate_limit.limited"},
        Row{"ACounterThatIsNotAtomicFails", with([](Limiter& l) { l.atomic = false; }), Outcome::fail,
            "rate_limit.concurrency"},
        Row{"OneBucketForAllFails", with([](Limiter& l) { l.key = [](const Sent&) { return "all"; }; }),
            Outcome::fail, "rate_limit.per_client"},
        Row{"OneBucketForAllIsSeenInTheHeaders", with([](Limiter& l) {
              l.headers = true;
              l.key = [](const Sent&) { return "all"; };
            }),
            Outcome::fail, "rate_limit.per_client"},
        Row{"TheFirstForwardedAddressResetsIt", with([](Limiter& l) { l.key = first_forwarded; }),
            Outcome::fail, "rate_limit.spoof.x_forwarded_for"},
        Row{"XRealIpResetsIt", with([](Limiter& l) {
              l.key = [](const Sent& s) { return s.header("X-Real-IP") + s.header("Fly-Client-IP"); };
            }),
            Outcome::fail, "rate_limit.spoof.x_real_ip"},
        Row{"AQueryResetsIt", with([](Limiter& l) {
              l.key = [](const Sent& s) { return s.request.target + s.header("Fly-Client-IP"); };
            }),
            Outcome::fail, "rate_limit.path.query"},
        Row{"AddressesThatOtherMachinesUsedUpAreNoFinding",
            shared_with_others([](int last) { return last % 3 != 0; }), Outcome::pass, ""},
        Row{"AnUndeclared503ProvesNothing", with([](Limiter& l) { l.refusal = 503; }), Outcome::inconclusive,
            "rate_limit.limited"},
        Row{"ARouteThatIsGoneProvesNothing",
            with([](Limiter& l) { l.routes = [](const Sent&) { return false; }; }), Outcome::inconclusive,
            "rate_limit.limited"},
        Row{"ARefusalMustCarryRetryAfterWhereThatIsWanted",
            {},
            Outcome::fail,
            "rate_limit.retry_after",
            "require_retry_after = true\n"},
        Row{"RetryAfterIsFound", with([](Limiter& l) {
              l.refusal_headers = {{"Retry-After", "60"}};
            }),
            Outcome::pass, "", "require_retry_after = true\n"}),
    [](const auto& row) { return row.param.name; });

TEST(RateLimitSpoof, AHeaderThatIsRefusedForItselfDoesNotHideTheOthers) {
  Limiter limiter;
  limiter.key = [](const Sent& s) { return s.header("True-Client-IP") + s.header("Fly-Client-IP"); };
  ConfiguredProbe configured(kConfig);
  Stage stage(
      [&](const Sent& sent) {
        return sent.header("Forwarded").empty() ? limiter(sent) : answer(400, "bad Forwarded");
      },
      configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), Outcome::fail);
  EXPECT_EQ(outcome.worst()->id, "rate_limit.spoof.true_client_ip");
  EXPECT_EQ(find(outcome, "rate_limit.spoof.forwarded")->outcome, Outcome::pass);
}

TEST(RateLimitSpelling, TheStartPageUnderAnotherSpellingIsNotTheEndpoint) {
  Limiter limiter;
  ConfiguredProbe configured(kConfig);
  Stage stage(
      [&](const Sent& sent) {
        const Response right = limiter(sent);
        return right.status == 404 ? answer(200, "<html><body>shop</body></html>") : right;
      },
      configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
}

TEST(RateLimitAbsent, AnAppThatIsNotThereCostsOneRequest) {
  for (const Ended ended : {Ended::refused, Ended::timeout, Ended::not_http}) {
    ConfiguredProbe configured(kConfig);
    Stage stage([&](const Sent&) { return no_answer(ended); }, configured.environment);
    EXPECT_EQ(configured.run(stage).outcome(), Outcome::inconclusive);
    EXPECT_EQ(stage.client.sent.size(), 1u);
  }
}

TEST(RateLimitAbsent, AnAppThatDiesUnderTheCountIsNoLimit) {
  ConfiguredProbe configured(kConfig);
  int requests = 0;
  Stage stage([&](const Sent&) { return ++requests > 5 ? no_answer(Ended::refused) : answer(200, "x"); },
              configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::inconclusive);
}

TEST(RateLimitObserve, ReadsTwoRequests) {
  Limiter limiter;
  limiter.headers = true;
  ConfiguredProbe configured(std::string(kConfig) + "mode = \"observe\"\n");
  Stage stage([&](const Sent& sent) { return limiter(sent); }, configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  EXPECT_EQ(stage.client.sent.size(), 2u);
}

TEST(RateLimitObserve, AnotherLimitFailsAndNoHeadersProveNothing) {
  ConfiguredProbe configured(std::string(kConfig) + "mode = \"observe\"\n");
  Limiter limiter;
  Stage stage([&](const Sent& sent) { return limiter(sent); }, configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::inconclusive);
  limiter.headers = true;
  limiter.limit = 100;
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::fail);
}

TEST(RateLimitCadence, HeadersStandInBetweenTwoExhaustions) {
  Limiter limiter;
  limiter.headers = true;
  ConfiguredProbe configured(kConfig);
  Stage stage([&](const Sent& sent) { return limiter(sent); }, configured.environment);
  stage.pace = Pace::steady;
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  EXPECT_FALSE(configured.probe->cadence());
  const std::size_t exhausting = stage.client.sent.size();
  stage.clock.advance(std::chrono::seconds(15));
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  EXPECT_EQ(stage.client.sent.size(), exhausting + 2);
  stage.clock.advance(std::chrono::minutes(10));
  limiter.counts.clear();
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  EXPECT_GT(stage.client.sent.size(), 2 * exhausting - 2);
}

TEST(RateLimitCadence, ALimiterThatIsTakenOutIsSeenBetweenTwoExhaustions) {
  Limiter limiter;
  limiter.headers = true;
  ConfiguredProbe configured(kConfig);
  Stage stage([&](const Sent& sent) { return limiter(sent); }, configured.environment);
  stage.pace = Pace::steady;
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  stage.clock.advance(std::chrono::seconds(15));
  limiter.headers = false;
  limiter.limit = 1000;
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::fail);
}

TEST(RateLimitCadence, WithoutHeadersOnlyExhaustionsCount) {
  Limiter limiter;
  ConfiguredProbe configured(kConfig);
  Stage stage([&](const Sent& sent) { return limiter(sent); }, configured.environment);
  stage.pace = Pace::steady;
  EXPECT_FALSE(configured.probe->cadence());  // before the first pass: as declared
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  EXPECT_EQ(configured.probe->cadence(), std::chrono::minutes(10));
}

TEST(RateLimitWindow, ATokenThatTricklesBackIsNoReset) {
  // One token a second; every request takes 300 ms: between refusals a plain request is let through now and
  // then.
  ConfiguredProbe configured(R"(
[probes.search]
type = "rate_limit"
path = "/search"
limit = 10
window = "10s"
tolerance = 0.5
)");
  std::map<std::string, double> tokens;
  std::map<std::string, Monotonic> last;
  Stage* current = nullptr;
  Stage stage(
      [&](const Sent& sent) {
        current->clock.advance(std::chrono::milliseconds(300));
        const std::string client = sent.header("Fly-Client-IP");
        const Monotonic now = current->clock.now();
        if (!tokens.contains(client)) {
          tokens[client] = 10;
          last[client] = now;
        }
        tokens[client] =
            std::min(10.0, tokens[client] + std::chrono::duration<double>(now - last[client]).count());
        last[client] = now;
        if (tokens[client] < 1) return answer(429);
        tokens[client] -= 1;
        return answer(200, "{\"ok\":true,\"products\":[1]}");
      },
      configured.environment);
  current = &stage;
  EXPECT_NE(configured.run(stage).outcome(), Outcome::fail);
}

}  // namespace
}  // namespace holdshort
