// The input_validation probe against apps that validate, that do not, that break, that lie, that hang, that
// are absent.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "probes/input_validation/multipart.h"
#include "probes/input_validation/mutations.h"
#include "probes/kit/ascii.h"
#include "probes/kit/json.h"
#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using input_validation::Declared;
using input_validation::Format;
using input_validation::Mutation;
using testing_support::always;
using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::expect_verdict;
using testing_support::find;
using testing_support::no_answer;
using testing_support::Sent;
using testing_support::Stage;

constexpr std::size_t kMaxBody = 4096;
const std::string kBody = R"({"sku":"LAMP-100","quantity":2,"email":"probe@example.com"})";
const std::string kForm = "sku=LAMP-100&quantity=2&email=probe%40example.com";

std::string probe(const std::string& more = "", const std::string& body = kBody) {
  return R"(
[identities.ops]
bearer = { env = "ADMIN_TOKEN" }
[probes.orders]
type = "input_validation"
path = "/orders"
as = "ops"
max_body = "4KB"
body = ')" +
         body + "'\n" + more;
}
const std::string kFormProbe = probe("content_type = \"application/x-www-form-urlencoded\"\n", kForm);

// As TOML has it in a text of several lines, and as it is sent.
const std::string kUpload =
    "--hs\nContent-Disposition: form-data; name=\"title\"\n\nLamp\n"
    "--hs\nContent-Disposition: form-data; name=\"quantity\"\n\n2\n"
    "--hs\nContent-Disposition: form-data; name=\"photo\"; filename=\"lamp.png\"\nContent-Type: image/png\n"
    "\npng-bytes\n--hs--\n";
const std::string kUploadType = "multipart/form-data; boundary=hs";
const std::string kUploadProbe = probe("content_type = \"" + kUploadType + "\"\n", "''\n" + kUpload + "''");

Declared declared_upload() {
  return {Format::multipart, kUploadType, input_validation::with_crlf(kUpload), {}, kMaxBody};
}
Declared declared_json() { return {Format::json, "application/json", kBody, {}, kMaxBody}; }
Declared declared_form() { return {Format::form, "application/x-www-form-urlencoded", kForm, {}, kMaxBody}; }

bool is_ops(const Sent& sent) {
  return sent.header("Authorization") == "Bearer ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5";
}

Response invalid(const std::string& field) {
  return answer(422, "{\"error\":\"invalid\",\"field\":\"" + field + "\"}");
}

// Whether `text` is what the field wants.
bool is_text(const std::string& text) {
  return !text.empty() && text.size() <= 254 && text.find('\0') == std::string::npos;
}

Response validated_json(const std::string& body) {
  if (!json::is_json(body)) return answer(400, R"({"error":"no JSON"})");
  for (const char* field : {"/sku", "/email"}) {
    if (!is_text(json::string_at(body, field).value_or(""))) return invalid(field + 1);
  }
  const json::Found quantity = json::at(body, "/quantity");
  if (quantity.text != "1" && quantity.text != "2") return invalid("quantity");
  if (json::members(body, 100).size() != 3) return invalid("unknown");
  return answer(201, R"({"id":1003,"sku":"LAMP-100","quantity":2})");
}

Response validated_form(const std::string& body) {
  std::set<std::string> seen;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = std::min(body.find('&', at), body.size());
    const std::string pair = body.substr(at, end - at);
    at = end + 1;
    const std::string name = pair.substr(0, pair.find('='));
    const std::string value = pair.substr(std::min(name.size() + 1, pair.size()));
    if (pair.empty()) continue;
    if (value.size() > 254 || value.find("%00") != std::string::npos || !seen.insert(name).second)
      return invalid(name);
    if (name == "quantity" && value != "2") return invalid(name);
  }
  for (const char* name : {"sku", "quantity", "email"})
    if (!seen.contains(name)) return invalid(name);
  if (seen.size() > 3) return invalid("unknown");
  return answer(303, "", {{"Location", "/orders/1003"}});
}

// Title, quantity and a picture, each once, between lines of "--hs".
Response validated_upload(const std::string& body) {
  const std::string line = "\r\n--hs";
  std::map<std::string, std::string> contents;
  std::string rest = "\r\n" + body;
  while (rest.starts_with(line + "\r\n")) {
    rest.erase(0, line.size() + 2);
    const std::size_t head = rest.find("\r\n\r\n"), end = rest.find(line);
    const std::size_t name = rest.find(" name=\"");
    if (head == std::string::npos || end == std::string::npos || name > head) return invalid("a part");
    const std::string field = rest.substr(name + 7, rest.find('"', name + 7) - name - 7);
    const bool is_picture = rest.find("filename=\"lamp.png\"") < head && rest.find("image/png") < head;
    if (is_picture != (field == "photo")) return invalid(field);
    if (!contents.emplace(field, rest.substr(head + 4, end - head - 4)).second) return invalid(field);
    rest.erase(0, end);
  }
  if (!rest.starts_with(line + "--")) return answer(400, R"({"error":"no end"})");
  for (const char* name : {"title", "quantity", "photo"})
    if (!contents.contains(name)) return invalid(name);
  if (contents.size() != 3 || contents["quantity"] != "2" || contents["photo"] != "png-bytes")
    return invalid("content");
  return is_text(contents["title"]) && contents["title"].find('\xed') == std::string::npos
             ? answer(201, R"({"id":1003})")
             : invalid("title");
}

