// A declared secret is seen in whichever probe's answer it stands, and nobody is alarmed by his own
// credentials.
#include "probes/kit/sightings.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "agent/cli/check.h"
#include "agent/config/secrets.h"
#include "agent/observed_client.h"
#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "tests/support/fake_environment.h"
#include "tests/support/scheduler_bench.h"
#include "tests/support/seen_checks.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_support::answer;
using testing_support::Bench;
using testing_support::FakeEnvironment;
using testing_support::no_answer;
using testing_support::Sent;

const std::string kKey = "k7/Qm2+Zt9Kx4Lp8Rb&wN5vC1d";       // signs; nobody is ever shown it
const std::string kToken = "ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5";  // with which an identity acts
constexpr std::size_t kHuge = 1024 * 1024;                   // bytes: the largest body that any probe reads

std::string repeated(std::string_view text, std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += text;
  return all;
}

// --- the search

std::vector<std::string> forms_of_key() {
  return {kKey,
          crypto::base64(kKey),
          crypto::base64url(kKey),
          crypto::base64("user:" + kKey + "\n"),
          crypto::hex(kKey),
          ascii::percent_encoded(kKey),
          "k7%2fQm2%2bZt9Kx4Lp8Rb%26wN5vC1d"};
}

TEST(SecretFinder, FindsEveryFormInBodyAndHeader) {
  const SecretFinder finder({KnownSecret::of("$KEY", kKey)});
  for (const std::string& form : forms_of_key()) {
    const auto in_body = finder.in(answer(200, "<p>" + form + "</p>"));
    ASSERT_EQ(in_body.size(), 1u) << form;
    EXPECT_EQ(in_body[0].where, "body");
    const auto in_header = finder.in(answer(200, "", {{"A", "b"}, {"X-Debug", "v=" + form}}));
    ASSERT_EQ(in_header.size(), 1u) << form;
    EXPECT_EQ(in_header[0].where, "header X-Debug");
  }
}

TEST(SecretFinder, SeesTheEndOfAHugeBodyOfNearMisses) {
  const SecretFinder finder({KnownSecret::of("$KEY", kKey), KnownSecret::of("$TOKEN", kToken)});
  const std::string body = repeated(kKey.substr(0, kKey.size() - 1), kHuge);
  EXPECT_THAT(finder.in(answer(200, body)), IsEmpty());
  EXPECT_EQ(finder.in(answer(200, body + kToken)).size(), 1u);
}

TEST(SecretFinder, AHostileHeaderNameIsNotRepeated) {
  const SecretFinder finder({KnownSecret::of("$KEY", kKey)});
  EXPECT_EQ(finder.in(answer(200, "", {{std::string(65, 'x'), kKey}})).at(0).where, "a header");
  EXPECT_EQ(finder.in(answer(200, "", {{std::string(64, 'x'), kKey}})).at(0).where,
            "header " + std::string(64, 'x'));
}

TEST(SecretFinder, AShortSecretIsNotLookedFor) {
  const SecretFinder finder({KnownSecret::of("$PIN", "1234567")});
  EXPECT_TRUE(finder.looks_for_nothing());
  EXPECT_THAT(finder.in(answer(200, "1234567")), IsEmpty());
}

// --- what counts

struct Watch {
  Watch() { watch(kKey); }
  void watch(const std::string& key) {
    sightings.watch({KnownSecret::of("$KEY", key), KnownSecret::of("$TOKEN", kToken)}, {Secret(kToken)});
  }
  void look(const char* probe, const Request& request, const Response& response) {
    sightings.look(probe, sightings.sent(request), response);
  }
  // The secrets that others than `probe` have been shown.
  std::vector<std::string> shown(const char* probe = "exposed") const {
    std::vector<std::string> names;
    for (const char* secret : {"$KEY", "$TOKEN"})
      if (!sightings.to_others(probe, secret).empty()) names.emplace_back(secret);
    return names;
  }
  Sightings sightings;
};

const Request kStranger{.method = "GET", .target = "/a", .headers = {{"Host", "x"}}, .body = {}};
const Request kCaller{
    .method = "GET", .target = "/a", .headers = {{"Authorization", "Bearer other"}}, .body = {}};
const Request kLogin{.method = "POST", .target = "/login", .headers = {}, .body = R"({"user":"ops"})"};

