// The exposure probe against apps that show nothing, that show something, that lie, that hang and that are
// absent.
#include <functional>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/exposure/catalogue.h"
#include "probes/exposure/internals.h"
#include "probes/kit/classify.h"
#include "probes/kit/crypto.h"
#include "probes/kit/written_forms.h"
#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using exposure::Page;
using exposure::Row;
using exposure::Severity;
using testing_support::always;
using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::find;
using testing_support::no_answer;
using testing_support::Sent;
using testing_support::Stage;

const auto kPass = Outcome::pass, kFail = Outcome::fail, kUnclear = Outcome::inconclusive;
const std::string kToken = "ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5";  // of ConfiguredProbe's environment
const Header kHtml{"Content-Type", "text/html"}, kText{"Content-Type", "text/plain"},
    kJson{"Content-Type", "application/json"};
const char* const kStartPage =
    "<!doctype html><html><body><div id=root></div><script src=/app.js></script></body></html>";
const char* const kTrace =
    "SyntaxError: Unexpected end of JSON input\n    at JSON.parse (<anonymous>)\n"
    "    at parse (/srv/app/node_modules/body-parser/lib/types/json.js:92:19)\n";
const char* const kEnvFile = "NODE_ENV=production\nLOG_LEVEL=info\nSTRIPE_API_KEY=\n";

using App = std::function<Response(const Sent&)>;

Response not_found() { return answer(404, R"({"error":"not found"})", {kJson}); }
// Serves `pages`, and `other` everywhere else.
App with(std::map<std::string, Response> pages, Response other = not_found()) {
  return [pages, other](const Sent& sent) {
    const auto page = pages.find(sent.request.target);
    return page == pages.end() ? other : page->second;
  };
}
Response text(std::string body) { return answer(200, std::move(body), {kText}); }
Response page(std::string body) { return answer(200, std::move(body), {kHtml}); }
Response ended(Ended how, Response response) {
  response.ended = how;
  return response;
}
bool is_malformed(const Sent& sent) { return sent.request.method == "POST"; }
// `then` where `is` says so, else a 404.
App when(bool (*is)(const Sent&), Response then) {
  return [is, then](const Sent& sent) {
    if (is(sent)) return then;
    return not_found();
  };
}

struct Result_ {
  Outcome outcome;
  std::string id, summary;
  int requests;
};