// POST /orders as it should be.
Response enforcing(const Sent& sent) {
  if (sent.request.target != "/orders") return answer(404, R"({"error":"not found"})");
  if (!is_ops(sent)) return answer(401, R"({"error":"unauthenticated"})");
  if (sent.request.body.size() > kMaxBody) return answer(413, R"({"error":"too large"})");
  const std::string type = ascii::lowered(sent.header("Content-Type"));
  if (type == "application/json" || type == "application/json;charset=utf-16")
    return validated_json(sent.request.body);
  if (type == "application/x-www-form-urlencoded") return validated_form(sent.request.body);
  if (type == kUploadType) return validated_upload(sent.request.body);
  if (type.starts_with("multipart/")) return answer(400, R"({"error":"no such boundary"})");
  return answer(415, R"({"error":"another type, please"})");
}

using App = std::function<Response(const Sent&)>;

App but(std::function<bool(const Sent&)> when, Response response) {
  return [when, response](const Sent& sent) { return when(sent) ? response : enforcing(sent); };
}

bool is_that(const Mutation& mutation, const Sent& sent) {
  return sent.request.target == "/orders" && sent.request.body == mutation.body &&
         sent.header("Content-Type") == mutation.content_type;
}

bool is_valid_body(const Sent& sent) {
  return sent.request.body == kBody && sent.header("Content-Type") == "application/json";
}

App refusing_with(Response refusal) {
  return [refusal](const Sent& sent) {
    const Response right = enforcing(sent);
    return right.status == 400 || right.status == 413 || right.status == 415 || right.status == 422 ? refusal
                                                                                                    : right;
  };
}

struct Row {
  const char* name;
  App app;
  Outcome outcome;
  const char* worst;  // id of the worst check where the outcome is no pass
  std::string config = probe();
};

class InputValidation : public testing::TestWithParam<Row> {};