struct Row {
  const char* name;
  Request request;
  Response response;
  std::vector<std::string> shown;
};
class SightingsRows : public testing::TestWithParam<Row> {};
TEST_P(SightingsRows, Judge) {
  Watch watch;
  watch.look("orders", GetParam().request, GetParam().response);
  EXPECT_EQ(watch.shown(), GetParam().shown);
}
INSTANTIATE_TEST_SUITE_P(
    Sightings, SightingsRows,
    testing::Values(
        Row{"AKeyShownToAStranger", kStranger, answer(200, kKey), {"$KEY"}},
        Row{"AKeyShownToACaller", kCaller, answer(200, kKey), {"$KEY"}},
        Row{"AKeyInTheAnswerToALogin", kLogin, answer(200, kKey), {"$KEY"}},
        Row{"AKeyInAnError", kStranger, answer(500, "no " + kKey), {"$KEY"}},
        Row{"AnIdentitysTokenShownToAStranger", kStranger, answer(200, kToken), {"$TOKEN"}},
        Row{"ATokenThatALoginHandsOut", kLogin, answer(200, R"({"token":")" + kToken + "\"}"), {}},
        Row{"ATokenThatALoginSetsAsACookie",
            kLogin,
            answer(204, "", {{"Set-Cookie", "session=" + kToken + "; HttpOnly"}}),
            {}},
        Row{"ATokenShownToAnotherCaller", kCaller, answer(200, kToken), {}},
        Row{"ATokenRenewedForItsOwner",
            {.method = "GET", .target = "/me", .headers = {{"Cookie", "session=" + kToken}}, .body = {}},
            answer(200, kToken),
            {}},
        Row{"ATokenSentInAHeaderOfItsOwnAndEchoedInBase64",
            {.method = "GET", .target = "/me", .headers = {{"X-API-Key", kToken}}, .body = {}},
            answer(200, crypto::base64(kToken)),
            {}},
        Row{"AKeyThatTheCallerSentInTheQuery",
            {.method = "GET", .target = "/a?k=" + ascii::percent_encoded(kKey), .headers = {}, .body = {}},
            answer(400, "bad key " + kKey),
            {}},
        Row{"AKeyThatTheCallerSentInTheBody",
            {.method = "POST", .target = "/a", .headers = {}, .body = "k=" + kKey},
            answer(422, "bad key " + kKey),
            {}},
        Row{"NothingWithoutAnAnswer", kStranger, no_answer(Ended::refused), {}},
        Row{"TheBeginningOfAnAnswerThatWasCut",
            kStranger,
            [] {
              Response cut = answer(200, kKey);
              cut.ended = Ended::capped;
              return cut;
            }(),
            {"$KEY"}}),
    [](const auto& row) { return row.param.name; });

TEST(Sightings, ASecretIsShownUntilARunWithAVerdictHasNotSeenIt) {
  Watch watch;
  watch.look("orders", kStranger, answer(200, kKey));
  watch.sightings.ended("orders", Sightings::Run::with_verdict);
  EXPECT_THAT(watch.shown(), ElementsAre("$KEY"));
  watch.sightings.ended("orders", Sightings::Run::without);  // the app was away
  EXPECT_THAT(watch.shown(), ElementsAre("$KEY"));
  watch.look("orders", kStranger, answer(200, "fine"));
  EXPECT_THAT(watch.shown(), ElementsAre("$KEY"));
  watch.sightings.ended("orders", Sightings::Run::with_verdict);
  EXPECT_THAT(watch.shown(), IsEmpty());
}

TEST(Sightings, AProbeIsToldOfOthersAlone) {
  Watch watch;
  watch.look("exposed", kStranger, answer(200, kKey));
  EXPECT_THAT(watch.shown("exposed"), IsEmpty());
  EXPECT_THAT(watch.shown("another"), ElementsAre("$KEY"));
  EXPECT_EQ(watch.sightings.answers_to_others("exposed"), 0u);
  EXPECT_EQ(watch.sightings.answers_to_others("another"), 1u);
}

TEST(Sightings, OfManyAnswersTheFirstOfARunIsKept) {
  Watch watch;
  for (int i = 0; i < 1000; ++i)
    watch.look("orders", {.method = "GET", .target = "/" + std::to_string(i), .headers = {}, .body = {}},
               answer(200, kKey));
  ASSERT_EQ(watch.sightings.to_others("exposed", "$KEY").size(), 1u);
  EXPECT_EQ(watch.sightings.to_others("exposed", "$KEY")[0].second->request, "GET /0");
  EXPECT_EQ(watch.sightings.news(), 1u);
}

TEST(Sightings, AReloadForgetsARotatedSecretAndKeepsTheRest) {
  Watch watch;
  watch.look("orders", kStranger, answer(200, kKey + kToken));
  watch.watch(kKey);
  EXPECT_THAT(watch.shown(), ElementsAre("$KEY", "$TOKEN"));
  watch.watch("another-key-of-the-same-name");
  EXPECT_THAT(watch.shown(), ElementsAre("$TOKEN"));
  watch.sightings.forget("orders");
  EXPECT_THAT(watch.shown(), IsEmpty());
}