Result_ judged(const std::string& config, const App& app) {
  ConfiguredProbe configured(
      "[identities.ops]\nbearer = { env = \"ADMIN_TOKEN\" }\n[probes.p]\ntype = \"exposure\"\n" + config +
      "\n");
  configured.environment.files["/etc/hostname"] = {"148e21fe9a9189\n"};
  Stage stage(app, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  const Check* worst = outcome.worst();
  return {outcome.outcome(), worst ? worst->id : "", outcome.summary(), outcome.requests};
}

struct Case {
  const char* name;
  const char* config;
  App app;
  Outcome outcome;
  const char* worst = "";
};

class Exposure : public testing::TestWithParam<Case> {};

TEST_P(Exposure, Judges) {
  const Result_ result = judged(GetParam().config, GetParam().app);
  EXPECT_EQ(name_of(result.outcome), name_of(GetParam().outcome)) << result.summary;
  if (GetParam().outcome != kPass) {
    EXPECT_EQ(result.id, GetParam().worst) << result.summary;
  }
}

const auto kNameOf = [](const auto& row) { return row.param.name; };
const char* const kSecret = "secrets = [{ env = \"ADMIN_TOKEN\" }]";

INSTANTIATE_TEST_SUITE_P(
    ShowsNothing, Exposure,
    testing::Values(
        Case{"EverythingElseIs404", "", with({}), kPass},
        Case{"StartPageForEveryPath", "", always(page(kStartPage)), kPass},
        Case{"A200ThatSaysNotFound", "", always(answer(200, R"({"error":"not found"})", {kJson})), kPass},
        Case{"EveryPathGetsWhatAnEnvironmentFileLooksLike", "", always(text(kEnvFile)), kPass},
        Case{"AForbiddenRepository", "", with({{"/.git/HEAD", answer(403)}}), kPass},
        Case{"ARedirectIsNotFollowed", "", with({{"/.env", answer(302, "", {{"Location", "/login"}})}}),
             kPass},
        Case{"AnEnvironmentFileInHtmlIsAPageAboutIt", "", with({{"/.env", page(kEnvFile)}}), kPass},
        Case{"OneAssignmentIsNoEnvironmentFile", "", with({{"/.env", text("NOTE=nothing here\n")}}), kPass},
        Case{"AnExampleFileIsNoFinding", "", with({{"/.env.example", text(kEnvFile)}}), kPass},
        Case{"SomebodysOwnPageAtAKnownPath", "", with({{"/docs", page("<title>How to order</title>")}}),
             kPass},
        Case{"APageThatRepeatsWhatWasAskedFor", "",
             with({{"/phpmyadmin/", page("<title>/phpmyadmin/</title>No such page")}}), kPass},
        Case{"MetricsThatMayBeSeen", "allow = [\"/metrics\"]",
             with({{"/metrics", text("# HELP up Whether it is up.\n")}}), kPass},
        Case{"AListingThatMayBeSeen", "paths = [\"/downloads/\"]\nallow = [\"/downloads/\"]",
             with({{"/downloads/", page("<title>Index of /downloads/</title>")}}), kPass},
        Case{"ADeclaredPathMayAnswer", "paths = [\"/about\"]", with({{"/about", page("<h1>About</h1>")}}),
             kPass},
        Case{"AnOrdinaryPageMayQuoteAStackTrace", "path = \"/help\"",
             with({{"/help", page("<h1>Errors</h1><pre>Traceback (most recent call last):</pre>")}}), kPass},
        Case{"AndMayBeWhatEveryPathGets", "", always(page("<pre>Traceback (most recent call last):</pre>")),
             kPass},
        Case{"AnOrdinaryPageMayQuoteAnEnvironmentFile", "path = \"/help\"",
             with({{"/help", page("<pre>API_KEY=abc\nDATABASE_URL=def</pre>")}}), kPass},
        Case{"TheSecretIsNowhere", kSecret, with({{"/", page("hello")}}), kPass},
        Case{"AGeneric500IsWhatAMalformedBodyMayGet", "",
             when(is_malformed, answer(500, "Internal Server Error")), kPass},
        Case{"NonsenseMayBeHungUpOn", "",
             when([](const Sent& sent) { return sent.request.target.find('%') != std::string::npos; },
                  no_answer(Ended::reset)),
             kPass},
        Case{"AHostNameThatIsNotOurs", "",
             with({{"/..%2f..%2f..%2f..%2fetc%2fhostname", text("another-machine\n")}}), kPass},
        Case{"BlanketAuthenticationWithAServedCaller", "as = \"ops\"",
             [](const Sent& sent) {
               if (sent.header("Authorization") != "Bearer " + kToken) return answer(401);
               return answer(200, "{}", {kJson});
             },
             kPass},
        Case{"TheCallersOwnTokenEchoedToHim", "as = \"ops\"\nsecrets = [{ env = \"ADMIN_TOKEN\" }]",
             [](const Sent& sent) {
               if (sent.request.target != "/") return not_found();
               return answer(200, sent.header("Authorization"), {kText});
             },
             kPass}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    Shows, Exposure,
    testing::Values(
        Case{"EnvironmentFile", "", with({{"/.env", text(kEnvFile)}}), kFail, "exposure.environment_file"},
        Case{"EnvironmentFileBesideAStartPage", "", with({{"/.env", text(kEnvFile)}}, page(kStartPage)),
             kFail, "exposure.environment_file"},
        Case{"Repository", "", with({{"/.git/HEAD", answer(200, "ref: refs/heads/main\n")}}), kFail,
             "exposure.repository"},
        Case{"PrivateKey", "",
             with({{"/.ssh/id_rsa", text("-----BEGIN "
                                         "PRIVATE KEY-----\nMIIE\n")}}),
             kFail, "exposure.key_file"},
        Case{"Compose", "", with({{"/docker-compose.yml", text("services:\n  web:\n")}}), kFail,
             "exposure.configuration"},
        Case{"Dump", "", with({{"/db.sqlite3", answer(206, std::string("SQLite format 3\0", 16))}}), kFail,
             "exposure.dump"},
        Case{"Debugger", "", with({{"/console", page("<title>Console // Werkzeug Debugger</title>")}}), kFail,
             "exposure.debug_tool"},
        Case{"Status", "", with({{"/server-status", page("<h1>Apache Server Status for localhost</h1>")}}),
             kFail, "exposure.server_status"},
        Case{"Actuator", "",
             with({{"/actuator/env", answer(200, R"({"activeProfiles":[],"propertySources":[]})", {kJson})}}),
             kFail, "exposure.actuator"},
        Case{"Metrics", "", with({{"/metrics", text("# HELP up Whether it is up.\n")}}), kFail,
             "exposure.metrics"},
        Case{"LogFile", "",
             with({{"/storage/logs/laravel.log", text("[2026-11-23 10:00:00] local.ERROR: x")}}), kFail,
             "exposure.log_file"},
        Case{"Manifest", "", with({{"/package.json", answer(200, R"({"dependencies":{}})", {kJson})}}), kFail,
             "exposure.manifest"},
        Case{"ApiDocs", "", with({{"/openapi.json", answer(200, R"({"openapi":"3.1.0"})", {kJson})}}), kFail,
             "exposure.api_docs"},
        Case{"AdminTool", "", with({{"/sidekiq", page("<title>Sidekiq</title>")}}), kFail,
             "exposure.admin_tool"},
        Case{"AliasWithoutItsSlash", "", with({{"/static../.env", text(kEnvFile)}}), kFail,
             "exposure.traversal"},
        Case{"AliasWithoutItsSlashByThePagesOwnFile", "",
             with({{"/", page("<link href=\"/css/site.css\">")},
                   {"/css/site.css", answer(200, "body{}")},
                   {"/css../css/site.css", answer(200, "body{}")}}),
             kFail, "exposure.traversal"},
        Case{"AliasWithoutItsSlashOfASpa", "",
             with({{"/css/site.css", answer(200, "body{}")}, {"/css../css/site.css", answer(200, "body{}")}},
                  page("<!doctype html><link href=\"/css/site.css\">")),
             kFail, "exposure.traversal"},
        Case{"TheMachinesOwnName", "",
             with({{"/..%2f..%2f..%2f..%2fetc%2fhostname", text("148e21fe9a9189\n")}}), kFail,
             "exposure.traversal"},
        Case{"ListingOfAUsualFolder", "", with({{"/uploads/", page("<title>Index of /uploads/</title>")}}),
             kFail, "exposure.listing"},
        Case{"ListingOfADeclaredFolder", "paths = [\"/downloads/\"]",
             with({{"/downloads/", page("<html><head><title>Index of /downloads/</title></head>")}}), kFail,
             "exposure.listing"},
        Case{"ListingOfAFolderThatAPageNames", "",
             with({{"/", page("<img src=\"/pictures/cat.png\">")},
                   {"/pictures/", page("<title>Directory listing for /pictures/</title>")}}),
             kFail, "exposure.listing"},
        Case{"ADeclaredPathWithAnEnvironmentFile", "paths = [\"/old/settings\"]",
             with({{"/old/settings", text(kEnvFile)}}), kFail, "exposure.environment_file"},
        Case{"ADeclaredPathOfTheCatalogue", "paths = [\"/package.json\"]",
             with({{"/package.json", answer(200, R"({"dependencies":{}})", {kJson})}}), kFail,
             "exposure.manifest"},
        Case{"StackTraceOfMalformedJson", "", when(is_malformed, answer(400, kTrace, {kText})), kFail,
             "exposure.internals"},
        Case{"StackTraceOfAnUndecodablePath", "",
             when([](const Sent& sent) { return sent.request.target.ends_with("%ff"); },
                  answer(500, kTrace, {kText})),
             kFail, "exposure.internals"},
        Case{"StackTraceOfAnOddMethod", "",
             when([](const Sent& sent) { return sent.request.method == "PROPFIND"; },
                  answer(500, kTrace, {kText})),
             kFail, "exposure.internals"},
        Case{"StackTraceOfALongQuery", "",
             when([](const Sent& sent) { return sent.request.target.size() > 20000; },
                  answer(500, kTrace, {kText})),
             kFail, "exposure.internals"},
        Case{"StackTraceOfAMalformedToken", "",
             when([](const Sent& sent) { return sent.header("Authorization") == "Bearer hs.hs.hs"; },
                  answer(401, kTrace, {kText})),
             kFail, "exposure.internals"},
        Case{"StackTraceInA200", "", when(is_malformed, answer(200, kTrace, {kText})), kFail,
             "exposure.internals"},
        Case{"ADebugPageForWhatIsNotThere", "",
             always(answer(404, "<p>Using the URLconf defined in shop.urls", {kHtml})), kFail,
             "exposure.internals"},
        Case{"PhpsErrorsInEveryPage", "",
             always(page("<b>Warning</b>:  Undefined variable in <b>/var/www/a.php</b> on line <b>3</b>")),
             kFail, "exposure.internals"},
        Case{"A503MayShowInternalsAllTheSame", "", always(answer(503, kTrace, {kText})), kFail,
             "exposure.internals"},
        Case{"ADeclaredPathThatFailsWithAStackTrace", "paths = [\"/boom\"]",
             with({{"/boom", answer(500, kTrace, {kText})}}), kFail, "exposure.internals"},
        Case{"ForbiddenWords", "forbid = [\"(?i)internal use only\"]",
             with({{"/", page("Internal Use Only")}}), kFail, "exposure.forbidden"},
        Case{"ForbiddenWordsInAHeader", "forbid = [\"db-[0-9]+\"]",
             always(answer(404, "", {{"X-Served-By", "db-7"}})), kFail, "exposure.forbidden"},
        Case{"MetricsThatMayBeSeenWithASecret",
             "allow = [\"/metrics\"]\nsecrets = [{ env = \"ADMIN_TOKEN\" }]",
             with({{"/metrics", text("# HELP up x\nup{token=\"ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5\"} 1\n")}}),
             kFail, "exposure.secret"},
        Case{"AnExampleFileWithARealSecret", kSecret,
             with({{"/.env.example", text("ADMIN_TOKEN=ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5\n")}}), kFail,
             "exposure.secret"}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    NothingCanBeSaid, Exposure,
    testing::Values(
        Case{"Absent", "", always(no_answer(Ended::refused)), kUnclear, "exposure.answers"},
        Case{"Hangs", "", always(no_answer(Ended::timeout)), kUnclear, "exposure.answers"},
        Case{"Everything503", "", always(answer(503)), kUnclear, "exposure.answers"},
        Case{"Everything401", "", always(answer(401)), kUnclear, "exposure.answers"},
        Case{"Everything403", "", always(answer(403)), kUnclear, "exposure.answers"},
        Case{"EverythingRedirects", "",
             always(answer(301, "", {{"Location", "https://orders.example.com/"}})), kUnclear,
             "exposure.answers"},
        Case{"ADeclaredPathThatFails", "paths = [\"/boom\"]",
             with({{"/boom", answer(500, "Internal Server Error")}}), kUnclear, "exposure.declared_path"},
        Case{"OnePathIsAnError", "", with({{"/.git/HEAD", answer(500)}}), kUnclear, "exposure.repository"},
        Case{"OnePathIsRateLimited", "", with({{"/.env", answer(429)}}), kUnclear,
             "exposure.environment_file"},
        Case{"OnePathHangs", "", with({{"/.env", no_answer(Ended::timeout)}}), kUnclear,
             "exposure.environment_file"},
        Case{"ABodyThatWasCut", "", with({{"/", ended(Ended::capped, page("much"))}}), kUnclear,
             "exposure.internals"},
        Case{"AStartPageThatIsCutForEveryPath", "", always(ended(Ended::capped, page(kStartPage))), kUnclear,
             "exposure.internals"},
        Case{"ACompressedBody", "",
             with({{"/", answer(200, "\x1f\x8b", {kHtml, {"Content-Encoding", "gzip"}})}}), kUnclear,
             "exposure.internals"},
        Case{"ACutCatalogueBodyWithoutItsSignature", "",
             with({{"/metrics", ended(Ended::capped, text("much"))}}), kUnclear, "exposure.metrics"}),
    kNameOf);

TEST(ExposureSecrets, AreFoundInEveryFormAndPlace) {
  const std::string with_user = "probe:" + kToken;
  for (const std::string& form : {kToken, crypto::base64(kToken), crypto::base64url(kToken),
                                  crypto::base64(with_user), crypto::hex(kToken)}) {
    const Result_ in_body = judged(kSecret, with({{"/", page("<p>" + form + "</p>")}}));
    EXPECT_EQ(in_body.id, "exposure.secret") << form;
    const Result_ in_header = judged(kSecret, always(answer(404, "", {{"X-Debug", "v=" + form}})));
    EXPECT_EQ(in_header.id, "exposure.secret") << form;
    EXPECT_EQ((in_body.summary + in_header.summary).find(form), std::string::npos);
    EXPECT_THAT(in_body.summary, testing::HasSubstr("the value of $ADMIN_TOKEN"));
  }
}

TEST(ExposureSecrets, OfAUrlThePasswordIsLookedFor) {
  ConfiguredProbe configured(
      "[probes.p]\ntype = \"exposure\"\nsecrets = [{ file = \"/run/url\" }]\n", [](auto& machine) {
        machine.files["/run/url"] = {"postgres://app:v7Qm2Zt9Kx4Lp8Rb@db.internal:5432/app\n"};
      });
  Stage stage(with({{"/", page("password v7Qm2Zt9Kx4Lp8Rb")}}), configured.environment);
  EXPECT_EQ(configured.run(stage).worst()->id, "exposure.secret");
}

TEST(ExposureSecrets, AShortOneIsSkippedAndSaid) {
  ConfiguredProbe configured("[probes.p]\ntype = \"exposure\"\nsecrets = [{ file = \"/run/pin\" }]\n",
                             [](auto& machine) { machine.files["/run/pin"] = {"1234567\n"}; });
  Stage stage(with({{"/", page("1234567")}}), configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), kPass);
  EXPECT_EQ(find(outcome, "exposure.secret")->outcome, Outcome::skipped);
}

TEST(ExposureRun, IsInconclusiveWhereTheAppIsGoneAfterwards) {
  int of_unrouted = 0;
  const Result_ result = judged("", [&](const Sent& sent) {
    const std::string& target = sent.request.target;
    const bool unrouted = target.starts_with("/hs-") && target.find_first_of(".%?", 1) == std::string::npos;
    return unrouted && sent.request.method == "GET" && ++of_unrouted > 1 ? no_answer(Ended::refused)
                                                                         : not_found();
  });
  EXPECT_EQ(result.outcome, kUnclear);
  EXPECT_EQ(result.id, "exposure.still_answers");
}

TEST(ExposureRun, SendsNoMoreThanItSays) { EXPECT_EQ(judged("", with({})).requests, 125); }

TEST(ExposureRun, AsksAnAppThatIsDownOnce) {
  EXPECT_EQ(judged("", always(answer(503))).requests, 1);
  EXPECT_EQ(judged("", always(no_answer(Ended::refused))).requests, 1);
}

TEST(ExposureRun, GivesUpOnAnAppThatFallsSilent) {
  int sent_so_far = 0;
  const Result_ result =
      judged("", [&](const Sent&) { return ++sent_so_far > 20 ? no_answer(Ended::timeout) : not_found(); });
  EXPECT_EQ(result.outcome, kUnclear);
  EXPECT_LE(result.requests, 30);
}

TEST(ExposureRun, ChangesNothing) {
  ConfiguredProbe configured("[probes.p]\ntype = \"exposure\"\npaths = [\"/a\"]\n");
  Stage stage(with({}), configured.environment);
  configured.run(stage);
  for (const Sent& sent : stage.client.sent) {
    const bool harmless = sent.request.method == "GET" || sent.request.method == "PROPFIND" ||
                          (sent.request.method == "POST" && sent.request.target.starts_with("/hs-"));
    EXPECT_TRUE(harmless) << sent.request.method << " " << sent.request.target;
  }
}

TEST(ExposureRun, ThePathsOfTheCatalogueGetNoCredentials) {
  ConfiguredProbe configured(
      "[identities.ops]\nbearer = { env = \"ADMIN_TOKEN\" }\n[probes.p]\ntype = \"exposure\"\npath = "
      "\"/me\"\nas = "
      "\"ops\"\n");
  Stage stage(with({{"/me", answer(200, "{}")}}), configured.environment);
  configured.run(stage);
  for (const Sent& sent : stage.client.sent) {
    if (sent.request.target != "/me") {
      EXPECT_EQ(sent.header("Authorization"), "") << sent.request.target;
    }
  }
}

std::set<std::string> targets_of(const Stage& stage) {
  std::set<std::string> targets;
  for (const Sent& sent : stage.client.sent) targets.insert(sent.request.target);
  return targets;
}

TEST(ExposureRun, BetweenFullRunsItTakesTheCatalogueInTurn) {
  ConfiguredProbe configured("[probes.p]\ntype = \"exposure\"\n");
  std::set<std::string> asked;
  for (int i = 0; i < 10; ++i) {
    Stage stage(with({}), configured.environment);
    stage.pace = Pace::steady;
    EXPECT_LE(configured.run(stage).requests, 25);
    asked.merge(targets_of(stage));
  }
  for (const Row& row : exposure::catalogue()) EXPECT_TRUE(asked.contains(std::string(row.path))) << row.path;
}

TEST(ExposureRun, AStackTraceComesWithWhatTurnsItOff) {
  const Result_ result = judged("", when(is_malformed, answer(400, kTrace, {kText})));
  EXPECT_EQ(result.id, "exposure.internals");
  EXPECT_THAT(result.summary, testing::HasSubstr("a Node.js stack trace; set NODE_ENV=production"));
}

TEST(ExposureRun, AtStartupItAsksForWhatIsCriticalAndForAllOthersInTheNextRun) {
  ConfiguredProbe configured("[probes.p]\ntype = \"exposure\"\n");
  std::set<std::string> first, second;
  for (const auto& [pace, targets] : {std::pair{Pace::startup, &first}, {Pace::steady, &second}}) {
    Stage stage(with({}), configured.environment);
    stage.pace = pace;
    EXPECT_EQ(configured.run(stage).outcome(), kPass);
    *targets = targets_of(stage);
  }
  for (const Row& row : exposure::catalogue()) {
    const bool critical = row.severity == exposure::Severity::critical;
    EXPECT_EQ(first.contains(std::string(row.path)), critical) << row.path;
    EXPECT_EQ(second.contains(std::string(row.path)), !critical) << row.path;
  }
  Stage third(with({}), configured.environment);
  third.pace = Pace::steady;
  EXPECT_LE(configured.run(third).requests, 25);
}

// A run that ended early owes what it did not ask for.
TEST(ExposureRun, WhatTheAppDidNotAnswerIsAskedForAgain) {
  ConfiguredProbe configured("[probes.p]\ntype = \"exposure\"\n");
  Stage starting(with({}), configured.environment);
  starting.pace = Pace::startup;
  configured.run(starting);
  Stage gone([](const Sent&) { return no_answer(Ended::refused); }, configured.environment);
  gone.pace = Pace::steady;
  EXPECT_EQ(configured.run(gone).outcome(), kUnclear);
  Stage back(with({}), configured.environment);
  back.pace = Pace::steady;
  configured.run(back);
  EXPECT_TRUE(targets_of(back).contains("/openapi.json"));
  EXPECT_TRUE(targets_of(back).contains("/debug/pprof/"));
}

TEST(ExposureRun, AsksForWhatWasShownTheLastTimeInEveryRun) {
  ConfiguredProbe configured("[probes.p]\ntype = \"exposure\"\n");
  const App broken = with({{"/metrics", text("# HELP up x\n")}});
  for (int i = 0; i < 20; ++i) {
    Stage stage(broken, configured.environment);
    stage.pace = i == 0 ? Pace::whole : Pace::steady;
    EXPECT_EQ(configured.run(stage).outcome(), kFail) << i;
  }
  Stage stage(with({}), configured.environment);
  stage.pace = Pace::steady;
  EXPECT_EQ(configured.run(stage).outcome(), kPass);
}

TEST(ExposureRun, EndsAtTheFirstFindingWhileTheAppStarts) {
  ConfiguredProbe configured("[probes.p]\ntype = \"exposure\"\n");
  Stage stage(with({{"/.env", text(kEnvFile)}}), configured.environment);
  stage.pace = Pace::startup;
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), kFail);
  EXPECT_LE(outcome.requests, 20);
}

