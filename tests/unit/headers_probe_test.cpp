// The headers probe: each rule on an app that follows it and on one that does not, and on apps of which
// nothing can be said.
#include <functional>

#include <gtest/gtest.h>

#include "probes/headers/cookies.h"
#include "probes/headers/rules.h"
#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using headers_probe::Verdict;
using testing_support::always;
using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::expect_verdict;
using testing_support::find;
using testing_support::no_answer;
using testing_support::Sent;
using testing_support::Stage;

const auto kPass = Outcome::pass, kFail = Outcome::fail, kUnclear = Outcome::inconclusive;
const Header kNosniff{"X-Content-Type-Options", "nosniff"};
const Header kHtml{"Content-Type", "text/html; charset=utf-8"};
const Header kPolicy{"Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"};

using App = std::function<Response(const Sent&)>;

// "/" is served with `headers`, everything else is a 404 with `others`.
App serving(std::vector<Header> headers, std::vector<Header> others) {
  return [headers, others](const Sent& sent) {
    return sent.request.target == "/" ? answer(200, "hello", headers) : answer(404, "not found", others);
  };
}
App serving(std::vector<Header> headers) { return serving(headers, headers); }
App page(std::vector<Header> headers) {
  headers.insert(headers.end(), {kHtml, kNosniff});
  return serving(headers, {kNosniff});
}
App with_cookie(const std::string& line) { return serving({kNosniff, {"Set-Cookie", line}}, {kNosniff}); }
bool is_undecodable(const Sent& sent) { return sent.request.target.ends_with("%zz"); }

struct Row {
  const char* name;
  const char* config;
  App app;
  Outcome outcome;
  const char* worst = "";  // id of the worst check where the outcome is no pass
};

class HeadersProbe : public testing::TestWithParam<Row> {};

