// The http probe: every assertion of the contract, on answers that are whole and on those that are not.
#include <gtest/gtest.h>

#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::no_answer;
using testing_support::Sent;
using testing_support::Stage;

Response ended(Ended how, Response response) {
  response.ended = how;
  return response;
}

Response slow(Response response) {
  response.timing.total = std::chrono::seconds(2);
  return response;
}

struct Row {
  const char* name;
  const char* expectation;
  Response response;
  Outcome outcome;
};

class HttpProbe : public testing::TestWithParam<Row> {};

TEST_P(HttpProbe, Judges) {
  ConfiguredProbe configured("[probes.p]\ntype = \"http\"\npath = \"/healthz\"\n" +
                             std::string(GetParam().expectation) + "\n");
  Stage stage([](const Sent&) { return GetParam().response; }, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(name_of(outcome.outcome()), name_of(GetParam().outcome)) << outcome.summary();
}

const auto kPass = Outcome::pass, kFail = Outcome::fail, kUnclear = Outcome::inconclusive;

INSTANTIATE_TEST_SUITE_P(Status, HttpProbe,
                         testing::Values(Row{"DefaultIsAnySuccess", "", answer(299), kPass},
                                         Row{"RedirectIsNoSuccess", "", answer(301), kFail},
                                         Row{"ListedStatus", "status = [401, 403]", answer(403), kPass},
                                         Row{"UnlistedStatus", "status = [401, 403]", answer(200), kFail},
                                         Row{"Class", "status = [\"4xx\"]", answer(404), kPass},
                                         Row{"ServerErrorIsNotSeen", "", answer(503), kUnclear},
                                         Row{"NotFoundIsNotSeen", "", answer(404), kUnclear},
                                         Row{"ListedServerError", "status = [503]", answer(503), kPass}),
                         [](const auto& row) { return row.param.name; });

// Negative assertions are judged on answers alone: gatus passes all of these.
INSTANTIATE_TEST_SUITE_P(
    NoAnswer, HttpProbe,
    testing::Values(
        Row{"RefusedIsNoAbsence", "body_not_matches = \"secret\"", no_answer(Ended::refused), kUnclear},
        Row{"TimeoutIsNoAbsence", "header_absent = [\"Server\"]", no_answer(Ended::timeout), kUnclear},
        Row{"ShortBodyIsNoAbsence", "body_not_matches = \"secret\"",
            ended(Ended::cut_short, answer(200, "abc")), kUnclear},
        Row{"ResetIsNoAnswer", "", ended(Ended::reset, answer(200)), kUnclear},
        Row{"GarbageIsNoAnswer", "status = [401]", no_answer(Ended::not_http), kUnclear},
        Row{"TlsFailureIsNo401", "status = [401]", no_answer(Ended::tls_failed), kUnclear}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Body, HttpProbe,
    testing::Values(Row{"AllPatternsMustMatch", "body_matches = [\"Download\", \"Copyright\"]",
                        answer(200, "Download here"), kFail},
                    Row{"AllPatternsMatch", "body_matches = [\"Download\", \"Copyright\"]",
                        answer(200, "Download. Copyright"), kPass},
                    Row{"CaseMatters", "body_not_matches = \"could not\"", answer(200, "Could not connect"),
                        kPass},
                    Row{"ForbiddenPattern", "body_not_matches = [\"xyz\", \"(?i)could not\"]",
                        answer(200, "Could not connect"), kFail},
                    Row{"FoundInACutBodyIsFound", "body_matches = \"abc\"",
                        ended(Ended::capped, answer(200, "abc")), kPass},
                    Row{"NotFoundInACutBodyIsUnclear", "body_matches = \"xyz\"",
                        ended(Ended::capped, answer(200, "abc")), kUnclear},
                    Row{"ACutBodyProvesNoAbsence", "body_not_matches = \"xyz\"",
                        ended(Ended::capped, answer(200, "abc")), kUnclear},
                    Row{"ForbiddenInACutBodyFails", "body_not_matches = \"abc\"",
                        ended(Ended::capped, answer(200, "abc")), kFail},
                    Row{"ACompressedBodyProvesNoAbsence", "body_not_matches = \"xyz\"",
                        answer(200, "\x1f\x8b", {{"Content-Encoding", "gzip"}}), kUnclear},
                    Row{"TheMarkerMustBeThere", "marker = \"revenue\"", answer(200, "nothing"), kFail}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Headers, HttpProbe,
    testing::Values(Row{"NamesIgnoreCase", "header_matches = { CONTENT-TYPE = \"json\" }",
                        answer(200, "", {{"content-type", "application/json"}}), kPass},
                    Row{"OneOfSeveralValuesMatches", "header_matches = { Set-Cookie = \"max-age\" }",
                        answer(200, "", {{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2; max-age=300"}}), kPass},
                    Row{"AbsentDoesNotMatch", "header_matches = { Cache-Control = \"max-age\" }", answer(200),
                        kFail},
                    Row{"AnEmptyValueIsPresent", "header_absent = [\"Server\"]",
                        answer(200, "", {{"Server", ""}}), kFail},
                    Row{"Absent", "header_absent = [\"Server\"]", answer(200), kPass}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Json, HttpProbe,
    testing::Values(Row{"Equal", "json = { \"/status\" = \"ok\", \"/n\" = 1 }",
                        answer(200, R"({"status":"ok","n":1.0})"), kPass},
                    Row{"TypesAreStrict", "json = { \"/n\" = 1 }", answer(200, R"({"n":"1"})"), kFail},
                    Row{"AbsentIsNotEqual", "json = { \"/n\" = 1 }", answer(200, "{}"), kFail},
                    Row{"NoJsonIsNotEqual", "json = { \"/n\" = 1 }", answer(200, "hello"), kFail},
                    Row{"ARepeatedKeyIsUnclear", "json = { \"/role\" = \"user\" }",
                        answer(200, R"({"role":"user","role":"admin"})"), kUnclear},
                    Row{"ABrokenSurrogateIsNoJson", "json = { \"/n\" = 1 }",
                        answer(200, R"({"n":1,"s":"\ud800"})"), kFail},
                    Row{"NullIsAValue", "json = { \"/errors\" = \"x\" }", answer(200, R"({"errors":null})"),
                        kFail}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(Latency, HttpProbe,
                         testing::Values(Row{"InTime", "max_latency = \"1s\"", answer(200), kPass},
                                         Row{"TooLate", "max_latency = \"1s\"", slow(answer(200)), kFail}),
                         [](const auto& row) { return row.param.name; });

TEST(HttpProbeRequest, CarriesWhatFlysProxyAdds) {
  ConfiguredProbe configured(
      "[probes.p]\ntype = \"http\"\npath = \"/healthz\"\nheaders = { Via = \"mine\", X-Twice = \"1\" }\n");
  Stage stage([](const Sent&) { return answer(200); }, configured.environment);
  configured.run(stage);
  const Sent& sent = stage.client.sent.at(0);
  EXPECT_EQ(sent.header("Host"), "orders.example.com");
  EXPECT_EQ(sent.header("X-Forwarded-For").find(sent.header("Fly-Client-IP") + ", "), 0u);
  EXPECT_EQ(sent.header("X-Forwarded-Proto"), "https");
  EXPECT_EQ(sent.header("X-Request-Id"), std::string(32, 'a'));
  EXPECT_EQ(sent.header("traceparent").substr(0, 36), "00-" + std::string(32, 'a') + "-");
  EXPECT_EQ(sent.header("User-Agent").find("holdshort/"), 0u);
  EXPECT_EQ(sent.header("Via"), "mine");
}

TEST(HttpProbeRequest, CarriesNothingOfThatWhereItIsTurnedOff) {
  testing_support::FakeEnvironment environment;
  Loaded loaded = parse_config(
      "f", "[app]\nurl = \"http://127.0.0.1:1\"\nforwarded = false\n[probes.p]\ntype = \"http\"\n",
      environment, {});
  ASSERT_TRUE(loaded.config);
  Stage stage([](const Sent&) { return answer(200); }, environment);
  stage.app = loaded.config->app;
  stage.run(*loaded.config->probes[0].make());
  for (const char* name : {"Fly-Client-IP", "X-Forwarded-For", "Via", "Fly-Request-Id"})
    EXPECT_EQ(stage.client.sent.at(0).header(name), "");
}

TEST(HttpProbeRequest, EachPathAndMethodIsAsked) {
  ConfiguredProbe configured(
      "[probes.p]\ntype = \"http\"\npaths = [\"/a\", \"/b\"]\nmethods = [\"GET\", \"HEAD\"]\n");
  Stage stage([](const Sent&) { return answer(200); }, configured.environment);
  EXPECT_EQ(configured.run(stage).requests, 4);
}

}  // namespace
}  // namespace holdshort