TEST(ExposureRun, AFindingEndsARunOnItsIntervalAndItsRepetitionAsksForItAgain) {
  ConfiguredProbe configured("[probes.p]\ntype = \"exposure\"\n");
  const App broken = with({{"/.env", text(kEnvFile)}});
  Stage stage(broken, configured.environment);
  stage.pace = Pace::watch;
  for (int i = 0; i < 20 && configured.run(stage).outcome() != kFail; ++i) {
  }
  Stage again(broken, configured.environment);
  again.pace = Pace::watch;
  const ProbeOutcome outcome = configured.run(again);
  EXPECT_EQ(outcome.outcome(), kFail);
  EXPECT_LE(outcome.requests, 20);
}

TEST(ExposureRun, AsksForDumpsByTheirBeginning) {
  ConfiguredProbe configured("[probes.p]\ntype = \"exposure\"\n");
  Stage stage(with({}), configured.environment);
  configured.run(stage);
  for (const Sent& sent : stage.client.sent) {
    if (sent.request.target == "/actuator/heapdump") {
      EXPECT_EQ(sent.header("Range"), "bytes=0-4095");
    }
  }
}

// --- the catalogue's signatures

TEST(ExposureCatalogue, EveryPatternIsOne) {
  for (const Row& row : exposure::catalogue()) {
    if (row.told == Row::Told::by_pattern) {
      EXPECT_TRUE(Pattern::compile(row.signature)) << row.path;
    }
    EXPECT_FALSE(row.shows.empty()) << row.path;
    EXPECT_TRUE(row.path.starts_with('/')) << row.path;
  }
}

