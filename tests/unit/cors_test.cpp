// The cors probe against apps that allow nobody, that allow whom they should, and that are fooled.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/cors/origins.h"
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

const auto kPass = Outcome::pass, kFail = Outcome::fail, kUnclear = Outcome::inconclusive;
const char* const kApp = "https://app.example.com";
const char* const kDeclared = "allowed_origins = [\"https://app.example.com\"]";
const char* const kEverybody = "allowed_origins = [\"*\"]";

using App = std::function<Response(const Sent&)>;

// Serves everybody, and allows the origins for which `allows` is true.
App allowing(std::function<bool(const std::string&)> allows, std::vector<Header> more = {}) {
  return [allows, more](const Sent& sent) {
    const std::string origin = sent.header("Origin");
    std::vector<Header> headers = more;
    headers.push_back({"Vary", "Origin"});
    if (!origin.empty() && allows(origin)) headers.push_back({"Access-Control-Allow-Origin", origin});
    return answer(sent.request.method == "OPTIONS" ? 204 : 200, "{}", headers);
  };
}
App fixed(const char* value, std::vector<Header> more = {}) {
  more.push_back({"Access-Control-Allow-Origin", value});
  return always(answer(200, "{}", more));
}
const Header kCredentials{"Access-Control-Allow-Credentials", "true"};
bool is_app(const std::string& origin) { return origin == kApp; }

struct Row {
  const char* name;
  const char* config;
  App app;
  Outcome outcome;
  const char* worst = "";
};

class Cors : public testing::TestWithParam<Row> {};