TEST(Sightings, ALongTargetIsCut) {
  Watch watch;
  watch.look("orders", {.method = "GET", .target = "/" + std::string(500, 'a'), .headers = {}, .body = {}},
             answer(200, kKey));
  EXPECT_EQ(watch.sightings.to_others("exposed", "$KEY").at(0).second->request.size(),
            std::string("GET ").size() + Sightings::kMaxShownTarget);
}

// --- what it means for readiness

const std::string kExposed =
    "[probes.exposed]\ntype = \"exposure\"\nsecrets = [{ env = \"KEY\" }, { env = \"TOKEN\" }]\n";
const std::string kAlive = "[probes.alive]\ntype = \"http\"\npath = \"/alive\"\n";
const std::string kLocked = "[probes.locked]\ntype = \"authentication\"\npath = \"/admin\"\nas = \"ops\"\n";
const std::string kLimited =
    "[probes.limited]\ntype = \"rate_limit\"\npath = \"/login\"\nmethod = \"POST\"\nlimit = 5\nwindow = "
    "\"1m\"\n";

Config parsed(const std::string& probes) {
  FakeEnvironment environment;
  environment.variables = {{"KEY", kKey}, {"TOKEN", kToken}};
  Loaded loaded = parse_config("holdshort.toml",
                               "[app]\nurl = \"http://127.0.0.1:3000\"\n[identities.ops]\nbearer = { env = "
                               "\"TOKEN\" }\n" +
                                   probes,
                               environment, {});
  if (!loaded.config) throw std::runtime_error(holdshort::format("holdshort.toml", loaded.diagnostics.at(0)));
  return std::move(*loaded.config);
}

// An app that does what it should, and says `alive`, `refused`, `limited` where it does.
struct App {
  std::string alive = "fine", refused = "no", limited = "later";
  std::string header = "no";  // of whatever is limited
  std::map<std::string, int> count = {};

  Response operator()(const Sent& sent) {
    const std::string& target = sent.request.target;
    if (target == "/alive") return answer(200, alive);
    if (target == "/admin")
      return sent.header("Authorization") == "Bearer " + kToken ? answer(200, "hello ops")
                                                                : answer(401, refused);
    if (target == "/login" && sent.request.method == "POST") {
      if (++count[sent.header("Fly-Client-IP")] <= 5) return answer(401, "wrong");
      return answer(429, limited, {{"X-Why", header}});
    }
    return answer(404, "nothing here");
  }
};

const Check* elsewhere(const ProbeStatus& probe) {
  for (const Check& check : *probe.checks)
    if (check.id == "exposure.secret_elsewhere") {
      testing_support::note_check(check);
      return &check;
    }
  return nullptr;
}
std::string summary_of(const Bench& bench, std::size_t n) {
  return bench.board.load(Instant::of(bench.clock))->probes.at(n)->summary;
}

TEST(SecretElsewhere, PassesWhereNobodyIsShownOne) {
  Bench bench(parsed(kAlive + kLocked + kLimited + kExposed), App{});
  bench.clock.advance(20s);
  EXPECT_TRUE(bench.ready());
  const Check* check = elsewhere(*bench.board.load(Instant::of(bench.clock))->probes.at(3));
  ASSERT_TRUE(check);
  EXPECT_EQ(check->outcome, Outcome::pass);
  EXPECT_THAT(check->observed, HasSubstr("answers to other probes"));
}

TEST(SecretElsewhere, IsNoCheckWhereThereIsNoOtherAnswer) {
  Bench bench(parsed(kExposed), App{});
  bench.clock.advance(20s);
  EXPECT_TRUE(bench.ready());
  EXPECT_FALSE(elsewhere(*bench.board.load(Instant::of(bench.clock))->probes.at(0)));
}

