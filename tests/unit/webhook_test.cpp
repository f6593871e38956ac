// The webhook probe against apps that verify, that have one hole each, that lie, that hang and that are
// absent.
#include <functional>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include "probes/kit/crypto.h"
#include "probes/kit/json.h"
#include "probes/webhook/scheme.h"
#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::always;
using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::expect_verdict;
using testing_support::find;
using testing_support::no_answer;
using testing_support::Sent;
using testing_support::Stage;

constexpr long long kNow = 1795448448;  // FakeClock's wall
const char* const kSecret = "whsec_Qx7Lm2Vb9Rt4Kp8Zs1Nd6Hf3Jw5Gy0Cu";
const std::string kProbe =
    "[probes.hook]\ntype = \"webhook\"\npath = \"/hook\"\nsecret = { env = \"HOOK_SECRET\" }\n";

// --- receivers, written from the senders' manuals with OpenSSL alone

std::string hex_hmac(const EVP_MD* digest, std::string_view key, std::string_view text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(digest, key.empty() ? "" : key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", mac[i]);
  return hex;
}

std::string joined(const Sent& sent, std::string_view name) {
  std::string all;
  for (const Header& header : sent.request.headers)
    if (same_name(header.name, name)) all += (all.empty() ? "" : ", ") + header.value;
  return all;
}

// What a receiver verifies with, and what it may forget.
struct Care {
  std::string key = kSecret;
  bool age = true;
};

bool is_recent(const std::string& time, const Care& care) {
  return !care.age || (!time.empty() && std::abs(std::stoll(time) - kNow) <= 300);
}

bool github_accepts(const Sent& sent, const Care& care) {
  const std::string signature = joined(sent, "X-Hub-Signature-256");
  return signature == "sha256=" + hex_hmac(EVP_sha256(), care.key, sent.request.body);
}

bool stripe_accepts(const Sent& sent, const Care& care) {
  const std::string signature = joined(sent, "Stripe-Signature");
  const std::size_t comma = signature.find(",v1=");
  if (!signature.starts_with("t=") || comma == std::string::npos) return false;
  const std::string time = signature.substr(2, comma - 2);
  const std::string text = time + "." + sent.request.body;
  return signature.substr(comma + 4) == hex_hmac(EVP_sha256(), care.key, text) && is_recent(time, care);
}

bool slack_accepts(const Sent& sent, const Care& care) {
  const std::string time = joined(sent, "X-Slack-Request-Timestamp");
  return joined(sent, "X-Slack-Signature") ==
             "v0=" + hex_hmac(EVP_sha256(), care.key, "v0:" + time + ":" + sent.request.body) &&
         is_recent(time, care);
}

using App = std::function<Response(const Sent&)>;
using Receiver = bool (*)(const Sent&, const Care&);

App receiving(Receiver receiver, Care care = {}) {
  return [receiver, care](const Sent& sent) {
    if (sent.request.target != "/hook" || sent.request.method != "POST") return answer(404);
    return receiver(sent, care) ? answer(200, R"({"received":true})")
                                : answer(400, R"({"error":"signature"})");
  };
}

ConfiguredProbe configured_with(const std::string& more) {
  return ConfiguredProbe(kProbe + more, [](testing_support::FakeEnvironment& environment) {
    environment.variables["HOOK_SECRET"] = kSecret;
  });
}

ProbeOutcome run(App app, const std::string& more = "") {
  ConfiguredProbe configured = configured_with(more);
  Stage stage(std::move(app), configured.environment);
  return configured.run(stage);
}

std::string failed_ids(const ProbeOutcome& outcome) {
  std::string ids;
  for (const Check& check : outcome.checks)
    if (check.outcome == Outcome::fail) ids += check.id + " ";
  return ids;
}

const std::string kStripe = "scheme = \"stripe\"\n", kSlack = "scheme = \"slack\"\n";

struct SchemeRow {
  const char* name;
  Receiver receiver;
  std::string config;
  int requests;
};
class WebhookScheme : public testing::TestWithParam<SchemeRow> {};
TEST_P(WebhookScheme, PassesWhereItsSignaturesAreVerified) {
  const ProbeOutcome outcome = run(receiving(GetParam().receiver), GetParam().config);
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_EQ(outcome.requests, GetParam().requests);
}
TEST_P(WebhookScheme, FailsWhereNoneIsLookedAt) {
  const ProbeOutcome outcome = run([](const Sent&) { return answer(200, "ok"); }, GetParam().config);
  EXPECT_EQ(outcome.outcome(), Outcome::fail);
  EXPECT_EQ(outcome.worst()->id, "webhook.unsigned");
}
TEST_P(WebhookScheme, ProvesNothingOfAnAppWithAnotherSecret) {
  Care care;
  care.key = "another";
  const ProbeOutcome outcome = run(receiving(GetParam().receiver, care), GetParam().config);
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_EQ(outcome.worst()->id, "webhook.accepted");
}
TEST_P(WebhookScheme, FailsWhereTheAppsSecretIsNotSet) {
  Care care;
  care.key = "";
  const ProbeOutcome outcome = run(receiving(GetParam().receiver, care), GetParam().config);
  EXPECT_EQ(failed_ids(outcome), "webhook.empty_key ");
}
INSTANTIATE_TEST_SUITE_P(, WebhookScheme,
                         testing::Values(SchemeRow{"GitHub", github_accepts, "", 7},
                                         SchemeRow{"Stripe", stripe_accepts, kStripe, 9},
                                         SchemeRow{"Slack", slack_accepts, kSlack, 9}),
                         [](const auto& row) { return std::string(row.param.name); });

// --- one hole at a time

struct Hole {
  const char* id;
  const char* name;
  App app;
  std::string config;
};
class WebhookHole : public testing::TestWithParam<Hole> {};
TEST_P(WebhookHole, IsCalledByItsName) {
  const ProbeOutcome outcome = run(GetParam().app, GetParam().config);
  EXPECT_EQ(failed_ids(outcome), std::string(GetParam().id) + " ") << outcome.summary();
  EXPECT_FALSE(outcome.worst()->references.empty());
}

Response accepted() { return answer(200, R"({"received":true})"); }
Response refused() { return answer(400, R"({"error":"signature"})"); }

App or_else(Receiver receiver, std::function<bool(const Sent&)> hole) {
  return [receiver, hole](const Sent& sent) {
    return receiver(sent, {}) || hole(sent) ? accepted() : refused();
  };
}
bool has_two_signatures(const Sent& sent) {
  return joined(sent, "X-Hub-Signature-256").find(", ") != std::string::npos;
}
// The signature is of this body but for one character.
bool is_of_nearly_this_body(const Sent& sent) {
  const std::string wanted = joined(sent, "X-Hub-Signature-256");
  for (std::size_t i = 0; i < sent.request.body.size(); ++i) {
    for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
      std::string body = sent.request.body;
      body[i] = c;
      if (wanted == "sha256=" + hex_hmac(EVP_sha256(), kSecret, body)) return true;
    }
  }
  return false;
}
Care careless_of_age() {
  Care care;
  care.age = false;
  return care;
}

