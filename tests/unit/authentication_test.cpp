// The authentication probe against apps that enforce, that do not, that lie, that hang and that are absent.
#include <functional>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "probes/authentication/mutations.h"
#include "probes/kit/ascii.h"
#include "probes/kit/classify.h"
#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using testing_support::always;
using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::expect_verdict;
using testing_support::find;
using testing_support::no_answer;
using testing_support::Sent;
using testing_support::Stage;

const char* const kWithIdentity = R"(
[identities.ops]
bearer = { env = "ADMIN_TOKEN" }
[probes.admin]
type = "authentication"
path = "/admin"
as = "ops"
)";
const char* const kWithoutIdentity = "[probes.admin]\ntype = \"authentication\"\npath = \"/admin\"\n";
const char* const kAdmin =
    R"({"section":"admin","orders":[{"id":1001,"owner":"alice"}],"revenue":{"month":"18230.55"}})";
const char* const kStartPage = "<!doctype html><html><body><div id=root></div></body></html>";

bool is_ops(const Sent& sent) {
  return sent.header("Authorization") == "Bearer ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5";
}
Response unauthenticated() {
  return answer(401, R"({"error":"unauthenticated"})", {{"WWW-Authenticate", "Bearer"}});
}
Response not_found() { return answer(404, R"({"error":"not found"})"); }

// An app that routes /admin in every spelling and guards it.
Response enforcing(const Sent& sent) {
  if (!same_path(sent.request.target, "/admin")) return not_found();
  return is_ops(sent) ? answer(200, kAdmin) : unauthenticated();
}

using App = std::function<Response(const Sent&)>;

struct Row {
  const char* name;
  App app;
  Outcome outcome;
  const char* worst;  // id of the worst check where the outcome is no pass
  const char* config = kWithIdentity;
};

class Authentication : public testing::TestWithParam<Row> {};

