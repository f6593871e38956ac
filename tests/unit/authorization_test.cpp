// The authorization probe against apps that tell callers apart, that do not, that lie, that hang, that are
// absent.
#include <functional>
#include <map>

#include <gtest/gtest.h>

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

const char* const kIdentities = R"(
[identities.alice]
basic = { user = "alice", password = { env = "ADMIN_TOKEN" } }
[identities.bob]
basic = { user = "bob", password = { env = "ADMIN_TOKEN" } }
[identities.root]
bearer = { env = "ADMIN_TOKEN" }
)";
const char* const kOrders = R"(
[probes.orders]
type = "authorization"
rules = [
  { as = "alice", path = "/orders/1001", expect = "allow" },
  { as = "bob", path = "/orders/1002", expect = "allow" },
  { as = "bob", path = "/orders/1001", expect = "deny" },
  { as = "alice", path = "/orders/1002", expect = "deny" },
]
)";
const char* const kRoles = R"(
[probes.roles]
type = "authorization"
rules = [
  { as = "root", path = "/admin", expect = "allow" },
  { as = "alice", path = "/me", expect = "allow" },
  { as = "alice", path = "/admin", expect = "deny" },
  { path = "/admin", expect = "deny" },
]
)";

const char* const kAdmin = R"({"section":"admin","orders":[1001,1002],"revenue":{"month":"18230.55"}})";
const char* const kStartPage = "<!doctype html><html><body><div id=root></div></body></html>";

std::string caller(const Sent& sent) {
  const std::string credentials = sent.header("Authorization");
  if (credentials == "Bearer ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5") return "root";
  if (credentials.starts_with("Basic YWxpY2U6")) return "alice";
  return credentials.starts_with("Basic Ym9iOg") || credentials.starts_with("Basic Ym9iOm") ? "bob" : "";
}

std::string order(int id) {
  return id == 1001 ? R"({"id":1001,"owner":"alice","sku":"LAMP-100","note":"nonce-a1"})"
                    : R"({"id":1002,"owner":"bob","sku":"DESK-200","note":"nonce-b2"})";
}

Response not_found() { return answer(404, R"({"error":"not found"})"); }
Response forbidden() { return answer(403, R"({"error":"forbidden"})"); }
Response unauthenticated() { return answer(401, R"({"error":"unauthenticated"})"); }

// Whose something is, and which roles may do what.
Response enforcing(const Sent& sent) {
  const std::string& path = sent.request.target;
  const std::string who = caller(sent);
  const bool known = path == "/orders/1001" || path == "/orders/1002" || path == "/admin" || path == "/me";
  if (!known) return not_found();
  if (who.empty()) return unauthenticated();
  if (path == "/me") return answer(200, "{\"sub\":\"" + who + "\",\"plan\":\"free\"}");
  if (path == "/admin") return who == "root" ? answer(200, kAdmin) : forbidden();
  const bool is_mine = path == (who == "alice" ? "/orders/1001" : "/orders/1002");
  return is_mine ? answer(200, order(path == "/orders/1001" ? 1001 : 1002)) : not_found();
}

using App = std::function<Response(const Sent&)>;

// Another answer where `when` holds, enforcing elsewhere.
App but(std::function<bool(const Sent&)> when, Response response) {
  return [when, response](const Sent& sent) { return when(sent) ? response : enforcing(sent); };
}

bool bob_asks_for_alices(const Sent& sent) {
  return caller(sent) == "bob" && sent.request.target == "/orders/1001";
}
bool alice_asks_for_admin(const Sent& sent) {
  return caller(sent) == "alice" && sent.request.target == "/admin";
}
bool a_stranger_asks_for_admin(const Sent& sent) {
  return caller(sent).empty() && sent.request.target == "/admin";
}

struct Row {
  const char* name;
  App app;
  Outcome outcome;
  const char* worst;  // id of the worst check where the outcome is no pass
  std::string config = kOrders;
};

class Authorization : public testing::TestWithParam<Row> {};