TEST(ExposureCatalogue, NoPathStandsTwice) {
  std::set<std::string_view> paths;
  for (const Row& row : exposure::catalogue()) EXPECT_TRUE(paths.insert(row.path).second) << row.path;
}

TEST(ExposureCatalogue, TheWorstComesFirst) {
  Severity before = Severity::critical;
  for (const Row& row : exposure::catalogue()) {
    EXPECT_LE(before, row.severity) << row.path;
    before = row.severity;
  }
}

TEST(ExposureCatalogue, NothingAtAllAndTheUsualPagesShowNothing) {
  for (const char* body : {"", "OK", "Not Found", "{}", "{\"error\":\"not found\"}", "[]"})
    for (const Row& row : exposure::catalogue())
      EXPECT_FALSE(shows(row, text(body), row.path)) << row.path << body;
  for (const Row& row : exposure::catalogue())
    EXPECT_FALSE(shows(row, page(kStartPage), row.path)) << row.path;
}

// A page that names the path it was asked for, as soft 404s do.
TEST(ExposureCatalogue, APageThatRepeatsThePathShowsNothing) {
  for (const Row& row : exposure::catalogue()) {
    const std::string path(row.path.substr(0, row.path.find('?')));
    const Response response = page("<title>" + path + " | Shop</title><p>" + path + " was not found</p>");
    EXPECT_FALSE(shows(row, response, row.path)) << row.path;
  }
}