TEST_P(InputValidation, Judges) {
  ConfiguredProbe configured(GetParam().config);
  Stage stage(GetParam().app, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  expect_verdict(outcome, GetParam().outcome, GetParam().worst);
}

INSTANTIATE_TEST_SUITE_P(
    Validating, InputValidation,
    testing::Values(Row{"JsonPasses", enforcing, Outcome::pass, ""},
                    Row{"JsonPassesWithoutTheValidBody", enforcing, Outcome::pass, "",
                        probe("send_valid = false\n")},
                    Row{"AFormPasses", enforcing, Outcome::pass, "", kFormProbe},
                    Row{"AFormPassesWithoutTheValidBody", enforcing, Outcome::pass, "",
                        kFormProbe + "send_valid = false\n"},
                    Row{"AContentTypeAmongTheHeadersCounts", enforcing, Outcome::pass, "",
                        probe("headers = { Content-Type = \"application/x-www-form-urlencoded\" }\n", kForm)},
                    Row{"A413BeforeAResetIsARefusal",
                        [](const Sent& sent) {
                          Response response = enforcing(sent);
                          if (response.status == 413) response.ended = Ended::reset;
                          return response;
                        },
                        Outcome::pass, ""},
                    Row{"ARefusalInA200IsOneWhereTheMarkerIsMissing",
                        refusing_with(answer(200, R"({"error":"invalid"})")), Outcome::pass, "",
                        probe("marker = '\"id\"'\n")},
                    Row{"AnotherStatusIsARefusalWhereItIsDeclared", refusing_with(answer(409, "no")),
                        Outcome::pass, "", probe("reject_status = [409]\n")},
                    Row{"AnOptionalFieldMayBeMissingOrNull",
                        [](const Sent& sent) {
                          const std::string& body = sent.request.body;
                          const bool is_missing = body == R"({"sku":"LAMP-100","quantity":2})";
                          const bool is_null = body == R"({"sku":"LAMP-100","quantity":2,"email":null})";
                          return is_missing || is_null ? answer(201, R"({"id":1})") : enforcing(sent);
                        },
                        Outcome::pass, "", probe("optional = [\"/email\"]\n")},
                    Row{"AnotherSpellingIsFollowed",
                        [](const Sent& sent) {
                          if (sent.request.target == "/orders")
                            return answer(308, "", {{"Location", "/orders/"}});
                          Sent moved = sent;
                          if (sent.request.target == "/orders/") moved.request.target = "/orders";
                          return enforcing(moved);
                        },
                        Outcome::pass, ""},
                    Row{"AnyAnswerBelow500WillDoForWhatIsDoubtful",
                        [](const Sent& sent) {
                          return sent.request.body.find("__proto__") != std::string::npos
                                     ? answer(403, "blocked")
                                     : enforcing(sent);
                        },
                        Outcome::pass, ""},
                    Row{"OtherTypesAreCheckedForTypeAndSize",
                        [](const Sent& sent) {
                          if (sent.request.target != "/orders") return answer(404);
                          if (sent.request.body.size() > kMaxBody) return answer(413);
                          return sent.header("Content-Type") == "application/xml" ? answer(201, "<ok/>")
                                                                                  : answer(415);
                        },
                        Outcome::pass, "", probe("content_type = \"application/xml\"\n", "<order/>")}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    NotValidating, InputValidation,
    testing::Values(Row{"EverythingIsAccepted",
                        [](const Sent& s) {
                          return s.request.target == "/orders" ? answer(201, R"({"id":1})") : answer(404);
                        },
                        Outcome::fail, "input_validation.truncated"},
                    Row{"EverythingIsAcceptedWithoutTheValidBody",
                        [](const Sent& s) {
                          return s.request.target == "/orders" ? answer(201, R"({"id":1})") : answer(404);
                        },
                        Outcome::fail, "input_validation.truncated", probe("send_valid = false\n")},
                    Row{"ANoThatIsServedTheMarkerIsAnAcceptance",
                        refusing_with(answer(200, R"({"error":"invalid","id":1})")), Outcome::fail,
                        "input_validation.truncated", probe("marker = '\"id\"'\n")},
                    Row{"AFormIsRedirectedAsTheValidOneIs",
                        refusing_with(answer(303, "", {{"Location", "/orders/1003"}})), Outcome::fail,
                        "input_validation.missing_field", kFormProbe},
                    Row{"ParsingErrorsAreNotHandled",
                        [](const Sent& sent) {
                          const Response right = enforcing(sent);
                          return right.status == 400 ? answer(500, "boom") : right;
                        },
                        Outcome::fail, "input_validation.server_error.truncated"},
                    Row{"ParsingErrorsAreNotHandledWithoutTheValidBody",
                        [](const Sent& sent) {
                          const Response right = enforcing(sent);
                          return right.status == 400 ? answer(500, "boom") : right;
                        },
                        Outcome::fail, "input_validation.server_error.truncated",
                        probe("send_valid = false\n")}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    NotSeen, InputValidation,
    testing::Values(
        Row{"AnAbsentAppProvesNothing", always(no_answer(Ended::refused)), Outcome::inconclusive,
            "input_validation.baseline"},
        Row{"AHangingAppProvesNothing", always(no_answer(Ended::timeout)), Outcome::inconclusive,
            "input_validation.baseline"},
        Row{"AFailingAppProvesNothing", always(answer(503, "starting")), Outcome::inconclusive,
            "input_validation.valid"},
        Row{"AnAppThatRefusesEverybodyProvesNothing", always(answer(401, "no")), Outcome::inconclusive,
            "input_validation.valid"},
        Row{"AnAppThatRefusesEveryBodyProvesNothing", always(answer(400, "no")), Outcome::inconclusive,
            "input_validation.valid"},
        Row{"ARouteThatIsGoneProvesNothing", always(answer(404, "no")), Outcome::inconclusive,
            "input_validation.valid"},
        Row{"AStartPageForEverythingProvesNothing", always(answer(200, "<html>start page</html>")),
            Outcome::inconclusive, "input_validation.valid"},
        Row{"ALoginPageProvesNothing", always(answer(302, "", {{"Location", "/login"}})),
            Outcome::inconclusive, "input_validation.valid"},
        Row{"A200ThatSaysNoToTheValidBodyProvesNothing",
            but(is_valid_body, answer(200, R"({"error":"out of stock"})")), Outcome::inconclusive,
            "input_validation.valid"},
        Row{"ARedirectThatMakesAGetOfItProvesNothing",
            [](const Sent& sent) {
              if (sent.request.target != "/orders") return answer(404);
              return answer(301, "", {{"Location", "/orders/"}});
            },
            Outcome::inconclusive, "input_validation.valid"},
        Row{"AConflictProvesNothing", but(is_valid_body, answer(409, "exists")), Outcome::inconclusive,
            "input_validation.valid"},
        Row{"WithoutTheValidBodyAnAppThatRefusesEverybodyProvesNothing", always(answer(401, "no")),
            Outcome::inconclusive, "input_validation.truncated", probe("send_valid = false\n")},
        Row{"WithoutTheValidBodyAnAppThatRefusesEveryBodyProvesNothing", always(answer(400, "no")),
            Outcome::inconclusive, "input_validation.reached", probe("send_valid = false\n")},
        Row{"WithoutTheValidBodyAnEchoProvesNothing",
            [](const Sent& sent) {
              return answer(400, "no sku, quantity, email here: " + sent.request.body);
            },
            Outcome::inconclusive, "input_validation.reached", probe("send_valid = false\n")},
        Row{"ALimitIsNoRefusal", refusing_with(answer(429)), Outcome::inconclusive,
            "input_validation.truncated"},
        Row{"A401IsNoRefusalOfABody", refusing_with(answer(401)), Outcome::inconclusive,
            "input_validation.truncated"},
        Row{"AnUndeclaredStatusIsNoRefusal", refusing_with(answer(409)), Outcome::inconclusive,
            "input_validation.truncated"},
        Row{"A200ThatSaysNoNeedsAMarker", refusing_with(answer(200, R"({"error":"invalid"})")),
            Outcome::inconclusive, "input_validation.truncated"},
        Row{"ATimeoutIsNoRefusal", refusing_with(no_answer(Ended::timeout)), Outcome::inconclusive,
            "input_validation.truncated"},
        Row{"AResetIsNoRefusal", refusing_with(no_answer(Ended::reset)), Outcome::inconclusive,
            "input_validation.truncated"},
        Row{"ALargeBodyThatIsResetIsNoRefusal",
            [](const Sent& sent) {
              const Response right = enforcing(sent);
              return sent.request.body.size() == kMaxBody + 1 ? no_answer(Ended::reset) : right;
            },
            Outcome::inconclusive, "input_validation.too_large"},
        Row{"ALimitIsNoAnswerToADoubtfulBody",
            [](const Sent& sent) {
              return sent.request.body.find("__proto__") != std::string::npos ? answer(429) : enforcing(sent);
            },
            Outcome::inconclusive, "input_validation.proto"}),
    [](const auto& row) { return row.param.name; });

// --- every check id: an app that lacks this one control is named, by acceptance and by a 5xx

TEST(InputValidationUpload, ThatIsValidatedPasses) {
  ConfiguredProbe configured(kUploadProbe);
  Stage stage(enforcing, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  for (const Sent& sent : stage.client.sent) {
    const bool is_valid =
        sent.request.body == declared_upload().body && sent.header("Content-Type") == kUploadType;
    EXPECT_EQ(enforcing(sent).status == 201, is_valid) << sent.request.body;
  }
}

std::set<std::string> failed(const ProbeOutcome& outcome) {
  std::set<std::string> ids;
  for (const Check& check : outcome.checks)
    if (check.outcome == Outcome::fail) ids.insert(check.id);
  return ids;
}

ProbeOutcome run_with_hole(const std::string& config, const Mutation& hole, const Response& response) {
  ConfiguredProbe configured(config);
  Stage stage(but([&](const Sent& sent) { return is_that(hole, sent); }, response), configured.environment);
  return configured.run(stage);
}

TEST(InputValidationHoles, EachImpossibleBodyThatIsAcceptedIsNamed) {
  for (const auto& [config, declared] : {std::pair{probe(), declared_json()},
                                         {kFormProbe, declared_form()},
                                         {kUploadProbe, declared_upload()}}) {
    for (const Mutation& hole : impossible(declared)) {
      const ProbeOutcome outcome = run_with_hole(config, hole, answer(201, R"({"id":7})"));
      EXPECT_EQ(failed(outcome), std::set<std::string>{"input_validation." + hole.id}) << hole.what;
      EXPECT_NE(outcome.summary().find(hole.what), std::string::npos) << outcome.summary();
    }
  }
}

TEST(InputValidationHoles, EachBodyThatBreaksTheAppIsNamed) {
  const std::map<Format, std::vector<std::string>> required{
      {Format::json, {"/sku", "/quantity", "/email"}},
      {Format::form, {"/sku", "/quantity", "/email"}},
      {Format::multipart, {"/title", "/quantity", "/photo"}}};
  for (const auto& [config, declared] : {std::pair{probe(), declared_json()},
                                         {kFormProbe, declared_form()},
                                         {kUploadProbe, declared_upload()}}) {
    std::vector<Mutation> holes = impossible(declared);
    for (Mutation& doubtful : doubtful_without(declared, required.at(declared.format)))
      holes.push_back(std::move(doubtful));
    for (const Mutation& hole : holes)
      EXPECT_EQ(failed(run_with_hole(config, hole, answer(500, "boom"))),
                std::set<std::string>{"input_validation.server_error." + hole.id})
          << hole.what;
  }
}

// A type that is spelt oddly must not switch the validation off (CVE-2025-32442).
TEST(InputValidationHoles, EachDoubtfulBodyThatIsAcceptedWithoutARequiredFieldIsNamed) {
  for (const Mutation& hole : doubtful_without(declared_json(), {"/sku", "/quantity", "/email"}))
    EXPECT_EQ(failed(run_with_hole(probe(), hole, answer(201, R"({"id":7})"))),
              std::set<std::string>{"input_validation." + hole.id})
        << hole.what;
  for (const Mutation& hole : doubtful_without(declared_upload(), {"/title", "/quantity", "/photo"}))
    EXPECT_EQ(failed(run_with_hole(kUploadProbe, hole, answer(201, R"({"id":7})"))),
              std::set<std::string>{"input_validation." + hole.id})
        << hole.what;
}

TEST(InputValidationHoles, WhatIsDoubtfulMustBeRefusedWhereStrict) {
  const std::string strict = probe("mutations = \"strict\"\n");
  ConfiguredProbe configured(strict);
  for (const Mutation& hole : doubtful(declared_json())) {
    EXPECT_EQ(failed(run_with_hole(strict, hole, answer(201, R"({"id":7})"))),
              std::set<std::string>{"input_validation." + hole.id})
        << hole.what;
    Stage stage(enforcing, configured.environment);
    const ProbeOutcome outcome = configured.run(stage);
    ASSERT_NE(find(outcome, "input_validation." + hole.id), nullptr) << hole.id;
    if (hole.id == "repeated_key") continue;  // which this app takes
    EXPECT_EQ(find(outcome, "input_validation." + hole.id)->outcome, Outcome::pass) << hole.id;
  }
}

TEST(InputValidationHoles, AnAppThatIsDownAfterwardsIsNotSaidToHaveBeenBroken) {
  bool down = false;
  ConfiguredProbe configured(probe());
  Stage stage(
      [&](const Sent& sent) {
        down = down || sent.header("Content-Type") == "text/plain";
        return down ? answer(503, "down") : enforcing(sent);
      },
      configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive) << outcome.summary();
}

TEST(InputValidationLockout, ACallerWhoIsRefusedAfterwardsMakesTheRefusalsWorthless) {
  for (const char* more : {"", "send_valid = false\n"}) {
    int refused = 0;
    ConfiguredProbe configured(probe(more));
    Stage stage(
        [&](const Sent& sent) {
          const Response right = enforcing(sent);
          refused += right.status == 422;
          return refused > 8 && right.status != 404 ? answer(400, "blocked") : right;
        },
        configured.environment);
    const ProbeOutcome outcome = configured.run(stage);
    EXPECT_EQ(outcome.outcome(), Outcome::inconclusive) << more;
    EXPECT_NE(outcome.worst()->id.find(".still_"), std::string::npos) << outcome.summary();
  }
}

// --- what is sent

// An app whose validator asks for the fields and nothing else, and takes any type and size.
Response lenient(const Sent& sent) {
  if (sent.request.target != "/orders") return answer(404);
  if (!json::is_json(sent.request.body)) return answer(400);
  for (const char* field : {"/sku", "/quantity", "/email"})
    if (json::at(sent.request.body, field).lookup == json::Lookup::absent) return invalid(field + 1);
  return answer(201, R"({"id":1})");
}

TEST(InputValidationRequests, NothingThatSomeCorrectApiAcceptsCanSucceed) {
  for (const char* more : {"", "send_valid = false\n"}) {
    ConfiguredProbe configured(probe(more));
    Stage stage(lenient, configured.environment);
    configured.run(stage);
    const std::vector<Mutation> firm = impossible(declared_json());
    int valid = 0;
    for (const Sent& sent : stage.client.sent) {
      if (lenient(sent).status != 201) continue;
      const bool is_impossible =
          std::any_of(firm.begin(), firm.end(), [&](const Mutation& m) { return is_that(m, sent); });
      EXPECT_TRUE(is_valid_body(sent) || is_impossible) << sent.request.body;
      valid += is_valid_body(sent);
    }
    EXPECT_EQ(valid, *more ? 0 : 2);
  }
}

TEST(InputValidationRequests, ABodyOfOneByteMoreThanAllowedIsReallySent) {
  ConfiguredProbe configured(probe());
  Stage stage(enforcing, configured.environment);
  configured.run(stage);
  const auto large = std::count_if(stage.client.sent.begin(), stage.client.sent.end(), [](const Sent& sent) {
    return sent.request.body.size() == kMaxBody + 1 && sent.header("Content-Length") == "4097" &&
           json::is_json(sent.request.body);
  });
  EXPECT_EQ(large, 1);
}

TEST(InputValidationRequests, ChangeNothingElsewhere) {
  ConfiguredProbe configured(probe("method = \"PATCH\"\n"));
  Stage stage(enforcing, configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
  for (const Sent& sent : stage.client.sent) {
    if (sent.request.target == "/orders") {
      EXPECT_EQ(sent.request.method, "PATCH");
    } else {
      EXPECT_EQ(sent.request.method, "GET");
      EXPECT_FALSE(is_ops(sent));
    }
  }
}

TEST(InputValidationRequests, CostAFewDozen) {
  ConfiguredProbe configured(probe());
  Stage stage(enforcing, configured.environment);
  EXPECT_EQ(configured.run(stage).requests, 39);
}

TEST(InputValidationRequests, OnlySixteenFieldsAreChanged) {
  std::string body = "{\"f0\":1";
  for (int i = 1; i < 30; ++i) body += ",\"f" + std::to_string(i) + "\":1";
  ConfiguredProbe configured(probe("", body + "}"));
  Stage stage(
      [&](const Sent& sent) {
        if (sent.request.target != "/orders") return answer(404);
        return sent.request.body == body + "}" && sent.header("Content-Type") == "application/json"
                   ? answer(201, "{\"id\":1}")
                   : answer(422);
      },
      configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_EQ(find(outcome, "input_validation.fields")->summary,
            "16 of 30 fields were changed, the first ones");
  const auto missing = std::count_if(outcome.checks.begin(), outcome.checks.end(),
                                     [](const Check& c) { return c.id == "input_validation.missing_field"; });
  EXPECT_EQ(missing, 16);
  std::map<std::string, int> by_client;
  for (const Sent& sent : stage.client.sent) ++by_client[sent.header("Fly-Client-IP")];
  for (const auto& [client, count] : by_client) EXPECT_LE(count, 50) << client;
}

TEST(InputValidationHang, ThreeSilencesEndARun) {
  ConfiguredProbe configured(probe());
  Stage stage(refusing_with(no_answer(Ended::timeout)), configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::inconclusive);
  EXPECT_EQ(stage.client.sent.size(), 2u + 3u);
}

// --- startup

TEST(InputValidationStartup, AnAppThatIsNotThereCostsOneRequest) {
  ConfiguredProbe configured(probe());
  Stage stage(always(no_answer(Ended::refused)), configured.environment);
  stage.pace = Pace::startup;
  configured.run(stage);
  EXPECT_EQ(stage.client.sent.size(), 1u);
}

TEST(InputValidationStartup, WhatIsStillAcceptedIsAskedFirstAndTheValidBodyNotSentAgain) {
  ConfiguredProbe configured(probe());
  Stage stage(but([](const Sent& s) { return s.header("Content-Type") == "application/xml"; },
                  answer(201, R"({"id":1})")),
              configured.environment);
  stage.pace = Pace::startup;
  stage.failed_before = "input_validation.application_xml";
  EXPECT_EQ(configured.run(stage).worst()->id, stage.failed_before);
  EXPECT_EQ(stage.client.sent.size(), 1u);
}

TEST(InputValidationStartup, WhatStillBreaksTheAppIsAskedFirstToo) {
  ConfiguredProbe configured(probe());
  Stage stage(
      [](const Sent& sent) {
        return sent.request.body.find("__proto__") != std::string::npos ? answer(500, "boom")
                                                                        : enforcing(sent);
      },
      configured.environment);
  stage.pace = Pace::startup;
  EXPECT_EQ(configured.run(stage).worst()->id, "input_validation.server_error.proto");
  stage.failed_before = "input_validation.server_error.proto";
  stage.client.sent.clear();
  EXPECT_EQ(configured.run(stage).worst()->id, stage.failed_before);
  EXPECT_EQ(stage.client.sent.size(), 1u);
}

TEST(InputValidationStartup, AnAppThatHasGoneIsNotSaidToBreakStill) {
  ConfiguredProbe configured(probe());
  Stage stage(always(answer(503, "starting")), configured.environment);
  stage.pace = Pace::startup;
  stage.failed_before = "input_validation.server_error.truncated";
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::inconclusive);
}

TEST(InputValidationStartup, WhatWasAcceptedAndIsNoMoreIsFollowedByAWholeRun) {
  ConfiguredProbe configured(probe());
  Stage stage(enforcing, configured.environment);
  stage.pace = Pace::startup;
  stage.failed_before = "input_validation.application_xml";
  EXPECT_EQ(configured.run(stage).outcome(), Outcome::pass);
}

// --- the report

TEST(InputValidationReport, TellsWhatWasWrongAndQuotesNoBody) {
  ConfiguredProbe configured(probe());
  Stage stage(lenient, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  for (const Check& check : outcome.checks) {
    EXPECT_FALSE(check.references.empty()) << check.id;
    for (const std::string* text : {&check.summary, &check.request, &check.observed, &check.expected})
      EXPECT_EQ(text->find("LAMP"), std::string::npos) << check.id;
  }
  EXPECT_EQ(find(outcome, "input_validation.wrong_type")->summary,
            "POST /orders answered 201 to a body where \"sku\" is an object: it was accepted");
}

// --- the mutations themselves

std::vector<std::string> bodies(const std::vector<Mutation>& mutations, std::string_view id) {
  std::vector<std::string> list;
  for (const Mutation& mutation : mutations)
    if (mutation.id == id) list.push_back(mutation.body);
  return list;
}
using Bodies = std::vector<std::string>;

TEST(InputMutations, OfJsonChangeOneThing) {
  const Declared declared{
      Format::json, "application/json", R"({"a": "x", "n": 1.5, "o": {"b": true}})", {}, 64};
  const std::vector<Mutation> all = impossible(declared);
  EXPECT_EQ(bodies(all, "truncated"), Bodies{R"({"a": "x", "n": 1.5)"});
  EXPECT_EQ(bodies(all, "missing_field"),
            (Bodies{R"({"n":1.5,"o":{"b":true}})", R"({"a":"x","o":{"b":true}})", R"({"a":"x","n":1.5})",
                    R"({"a":"x","n":1.5,"o":{}})"}));
  EXPECT_EQ(bodies(all, "null_field").at(3), R"({"a":"x","n":1.5,"o":{"b":null}})");
  EXPECT_EQ(bodies(all, "wrong_type"),
            (Bodies{R"({"a":{"hs":1},"n":1.5,"o":{"b":true}})", R"({"a":"x","n":"hs","o":{"b":true}})",
                    R"({"a":"x","n":1.5,"o":"hs"})", R"({"a":"x","n":1.5,"o":{"b":{"hs":1}}})"}));
  EXPECT_EQ(bodies(all, "nul"), Bodies{"{\"a\":\"x\\u0000\",\"n\":1.5,\"o\":{\"b\":true}}"});
  EXPECT_EQ(bodies(all, "long_text").at(0).size(),
            std::string(R"({"a":"","n":1.5,"o":{"b":true}})").size() + 102400);
  EXPECT_EQ(bodies(all, "deep_nesting").at(0).substr(0, 10), R"({"a":[[[[[)");
  const std::string deep = bodies(all, "deep_nesting").at(0);
  EXPECT_EQ(std::count(deep.begin(), deep.end(), '['), 1000);
  EXPECT_EQ(bodies(all, "too_large").at(0).size(), 65u);
  EXPECT_TRUE(json::equal(bodies(all, "too_large").at(0), declared.body));
  for (const char* id : {"truncated", "malformed"}) EXPECT_FALSE(json::is_json(bodies(all, id).at(0)));
  for (const char* id : {"text_plain", "application_xml"}) EXPECT_EQ(bodies(all, id), Bodies{declared.body});
}

TEST(InputMutations, ThatAreDoubtfulAreWrittenByteForByte) {
  const std::vector<Mutation> all = doubtful(declared_json());
  EXPECT_EQ(bodies(all, "repeated_key"),
            Bodies{R"({"sku":"LAMP-100","quantity":2,"email":"probe@example.com","sku":"LAMP-100"})"});
  EXPECT_EQ(bodies(all, "quoted_number"),
            Bodies{R"({"sku":"LAMP-100","quantity":"2","email":"probe@example.com"})"});
  EXPECT_EQ(bodies(all, "negative_zero"),
            Bodies{R"({"sku":"LAMP-100","quantity":-0,"email":"probe@example.com"})"});
  EXPECT_EQ(bodies(all, "huge_number"),
            Bodies{R"({"sku":"LAMP-100","quantity":1e309,"email":"probe@example.com"})"});
  EXPECT_EQ(bodies(all, "lone_surrogate").at(0),
            "{\"sku\":\"LAMP-100\\ud800\",\"quantity\":2,\"email\":\"probe@example.com\"}");
  EXPECT_EQ(bodies(all, "proto").at(0).substr(kBody.size() - 1), R"(,"__proto__":{"hs":1}})");
}

TEST(InputMutations, ThatAreDoubtfulLackARequiredFieldWhichIsNotTheOneTheyChange) {
  const std::vector<Mutation> all = doubtful_without(declared_json(), {"/sku", "/email"});
  EXPECT_EQ(bodies(all, "quoted_number"), Bodies{R"({"sku":"LAMP-100","quantity":"2"})"});
  EXPECT_EQ(bodies(all, "lone_surrogate"),
            (Bodies{"{\"sku\":\"LAMP-100\\ud800\",\"quantity\":2}",
                    "{\"quantity\":2,\"email\":\"probe@example.com\\ud800\"}"}));
  EXPECT_TRUE(doubtful_without(declared_json(), {}).empty());
}

TEST(InputMutations, OfAFormChangeOneThing) {
  const std::vector<Mutation> all = impossible(declared_form());
  EXPECT_EQ(bodies(all, "missing_field").at(1), "sku=LAMP-100&email=probe%40example.com");
  EXPECT_EQ(bodies(all, "wrong_type"), (Bodies{"sku[hs]=LAMP-100&quantity=2&email=probe%40example.com",
                                               "sku=LAMP-100&quantity[hs]=2&email=probe%40example.com",
                                               "sku=LAMP-100&quantity=hs&email=probe%40example.com",
                                               "sku=LAMP-100&quantity=2&email[hs]=probe%40example.com"}));
  EXPECT_EQ(bodies(all, "nul").at(0), "sku=LAMP-100%00&quantity=2&email=probe%40example.com");
  EXPECT_EQ(bodies(all, "too_large").at(0).size(), kMaxBody + 1);
}

TEST(InputMutations, OfAFormWriteNumbersAndTextsAsJsonsDo) {
  const std::vector<Mutation> all = doubtful_without(declared_form(), {"/sku", "/quantity", "/email"});
  EXPECT_EQ(bodies(all, "huge_number"), Bodies{"sku=LAMP-100&quantity=1e309"});
  EXPECT_EQ(bodies(all, "negative_zero"), Bodies{"sku=LAMP-100&quantity=-0"});
  EXPECT_EQ(bodies(all, "lone_surrogate").at(0), "sku=LAMP-100%ed%a0%80&quantity=2");
}

std::string upload(const std::string& title, const std::string& quantity, const std::string& photo) {
  const auto part = [](const std::string& text) { return text.empty() ? "" : "--hs\r\n" + text + "\r\n"; };
  return part(title) + part(quantity) + part(photo) + "--hs--\r\n";
}
const std::string kTitle = "Content-Disposition: form-data; name=\"title\"\r\n\r\nLamp";
const std::string kQuantity = "Content-Disposition: form-data; name=\"quantity\"\r\n\r\n2";
const std::string kPhoto =
    "Content-Disposition: form-data; name=\"photo\"; filename=\"lamp.png\"\r\nContent-Type: "
    "image/png\r\n\r\npng-bytes";

TEST(InputMutations, OfAFormInPartsChangeOneThing) {
  EXPECT_EQ(declared_upload().body, upload(kTitle, kQuantity, kPhoto));
  const std::vector<Mutation> all = impossible(declared_upload());
  EXPECT_EQ(bodies(all, "missing_field"), (Bodies{upload("", kQuantity, kPhoto), upload(kTitle, "", kPhoto),
                                                  upload(kTitle, kQuantity, "")}));
  EXPECT_EQ(bodies(all, "truncated"), Bodies{"--hs\r\nContent-Disposition: form-da"});
  EXPECT_EQ(bodies(all, "wrong_type"),
            Bodies{upload(kTitle, "Content-Disposition: form-data; name=\"quantity\"\r\n\r\nhs", kPhoto)});
  EXPECT_EQ(bodies(all, "nul").at(0), upload(kTitle + '\0', kQuantity, kPhoto));
  EXPECT_EQ(bodies(all, "too_large").at(0).size(), kMaxBody + 1);
  std::map<std::string, std::string> types;
  for (const Mutation& each : all)
    if (each.content_type != kUploadType) types[each.id] = each.content_type;
  EXPECT_EQ(types, (std::map<std::string, std::string>{
                       {"no_boundary", "multipart/form-data"},
                       {"other_boundary", "multipart/form-data; boundary=holdshort-hs"},
                       {"text_plain", "text/plain"},
                       {"application_xml", "application/xml"}}));
}

TEST(InputMutations, OfAFormInPartsThatAreDoubtfulLackARequiredPart) {
  const std::vector<Mutation> all = doubtful_without(declared_upload(), {"/title", "/quantity", "/photo"});
  std::set<std::string> ids;
  for (const Mutation& each : all) {
    ids.insert(each.id);
    int missing = 0;
    for (const char* name : {"title", "quantity", "photo"})
      missing += each.body.find(" name=\"" + std::string(name) + "\"") == std::string::npos;
    EXPECT_GE(missing, 1) << each.id;
  }
  for (const char* id :
       {"unknown_property", "proto", "unknown_file", "unknown_charset", "repeated_key", "text_as_file",
        "lone_surrogate", "file_as_text", "empty_file", "wrong_part_type", "filename_path", "filename_nul",
        "filename_long", "filename_empty", "no_content_type", "odd_content_type"})
    EXPECT_TRUE(ids.contains(id)) << id;
  EXPECT_NE(bodies(all, "filename_path").at(0).find("filename=\"../../hs.png\""), std::string::npos);
  EXPECT_EQ(bodies(all, "upper_case_content_type").size(), 1u);
  for (const Mutation& each : all)
    if (each.id == "upper_case_content_type") {
      EXPECT_EQ(each.content_type, "MULTIPART/FORM-DATA; boundary=hs");
    }
}

TEST(InputMutations, AreOfNoPartsWhereTheBodyHasNone) {
  for (const char* body : {"", "--hs", "--hs--\r\n", "--hs\r\n\r\nno name\r\n--hs--",
                           "--hs\r\nContent-Disposition: "
                           "form-data; name=\"a\"\r\n\r\nno end"})
    EXPECT_FALSE(input_validation::parts_of(body, "hs")) << body;
  EXPECT_EQ(input_validation::boundary_of("multipart/form-data; charset=utf-8; boundary=\"a b\""), "a b");
  EXPECT_EQ(input_validation::boundary_of("multipart/form-data"), "");
  EXPECT_EQ(input_validation::with_crlf("a\r\nb\n"), "a\r\nb\n");
}

// --- the configuration

std::string complaint(const std::string& keys) {
  testing_support::FakeEnvironment environment;
  const Loaded loaded =
      parse_config("holdshort.toml",
                   "[app]\nurl = \"http://127.0.0.1:3000\"\n[probes.p]\ntype = \"input_validation\"\n" + keys,
                   environment, {});
  return loaded.diagnostics.empty() ? "" : holdshort::format("holdshort.toml", loaded.diagnostics.at(0));
}

TEST(InputValidationConfig, SaysWhereAndWhat) {
  EXPECT_EQ(
      complaint(""),
      "holdshort.toml:3:1: error: missing key \"body\" in [probes.p], expected a string that is not empty");
  EXPECT_EQ(complaint("body = '{\"a\":'\n"),
            "holdshort.toml:5:1: error: \"body\" is no JSON, which its type application/json says; write a "
            "body that "
            "the app accepts, or another \"content_type\"");
  EXPECT_EQ(
      complaint("body = '{\"note\":1}'\noptional = ['/note', '/nots']\n"),
      "holdshort.toml:6:1: error: \"optional\" has \"/nots\", which is no field of \"body\"; did you mean "
      "\"/note\"?");
  EXPECT_EQ(complaint("body = '{\"note\":1}'\nmax_body = '5B'\n"),
            "holdshort.toml:6:1: error: \"max_body\" is below the 10 bytes of \"body\"");
  EXPECT_EQ(
      complaint("body = '{\"note\":1}'\nmax_body = '65MB'\n"),
      "holdshort.toml:6:12: error: \"max_body\" is \"65MB\", expected a size with a unit (B, KB, MB) from "
      "1 to 67108864");
  EXPECT_EQ(complaint("body = 'a=1'\ncontent_type = 'application/x-www-form-urlencoded'\n"), "");
  EXPECT_NE(complaint("body = 'a=1'\ncontent_type = 'multipart/form-data; boundary=hs'\n")
                .find("5:1: error: \"body\" is no multipart/form-data with the boundary that"),
            std::string::npos);
}

}  // namespace
}  // namespace holdshort