TEST_P(HeadersProbe, Judges) {
  ConfiguredProbe configured(
      "[identities.ops]\nbearer = { env = \"ADMIN_TOKEN\" }\n[probes.p]\ntype = \"headers\"\n" +
      std::string(GetParam().config) + "\n");
  Stage stage(GetParam().app, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  expect_verdict(outcome, GetParam().outcome, GetParam().worst);
}

const auto kNameOf = [](const auto& row) { return row.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Api, HeadersProbe,
    testing::Values(
        Row{"NosniffIsEnough", "", serving({kNosniff}), kPass},
        Row{"NosniffIsMissing", "", serving({}), kFail, "headers.content_type_options"},
        Row{"NosniffIsMissingOnThe404", "", serving({kNosniff}, {}), kFail, "headers.content_type_options"},
        Row{"AnotherValueComesFirst", "", serving({{"X-Content-Type-Options", "sniff, nosniff"}}), kFail,
            "headers.content_type_options"},
        Row{"TwiceTheSameIsTheSame", "", serving({kNosniff, kNosniff}), kPass},
        Row{"AProductWithoutAVersion", "",
            serving({kNosniff, {"Server", "nginx"}, {"X-Powered-By", "Express"}}), kPass},
        Row{"AVersionInServer", "", serving({kNosniff, {"Server", "nginx/1.22.1"}}), kFail,
            "headers.no_version"},
        Row{"AVersionInXPoweredBy", "", serving({kNosniff, {"X-Powered-By", "PHP/8.2.36"}}), kFail,
            "headers.no_version"},
        Row{"AVersionOnTheProxysOwnErrorPageAlone", "",
            [](const Sent& sent) {
              if (is_undecodable(sent)) return answer(400, "", {{"Server", "nginx/1.22.1"}});
              return serving({kNosniff})(sent);
            },
            kFail, "headers.no_version"},
        Row{"TheProxysOwnErrorPageNeedNotCarryTheAppsHeaders", "",
            [](const Sent& sent) {
              if (is_undecodable(sent)) return answer(400);
              return serving({kNosniff})(sent);
            },
            kPass},
        Row{"TheProxyMayHangUpOnWhatItCannotDecode", "",
            [](const Sent& sent) {
              if (is_undecodable(sent)) return no_answer(Ended::reset);
              return serving({kNosniff})(sent);
            },
            kPass},
        Row{"RequiredFieldIsThere", "require = [\"Permissions-Policy\"]",
            serving({kNosniff, {"permissions-policy", "camera=()"}}), kPass},
        Row{"RequiredFieldIsMissingOnThe404", "require = [\"Permissions-Policy\"]",
            serving({kNosniff, {"Permissions-Policy", "camera=()"}}, {kNosniff}), kFail, "headers.required"},
        Row{"ForbiddenFieldIsAbsent", "forbid = [\"X-Powered-By\"]", serving({kNosniff}), kPass},
        Row{"ForbiddenFieldIsThere", "forbid = [\"X-Powered-By\"]",
            serving({kNosniff, {"X-Powered-By", "Express"}}), kFail, "headers.forbidden"},
        Row{"PagesNeedNoPolicyHere", "", serving({kNosniff, kHtml}), kPass}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    Web, HeadersProbe,
    testing::Values(
        Row{"PolicyWithFrameAncestors", "preset = \"web\"", page({kPolicy}), kPass},
        Row{"XFrameOptionsWhereThereAreNoFrameAncestors", "preset = \"web\"",
            page({{"Content-Security-Policy", "script-src 'self'"}, {"X-Frame-Options", "SAMEORIGIN"}}),
            kPass},
        Row{"NoPolicy", "preset = \"web\"", page({{"X-Frame-Options", "DENY"}}), kFail,
            "headers.content_security_policy"},
        Row{"OnlyReported", "preset = \"web\"",
            page({{"Content-Security-Policy-Report-Only", "default-src 'self'"},
                  {"X-Frame-Options", "DENY"}}),
            kFail, "headers.content_security_policy"},
        Row{"NobodyForbidsFrames", "preset = \"web\"",
            page({{"Content-Security-Policy", "default-src 'self'"}}), kFail, "headers.framing"},
        Row{"ReferrersWithPaths", "preset = \"web\"", page({kPolicy, {"Referrer-Policy", "unsafe-url"}}),
            kFail, "headers.referrer_policy"},
        Row{"JsonNeedsNoPolicy", "preset = \"web\"",
            serving({kNosniff, {"Content-Type", "application/json"}}), kPass},
        Row{"A404PageNeedsItToo", "preset = \"web\"", serving({kNosniff, kHtml, kPolicy}, {kNosniff, kHtml}),
            kFail, "headers.content_security_policy"},
        Row{"APageWithoutATypeIsAPage", "preset = \"web\"",
            always(answer(200, "\n<!DOCTYPE html><title>x</title>", {kNosniff})), kFail,
            "headers.content_security_policy"}),
    kNameOf);

const char* const kHsts = "hsts_min_age = \"4320h\"";
Header hsts(const char* value) { return {"Strict-Transport-Security", value}; }

INSTANTIATE_TEST_SUITE_P(
    Hsts, HeadersProbe,
    testing::Values(
        Row{"LongEnough", kHsts, serving({kNosniff, hsts("max-age=63072000; includeSubDomains")}), kPass},
        Row{"ExactlyLongEnough", kHsts, serving({kNosniff, hsts("Max-Age=\"15552000\"")}), kPass},
        Row{"TooShort", kHsts, serving({kNosniff, hsts("max-age=15551999")}), kFail,
            "headers.strict_transport_security"},
        Row{"Absent", kHsts, serving({kNosniff}), kFail, "headers.strict_transport_security"},
        Row{"TakenBack", "hsts_min_age = \"1s\"", serving({kNosniff, hsts("max-age=0")}), kFail,
            "headers.strict_transport_security"},
        Row{"NoNumber", kHsts, serving({kNosniff, hsts("max-age=63072000s")}), kFail,
            "headers.strict_transport_security"},
        Row{"TwoThatDiffer", kHsts, serving({kNosniff, hsts("max-age=63072000"), hsts("max-age=3600")}),
            kFail, "headers.strict_transport_security"},
        Row{"NotAskedFor", "", serving({kNosniff}), kPass},
        Row{"NoHttpsIsClaimed", "hsts_min_age = \"4320h\"\nheaders = { X-Forwarded-Proto = \"http\" }",
            serving({kNosniff}), kPass}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    Cookies, HeadersProbe,
    testing::Values(Row{"SessionInOrder", "",
                        with_cookie("connect.sid=s%3Ax; Path=/; HttpOnly; Secure; SameSite=Lax"), kPass},
                    Row{"SessionWithoutSecure", "", with_cookie("connect.sid=x; Path=/; HttpOnly"), kFail,
                        "headers.cookie_secure"},
                    Row{"SessionWithoutHttpOnly", "", with_cookie("PHPSESSID=x; Path=/; Secure"), kFail,
                        "headers.cookie_http_only"},
                    Row{"SameSiteNoneWithoutSecure", "", with_cookie("theme=x; SameSite=None"), kFail,
                        "headers.cookie_same_site"},
                    Row{"HostPrefixInOrder", "", with_cookie("__Host-session=x; Path=/; Secure; HttpOnly"),
                        kPass},
                    Row{"HostPrefixWithADomain", "",
                        with_cookie("__Host-session=x; Path=/; Secure; HttpOnly; Domain=example.com"), kFail,
                        "headers.cookie_prefix"},
                    Row{"SecurePrefixWithoutSecure", "", with_cookie("__Secure-theme=x; Path=/"), kFail,
                        "headers.cookie_prefix"},
                    Row{"ACookieOfNoConsequence", "", with_cookie("sidebar_state=open; Path=/"), kPass},
                    Row{"ATokenThatScriptsMustRead", "", with_cookie("XSRF-TOKEN=x; Path=/; Secure"), kPass},
                    Row{"ACookieThatIsDeleted", "", with_cookie("session=; Max-Age=0; Path=/"), kPass},
                    Row{"NotLookedAt", "cookies = false", with_cookie("connect.sid=x"), kPass},
                    Row{"SecureIsNotWantedOverHttp", "headers = { X-Forwarded-Proto = \"http\" }",
                        with_cookie("connect.sid=x; HttpOnly"), kPass}),
    kNameOf);

Response as_ops(const Sent& sent, std::vector<Header> headers) {
  headers.push_back(kNosniff);
  if (sent.request.target != "/") return answer(404, "", {kNosniff});
  return sent.header("Authorization").empty() ? answer(401, "", {kNosniff}) : answer(200, "{}", headers);
}

INSTANTIATE_TEST_SUITE_P(
    Callers, HeadersProbe,
    testing::Values(Row{"WhatAKnownCallerGetsIsNotStored", "as = \"ops\"",
                        [](const Sent& sent) {
                          return as_ops(sent, {{"Cache-Control", "no-store"}});
                        },
                        kPass},
                    Row{"WhatAKnownCallerGetsIsHisAlone", "as = \"ops\"",
                        [](const Sent& sent) {
                          return as_ops(sent, {{"Cache-Control", "max-age=0, private"}});
                        },
                        kPass},
                    Row{"WhatAKnownCallerGetsIsPublic", "as = \"ops\"",
                        [](const Sent& sent) {
                          return as_ops(sent, {{"Cache-Control", "public, max-age=60"}});
                        },
                        kFail, "headers.cache_control"},
                    Row{"NothingSaysWhetherItIsStored", "as = \"ops\"",
                        [](const Sent& sent) { return as_ops(sent, {}); }, kFail, "headers.cache_control"},
                    Row{"TheRefusalLacksThem", "as = \"ops\"",
                        [](const Sent& sent) {
                          const bool stranger =
                              sent.request.target == "/" && sent.header("Authorization").empty();
                          return stranger ? answer(401) : as_ops(sent, {{"Cache-Control", "no-store"}});
                        },
                        kFail, "headers.content_type_options"}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    NothingCanBeSaid, HeadersProbe,
    testing::Values(
        Row{"Absent", "", always(no_answer(Ended::refused)), kUnclear, "headers.answered"},
        Row{"Hangs", "", always(no_answer(Ended::timeout)), kUnclear, "headers.answered"},
        Row{"Everything503", "", always(answer(503, "", {kNosniff})), kUnclear, "headers.answered"},
        Row{"Everything404", "", always(answer(404, "", {kNosniff})), kUnclear, "headers.answered"},
        Row{"Everything401", "", always(answer(401, "", {kNosniff})), kUnclear, "headers.served"},
        Row{"A503WithoutThemIsNoFailure", "", always(answer(503)), kUnclear, "headers.answered"},
        Row{"HeadersCutByTheCap", "",
            [](const Sent&) {
              Response response = answer(200);
              response.ended = Ended::capped;
              return response;
            },
            kUnclear, "headers.answered"},
        Row{"ABodyCutByTheCapHasWholeHeaders", "",
            [](const Sent&) {
              Response response = answer(200, "much", {kNosniff});
              response.ended = Ended::capped;
              return response;
            },
            kPass},
        Row{"OnePathOfTwoIsNotThere", "paths = [\"/\", \"/gone\"]", serving({kNosniff}), kUnclear,
            "headers.answered"},
        Row{"ARefusalBesideAServedPathIsJudged", "paths = [\"/\", \"/admin\"]",
            [](const Sent& sent) {
              if (sent.request.target == "/admin") return answer(403, "", {kNosniff});
              return serving({kNosniff})(sent);
            },
            kPass},
        Row{"A503MayTellAVersionAllTheSame", "",
            always(answer(503, "", {{"Server", "Apache/2.4.71 (Debian)"}})), kFail, "headers.no_version"},
        Row{"RedirectsToHttpsForEver", "",
            always(answer(301, "", {kNosniff, {"Location", "https://orders.example.com/"}})), kUnclear,
            "headers.served"},
        Row{"ARedirectToTheLoginIsAnAnswer", "",
            [](const Sent& sent) {
              if (sent.request.target != "/") return answer(404, "", {kNosniff});
              return answer(302, "", {kNosniff, {"Location", "/login"}});
            },
            kPass},
        Row{"ARedirectToAnotherSpellingIsFollowedOnce", "path = \"/app\"",
            [](const Sent& sent) {
              if (sent.request.target == "/app") return answer(301, "", {{"Location", "/app/"}});
              if (sent.request.target == "/app/") return answer(200, "", {kNosniff});
              return answer(404, "", {kNosniff});
            },
            kPass}),
    kNameOf);

TEST(HeadersProbeRun, SendsThreeRequestsForOnePath) {
  ConfiguredProbe configured("[probes.p]\ntype = \"headers\"\n");
  Stage stage(serving({kNosniff}), configured.environment);
  EXPECT_EQ(configured.run(stage).requests, 3);
}

TEST(HeadersProbeRun, PrintsNoCookiesValue) {
  ConfiguredProbe configured("[probes.p]\ntype = \"headers\"\n");
  Stage stage(with_cookie("session=t2Zq8mVb4Xw9Lk3R"), configured.environment);
  for (const Check& check : configured.run(stage).checks)
    EXPECT_EQ((check.summary + check.observed + check.request).find("t2Zq8mVb4Xw9Lk3R"), std::string::npos);
}

TEST(HeadersProbeRun, EndsAtTheFirstFaultWhileTheAppStarts) {
  ConfiguredProbe configured("[probes.p]\ntype = \"headers\"\npaths = [\"/\", \"/a\", \"/b\"]\n");
  Stage stage(always(answer(503)), configured.environment);
  stage.pace = Pace::startup;
  EXPECT_EQ(configured.run(stage).requests, 1);
}

TEST(HeadersProbeRun, OneNameCannotBeWantedAndForbidden) {
  EXPECT_THROW(
      ConfiguredProbe("[probes.p]\ntype = \"headers\"\nrequire = [\"Server\"]\nforbid = [\"server\"]\n"),
      std::runtime_error);
}

struct RuleRow {
  const char* name;
  Verdict (*rule)(const std::vector<Header>&);
  std::vector<Header> headers;
  bool holds;
};

class HeaderRule : public testing::TestWithParam<RuleRow> {};

TEST_P(HeaderRule, Holds) {
  const Verdict verdict = GetParam().rule(GetParam().headers);
  EXPECT_EQ(verdict.holds, GetParam().holds) << verdict.observed;
}

std::vector<Header> policy(const char* value) { return {{"Content-Security-Policy", value}}; }

using headers_probe::content_security_policy;
using headers_probe::framing;
using headers_probe::no_version;
using headers_probe::referrer_policy;

INSTANTIATE_TEST_SUITE_P(
    Csp, HeaderRule,
    testing::Values(
        RuleRow{
            "HelmetsDefault", content_security_policy,
            policy("default-src 'self';base-uri 'self';font-src 'self' https: data:;frame-ancestors "
                   "'self';img-src 'self' data:;script-src 'self';style-src 'self' https: 'unsafe-inline'"),
            true},
        RuleRow{"InlineScripts", content_security_policy, policy("script-src 'self' 'unsafe-inline'"), false},
        RuleRow{"InlineIsIgnoredBesideANonce", content_security_policy,
                policy("script-src 'nonce-abc' 'unsafe-inline'"), true},
        RuleRow{"AnyHostIsIgnoredBesideStrictDynamic", content_security_policy,
                policy("script-src 'strict-dynamic' 'nonce-abc' http: 'unsafe-inline'"), true},
        RuleRow{"AnyHost", content_security_policy, policy("default-src *"), false},
        RuleRow{"Data", content_security_policy, policy("default-src 'self'; script-src 'self' DATA:"),
                false},
        RuleRow{"SaysNothingOfScripts", content_security_policy, policy("upgrade-insecure-requests"), false},
        RuleRow{"TheFirstOfTwoDirectivesCounts", content_security_policy,
                policy("script-src *; script-src 'self'"), false},
        RuleRow{"OneOfTwoPoliciesIsEnough",
                content_security_policy,
                {{"Content-Security-Policy", "frame-ancestors 'none'"},
                 {"Content-Security-Policy", "default-src 'none'"}},
                true},
        RuleRow{"TwoPoliciesInOneLine", content_security_policy,
                policy("frame-ancestors 'none', default-src 'none'"), true}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    Framing, HeaderRule,
    testing::Values(RuleRow{"Deny", framing, {{"X-Frame-Options", "deny"}}, true},
                    RuleRow{"AllowAll", framing, {{"X-Frame-Options", "ALLOWALL"}}, false},
                    RuleRow{"AllowFromIsUnknownToBrowsers",
                            framing,
                            {{"X-Frame-Options", "ALLOW-FROM https://a.example"}},
                            false},
                    RuleRow{"Conflicting",
                            framing,
                            {{"X-Frame-Options", "DENY"}, {"X-Frame-Options", "SAMEORIGIN"}},
                            false},
                    RuleRow{"TwiceTheSame", framing, {{"X-Frame-Options", "DENY, deny"}}, true},
                    RuleRow{"AncestorsOpenToAll",
                            framing,
                            {{"Content-Security-Policy", "frame-ancestors *"}, {"X-Frame-Options", "DENY"}},
                            false},
                    RuleRow{"ConflictDoesNotMatterBesideAncestors",
                            framing,
                            {{"Content-Security-Policy", "frame-ancestors 'none'"},
                             {"X-Frame-Options", "DENY"},
                             {"X-Frame-Options", "SAMEORIGIN"}},
                            true},
                    RuleRow{"ReportedAncestorsForbidNothing",
                            framing,
                            {{"Content-Security-Policy-Report-Only", "frame-ancestors 'none'"}},
                            false}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    Others, HeaderRule,
    testing::Values(RuleRow{"NoReferrerPolicyIsTheBrowsersSafeOne", referrer_policy, {}, true},
                    RuleRow{"TheLastKnownReferrerPolicyCounts",
                            referrer_policy,
                            {{"Referrer-Policy", "no-referrer, unsafe-url, whatever"}},
                            false},
                    RuleRow{"Passenger", no_version, {{"Server", "Phusion Passenger(R) 6.0.1"}}, false},
                    RuleRow{"Php", no_version, {{"X-Powered-By", "PHP/8"}}, false},
                    RuleRow{"AspNet", no_version, {{"X-AspNet-Version", "4.0.30319"}}, false},
                    RuleRow{"Http3InAName", no_version, {{"Server", "h2o"}}, true},
                    RuleRow{"ABuildsHash", no_version, {{"Server", "Fly/46ed8f7"}}, true},
                    RuleRow{"NextJs", no_version, {{"X-Powered-By", "Next.js"}}, true}),
    kNameOf);

TEST(SetCookie, NamesOfSessionsAreTold) {
  const auto is_session = [](const char* name) {
    return headers_probe::SetCookie::parse(std::string(name) + "=x", {})->is_session();
  };
  for (const char* name : {"connect.sid", "PHPSESSID", "JSESSIONID", "sid", "auth", "access_token", "jwt",
                           "remember_me", "__Host-session", "_app_session"})
    EXPECT_TRUE(is_session(name)) << name;
  for (const char* name :
       {"sidebar_state", "author", "assessment", "theme", "_ga", "csrftoken", "XSRF-TOKEN"})
    EXPECT_FALSE(is_session(name)) << name;
}

TEST(SetCookie, APastExpiryDeletes) {
  const Wall now{std::chrono::seconds(1795448448)};
  const auto deletes = [&](const char* line) { return headers_probe::SetCookie::parse(line, now)->deletes; };
  EXPECT_TRUE(deletes("sid=deleted; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
  EXPECT_TRUE(deletes("sid=x; expires=Thu, 01-Jan-1970 00:00:01 GMT"));
  EXPECT_FALSE(deletes("sid=x; Expires=Thu, 01 Jan 2099 00:00:00 GMT"));
  EXPECT_FALSE(deletes("sid=x; Expires=soon"));
}

}  // namespace
}  // namespace holdshort