TEST_P(Authentication, Judges) {
  ConfiguredProbe configured(GetParam().config);
  Stage stage(GetParam().app, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  expect_verdict(outcome, GetParam().outcome, GetParam().worst);
}

// Open where `open` says so, enforcing elsewhere.
App open_when(std::function<bool(const Sent&)> open) {
  return [open](const Sent& sent) {
    return same_path(sent.request.target, "/admin") && open(sent) ? answer(200, kAdmin) : enforcing(sent);
  };
}

// The legitimate caller is served and unknown paths are not there; everybody else gets `refusal`.
App refusing_with(Response refusal) {
  return [refusal](const Sent& sent) {
    const Response right = enforcing(sent);
    return right.status == 401 ? refusal : right;
  };
}

bool starts_with(const std::string& text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

INSTANTIATE_TEST_SUITE_P(
    Enforcing, Authentication,
    testing::Values(Row{"AGuardThatHoldsPasses", enforcing, Outcome::pass, ""},
                    Row{"AGuardThatHoldsPassesWithoutAnIdentity", enforcing, Outcome::pass, "",
                        kWithoutIdentity},
                    Row{"ForbiddenIsARefusal", refusing_with(answer(403, "no")), Outcome::pass, ""},
                    Row{"ABlanketGuardPassesWithAnIdentity",
                        [](const Sent& sent) { return is_ops(sent) ? enforcing(sent) : unauthenticated(); },
                        Outcome::pass, ""},
                    Row{"AnUnknownPathMayAnswerWithTheStartPage",
                        [](const Sent& sent) {
                          const Response right = enforcing(sent);
                          return right.status == 404 ? answer(200, kStartPage) : right;
                        },
                        Outcome::pass, ""},
                    Row{"AServerMayHangUpOnATargetItCannotParse",
                        [](const Sent& sent) {
                          return sent.request.target.starts_with('/') ? enforcing(sent)
                                                                      : no_answer(Ended::reset);
                        },
                        Outcome::pass, ""},
                    Row{"AnotherSpellingMayRedirectToTheRightOne",
                        [](const Sent& sent) {
                          const bool spelled =
                              sent.request.target != "/admin" && same_path(sent.request.target, "/admin");
                          return spelled ? answer(301, "", {{"Location", "/admin"}}) : enforcing(sent);
                        },
                        Outcome::pass, ""}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    NotEnforcing, Authentication,
    testing::Values(
        Row{"NobodyHasToLogIn", open_when([](const Sent&) { return true; }), Outcome::fail,
            "authentication.none"},
        Row{"NobodyHasToLogInWithoutAnIdentity", open_when([](const Sent&) { return true; }), Outcome::fail,
            "authentication.none", kWithoutIdentity},
        Row{"ARefusalThatCarriesTheContent", refusing_with(answer(401, kAdmin)), Outcome::fail,
            "authentication.none"},
        Row{"ARedirectThatCarriesTheContent", refusing_with(answer(302, kAdmin, {{"Location", "/login"}})),
            Outcome::fail, "authentication.none"},
        Row{"AnyBearerWillDo",
            open_when([](const Sent& s) { return starts_with(s.header("Authorization"), "Bearer x"); }),
            Outcome::fail, "authentication.malformed.bearer_garbage"},
        Row{"APrefixOfTheTokenWillDo", open_when([](const Sent& s) {
              return starts_with(s.header("Authorization"), "Bearer ops_9fK2xQ7");
            }),
            Outcome::fail, "authentication.broken.altered"},
        Row{"TheFirstForwardedAddressIsTrusted",
            open_when([](const Sent& s) { return starts_with(s.header("X-Forwarded-For"), "127.0.0.1,"); }),
            Outcome::fail, "authentication.address.loopback"},
        Row{"ANeighbourMayClaimToBeTheOffice",
            open_when([](const Sent& s) { return s.header("X-Forwarded-For") == "10.0.0.1"; }), Outcome::fail,
            "authentication.address.private_10_direct"},
        Row{"AProxysIdentityHeaderIsTrusted",
            open_when([](const Sent& s) { return s.header("X-Forwarded-User") == "admin"; }), Outcome::fail,
            "authentication.identity"},
        Row{"CapitalsGetPastTheGuard", open_when([](const Sent& s) { return s.request.target == "/ADMIN"; }),
            Outcome::fail, "authentication.path.case"},
        Row{"AnEncodedLetterGetsPastTheGuardWithoutAnIdentity",
            open_when([](const Sent& s) { return s.request.target == "/%61dmin"; }), Outcome::fail,
            "authentication.path.encoded_letter", kWithoutIdentity},
        Row{"AnAuthorityGetsPastTheGuard",
            [](const Sent& s) {
              return s.request.target == "//hs.invalid/admin" ? answer(200, kAdmin) : enforcing(s);
            },
            Outcome::fail, "authentication.path.authority"},
        Row{"HeadIsNotGuarded",
            [](const Sent& s) {
              if (s.request.method != "HEAD" || !same_path(s.request.target, "/admin")) return enforcing(s);
              return answer(200, "", {{"Content-Type", "application/json"}, {"Content-Length", "90"}});
            },
            Outcome::fail, "authentication.method.head"},
        Row{"APostWithAnOverrideIsNotGuarded",
            open_when([](const Sent& s) { return s.request.method == "POST"; }), Outcome::fail,
            "authentication.method.override"},
        Row{"AnOriginalUrlIsBelieved",
            [](const Sent& s) {
              return s.header("X-Original-URL") == "/admin" ? answer(200, kAdmin) : enforcing(s);
            },
            Outcome::fail, "authentication.rewrite.original_url"},
        Row{"ASpellingIsRedirectedToOneThatIsOpen",
            [](const Sent& s) {
              if (s.request.target == "/ADMIN") return answer(301, "", {{"Location", "/admin/"}});
              return s.request.target == "/admin/" ? answer(200, kAdmin) : enforcing(s);
            },
            Outcome::fail, "authentication.path.case"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    NotSeen, Authentication,
    testing::Values(
        Row{"AnAbsentAppProvesNothing", always(no_answer(Ended::refused)), Outcome::inconclusive,
            "authentication.accepted"},
        Row{"AHangingAppProvesNothing", always(no_answer(Ended::timeout)), Outcome::inconclusive,
            "authentication.accepted"},
        Row{"AFailingAppProvesNothing", always(answer(500, "boom")), Outcome::inconclusive,
            "authentication.accepted"},
        Row{"AnAppThatRefusesEverybodyProvesNothing", always(unauthenticated()), Outcome::inconclusive,
            "authentication.accepted"},
        Row{"WithoutAnIdentityAnAppThatRefusesEverybodyProvesNothing", always(unauthenticated()),
            Outcome::inconclusive, "authentication.none", kWithoutIdentity},
        Row{"ARouteThatIsGoneProvesNothing", always(not_found()), Outcome::inconclusive,
            "authentication.accepted"},
        Row{"ARouteThatIsGoneProvesNothingWithoutAnIdentity", always(not_found()), Outcome::inconclusive,
            "authentication.none", kWithoutIdentity},
        Row{"AStartPageForEverybodyProvesNothing", always(answer(200, kStartPage)), Outcome::inconclusive,
            "authentication.baseline"},
        Row{"NotFoundIsNoRefusal", refusing_with(not_found()), Outcome::inconclusive, "authentication.none"},
        Row{"ServerErrorIsNoRefusal", refusing_with(answer(500, "boom")), Outcome::inconclusive,
            "authentication.none"},
        Row{"ALimitIsNoRefusal", refusing_with(answer(429)), Outcome::inconclusive, "authentication.none"},
        Row{"AnUndeclaredRedirectIsNoRefusal", refusing_with(answer(302, "", {{"Location", "/login"}})),
            Outcome::inconclusive, "authentication.none"},
        Row{"A200ThatSaysNoNeedsAMarker", refusing_with(answer(200, R"({"error":"login required"})")),
            Outcome::inconclusive, "authentication.none"},
        Row{"AnErrorOnABrokenTokenIsNoRefusal",
            [](const Sent& s) {
              return s.header("Authorization") == "Basic !!!" ? answer(500) : enforcing(s);
            },
            Outcome::inconclusive, "authentication.malformed.basic_garbage"},
        Row{"ATimeoutOfASpellingIsNoRefusal",
            [](const Sent& s) {
              return s.request.target == "/ADMIN" ? no_answer(Ended::timeout) : enforcing(s);
            },
            Outcome::inconclusive, "authentication.path.case"},
        Row{"ABodyCutByTheCapIsNoCleanRefusal",
            [](const Sent& s) {
              Response response = enforcing(s);
              if (response.status == 401) response.ended = Ended::capped;
              return response;
            },
            Outcome::inconclusive, "authentication.none"}),
    [](const auto& row) { return row.param.name; });

TEST(AuthenticationLockout, ACallerWhoIsLockedOutAfterwardsMakesTheRefusalsWorthless) {
  int refused = 0;
  ConfiguredProbe configured(kWithIdentity);
  Stage stage(
      [&](const Sent& sent) {
        const Response right = enforcing(sent);
        refused += right.status == 401;
        return refused > 3 ? unauthenticated() : right;
      },
      configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_EQ(outcome.worst()->id, "authentication.still_accepted");
}

TEST(AuthenticationMarker, ADenialInA200IsARefusalWhereTheMarkerIsMissing) {
  ConfiguredProbe configured(std::string(kWithIdentity) + "marker = \"revenue\"\n");
  Stage stage(refusing_with(answer(200, R"({"error":"login required"})")), configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
}

TEST(AuthenticationMarker, AnIdentityThatDoesNotGetTheMarkerProvesNothing) {
  ConfiguredProbe configured(std::string(kWithIdentity) + "marker = \"turnover\"\n");
  Stage stage(enforcing, configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::inconclusive);
}

TEST(AuthenticationRedirect, ADeclaredLoginPageRefuses) {
  ConfiguredProbe configured(std::string(kWithIdentity) + "reject_redirect = \"^/login\"\n");
  Stage stage(refusing_with(answer(302, "", {{"Location", "/login?next=/admin"}})), configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
}

TEST(AuthenticationRequests, CarryCredentialsOnlyToThePathAndItsSpellings) {
  ConfiguredProbe configured(kWithIdentity);
  Stage stage(enforcing, configured.environment);
  configured.run(stage);
  for (const Sent& sent : stage.client.sent)
    EXPECT_TRUE(!is_ops(sent) || same_path(sent.request.target, "/admin")) << sent.request.target;
}

TEST(AuthenticationRequests, ChangeNothingUnlessDeclared) {
  ConfiguredProbe configured(std::string(kWithIdentity) + "bypasses = \"thorough\"\n");
  Stage stage(enforcing, configured.environment);
  configured.run(stage);
  for (const Sent& sent : stage.client.sent)
    for (const char* method : {"PUT", "PATCH", "DELETE"}) EXPECT_NE(sent.request.method, method);
}

TEST(AuthenticationRequests, NoSyntheticClientSendsMoreThanFifty) {
  ConfiguredProbe configured(std::string(kWithIdentity) + "bypasses = \"thorough\"\n");
  Stage stage(enforcing, configured.environment);
  configured.run(stage);
  std::map<std::string, int> by_client;
  for (const Sent& sent : stage.client.sent) ++by_client[sent.header("Fly-Client-IP")];
  for (const auto& [client, count] : by_client) EXPECT_LE(count, 50) << client;
  EXPECT_GT(stage.client.sent.size(), 100u);
}

TEST(AuthenticationStartup, AnAppThatIsNotThereCostsOneRequest) {
  ConfiguredProbe configured(kWithIdentity);
  Stage stage(always(no_answer(Ended::refused)), configured.environment);
  stage.pace = Pace::startup;
  configured.run(stage);
  EXPECT_EQ(stage.client.sent.size(), 1u);
}

TEST(AuthenticationStartup, WhatFailedIsAskedFirst) {
  ConfiguredProbe configured(kWithIdentity);
  Stage stage(open_when([](const Sent& s) { return s.request.target == "/admin/"; }), configured.environment);
  stage.pace = Pace::startup;
  stage.failed_before = "authentication.path.trailing_slash";
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.worst()->id, stage.failed_before);
  EXPECT_EQ(stage.client.sent.back().request.target, "/admin/");
  EXPECT_LE(stage.client.sent.size(), 3u);  // the caller, an unrouted path, and this
}

TEST(AuthenticationWatch, AFailEndsTheRunAndItsRepetitionBeginsWithIt) {
  ConfiguredProbe configured(R"(
[identities.ops]
bearer = { env = "ADMIN_TOKEN" }
[probes.admin]
type = "authentication"
paths = ["/admin", "/admin/export"]
as = "ops"
)");
  const auto app = [](const Sent& sent) {
    const bool exported = same_path(sent.request.target, "/admin/export");
    if (!exported && !same_path(sent.request.target, "/admin")) return not_found();
    const bool open = exported && sent.request.method == "GET";
    return is_ops(sent) || open ? answer(200, kAdmin) : unauthenticated();
  };
  Stage first(app, configured.environment), second(app, configured.environment);
  first.pace = second.pace = Pace::watch;
  EXPECT_EQ(configured.run(first).checks.back().id, "authentication.none");
  EXPECT_GT(first.client.sent.size(), 40u) << "all that there is to see of /admin";
  second.failed_before = "authentication.none";
  EXPECT_EQ(configured.run(second).worst()->id, "authentication.none");
  EXPECT_LE(second.client.sent.size(), 4u);  // the caller, two unrouted paths, and this
}

TEST(AuthenticationWatch, ARefusedCallerDoesNotHideAnOpenDoor) {
  ConfiguredProbe configured(kWithIdentity);
  Stage stage(
      [](const Sent& sent) {
        if (!same_path(sent.request.target, "/admin")) return not_found();
        return is_ops(sent) ? unauthenticated() : answer(200, kAdmin);
      },
      configured.environment);
  const Outcome whole = configured.run(stage).outcome();
  stage.pace = Pace::watch;
  EXPECT_EQ(configured.run(stage).outcome(), whole);
}

TEST(AuthenticationReport, NamesTheHeaderThatOpensAndNoSecret) {
  ConfiguredProbe configured(kWithIdentity);
  Stage stage(open_when([](const Sent& s) { return s.header("X-Real-IP") == "127.0.0.1"; }),
              configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  const Check* check = outcome.worst();
  EXPECT_NE(check->summary.find("X-Real-IP: 127.0.0.1"), std::string::npos) << check->summary;
  EXPECT_EQ(check->summary.find("X-Forwarded-For"), std::string::npos) << check->summary;
  for (const Check& each : outcome.checks)
    for (const std::string* text : {&each.summary, &each.request, &each.observed, &each.expected})
      EXPECT_EQ(text->find("9fK2xQ7"), std::string::npos) << each.id;
}

TEST(AuthenticationPaths, EachPathAndMethodIsJudged) {
  ConfiguredProbe configured(R"(
[identities.ops]
bearer = { env = "ADMIN_TOKEN" }
[probes.admin]
type = "authentication"
paths = ["/admin", "/admin/export"]
methods = ["GET", "POST"]
as = "ops"
)");
  Stage stage(
      [](const Sent& sent) {
        const bool exported = same_path(sent.request.target, "/admin/export");
        if (!exported && !same_path(sent.request.target, "/admin")) return not_found();
        const bool open = exported && sent.request.method == "POST";
        return is_ops(sent) || open ? answer(200, kAdmin) : unauthenticated();
      },
      configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), Outcome::fail);
  EXPECT_EQ(outcome.worst()->request.find("POST /admin/export"), 0u) << outcome.worst()->request;
}

TEST(AuthenticationLogin, AnExpiredTokenIsFetchedOnceMore) {
  ConfiguredProbe configured(R"(
[identities.ops]
login = { path = "/login", body = '{"user":"probe"}', token = "/token" }
[probes.admin]
type = "authentication"
path = "/admin"
as = "ops"
)");
  int logins = 0;
  Stage stage(
      [&](const Sent& sent) {
        if (sent.request.target == "/login")
          return answer(200, "{\"token\":\"t" + std::to_string(++logins) + "\"}");
        if (!same_path(sent.request.target, "/admin")) return not_found();
        return sent.header("Authorization") == "Bearer t2" ? answer(200, kAdmin) : unauthenticated();
      },
      configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  EXPECT_EQ(logins, 2);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  EXPECT_EQ(logins, 2);
}

// --- API keys and sessions

const char* const kKey = "pk_live_9fK2xQ7vB4mZ8sT1wR6yL3nD5";
const char* const kWithKey = R"(
[identities.partner]
api_key = { header = "X-Partner-Key", value = { env = "KEY" } }
[probes.admin]
type = "authentication"
path = "/admin"
as = "partner"
)";
const char* const kSession = "s%3Aq1w2e3r4t5y6u7i8.%2BfG7hJ8kL9zX8cV7bN6mQ5wE4rT3yU2iO1pA0sD9fG";
const char* const kWithCookie = R"(
[identities.clerk]
cookie = { name = "sid", value = { env = "KEY" } }
[probes.admin]
type = "authentication"
path = "/admin"
as = "clerk"
)";

struct Hole {
  const char* id;
  std::function<bool(const Sent&)> open;
  const char* config = kWithKey;
};

std::string key_of(const Sent& sent) { return sent.header("X-Partner-Key"); }
std::string session_of(const Sent& sent) {
  const std::string cookie = sent.header("Cookie");
  return starts_with(cookie, "sid=") ? cookie.substr(4) : "";
}

// Serves the right key or session, and whoever the hole lets in.
ProbeOutcome run_against(const Hole& hole, const char* more = "", Pace pace = Pace::whole) {
  const bool by_key = hole.config == kWithKey;
  testing_support::FakeEnvironment environment;
  environment.variables["KEY"] = by_key ? kKey : kSession;
  Loaded loaded = parse_config("holdshort.toml",
                               "[app]\nurl = \"http://127.0.0.1:3000\"\nhost = \"orders.example.com\"\n" +
                                   std::string(hole.config) + more,
                               environment, {});
  const std::unique_ptr<Probe> probe = loaded.config.value().probes.at(0).make();
  Stage stage(
      [&](const Sent& sent) {
        if (!same_path(sent.request.target, "/admin")) return not_found();
        const bool is_right = by_key ? key_of(sent) == kKey : session_of(sent) == kSession;
        return is_right || hole.open(sent) ? answer(200, kAdmin) : unauthenticated();
      },
      environment);
  stage.pace = pace;
  stage.identities.by_name = loaded.config->identities;
  ProbeOutcome outcome = stage.run(*probe);
  for (const Check& check : outcome.checks)
    for (const std::string* text : {&check.summary, &check.request, &check.observed, &check.expected})
      EXPECT_EQ(text->find(by_key ? "9fK2xQ7" : "q1w2e3"), std::string::npos) << check.id;
  return outcome;
}

bool nobody(const Sent&) { return false; }

TEST(AuthenticationKeys, AKeyThatIsComparedInFullPasses) {
  for (const char* more : {"", "bypasses = \"thorough\"\n"})
    EXPECT_EQ(run_against({"", nobody}, more).outcome(), Outcome::pass) << more;
}

TEST(AuthenticationKeys, EachWayToCompareAKeyWronglyIsNamed) {
  const std::string key = kKey;
  const Hole holes[] = {
      {"authentication.broken.altered",
       [&](const Sent& s) {
         return key_of(s).size() == key.size() && key_of(s).substr(0, 9) == key.substr(0, 9) &&
                key_of(s).back() == key.back();
       }},
      {"authentication.broken.truncated",
       [&](const Sent& s) { return key_of(s) == key.substr(0, key.size() / 2); }},
      {"authentication.broken.last_character",
       [&](const Sent& s) {
         return key_of(s) != key && key_of(s).size() == key.size() &&
                starts_with(key_of(s), key.substr(0, key.size() - 1));
       }},
      {"authentication.broken.prefix", [&](const Sent& s) { return key_of(s) == key.substr(0, 8); }},
      {"authentication.broken.extended",
       [&](const Sent& s) { return key_of(s).size() > key.size() && starts_with(key_of(s), key); }},
      {"authentication.broken.lower_case", [&](const Sent& s) { return key_of(s) == ascii::lowered(key); }},
      {"authentication.broken.upper_case",
       [&](const Sent& s) { return key_of(s) == "PK_LIVE_9FK2XQ7VB4MZ8ST1WR6YL3ND5"; }},
      {"authentication.broken.empty",
       [&](const Sent& s) { return find_header(s.request.headers, "X-Partner-Key") && key_of(s).empty(); }},
      {"authentication.broken.in_query",
       [&](const Sent& s) { return s.request.target.find("api_key=" + key) != std::string::npos; }},
      {"authentication.broken.wildcard", [&](const Sent& s) { return key_of(s) == "*"; }},
      {"authentication.broken.sql_wildcard", [&](const Sent& s) { return key_of(s) == "%"; }},
      {"authentication.broken.sql", [&](const Sent& s) { return key_of(s) == "' OR '1'='1"; }},
      {"authentication.broken.null", [&](const Sent& s) { return key_of(s) == "null"; }},
      {"authentication.broken.operator",
       [&](const Sent& s) { return s.request.target.find("api_key[$ne]=") != std::string::npos; }},
      {"authentication.broken.test_key", [&](const Sent& s) { return starts_with(key_of(s), "pk_test_"); }},
  };
  for (const Hole& hole : holes) {
    const ProbeOutcome outcome = run_against(hole, "bypasses = \"thorough\"\n");
    EXPECT_EQ(outcome.outcome(), Outcome::fail) << hole.id;
    EXPECT_EQ(outcome.worst()->id, hole.id) << outcome.summary();
  }
}

// A query stands in access logs.
TEST(AuthenticationKeys, StandInAQueryOnlyInWholeAndThoroughRuns) {
  const Hole counts{"", nobody};
  EXPECT_NE(find(run_against(counts, "", Pace::whole), "authentication.broken.in_query"), nullptr);
  EXPECT_EQ(find(run_against(counts, "", Pace::steady), "authentication.broken.in_query"), nullptr);
  EXPECT_EQ(find(run_against(counts, "bypasses = \"none\"\n"), "authentication.broken.in_query"), nullptr);
  EXPECT_EQ(find(run_against(counts), "authentication.broken.in_query")->request, "GET /admin?api_key=***");
}

TEST(AuthenticationKeys, OfHexDigitsAreTheSameInEitherCase) {
  using authentication::Bypasses;
  for (const auto& broken : authentication::broken_credentials(
           {{"X-API-Key", "0f9e-77AB"}}, authentication::Credential::api_key, Bypasses::standard))
    EXPECT_EQ(broken.id.find("_case"), std::string::npos);
}

TEST(AuthenticationSessions, ASessionThatIsVerifiedPasses) {
  EXPECT_EQ(run_against({"", nobody, kWithCookie}, "bypasses = \"thorough\"\n").outcome(), Outcome::pass);
}

TEST(AuthenticationSessions, EachWayToTakeACookieUnverifiedIsNamed) {
  const std::string session = kSession, value = session.substr(0, session.rfind('.'));
  const Hole holes[] = {
      {"authentication.broken.signature",
       [&](const Sent& s) {
         return session_of(s).size() == session.size() && starts_with(session_of(s), value + ".%2B");
       },
       kWithCookie},
      {"authentication.broken.cut_short",
       [&](const Sent& s) { return session_of(s) == session.substr(0, session.size() - 1); }, kWithCookie},
      {"authentication.broken.unsigned", [&](const Sent& s) { return session_of(s) == value; }, kWithCookie},
  };
  for (const Hole& hole : holes) {
    const ProbeOutcome outcome = run_against(hole);
    EXPECT_EQ(outcome.outcome(), Outcome::fail) << hole.id;
    const Check* check = find(outcome, hole.id);
    ASSERT_NE(check, nullptr) << hole.id;
    EXPECT_EQ(check->outcome, Outcome::fail) << check->summary;
  }
}

TEST(AuthenticationSessions, AnotherSignatureIsReallyAnotherOneInEveryFormat) {
  for (const std::string value : {"abc.def", "BAh7--0f9e8d", "s%3Aid.%2Bzz", "x.-a"}) {
    const auto list = authentication::broken_credentials(
        {{"Cookie", "sid=" + value}}, authentication::Credential::cookie, authentication::Bypasses::standard);
    const auto found =
        std::find_if(list.begin(), list.end(), [](const auto& b) { return b.id == "signature"; });
    ASSERT_NE(found, list.end()) << value;
    EXPECT_NE(found->headers.at(0).value, "sid=" + value);
    EXPECT_EQ(found->headers.at(0).value.size(), value.size() + 4);
  }
}

// --- what thorough adds

TEST(AuthenticationThorough, TellingStrangersTheMethodsIsNoGrant) {
  for (const char* config : {kWithIdentity, kWithoutIdentity}) {
    ConfiguredProbe configured(std::string(config) + "bypasses = \"thorough\"\n");
    Stage stage(
        [](const Sent& sent) {
          const bool asks = sent.request.method == "OPTIONS" && same_path(sent.request.target, "/admin");
          return asks ? answer(200, "GET,HEAD", {{"Allow", "GET,HEAD"}}) : enforcing(sent);
        },
        configured.environment);
    const ProbeOutcome outcome = configured.run(stage);
    EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  }
}

TEST(AuthenticationThorough, OptionsThatServeTheContentAreAGrant) {
  ConfiguredProbe configured(std::string(kWithIdentity) + "bypasses = \"thorough\"\n");
  Stage stage(open_when([](const Sent& s) { return s.request.method == "OPTIONS"; }), configured.environment);
  EXPECT_EQ(configured.run(stage).worst()->id, "authentication.method.options");
}

TEST(AuthenticationThorough, EachHoleThatOnlyItFindsIsNamed) {
  const std::string thorough = std::string(kWithIdentity) + "bypasses = \"thorough\"\n";
  const auto on = [](const char* name, std::string value) {
    return [name, value](const Sent& s) { return s.header(name) == value; };
  };
  const Hole holes[] = {
      {"authentication.address.repeated",
       [](const Sent& s) {
         return s.header("Fly-Client-IP") == "127.0.0.1" && s.header("X-Real-IP").empty();
       }},
      {"authentication.prefetch", on("Next-Router-Prefetch", "1")},
      {"authentication.origin", on("Referer", "https://orders.example.com/admin")},
      {"authentication.host.localhost", on("Host", "localhost")},
      {"authentication.middleware_pages", on("X-Middleware-Subrequest", "pages/_middleware")},
      {"authentication.malformed.bearer_letter", on("Authorization", "Bearer x")},
      {"authentication.malformed.scheme_unknown", on("Authorization", "Holdshort x")},
      {"authentication.method.query", [](const Sent& s) { return s.request.method == "QUERY"; }},
      {"authentication.method.propfind", [](const Sent& s) { return s.request.method == "PROPFIND"; }},
      {"authentication.path.encoded_parameter",
       [](const Sent& s) { return s.request.target == "/admin%3b"; }},
      {"authentication.path.tail_rsc_suffix", [](const Sent& s) { return s.request.target == "/admin.rsc"; }},
      {"authentication.path.locale_prefix", [](const Sent& s) { return s.request.target == "/en/admin"; }},
      {"authentication.rewrite.other_names",
       [](const Sent& s) { return s.request.target == "/" && s.header("X-Forwarded-Prefix") == "/admin"; }},
      {"authentication.rewrite.script_name",
       [](const Sent& s) { return s.request.target == "/hs/admin" && s.header("SCRIPT_NAME") == "/hs"; }},
  };
  for (const Hole& hole : holes) {
    ConfiguredProbe configured(thorough);
    Stage stage(
        [&](const Sent& sent) {
          return hole.open(sent) && sent.request.target.find("hsq") == std::string::npos ? answer(200, kAdmin)
                                                                                         : enforcing(sent);
        },
        configured.environment);
    const ProbeOutcome outcome = configured.run(stage);
    EXPECT_EQ(outcome.outcome(), Outcome::fail) << hole.id;
    EXPECT_EQ(outcome.worst()->id, hole.id) << outcome.summary();
  }
}

// --- the whole catalogue

// Everything else is the same in every run, so that the n-th request is the same attempt.
ProbeOutcome run_with_opening(const std::string& config, const std::string& secret, int nth) {
  testing_support::FakeEnvironment environment;
  environment.variables["KEY"] = environment.variables["ADMIN_TOKEN"] = secret;
  Loaded loaded = parse_config(
      "holdshort.toml", "[app]\nurl = \"http://127.0.0.1:3000\"\nhost = \"orders.example.com\"\n" + config,
      environment, {});
  const std::unique_ptr<Probe> probe = loaded.config.value().probes.at(0).make();
  const std::string own = loaded.config->identities.begin()->first;
  int sent_so_far = 0;
  Stage stage(
      [&](const Sent& sent) {
        const bool is_open = sent_so_far++ == nth;
        if (is_open) return answer(200, kAdmin);
        if (sent.request.target != "/admin") return not_found();
        const std::string shown =
            sent.header("Authorization") + sent.header("X-Partner-Key") + sent.header("Cookie");
        return shown.ends_with(secret) && shown.size() <= secret.size() + 7 ? answer(200, kAdmin)
                                                                            : unauthenticated();
      },
      environment);
  stage.identities.by_name = loaded.config->identities;
  return stage.run(*probe);
}

struct Catalogue {
  const char* name;
  const char* config;
  const char* secret;
  std::size_t at_least;  // attempts
};
class AuthenticationCatalogue : public testing::TestWithParam<Catalogue> {};
TEST_P(AuthenticationCatalogue, EveryAttemptThatIsGrantedIsCalledByItsName) {
  const std::string config =
      std::string(GetParam().config) + "bypasses = \"thorough\"\ndefault_credentials = true\n";
  const std::string secret = GetParam().secret;
  const ProbeOutcome held = run_with_opening(config, secret, -1);
  ASSERT_EQ(held.outcome(), Outcome::pass) << held.summary();
  // The identity and an unrouted path come first, the identity again comes last; each attempt is one request.
  constexpr int kBefore = 2;
  ASSERT_EQ(held.requests, static_cast<int>(held.checks.size()) + kBefore - 1);
  ASSERT_GE(held.checks.size(), GetParam().at_least);
  std::set<std::string> ids;
  for (std::size_t i = 1; i + 1 < held.checks.size(); ++i) {
    const std::string& id = held.checks[i].id;
    EXPECT_TRUE(ids.insert(id).second) << id << " stands for two attempts";
    const ProbeOutcome outcome = run_with_opening(config, secret, kBefore + static_cast<int>(i) - 1);
    std::string failed;
    for (const Check& check : outcome.checks)
      if (check.outcome == Outcome::fail) failed += check.id + " ";
    EXPECT_EQ(failed, id + " ");
    EXPECT_FALSE(held.checks[i].references.empty()) << id;
  }
}
INSTANTIATE_TEST_SUITE_P(, AuthenticationCatalogue,
                         testing::Values(Catalogue{"OfTokens", kWithIdentity, "ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5",
                                                   110},
                                         Catalogue{"OfKeys", kWithKey, kKey, 120},
                                         Catalogue{"OfSessions", kWithCookie, kSession, 110}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace holdshort