struct Shown {
  const char* path;
  Response response;
};

TEST(ExposureCatalogue, WhatIsShownIsTold) {
  const std::string zeros(8, '\0');
  const Shown shown[] = {
      {"/.git/HEAD", answer(200, "4b825dc642cb6eb9a060e54bf8d69288fbee4904\n")},
      {"/.git/config", answer(200, "[core]\n\trepositoryformatversion = 0\n")},
      {"/.git/index", answer(200, std::string("DIRC\0\0\0\2", 8) + zeros)},
      {"/.npmrc", text("//registry.npmjs.org/:_authToken=npm_x\n")},
      {"/.pgpass", text("db.internal:5432:orders:app:hunter2secret\n")},
      {"/.htpasswd", text("ops:$apr1$abc$def\n")},
      {"/.aws/credentials", text("[default]\naws_access_key_id = AKIA\n")},
      {"/.kube/config", text("apiVersion: v1\nusers:\n- user:\n    client-key-data: LS0t\n")},
      {"/config/database.yml", text("production:\n  adapter: postgresql\n")},
      {"/config/master.key", text("0123456789abcdef0123456789abcdef")},
      {"/backup.sql", text("-- PostgreSQL database dump\n")},
      {"/actuator/heapdump", answer(200, "JAVA PROFILE 1.0.2")},
      {"/config.json", answer(200, R"({"db_password":"hunter2secret"})", {kJson})},
      {"/haproxy?stats", page("<title>Statistics Report for HAProxy</title>")},
      {"/phpinfo.php", page("<title>PHP 8.2.36 - phpinfo()</title>")},
      {"/debug/pprof/", page("<title>/debug/pprof/</title>Types of profiles available:")},
      {"/debug/vars", answer(200, R"({"cmdline":["./app"],"memstats":{}})", {kJson})},
      {"/?__debugger__=yes&cmd=resource&f=debugger.js",
       answer(200, "docReady(() => { if (!EVALEX_TRUSTED) {", {{"Content-Type", "text/javascript"}})},
      {"/nginx_status", text("Active connections: 1 \nserver accepts handled requests\n")},
      {"/status?full", text("pool:                 www\nprocess manager:      dynamic\n")},
      {"/fly.toml", text("app = \"orders\"\nprimary_region = \"fra\"\n")},
      {"/Dockerfile", text("FROM node:20\nRUN npm ci\n")},
      {"/go.mod", text("module example.com/orders\n\ngo 1.22\n")},
      {"/docs", page("<title>Orders - Swagger UI</title>")},
      {"/.DS_Store", answer(200, std::string("\0\0\0\1Bud1", 8))},
  };
  for (const Shown& expected : shown) {
    bool told = false;
    for (const Row& row : exposure::catalogue())
      told = told || (row.path == expected.path && shows(row, expected.response, row.path));
    EXPECT_TRUE(told) << expected.path;
  }
}