TEST_P(Cors, Judges) {
  ConfiguredProbe configured(
      "[identities.ops]\nbearer = { env = \"ADMIN_TOKEN\" }\n[probes.p]\ntype = \"cors\"\n" +
      std::string(GetParam().config) + "\n");
  Stage stage(GetParam().app, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  expect_verdict(outcome, GetParam().outcome, GetParam().worst);
}

const auto kNameOf = [](const auto& row) { return row.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Holds, Cors,
    testing::Values(
        Row{"NoCorsAtAll", "", always(answer(200, "{}")), kPass},
        Row{"AFixedOriginIsNotTheHostileOne", "", fixed(kApp), kPass},
        Row{"CredentialsWithoutAnOriginAllowNobody", "", always(answer(200, "{}", {kCredentials})), kPass},
        Row{"ExactlyTheDeclaredOne", kDeclared, allowing(is_app, {kCredentials}), kPass},
        Row{"EverybodyWhereThatIsDeclared", kEverybody, fixed("*"), kPass},
        Row{"EverybodyByReflectionWithoutCredentials", kEverybody,
            allowing([](const std::string&) { return true; }), kPass},
        Row{"AnyNameBelowWhereThatIsDeclared", "allowed_origins = [\"https://*.example.com\"]",
            allowing([](const std::string& origin) {
              return origin.starts_with("https://") && origin.ends_with(".example.com");
            }),
            kPass},
        Row{"HostileOriginsAreRefused", "",
            [](const Sent& sent) { return answer(sent.header("Origin").empty() ? 200 : 403, "{}"); }, kPass},
        Row{"NoPreflightsAtAll", kDeclared,
            [](const Sent& sent) {
              if (sent.request.method == "OPTIONS") return answer(405);
              return allowing(is_app)(sent);
            },
            kPass},
        Row{"CacheableAndVaries", kDeclared, allowing(is_app, {{"Cache-Control", "public, max-age=60"}}),
            kPass},
        Row{"ServedToTheIdentity", "as = \"ops\"",
            [](const Sent& sent) {
              const bool stranger = sent.header("Authorization").empty() && sent.request.method == "GET";
              return answer(stranger ? 401 : 200, "{}");
            },
            kPass}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    Fooled, Cors,
    testing::Values(
        Row{"ReflectsEverybody", "", allowing([](const std::string&) { return true; }), kFail,
            "cors.foreign"},
        Row{"ReflectsEverybodyWithCredentials", "",
            allowing([](const std::string&) { return true; }, {kCredentials}), kFail, "cors.foreign"},
        Row{"EverybodyUndeclared", "", fixed("*"), kFail, "cors.foreign"},
        Row{"ReflectsWithCredentialsWhereEverybodyIsDeclared", kEverybody,
            allowing([](const std::string&) { return true; }, {kCredentials}), kFail, "cors.foreign"},
        Row{"Null", kDeclared,
            allowing([](const std::string& origin) { return is_app(origin) || origin == "null"; }), kFail,
            "cors.null"},
        Row{"Prefix", kDeclared, allowing([](const std::string& origin) { return origin.starts_with(kApp); }),
            kFail, "cors.prefix"},
        Row{"Suffix", kDeclared, allowing([](const std::string& origin) {
              return origin.starts_with("https://") && origin.ends_with("app.example.com");
            }),
            kFail, "cors.suffix"},
        Row{"SuffixOfTheParent", kDeclared, allowing([](const std::string& origin) {
              return is_app(origin) || origin == "https://hostileexample.com";
            }),
            kFail, "cors.parent_suffix"},
        Row{"DotAsWildcard", kDeclared, allowing([](const std::string& origin) {
              return Pattern::compile("^https://app.example.com$")->found_in(origin);
            }),
            kFail, "cors.dot"},
        Row{"LastDotAsWildcard", kDeclared, allowing([](const std::string& origin) {
              return Pattern::compile("^https://app[.]example.com$")->found_in(origin);
            }),
            kFail, "cors.last_dot"},
        Row{"HttpForHttps", kDeclared,
            allowing([](const std::string& origin) { return origin.ends_with("://app.example.com"); }), kFail,
            "cors.http"},
        Row{"Subdomain", kDeclared, allowing([](const std::string& origin) {
              return is_app(origin) || origin.ends_with(".app.example.com");
            }),
            kFail, "cors.subdomain"},
        Row{"TheAppsOwnNameIsImpersonatedToo", "", allowing([](const std::string& origin) {
              return origin.starts_with("https://orders.example.com");
            }),
            kFail, "cors.prefix"},
        Row{"PreflightAlone", "",
            [](const Sent& sent) {
              if (sent.request.method == "OPTIONS")
                return allowing([](const std::string&) { return true; })(sent);
              return answer(200, "{}");
            },
            kFail, "cors.preflight_foreign"},
        Row{"PreflightForNullAlone", "",
            [](const Sent& sent) {
              if (sent.request.method == "OPTIONS" && sent.header("Origin") == "null")
                return answer(204, "", {{"Access-Control-Allow-Origin", "null"}});
              return answer(200, "{}");
            },
            kFail, "cors.preflight_null"},
        Row{"TheRefusalReflects", "",
            [](const Sent& sent) {
              return answer(401, "", {{"Access-Control-Allow-Origin", sent.header("Origin")}, kCredentials});
            },
            kFail, "cors.foreign"},
        Row{"TheDeclaredOneIsNotAllowed", kDeclared, always(answer(200, "{}")), kFail, "cors.allowed"},
        Row{"TheDeclaredOneGetsTwoValues", kDeclared,
            [](const Sent& sent) {
              if (sent.header("Origin") != kApp) return answer(200, "{}");
              return answer(200, "{}",
                            {{"Access-Control-Allow-Origin", kApp}, {"Access-Control-Allow-Origin", kApp}});
            },
            kFail, "cors.allowed"},
        Row{"NobodyIsAllowedWhereEverybodyIsDeclared", kEverybody, always(answer(200, "{}")), kFail,
            "cors.allowed"},
        Row{"CacheableAndDoesNotVary", kDeclared,
            [](const Sent& sent) {
              std::vector<Header> headers{{"Cache-Control", "public, max-age=60"}};
              if (sent.header("Origin") == kApp) headers.push_back({"Access-Control-Allow-Origin", kApp});
              return answer(200, "{}", headers);
            },
            kFail, "cors.vary"}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    NothingCanBeSaid, Cors,
    testing::Values(
        Row{"Absent", "", always(no_answer(Ended::refused)), kUnclear, "cors.served"},
        Row{"Hangs", "", always(no_answer(Ended::timeout)), kUnclear, "cors.served"},
        Row{"Everything503", "", always(answer(503)), kUnclear, "cors.served"},
        Row{"Everything404", "", always(answer(404)), kUnclear, "cors.served"},
        Row{"Everything401", "", always(answer(401)), kUnclear, "cors.served"},
        Row{"A503ThatAllowsEverybodyProvesNothing", "",
            always(answer(503, "", {{"Access-Control-Allow-Origin", "*"}})), kUnclear, "cors.served"},
        Row{"HostileOriginsGetAnError", "",
            [](const Sent& sent) { return answer(sent.header("Origin").empty() ? 200 : 500, "{}"); },
            kUnclear, "cors.foreign"},
        Row{"TheDeclaredOneGetsAnError", kDeclared,
            [](const Sent& sent) { return answer(sent.header("Origin") == kApp ? 500 : 200, "{}"); },
            kUnclear, "cors.allowed"},
        Row{"HeadersCutByTheCap", "",
            [](const Sent& sent) {
              Response response = answer(200, sent.header("Origin").empty() ? "{}" : "");
              if (!sent.header("Origin").empty()) response.ended = Ended::capped;
              return response;
            },
            kUnclear, "cors.foreign"}),
    kNameOf);

TEST(CorsRun, IsInconclusiveWhereTheAppIsNotThereAfterwards) {
  ConfiguredProbe configured("[probes.p]\ntype = \"cors\"\n");
  int plain = 0;
  Stage stage(
      [&](const Sent& sent) {
        return sent.header("Origin").empty() && ++plain > 1 ? answer(503) : answer(200, "{}");
      },
      configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), kUnclear);
  EXPECT_EQ(outcome.worst()->id, "cors.still_served");
}

// The README of the cors package throws for every origin that is not in its list, and for none at all.
TEST(CorsRun, AnAppWhoseCallbackThrowsIsToldWhatToChange) {
  ConfiguredProbe configured("[probes.p]\ntype = \"cors\"\n");
  Stage strict(always(answer(500, "Error: Not allowed by CORS")), configured.environment);
  EXPECT_THAT(configured.run(strict).summary(),
              testing::HasSubstr("does the app's CORS callback throw where there is no Origin?"));
  Stage lenient([](const Sent& sent) { return answer(sent.header("Origin").empty() ? 200 : 500, "{}"); },
                configured.environment);
  EXPECT_THAT(configured.run(lenient).summary(), testing::HasSubstr("callback(null, false)"));
}

TEST(CorsRun, SendsThirteenRequestsAPath) {
  ConfiguredProbe configured("[probes.p]\ntype = \"cors\"\n");
  Stage stage(always(answer(200, "{}")), configured.environment);
  EXPECT_EQ(configured.run(stage).requests, 13);
}

TEST(CorsRun, NeverSendsWhatChangesThings) {
  ConfiguredProbe configured("[probes.p]\ntype = \"cors\"\nmethod = \"DELETE\"\n" + std::string(kDeclared) +
                             "\n");
  Stage stage(allowing(is_app), configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), kPass);
  for (const Sent& sent : stage.client.sent)
    EXPECT_TRUE(sent.request.method == "GET" || sent.request.method == "OPTIONS") << sent.request.method;
}

TEST(CorsRun, PreflightsCarryNoCredentials) {
  ConfiguredProbe configured(
      "[identities.ops]\nbearer = { env = \"ADMIN_TOKEN\" }\n[probes.p]\ntype = \"cors\"\nas = \"ops\"\n");
  Stage stage(always(answer(200, "{}")), configured.environment);
  configured.run(stage);
  for (const Sent& sent : stage.client.sent)
    EXPECT_EQ(sent.header("Authorization").empty(), sent.request.method == "OPTIONS");
}

TEST(CorsRun, ImpersonatesNoMoreThanFourOrigins) {
  std::string origins;
  for (int i = 0; i < 20; ++i)
    origins += (i ? ", " : "") + ("\"https://a" + std::to_string(i) + ".example.com\"");
  ConfiguredProbe configured("[probes.p]\ntype = \"cors\"\nallowed_origins = [" + origins + "]\n");
  Stage stage(allowing([](const std::string& origin) {
                return Pattern::compile("^https://a[0-9]+\\.example\\.com$")->found_in(origin);
              }),
              configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), kPass) << outcome.summary();
  EXPECT_LE(outcome.requests, 60);
}

