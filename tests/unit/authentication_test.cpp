// The authentication probe against apps that enforce, that do not, that lie, that hang and that are absent.
#include <functional>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "probes/authentication/mutations.h"
#include "probes/kit/classify.h"
#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using testing_support::answer;
using testing_support::ConfiguredProbe;
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
  EXPECT_EQ(name_of(outcome.outcome()), name_of(GetParam().outcome)) << outcome.summary();
  if (GetParam().outcome != Outcome::pass) {
    EXPECT_EQ(outcome.worst()->id, GetParam().worst) << outcome.summary();
  }
}

// Open where `open` says so, enforcing elsewhere.
App open_when(std::function<bool(const Sent&)> open) {
  return [open](const Sent& sent) {
    return same_path(sent.request.target, "/admin") && open(sent) ? answer(200, kAdmin) : enforcing(sent);
  };
}

App always(Response response) {
  return [response](const Sent&) { return response; };
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

}  // namespace
}  // namespace holdshort