TEST_P(Authorization, Judges) {
  ConfiguredProbe configured(kIdentities + GetParam().config);
  Stage stage(GetParam().app, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  expect_verdict(outcome, GetParam().outcome, GetParam().worst);
}

std::string with_marker(const char* marker) { return std::string(kOrders) + "marker = '" + marker + "'\n"; }

INSTANTIATE_TEST_SUITE_P(
    Enforcing, Authorization,
    testing::Values(Row{"OwnersApartPass", enforcing, Outcome::pass, ""},
                    Row{"RolesApartPass", enforcing, Outcome::pass, "", kRoles},
                    Row{"RulesAsTablesPass", enforcing, Outcome::pass, "",
                        R"([probes.roles]
type = "authorization"
[[probes.roles.rules]]
as = "root"
path = "/admin"
expect = "allow"
[[probes.roles.rules]]
path = "/admin"
expect = "deny"
)"},
                    Row{"WhatARuleLeavesOutIsTheProbes", enforcing, Outcome::pass, "",
                        R"([probes.roles]
type = "authorization"
path = "/admin"
rules = [{ as = "root", expect = "allow" }, { as = "alice", path = "/me", expect = "allow" },
         { as = "alice", expect = "deny" }])"},
                    Row{"ForbiddenIsADenialOfAnOrder", but(bob_asks_for_alices, forbidden()), Outcome::pass,
                        ""},
                    Row{"AnUnknownPathMayAnswerWithTheStartPage",
                        [](const Sent& sent) {
                          return sent.request.target.find("hs-") != std::string::npos
                                     ? answer(200, kStartPage)
                                     : enforcing(sent);
                        },
                        Outcome::pass, ""},
                    Row{"ARefusalMayNameWhatWasAskedFor",
                        but(bob_asks_for_alices, answer(403, R"({"error":"order 1001 belongs to alice"})")),
                        Outcome::pass, ""},
                    Row{"ForbiddenNeedsNobodyWhoIsServedTheSame", enforcing, Outcome::pass, "",
                        R"([probes.roles]
type = "authorization"
rules = [{ as = "alice", path = "/me", expect = "allow" }, { as = "alice", path = "/admin", expect = "deny" }])"},
                    Row{"ARefusalInA200IsOneWhereTheMarkerIsMissing",
                        but(bob_asks_for_alices, answer(200, R"({"error":"not yours"})")), Outcome::pass, "",
                        with_marker("nonce-")},
                    Row{"AnotherSpellingIsFollowedAsTheSameCaller",
                        [](const Sent& sent) {
                          Sent moved = sent;
                          if (sent.request.target == "/orders/1001/") moved.request.target = "/orders/1001";
                          return sent.request.target == "/orders/1001"
                                     ? answer(308, "", {{"Location", "/orders/1001/"}})
                                     : enforcing(moved);
                        },
                        Outcome::pass, ""}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    NotEnforcing, Authorization,
    testing::Values(
        Row{"AnyUserReadsAnyOrder", but(bob_asks_for_alices, answer(200, order(1001))), Outcome::fail,
            "authorization.object_level"},
        Row{"ARefusalThatCarriesTheOrder", but(bob_asks_for_alices, answer(403, order(1001))), Outcome::fail,
            "authorization.object_level"},
        Row{"ARefusalThatCarriesTheOrderInsideOfIt",
            but(bob_asks_for_alices, answer(403, "{\"error\":\"not yours\",\"order\":" + order(1001) + "}")),
            Outcome::fail, "authorization.object_level"},
        Row{"AnErrorPageThatCarriesTheOrder",
            but(bob_asks_for_alices,
                answer(403, "<html><h1>Forbidden</h1><pre>" + order(1001) + "</pre></html>")),
            Outcome::fail, "authorization.object_level"},
        Row{"A401ThatCarriesTheOrder", but(bob_asks_for_alices, answer(401, order(1001))), Outcome::fail,
            "authorization.object_level"},
        Row{"ARedirectThatCarriesTheOrder",
            but(bob_asks_for_alices, answer(302, order(1001), {{"Location", "/orders"}})), Outcome::fail,
            "authorization.object_level"},
        Row{"APartWithTheMarkerIsAGrant", but(bob_asks_for_alices, answer(200, "nonce-a1 only")),
            Outcome::fail, "authorization.object_level", with_marker("nonce-")},
        Row{"ARefusalThatCarriesTheMarker", but(bob_asks_for_alices, answer(404, "no nonce-a1 for you")),
            Outcome::fail, "authorization.object_level", with_marker("nonce-")},
        Row{"ARulesOwnMarkerCounts", but(bob_asks_for_alices, answer(200, "nonce-a1 only")), Outcome::fail,
            "authorization.object_level",
            R"([probes.orders]
type = "authorization"
rules = [{ as = "alice", path = "/orders/1001", expect = "allow", marker = "nonce-a1" },
         { as = "bob", path = "/orders/1002", expect = "allow" },
         { as = "bob", path = "/orders/1001", expect = "deny" }])"},
        Row{"AnyUserIsAdministrator", but(alice_asks_for_admin, answer(200, kAdmin)), Outcome::fail,
            "authorization.function_level", kRoles},
        Row{"AStrangerIsAdministrator", but(a_stranger_asks_for_admin, answer(200, kAdmin)), Outcome::fail,
            "authorization.anonymous", kRoles},
        Row{"ContentWithNobodyToCompareWith", but(alice_asks_for_admin, answer(200, kAdmin)), Outcome::fail,
            "authorization.function_level",
            R"([probes.roles]
type = "authorization"
rules = [{ as = "alice", path = "/me", expect = "allow" }, { as = "alice", path = "/admin", expect = "deny" }])"},
        Row{"AGrantIsSeenThoughTheCallerIsAllowedNothing", but(bob_asks_for_alices, answer(200, order(1001))),
            Outcome::fail, "authorization.function_level",
            R"([probes.orders]
type = "authorization"
rules = [{ as = "alice", path = "/orders/1001", expect = "allow" },
         { as = "bob", path = "/orders/1001", expect = "deny" }])"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    NotSeen, Authorization,
    testing::Values(Row{"AnAbsentAppProvesNothing", always(no_answer(Ended::refused)), Outcome::inconclusive,
                        "authorization.baseline"},
                    Row{"AHangingAppProvesNothing", always(no_answer(Ended::timeout)), Outcome::inconclusive,
                        "authorization.baseline"},
                    Row{"AFailingAppProvesNothing", always(answer(500, "boom")), Outcome::inconclusive,
                        "authorization.allow"},
                    Row{"AnAppThatRefusesEverybodyProvesNothing", always(unauthenticated()),
                        Outcome::inconclusive, "authorization.allow"},
                    Row{"AnAppThatForbidsEverythingProvesNothing", always(forbidden()), Outcome::inconclusive,
                        "authorization.allow"},
                    Row{"AnAppWithoutTheRoutesProvesNothing", always(not_found()), Outcome::inconclusive,
                        "authorization.allow"},
                    Row{"AStartPageForEverythingProvesNothing", always(answer(200, kStartPage)),
                        Outcome::inconclusive, "authorization.allow"},
                    Row{"A401ToAValidCallerIsNoDenial", but(bob_asks_for_alices, unauthenticated()),
                        Outcome::inconclusive, "authorization.object_level"},
                    Row{"AServerErrorIsNoDenial", but(bob_asks_for_alices, answer(500, "boom")),
                        Outcome::inconclusive, "authorization.object_level"},
                    Row{"ATimeoutIsNoDenial", but(bob_asks_for_alices, no_answer(Ended::timeout)),
                        Outcome::inconclusive, "authorization.object_level"},
                    Row{"AResetIsNoDenial", but(bob_asks_for_alices, no_answer(Ended::reset)),
                        Outcome::inconclusive, "authorization.object_level"},
                    Row{"ALimitIsNoDenial", but(bob_asks_for_alices, answer(429)), Outcome::inconclusive,
                        "authorization.object_level"},
                    Row{"AnUndeclaredStatusIsNoDenial", but(bob_asks_for_alices, answer(400, "bad")),
                        Outcome::inconclusive, "authorization.object_level"},
                    Row{"ARedirectToTheLoginIsNoDenial",
                        but(bob_asks_for_alices, answer(302, "", {{"Location", "/login"}})),
                        Outcome::inconclusive, "authorization.object_level"},
                    Row{"A200ThatSaysNoNeedsAMarker",
                        but(bob_asks_for_alices, answer(200, R"({"error":"not yours"})")),
                        Outcome::inconclusive, "authorization.object_level"},
                    Row{"OtherContentNeedsAMarker",
                        but(bob_asks_for_alices, answer(200, R"({"hello":"bob"})")), Outcome::inconclusive,
                        "authorization.object_level"},
                    Row{"ARefusalCutByTheCapShowsNoAbsence",
                        [](const Sent& sent) {
                          Response response = enforcing(sent);
                          if (bob_asks_for_alices(sent)) response.ended = Ended::capped;
                          return response;
                        },
                        Outcome::inconclusive, "authorization.object_level"},
                    Row{"ACallerWhoIsAllowedNothingIsDeniedNothing", enforcing, Outcome::inconclusive,
                        "authorization.function_level",
                        R"([probes.orders]
type = "authorization"
rules = [{ as = "alice", path = "/orders/1001", expect = "allow" },
         { as = "bob", path = "/orders/1001", expect = "deny" }])"},
                    Row{"NotFoundNeedsSomebodyWhoIsServed", enforcing, Outcome::inconclusive,
                        "authorization.object_level",
                        R"([probes.orders]
type = "authorization"
rules = [{ as = "bob", path = "/orders/1002", expect = "allow" },
         { as = "bob", path = "/orders/1001", expect = "deny" }])"},
                    Row{"ForbiddenAnywhereNeedsSomebodyWhoIsServed",
                        [](const Sent& sent) {
                          const Response right = enforcing(sent);
                          return right.status == 200 ? right : forbidden();
                        },
                        Outcome::inconclusive, "authorization.function_level",
                        R"([probes.roles]
type = "authorization"
rules = [{ as = "alice", path = "/me", expect = "allow" }, { as = "alice", path = "/admin", expect = "deny" }])"},
                    Row{"ASeedThatIsGoneProvesNothing",
                        [](const Sent& sent) {
                          return sent.request.target == "/orders/1001" ? not_found() : enforcing(sent);
                        },
                        Outcome::inconclusive, "authorization.allow"},
                    Row{"AMarkerThatNobodyGetsProvesNothing", enforcing, Outcome::inconclusive,
                        "authorization.allow", with_marker("turnover")}),
    [](const auto& row) { return row.param.name; });

// --- a part of what is served

const char* const kProfile = R"(
[probes.profile]
type = "authorization"
rules = [
  { as = "alice", path = "/me", expect = "allow" },
  { as = "alice", path = "/me", marker = "password_hash", expect = "deny" },
]
)";
bool alice_asks_for_herself(const Sent& sent) {
  return caller(sent) == "alice" && sent.request.target == "/me";
}
INSTANTIATE_TEST_SUITE_P(
    Parts, Authorization,
    testing::Values(
        Row{"WhatIsServedWithoutThePartPasses", enforcing, Outcome::pass, "", kProfile},
        Row{"WhatIsServedWithThePartFails",
            but(alice_asks_for_herself,
                answer(200, R"({"sub":"alice","password_hash":"$2b$12$abcdefghijklmnopqrstuv"})")),
            Outcome::fail, "authorization.property_level", kProfile},
        Row{"APartInARefusalFailsToo",
            but(alice_asks_for_herself, answer(403, R"({"password_hash":"$2b$12$abcdefghijklmnopqrstuv"})")),
            Outcome::fail, "authorization.property_level", kProfile},
        Row{"ARefusalShowsNothingOfTheParts", but(alice_asks_for_herself, forbidden()), Outcome::inconclusive,
            "authorization.allow", kProfile},
        Row{"AnAnswerThatWasCutShowsNoAbsence",
            [](const Sent& sent) {
              Response response = enforcing(sent);
              if (alice_asks_for_herself(sent)) response.ended = Ended::capped;
              return response;
            },
            Outcome::inconclusive, "authorization.property_level", kProfile},
        Row{"AListWithoutOthersThingsPasses",
            [](const Sent& sent) {
              if (sent.request.target != "/orders") return enforcing(sent);
              return caller(sent).empty()
                         ? unauthenticated()
                         : answer(200, "[" + order(caller(sent) == "alice" ? 1001 : 1002) + "]");
            },
            Outcome::pass, "",
            R"([probes.lists]
type = "authorization"
rules = [{ as = "alice", path = "/orders", marker = "nonce-a1", expect = "allow" },
         { as = "bob", path = "/orders/1002", expect = "allow" },
         { as = "bob", path = "/orders", marker = "nonce-a1", expect = "deny" }])"},
        Row{"AListWithOthersThingsFails",
            [](const Sent& sent) {
              if (sent.request.target != "/orders") return enforcing(sent);
              return caller(sent).empty() ? unauthenticated()
                                          : answer(200, "[" + order(1001) + "," + order(1002) + "]");
            },
            Outcome::fail, "authorization.function_level",
            R"([probes.lists]
type = "authorization"
rules = [{ as = "alice", path = "/orders", marker = "nonce-a1", expect = "allow" },
         { as = "bob", path = "/orders/1002", expect = "allow" },
         { as = "bob", path = "/orders", marker = "nonce-a1", expect = "deny" }])"},
        Row{"AMarkerThatNobodyWasServedShowsNothingWhereItIsMissing",
            but([](const Sent& sent) { return caller(sent) == "bob" && sent.request.target == "/me"; },
                answer(200, R"({"sub":"bob"})")),
            Outcome::inconclusive, "authorization.function_level",
            R"([probes.lists]
type = "authorization"
rules = [{ as = "bob", path = "/orders/1002", expect = "allow" },
         { as = "alice", path = "/orders/1001", expect = "allow" },
         { as = "bob", path = "/me", marker = "nonse-a1", expect = "deny" }])"}),
    [](const auto& row) { return row.param.name; });

// --- a header that says who the caller is

INSTANTIATE_TEST_SUITE_P(
    Spoofed, Authorization,
    testing::Values(
        Row{"ARoleInAHeaderThatIsBelieved",
            but([](const Sent&
                       sent) { return alice_asks_for_admin(sent) && sent.header("X-Role") == "admin"; },
                answer(200, kAdmin)),
            Outcome::fail, "authorization.spoofed_identity", kRoles},
        Row{"ARefusalOfItThatCarriesTheContent",
            but([](const Sent&
                       sent) { return alice_asks_for_admin(sent) && sent.header("X-Role") == "admin"; },
                answer(403, kAdmin)),
            Outcome::fail, "authorization.spoofed_identity", kRoles},
        Row{"AnAppThatChokesOnItIsNotHeld",
            but([](const Sent& sent) { return sent.header("X-Role") == "admin"; }, answer(500, "boom")),
            Outcome::pass, "", kRoles},
        Row{"AnAppThatRefusesTheHeadersPasses",
            but([](const Sent& sent) { return sent.header("X-Role") == "admin"; }, answer(400, "no")),
            Outcome::pass, "", kRoles}),
    [](const auto& row) { return row.param.name; });

// --- the id in another place

// The order that `read` finds in a request, for whom `guard` finds to be its owner.
App owners_by(std::function<std::string(const Sent&)> guard, std::function<std::string(const Sent&)> read) {
  return [guard, read](const Sent& sent) {
    const std::string& target = sent.request.target;
    if (!target.starts_with("/orders/100")) return enforcing(sent);
    if (caller(sent).empty()) return unauthenticated();
    const bool is_mine = guard(sent) == (caller(sent) == "alice" ? "1001" : "1002");
    return is_mine ? answer(200, order(std::stoi(read(sent)))) : not_found();
  };
}
std::string id_in_path(const Sent& sent) { return sent.request.target.substr(8, 4); }
std::string id_anywhere(const Sent& sent) {
  const std::size_t at = sent.request.target.find("?id=");
  return at == std::string::npos ? id_in_path(sent) : sent.request.target.substr(at + 4, 4);
}
INSTANTIATE_TEST_SUITE_P(
    Ids, Authorization,
    testing::Values(Row{"AnAppThatTakesTheIdFromTheQueryAndSaysSoToItsGuardPasses",
                        owners_by(id_anywhere, id_anywhere), Outcome::pass, ""},
                    Row{"AHandlerThatReadsTheQueryBehindAGuardThatDoesNot",
                        owners_by(id_in_path, id_anywhere), Outcome::fail, "authorization.id_in_query"},
                    Row{"AGuardThatReadsTheQueryBeforeAHandlerThatDoesNot",
                        owners_by(id_anywhere, id_in_path), Outcome::fail, "authorization.id_in_query"},
                    Row{"AMarkerThatEveryOrderHasTellsThemNotApart", owners_by(id_in_path, id_in_path),
                        Outcome::pass, "", with_marker("nonce-")},
                    Row{"AMarkerThatEveryOrderHasHidesNoHole", owners_by(id_in_path, id_anywhere),
                        Outcome::fail, "authorization.id_in_query", with_marker("nonce-")},
                    Row{"AnAppThatChokesOnAQueryIsNotHeld",
                        [](const Sent& sent) {
                          return sent.request.target.find('?') == std::string::npos ? enforcing(sent)
                                                                                    : answer(500, "boom");
                        },
                        Outcome::pass, ""}),
    [](const auto& row) { return row.param.name; });

TEST(AuthorizationLockout, ACallerWhoIsLockedOutAfterwardsMakesTheDenialsWorthless) {
  int denied = 0;
  ConfiguredProbe configured(std::string(kIdentities) + kOrders);
  Stage stage(
      [&](const Sent& sent) {
        const Response right = enforcing(sent);
        if (!caller(sent).empty() && right.status == 404) ++denied;
        return denied > 1 ? forbidden() : right;
      },
      configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_EQ(outcome.worst()->id, "authorization.still_allowed") << outcome.summary();
}

TEST(AuthorizationRequests, ChangeNothingUnlessARuleDeclaresIt) {
  ConfiguredProbe configured(std::string(kIdentities) + R"([probes.orders]
type = "authorization"
headers = { X-Trace = "1" }
rules = [{ as = "alice", path = "/me", expect = "allow" },
         { as = "alice", method = "DELETE", path = "/admin", body = '{"all":true}', expect = "deny" }])");
  Stage stage(enforcing, configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  int deleted = 0;
  for (const Sent& sent : stage.client.sent) {
    EXPECT_EQ(sent.header("X-Trace"), "1");
    if (sent.request.method == "GET") continue;
    EXPECT_EQ(sent.request.method, "DELETE");
    EXPECT_EQ(sent.request.target, "/admin");
    EXPECT_EQ(sent.request.body, R"({"all":true})");
    EXPECT_EQ(sent.header("Content-Type"), "application/json");
    ++deleted;
  }
  EXPECT_EQ(deleted, 1);
}

TEST(AuthorizationRequests, CredentialsGoOnlyWhereARuleSendsThem) {
  ConfiguredProbe configured(std::string(kIdentities) + kRoles);
  Stage stage(enforcing, configured.environment);
  configured.run(stage);
  for (const Sent& sent : stage.client.sent) {
    if (caller(sent) == "root") {
      EXPECT_EQ(sent.request.target, "/admin");
    }
    if (sent.request.target.starts_with("/hs-")) {
      EXPECT_EQ(caller(sent), "");
    }
  }
}

TEST(AuthorizationRequests, CostOneEachRuleAndAFewToBeSure) {
  ConfiguredProbe configured(std::string(kIdentities) + kOrders);
  Stage stage(enforcing, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  // Two unrouted paths, four rules, the id of two denials in two other places, both callers once more.
  EXPECT_EQ(outcome.requests, 12);
}

TEST(AuthorizationRequests, NoMoreThanFourPathsThatCannotExist) {
  std::string rules = "[probes.many]\ntype = \"authorization\"\nrules = [";
  for (const char* folder : {"a", "b", "c", "d", "e", "f"})
    rules += std::string("{ path = \"/") + folder + "/x\", expect = \"allow\" },";
  ConfiguredProbe configured(kIdentities + rules + "]\n");
  Stage stage(always(answer(200, "ok")), configured.environment);
  configured.run(stage);
  int unrouted = 0;
  for (const Sent& sent : stage.client.sent) unrouted += sent.request.target.find("hs-") != std::string::npos;
  EXPECT_EQ(unrouted, 4);
}

TEST(AuthorizationStartup, AnAppThatIsNotThereCostsOneRequest) {
  ConfiguredProbe configured(std::string(kIdentities) + kOrders);
  Stage stage(always(no_answer(Ended::refused)), configured.environment);
  stage.pace = Pace::startup;
  configured.run(stage);
  EXPECT_EQ(stage.client.sent.size(), 1u);
}

TEST(AuthorizationStartup, WhatFailedIsDeniedFirst) {
  ConfiguredProbe configured(std::string(kIdentities) + kRoles);
  Stage stage(but(a_stranger_asks_for_admin, answer(200, kAdmin)), configured.environment);
  stage.pace = Pace::startup;
  stage.failed_before = "authorization.anonymous";
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.worst()->id, "authorization.anonymous");
  EXPECT_EQ(find(outcome, "authorization.function_level"), nullptr);
}

TEST(AuthorizationWatch, AFailEndsTheRun) {
  ConfiguredProbe configured(std::string(kIdentities) + kRoles);
  Stage stage(but(a_stranger_asks_for_admin, answer(200, kAdmin)), configured.environment);
  stage.pace = Pace::watch;
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.checks.back().id, "authorization.anonymous");
  EXPECT_EQ(outcome.outcome(), Outcome::fail);
}

TEST(AuthorizationHang, ThreeSilencesEndARun) {
  std::string rules = "[probes.many]\ntype = \"authorization\"\nrules = [";
  for (int i = 0; i < 10; ++i)
    rules += "{ as = \"alice\", path = \"/orders/" + std::to_string(i) + "\", expect = \"allow\" },";
  ConfiguredProbe configured(kIdentities + rules + "]\n");
  Stage stage([](const Sent& sent) { return caller(sent).empty() ? not_found() : no_answer(Ended::timeout); },
              configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_EQ(stage.client.sent.size(), 2u + 3u);
}

TEST(AuthorizationReport, NamesBothCallersAndNoSecret) {
  ConfiguredProbe configured(std::string(kIdentities) + kOrders);
  Stage stage(but(bob_asks_for_alices, answer(200, order(1001))), configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.summary(),
            "GET /orders/1001 answered 200 to bob, who must be denied what alice is served");
  for (const Check& each : outcome.checks) {
    EXPECT_FALSE(each.references.empty()) << each.id;
    for (const std::string* text : {&each.summary, &each.request, &each.observed, &each.expected})
      EXPECT_EQ(text->find("nonce-"), std::string::npos) << each.id;
  }
}

// --- the configuration

struct Mistake {
  const char* name;
  const char* rules;  // from line 12 on: behind the identities and the probe's first two lines
  const char* message;
};

class AuthorizationConfig : public testing::TestWithParam<Mistake> {};

TEST_P(AuthorizationConfig, SaysWhereAndWhat) {
  testing_support::FakeEnvironment environment;
  environment.variables["ADMIN_TOKEN"] = "ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5";
  const std::string text = std::string("[app]\nurl = \"http://127.0.0.1:3000\"") + kIdentities +
                           "[probes.p]\ntype = \"authorization\"\n" + GetParam().rules;
  const Loaded loaded = parse_config("holdshort.toml", text, environment, {});
  ASSERT_FALSE(loaded.diagnostics.empty());
  EXPECT_EQ(holdshort::format("holdshort.toml", loaded.diagnostics.at(0)),
            "holdshort.toml:" + std::string(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, AuthorizationConfig,
    testing::Values(
        Mistake{"NoRules", "", "9:1: error: missing key \"rules\" in [probes.p], expected a list of tables"},
        Mistake{"EmptyRules", "rules = []\n",
                "11:9: error: \"rules\" is an empty list, expected a list of tables"},
        Mistake{"UnknownIdentity", "rules = [{ as = \"alicee\", path = \"/a\", expect = \"allow\" }]\n",
                "11:17: error: \"as\" names an identity that is not declared: \"alicee\"; did you mean "
                "\"alice\"?"},
        Mistake{"UnknownWord",
                "rules = [\n{ as = \"bob\", path = \"/a\", expect = \"allow\" },\n{ path = \"/a\", expect = "
                "\"denied\" "
                "}]\n",
                "13:25: error: \"expect\" is \"denied\", expected \"allow\" or \"deny\""},
        Mistake{
            "NoExpectation", "[[probes.p.rules]]\npath = \"/a\"\n",
            "11:1: error: missing key \"expect\" in \"rules\" of [probes.p], expected \"allow\" or \"deny\""},
        Mistake{"UnknownKey", "[[probes.p.rules]]\npaht = \"/a\"\nexpect = \"deny\"\n",
                "12:1: error: unknown key \"paht\" in \"rules\" of [probes.p]; did you mean \"path\"?"},
        Mistake{"NoPath", "rules = [{ as = \"bob\", expect = \"allow\" }]\n",
                "11:10: error: a rule has no \"path\", and neither has the probe; write it in the rule"},
        Mistake{"Contradiction",
                "rules = [{ as = \"bob\", path = \"/a\", expect = \"allow\" },\n{ as = \"bob\", path = "
                "\"/a\", expect "
                "= \"deny\" }]\n",
                "12:1: error: a rule allows GET /a to bob, and another denies it; remove one of them"},
        Mistake{
            "DenialsAlone", "rules = [{ as = \"bob\", path = \"/a\", expect = \"deny\" }]\n",
            "11:10: warning: \"bob\" is denied and never allowed anything: a refusal may only mean that its "
            "credentials are, so the probe cannot pass; add a rule that allows it something"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace holdshort