struct Leak {
  const char* name;
  std::string probe;  // its table
  App app;
  const char* summary;
};
class SecretElsewhereTo : public testing::TestWithParam<Leak> {};
TEST_P(SecretElsewhereTo, FailsTheExposureProbeFromTheStart) {
  Bench bench(parsed(GetParam().probe + kExposed), GetParam().app);
  for (int i = 0; i < 200; ++i) {
    ASSERT_FALSE(bench.ready());
    bench.clock.advance(100ms);
  }
  EXPECT_EQ(bench.state(0), State::passing) << summary_of(bench, 0);
  EXPECT_EQ(bench.state(1), State::failing);
  EXPECT_NE(elsewhere(*bench.board.load(Instant::of(bench.clock))->probes.at(1)), nullptr);
  EXPECT_EQ(summary_of(bench, 1), GetParam().summary);
  for (const std::string& line : bench.lines) {
    EXPECT_THAT(line, Not(HasSubstr(kKey)));
    EXPECT_THAT(line, Not(HasSubstr(crypto::base64(kKey))));
  }
}
INSTANTIATE_TEST_SUITE_P(
    Exposure, SecretElsewhereTo,
    testing::Values(Leak{"AnHttpProbe", kAlive, App{.alive = "config: " + kKey},
                         "GET /alive of alive answered 200 with the value of $KEY in the body"},
                    Leak{"AnHttpProbeInHex", kAlive, App{.alive = crypto::hex(kKey)},
                         "GET /alive of alive answered 200 with the value of $KEY in the body"},
                    Leak{"AnHttpProbeAtTheEndOfABigBody", kAlive,
                         App{.alive = repeated("ab", 60000) + crypto::base64(kKey)},
                         "GET /alive of alive answered 200 with the value of $KEY in the body"},
                    Leak{"AnAuthenticationProbeThatIsRefused", kLocked, App{.refused = "expected " + kToken},
                         "GET /admin of locked answered 401 with the value of $TOKEN in the body"},
                    Leak{"ARateLimitProbeInAHeader", kLimited, App{.header = ascii::percent_encoded(kKey)},
                         "POST /login of limited answered 429 with the value of $KEY in the header X-Why"}),
    [](const auto& row) { return row.param.name; });

TEST(SecretElsewhere, ALeakThatComesLaterTakesReadinessAtTheRunThatSeesIt) {
  const auto app = std::make_shared<App>();
  Bench bench(parsed(kAlive + "interval = \"6s\"\n" + kExposed + "interval = \"10m\"\n"),
              [app](const Sent& sent) { return (*app)(sent); });
  bench.clock.advance(5s);
  ASSERT_TRUE(bench.ready());
  app->alive = kKey;
  bench.clock.advance(6s);  // the exposure probe itself is not due for minutes
  EXPECT_FALSE(bench.ready());
  EXPECT_EQ(bench.state(1), State::failing);
  app->alive = "fine";
  bench.clock.advance(6s);  // seen to be gone, but it is the exposure probe's to say so
  EXPECT_FALSE(bench.ready());
  bench.scheduler->recheck(std::string("exposed"));
  bench.clock.advance(5s);  // what the first run left out, within the budget
  EXPECT_TRUE(bench.ready());
}

TEST(SecretElsewhere, AReloadWithoutTheProbeThatSawItEndsIt) {
  Bench bench(parsed(kAlive + kExposed), App{.alive = kKey});
  bench.clock.advance(5s);
  ASSERT_EQ(bench.state(1), State::failing);
  bench.scheduler->reload(parsed(kExposed));
  bench.clock.advance(20s);
  EXPECT_TRUE(bench.ready());
}

// --- check

TEST(SecretElsewhere, CheckJudgesItWhenAllHaveRun) {
  httplib::Server app;
  app.Get("/slow", [](const httplib::Request&, httplib::Response& response) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    response.set_content("debug: " + crypto::base64(kKey), "text/plain");
  });
  const int port = app.bind_to_any_port("127.0.0.1");
  std::thread serving([&] { app.listen_after_bind(); });
  const auto folder = std::filesystem::temp_directory_path();
  const std::string name = folder / ("holdshort-sightings-" + std::to_string(::getpid()));
  {
    std::ofstream(name + ".key") << kKey;
    std::ofstream(name + ".toml") << "[app]\nurl = \"http://127.0.0.1:" << port
                                  << "\"\n[probes.exposed]\ntype = \"exposure\"\nsecrets = [{ file = \""
                                  << name << ".key\" }]\n[probes.slow]\ntype = \"http\"\npath = \"/slow\"\n";
  }
  const int status = run_check({.config = name + ".toml",
                                .target = {},
                                .only = {},
                                .wait = {},
                                .format = CheckOptions::Format::json,
                                .output = name + ".json"});
  app.stop();
  serving.join();
  std::stringstream report;
  report << std::ifstream(name + ".json").rdbuf();
  for (const char* ending : {".key", ".toml", ".json"}) std::filesystem::remove(name + ending);
  EXPECT_EQ(status, 1);
  EXPECT_THAT(report.str(), HasSubstr("GET /slow of slow answered 200 with the value of file"));
  EXPECT_THAT(report.str(), HasSubstr("exposure.secret_elsewhere"));
}

}  // namespace
}  // namespace holdshort