std::vector<Hole> holes() {
  return {Hole{"webhook.unsigned", "AMissingHeaderIsNotMissed",
               or_else(github_accepts,
                       [](const Sent& sent) { return joined(sent, "X-Hub-Signature-256").empty(); }),
               ""},
          Hole{"webhook.wrong_key", "AnyWellFormedSignatureWillDo",
               or_else(github_accepts,
                       [](const Sent& sent) {
                         const std::string signature = joined(sent, "X-Hub-Signature-256");
                         Care empty;
                         empty.key = "";
                         return signature.size() == 71 && !github_accepts(sent, empty) &&
                                !is_of_nearly_this_body(sent);
                       }),
               ""},
          Hole{"webhook.empty_key", "AnEmptyKeyIsAnotherKey",
               or_else(github_accepts,
                       [](const Sent& sent) {
                         Care empty;
                         empty.key = "";
                         return github_accepts(sent, empty);
                       }),
               ""},
          Hole{"webhook.changed_body", "TheBodyIsNotWhatIsSigned",
               or_else(github_accepts, is_of_nearly_this_body), ""},
          Hole{"webhook.replayed", "StripesTimeIsNotLookedAt", receiving(stripe_accepts, careless_of_age()),
               kStripe},
          Hole{"webhook.replayed", "SlacksTimeIsNotLookedAt", receiving(slack_accepts, careless_of_age()),
               kSlack},
          Hole{"webhook.changed_timestamp", "StripesTimeIsNotSigned",
               or_else(stripe_accepts,
                       [](const Sent& sent) {
                         Sent old = sent;
                         for (Header& header : old.request.headers)
                           if (header.name == "Stripe-Signature")
                             header.value.replace(2, 10, std::to_string(kNow - 600));
                         return joined(sent, "Stripe-Signature").starts_with("t=" + std::to_string(kNow)) &&
                                stripe_accepts(old, careless_of_age());
                       }),
               kStripe},
          Hole{"webhook.duplicated_signature", "ARepeatedHeaderIsNotUnderstood",
               or_else(github_accepts, has_two_signatures), ""}};
}
INSTANTIATE_TEST_SUITE_P(, WebhookHole, testing::ValuesIn(holes()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(WebhookCatalogue, EveryCheckOfItHasItsHoleHere) {
  std::set<std::string> known{"webhook.accepted", "webhook.still_accepted"}, seen;
  for (const Hole& hole : holes()) known.insert(hole.id);
  for (const auto& [receiver, config] : {std::pair<Receiver, std::string>{github_accepts, ""},
                                         {stripe_accepts, kStripe},
                                         {slack_accepts, kSlack}})
    for (const Check& check : run(receiving(receiver, {}), config).checks) seen.insert(check.id);
  EXPECT_EQ(seen, known);
}

// --- apps as a whole

struct Row {
  const char* name;
  App app;
  Outcome outcome;
  const char* worst;
  std::string config = "";
};
class Webhook : public testing::TestWithParam<Row> {};
TEST_P(Webhook, Judges) {
  const ProbeOutcome outcome = run(GetParam().app, GetParam().config);
  expect_verdict(outcome, GetParam().outcome, GetParam().worst);
}

App refusing_with(Response refusal) {
  return [refusal](const Sent& sent) { return github_accepts(sent, {}) ? accepted() : refusal; };
}

INSTANTIATE_TEST_SUITE_P(
    , Webhook,
    testing::Values(
        Row{"UnauthorizedIsARefusal", refusing_with(answer(401)), Outcome::pass, ""},
        Row{"ForbiddenIsARefusal", refusing_with(answer(403)), Outcome::pass, ""},
        Row{"NoContentIsAnAcceptance",
            [](const Sent& sent) { return github_accepts(sent, {}) ? answer(204) : answer(400); },
            Outcome::pass, ""},
        Row{"AnErrorOnTwoSignaturesHoldsNobody",
            [](const Sent& sent) {
              return has_two_signatures(sent) ? answer(500) : refusing_with(answer(401))(sent);
            },
            Outcome::pass, ""},
        Row{"A200ThatSaysNoIsARefusalWhereTheMarkerIsMissing",
            refusing_with(answer(200, R"({"error":"signature"})")), Outcome::pass, "",
            "marker = \"received\"\n"},
        Row{"A200ForEverybodyFails", always(accepted()), Outcome::fail, "webhook.unsigned"},
        Row{"AnEmpty204ForEverybodyFails", always(answer(204)), Outcome::fail, "webhook.unsigned"},
        Row{"AnAbsentAppProvesNothing", always(no_answer(Ended::refused)), Outcome::inconclusive,
            "webhook.accepted"},
        Row{"AHangingAppProvesNothing", always(no_answer(Ended::timeout)), Outcome::inconclusive,
            "webhook.accepted"},
        Row{"AFailingAppProvesNothing", always(answer(500)), Outcome::inconclusive, "webhook.accepted"},
        Row{"ARouteThatIsGoneProvesNothing", always(answer(404)), Outcome::inconclusive, "webhook.accepted"},
        Row{"AnAppThatRefusesEverybodyProvesNothing", always(answer(401)), Outcome::inconclusive,
            "webhook.accepted"},
        Row{"AnErrorIsNoRefusal", refusing_with(answer(500)), Outcome::inconclusive, "webhook.unsigned"},
        Row{"NotFoundIsNoRefusal", refusing_with(answer(404)), Outcome::inconclusive, "webhook.unsigned"},
        Row{"AnUndeclaredStatusIsNoRefusal", refusing_with(answer(422)), Outcome::inconclusive,
            "webhook.unsigned"},
        Row{"ADeclaredStatusIsARefusal", refusing_with(answer(422)), Outcome::pass, "",
            "reject_status = [422]\n"},
        Row{"ATimeoutIsNoRefusal", refusing_with(no_answer(Ended::timeout)), Outcome::inconclusive,
            "webhook.unsigned"},
        Row{"A200ThatSaysNoNeedsAMarker", refusing_with(answer(200, R"({"error":"signature"})")),
            Outcome::inconclusive, "webhook.unsigned"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(WebhookLockout, ASignedEventThatIsRefusedAfterwardsMakesTheRefusalsWorthless) {
  int refusals = 0;
  const ProbeOutcome outcome = run([&](const Sent& sent) {
    const bool right = github_accepts(sent, {});
    refusals += !right;
    return right && refusals < 3 ? accepted() : refused();
  });
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_EQ(outcome.worst()->id, "webhook.still_accepted");
}

// --- requests

TEST(WebhookRequests, AreEventsThatNobodyActsOnAndThatDiffer) {
  const auto bodies = [](const std::string& more, Receiver receiver) {
    ConfiguredProbe configured = configured_with(more);
    Stage stage(receiving(receiver), configured.environment);
    configured.run(stage);
    for (const Sent& sent : stage.client.sent) {
      EXPECT_TRUE(json::is_json(sent.request.body)) << sent.request.body;
      EXPECT_EQ(sent.header("Content-Type"), "application/json");
      EXPECT_EQ(sent.request.method, "POST");
    }
    return std::pair(stage.client.sent.front(), stage.client.sent.back());
  };
  auto [first, last] = bodies("", github_accepts);
  EXPECT_EQ(first.header("X-GitHub-Event"), "ping");
  EXPECT_NE(first.request.body, last.request.body);
  std::tie(first, last) = bodies(kStripe, stripe_accepts);
  EXPECT_EQ(json::string_at(first.request.body, "/type"), "holdshort.noop");
  EXPECT_NE(first.request.body, last.request.body);
  std::tie(first, last) = bodies(kSlack, slack_accepts);
  EXPECT_EQ(json::string_at(first.request.body, "/type"), "url_verification");
}

TEST(WebhookRequests, SendADeclaredEventWithItsOwnHeaders) {
  ConfiguredProbe configured = configured_with(
      "body = '{\"action\":\"ping\",\"n\":1}'\nheaders = { X-GitHub-Event = \"push\", Content-Type = "
      "\"application/vnd.github+json\" }\n");
  Stage stage(receiving(github_accepts), configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  EXPECT_EQ(stage.client.sent.at(0).request.body, R"({"action":"ping","n":1})");
  for (const Sent& sent : stage.client.sent) {
    EXPECT_EQ(joined(sent, "X-GitHub-Event"), "push");
    EXPECT_EQ(joined(sent, "Content-Type"), "application/vnd.github+json");
  }
}

TEST(WebhookRequests, CarryTheIdentityToo) {
  ConfiguredProbe configured(
      "[identities.sender]\napi_key = { header = \"X-API-Key\", value = { env = \"ADMIN_TOKEN\" } }\n" +
          kProbe + "as = \"sender\"\n",
      [](testing_support::FakeEnvironment& environment) { environment.variables["HOOK_SECRET"] = kSecret; });
  Stage stage(receiving(github_accepts), configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  for (const Sent& sent : stage.client.sent) EXPECT_NE(sent.header("X-API-Key"), "");
}

TEST(WebhookRequests, LogInAgainOnceTheTokenIsRefused) {
  ConfiguredProbe configured(
      "[identities.sender]\nlogin = { path = \"/login\", body = '{\"user\":\"probe\"}', token = \"/token\" "
      "}\n" +
          kProbe + "as = \"sender\"\n",
      [](testing_support::FakeEnvironment& environment) { environment.variables["HOOK_SECRET"] = kSecret; });
  int logins = 0;
  Stage stage(
      [&](const Sent& sent) {
        if (sent.request.target == "/login")
          return answer(200, fmt::format(R"({{"token":"number{}"}})", ++logins));
        if (sent.header("Authorization") != "Bearer number2") return answer(401);  // the first has expired
        return receiving(github_accepts)(sent);
      },
      configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::inconclusive);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
}

TEST(WebhookRequests, CountTheLoginThatFails) {
  ConfiguredProbe configured(
      "[identities.sender]\nlogin = { path = \"/login\", body = '{\"user\":\"probe\"}', token = \"/token\" "
      "}\n" +
          kProbe + "as = \"sender\"\n",
      [](testing_support::FakeEnvironment& environment) { environment.variables["HOOK_SECRET"] = kSecret; });
  Stage stage(always(answer(503)), configured.environment);
  EXPECT_EQ(configured.run(stage).requests, 1);
}

TEST(WebhookStartup, AnAppThatIsNotThereCostsOneRequest) {
  ConfiguredProbe configured = configured_with("");
  Stage stage(always(no_answer(Ended::refused)), configured.environment);
  stage.pace = Pace::startup;
  configured.run(stage);
  EXPECT_EQ(stage.client.sent.size(), 1u);
}

TEST(WebhookReport, ShowsNoSecretAndNoSignature) {
  const ProbeOutcome outcome = run([](const Sent&) { return accepted(); });
  for (const Check& check : outcome.checks) {
    for (const std::string* text : {&check.summary, &check.request, &check.observed, &check.expected}) {
      EXPECT_THAT(*text, Not(HasSubstr("Qx7Lm2")));
      EXPECT_THAT(*text, Not(HasSubstr("sha256=")));
    }
  }
}

// --- schemes of one's own

struct CustomRow {
  const char* name;
  const char* algorithm;
  const char* format;
  std::function<std::string(const std::string& body)> expected;
};
class WebhookCustom : public testing::TestWithParam<CustomRow> {};
TEST_P(WebhookCustom, IsSignedAsItsTemplateSays) {
  const auto& row = GetParam();
  const ProbeOutcome outcome = run(
      [&](const Sent& sent) {
        return joined(sent, "X-Signature") == row.expected(sent.request.body) ? accepted() : refused();
      },
      fmt::format("scheme = {{ header = \"X-Signature\", algorithm = \"{}\", format = \"{}\" }}\n",
                  row.algorithm, row.format));
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
}
INSTANTIATE_TEST_SUITE_P(
    , WebhookCustom,
    testing::Values(CustomRow{"Hex", "sha256", "hex",
                              [](const auto& b) { return hex_hmac(EVP_sha256(), kSecret, b); }},
                    CustomRow{"WithAPrefix", "sha512", "sha512={hex}",
                              [](const auto& b) { return "sha512=" + hex_hmac(EVP_sha512(), kSecret, b); }},
                    CustomRow{"OldSha1", "HMAC-SHA1", "sha1={hex}",
                              [](const auto& b) { return "sha1=" + hex_hmac(EVP_sha1(), kSecret, b); }},
                    CustomRow{"Base64", "hmac_sha384", "base64",
                              [](const auto& b) {
                                return crypto::base64(
                                    crypto::decode_hex(hex_hmac(EVP_sha384(), kSecret, b)).value());
                              }},
                    CustomRow{"WithATime", "sha256", "t={timestamp},s={hex}",
                              [](const auto& b) {
                                const std::string time = std::to_string(kNow);
                                return "t=" + time + ",s=" + hex_hmac(EVP_sha256(), kSecret, time + "." + b);
                              }}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(WebhookConfig, SaysWhatIsWrongWithAScheme) {
  const auto said = [](const std::string& more) {
    try {
      configured_with(more);
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("valid");
  };
  EXPECT_EQ(said(""), "valid");
  EXPECT_EQ(said("scheme = { header = \"X-Signature\" }\n"), "valid");
  EXPECT_THAT(
      said("scheme = \"githup\"\n"),
      HasSubstr("\"scheme\" is \"githup\", expected \"github\", \"stripe\" or \"slack\", or a table; did you "
                "mean \"github\"?"));
  EXPECT_THAT(said("scheme = 5\n"), HasSubstr("\"scheme\" is 5, expected \"github\""));
  EXPECT_THAT(said("scheme = { header = \"X Signature\" }\n"),
              HasSubstr("\"header\" is no name of a header"));
  EXPECT_THAT(said("scheme = { algorithm = \"sha256\" }\n"),
              HasSubstr("missing key \"header\" in \"scheme\""));
  EXPECT_THAT(said("scheme = { header = \"X\", algorithm = \"md5\" }\n"),
              HasSubstr("\"algorithm\" is none that we sign with"));
  for (const char* format : {"", "sha256=", "{signature}", "{hex}{base64}", "{hex} {time}", "{hex"})
    EXPECT_THAT(said(fmt::format("scheme = {{ header = \"X\", format = \"{}\" }}\n", format)),
                HasSubstr("\"format\" is no template"))
        << format;
}

// --- the changed body

TEST(WebhookChangedBody, DiffersInOneCharacterOfAValueAndIsAsWellFormed) {
  for (const std::string body :
       {R"({"type":"order.paid","id":"evt_1"})", R"({"a":1})", R"({"\u0061":"\n\u0041\\"})", R"(["x"])",
        "a=1&b=2", R"({"k":"x"})", "{}", ""}) {
    const std::string changed = webhook::changed(body);
    EXPECT_NE(changed, body);
    EXPECT_EQ(json::is_json(changed), json::is_json(body)) << changed;
    if (changed.size() == body.size()) {
      int differing = 0;
      for (std::size_t i = 0; i < body.size(); ++i) differing += changed[i] != body[i];
      EXPECT_EQ(differing, 1) << changed;
    }
    if (json::is_json(body) && body.size() > 2) {
      EXPECT_FALSE(json::equal(changed, body)) << changed;
    }
  }
  EXPECT_EQ(webhook::changed(R"({"kind":"z"})"), R"({"kind":"x"})");
}

}  // namespace
}  // namespace holdshort