// --- signs of the inside

struct Sign {
  const char* name;
  const char* body;
  const char* what;  // "" : nothing is to be seen
};

class Internals : public testing::TestWithParam<Sign> {};

TEST_P(Internals, AreSeenInErrors) {
  EXPECT_EQ(internals_in(answer(500, GetParam().body), Page::error), GetParam().what);
}

INSTANTIATE_TEST_SUITE_P(
    Stacks, Internals,
    testing::Values(
        Sign{"Node", kTrace, "a Node.js stack trace"},
        Sign{"ExpressInHtml", "<pre>SyntaxError: x<br> &nbsp; &nbsp;at JSON.parse (&lt;anonymous&gt;)</pre>",
             "a Node.js stack trace"},
        Sign{"NodeInJson", R"re({"stack":"TypeError: x\n    at f (/srv/app/a.js:1:2)"})re",
             "a Node.js stack trace"},
        Sign{"Python", "Traceback (most recent call last):\n", "a Python traceback"},
        Sign{"PythonFrame", "  File \"/srv/app/main.py\", line 3, in index\n", "a Python traceback"},
        Sign{"Werkzeug", "<title>x // Werkzeug Debugger</title>", "Werkzeug's debugger"},
        Sign{"Ruby", "app.rb:3:in `block'", "a Ruby stack trace"},
        Sign{"Php", "<br /><b>Fatal error</b>:  Uncaught x in <b>/srv/r.php</b> on line <b>1</b>",
             "PHP's error message"},
        Sign{"Java", "\tat com.example.Orders.get(Orders.java:12)\n", "a Java stack trace"},
        Sign{"Spring", R"re({"trace":"java.lang.RuntimeException: boom"})re", "a Java stack trace"},
        Sign{"DotNet", "   at Orders.Api.Controller.Get(Int32 id) in /src/Controller.cs:line 12\n",
             "a .NET stack trace"},
        Sign{"Go", "goroutine 12 [running]:\n", "a Go stack trace"},
        Sign{"Rust", "thread 'main' panicked at 'boom'", "a Rust panic"},
        Sign{"Elixir", "** (RuntimeError) boom", "an Elixir stack trace"},
        Sign{"Postgres", "ERROR: relation \"orders\" does not exist", "a PostgreSQL error"},
        Sign{"Prisma", "Invalid `prisma.order.findMany()` invocation", "a Prisma error"},
        Sign{"Redis", "NOAUTH Authentication required.", "a Redis error"},
        Sign{"Refused", "connect ECONNREFUSED 127.0.0.1:6379", "an address of the inside"},
        Sign{"ConnectionString", "cannot reach postgres://app:hunter2secret@db:5432/app",
             "a connection string"},
        Sign{"Path", "ENOENT: no such file or directory, open '/app/x.json'", "a path of the server"}),
    kNameOf);