TEST(CorsKeys, WhatIsNoOriginIsRefused) {
  for (const char* bad : {"app.example.com", "https://app.example.com/", "https://a.*.com", "null",
                          "ftp://a.example", "https://", "https://user@a.example"})
    EXPECT_THROW(
        ConfiguredProbe(std::string("[probes.p]\ntype = \"cors\"\nallowed_origins = [\"") + bad + "\"]\n"),
        std::runtime_error)
        << bad;
}

TEST(CorsKeys, MoreOriginsThanAreAskedForAreRefused) {
  std::string origins;
  for (int i = 0; i < 21; ++i)
    origins += (i ? ", " : "") + ("\"https://a" + std::to_string(i) + ".example\"");
  EXPECT_THROW(ConfiguredProbe("[probes.p]\ntype = \"cors\"\nallowed_origins = [" + origins + "]\n"),
               std::runtime_error);
}

TEST(CorsOrigins, ImpostorsOfANameWithAPort) {
  std::vector<std::string> origins;
  for (const cors::Hostile& hostile : cors::impostors_of(*cors::Origin::parse("http://LocalHost:3000"), "9f"))
    origins.push_back(hostile.origin);
  EXPECT_THAT(origins, testing::ElementsAre("http://localhost.hostile.test:3000",
                                            "http://hostilelocalhost:3000", "http://hs-9f.localhost:3000"));
}

TEST(CorsOrigins, AnAddressHasNoNamesToImitate) {
  EXPECT_EQ(cors::impostors_of(*cors::Origin::parse("http://127.0.0.1"), "9f").size(), 1u);
  EXPECT_EQ(cors::impostors_of(*cors::Origin::parse("http://[::1]:8080"), "9f").size(), 1u);
}

}  // namespace
}  // namespace holdshort