INSTANTIATE_TEST_SUITE_P(
    Innocent, Internals,
    testing::Values(
        Sign{"Empty", "", ""}, Sign{"Json", R"re({"error":"bad request","at":"2026-11-23T10:00:00Z"})re", ""},
        Sign{"StartPageAs404", "<script src=\"/app/dist/main.js\"></script>", ""},
        Sign{"ExpressInProduction", "<pre>Cannot GET /hs-1.json</pre>", ""},
        Sign{"Fastify", R"re({"message":"Route GET:/x not found","error":"Not Found","statusCode":404})re",
             ""},
        Sign{"NginxPage", "<center><h1>404 Not Found</h1></center>", ""},
        Sign{"FastApi", R"re({"detail":[{"msg":"Expecting value: line 1 column 6 (char 5)"}]})re", ""},
        Sign{"ProseWithAt", "Look at us (in Berlin)\n  at home (or not)\n", ""},
        Sign{"Url", "See https://example.com/help:me@noon", ""},
        Sign{"NotFoundHeading", "<h1>Nothing at /orders</h1>", ""}),
    kNameOf);

TEST(Internals_, AQuotedTraceIsNothingInAnOrdinaryPage) {
  EXPECT_EQ(internals_in(page(kTrace), Page::ordinary), "");
  EXPECT_EQ(internals_in(page("&lt;b&gt;Fatal error&lt;/b&gt;: in &lt;b&gt;/a.php"), Page::ordinary), "");
}

TEST(Listings, OfTheUsualServersAreTold) {
  for (const char* body :
       {"<html>\r\n<head><title>Index of /downloads/</title></head>",
        "<!DOCTYPE HTML><html><head>\n  <title>Index of /files</title>",
        "<title>Directory listing for /</title>", "<title>listing directory /files/</title>",
        "<pre>\n<a href=\"a.txt\">a.txt</a>\n<a href=\"b/\">b/</a>\n</pre>\n",
        "<A HREF=\"/\">[To Parent Directory]</A>",
        "<a href=\"?sort=name&order=asc\">Name</a><tr class=\"file\">", "<ListBucketResult xmlns=\"x\">"})
    EXPECT_TRUE(exposure::is_listing(page(body))) << body;
}

TEST(Listings, OtherPagesAreNone) {
  for (const char* body :
       {"", "<title>Index of terms</title>", "<title>Shop</title><p>Index of /downloads/</p>",
        "<pre>hello</pre>", "<nav class=\"breadcrumbs\"></nav>"})
    EXPECT_FALSE(exposure::is_listing(page(body))) << body;
  EXPECT_FALSE(exposure::is_listing(answer(404, "<title>Index of /</title>")));
}

TEST(WrittenForms, AreFoundInsideOfWhatWasEncodedInWhole) {
  for (const std::string before : {"", "a", "ab", "abc", "user:"}) {
    const std::string whole = crypto::base64(before + kToken + "\n");
    const std::vector<std::string> forms = written_forms(kToken);
    EXPECT_TRUE(std::any_of(forms.begin(), forms.end(), [&](const std::string& form) {
      return whole.find(form) != std::string::npos;
    })) << before;
  }
}

}  // namespace
}  // namespace holdshort
