// The cases that other checkers test themselves with, by their ids in our survey of them: B
// blackbox_exporter, G gatus, S goss and Step CI, K Kubernetes, H where a peer is known to be wrong. `P`, `F`
// and `E` are what the survey expects: passes, fails, must block without being called broken. Where ours
// differs, docs/verdicts.md says why.
#include <fstream>
#include <functional>
#include <iterator>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/kit/crypto.h"
#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using testing::HasSubstr;
using testing_support::always;
using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::no_answer;
using testing_support::Sent;
using testing_support::Stage;
using App = std::function<Response(const Sent&)>;

constexpr auto P = Outcome::pass, F = Outcome::fail, E = Outcome::inconclusive;
constexpr std::size_t kBodyCap = 64 * 1024;  // Limits' own

Response ended(Ended how, Response response) {
  response.ended = how;
  return response;
}
Response with(std::vector<Header> headers) { return answer(200, "", std::move(headers)); }
Response gzipped() { return answer(200, "\x1f\x8b\x08", {{"Content-Encoding", "gzip"}}); }
Response redirect(int status, std::string to) { return answer(status, "", {{"Location", std::move(to)}}); }

// A redirect that leads to a 200, as a client that follows would see.
App redirecting(int status, std::string to) {
  return [=](const Sent& sent) {
    return sent.request.target == "/healthz" ? redirect(status, to) : answer(200, "ok");
  };
}
// Serves whoever sends this.
App wanting(std::string header, std::string value, int otherwise = 401) {
  return [=](const Sent& sent) { return answer(sent.header(header) == value ? 200 : otherwise); };
}
App wanting_body(std::string method, std::string body) {
  return [=](const Sent& sent) {
    const bool right = sent.request.method == method && sent.request.body == body;
    return right ? answer(200, body) : answer(400);
  };
}
// What is read of a line of 1.1 MB.
App beginning_with(std::string text) {
  return always(ended(Ended::capped, answer(200, text + std::string(kBodyCap - text.size(), 'a'))));
}

struct Row {
  std::string id;
  std::string what;  // letters only
  std::string keys;  // of an http probe of /healthz
  App app;
  Outcome survey;
  Outcome ours = survey;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.id << " " << row.what; }

std::string probe(const std::string& keys) {
  return "[identities.ops]\nbasic = { user = \"ops\", password = { env = \"ADMIN_TOKEN\" } }\n"
         "[identities.wrong]\nbasic = { user = \"ops\", password = { env = \"WRONG\" } }\n"
         "[identities.token]\nbearer = { env = \"ADMIN_TOKEN\" }\n"
         "[probes.p]\ntype = \"http\"\npath = \"/healthz\"\n" +
         keys + "\n";
}

ConfiguredProbe configured_with(const std::string& keys) {
  return ConfiguredProbe(
      probe(keys), [](testing_support::FakeEnvironment& machine) { machine.variables["WRONG"] = "wrong"; });
}

class Peers : public testing::TestWithParam<Row> {};
TEST_P(Peers, AreJudged) {
  ConfiguredProbe configured = configured_with(GetParam().keys);
  Stage stage(GetParam().app, configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_EQ(name_of(outcome.outcome()), name_of(GetParam().ours)) << outcome.summary();
  EXPECT_EQ(stage.client.sent.size(), 1U) << "a redirect was followed";
}

const char* const kNotUnauthorized = "status = [\"2xx\", \"3xx\", \"4xx\"]\nbody_not_matches = \"secret\"";
const char* const kNoSecret = "body_not_matches = \"secret\"";
const char* const kNoServer = "header_absent = [\"Server\"]";
const char* const kIsRefused = "status = [401, 403]";
const char* const kIsJavascript = "header_matches = { content-type = \"^application/octet-stream\" }";
const char* const kMaxAge = "header_matches = { Cache-Control = \"max-age\" }";

const std::string kOpsBasic = "Basic " + crypto::base64(std::string("ops:ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5"));
const char* const kDatabase = "Bad news: could not connect to database server";
const char* const kDatabaseCapital = "Could not connect to database";

std::vector<Row> rows() {
  std::vector<Row> list;
  const auto add = [&](std::string id, std::string what, std::string keys, App app, Outcome survey) {
    list.push_back({std::move(id), std::move(what), std::move(keys), std::move(app), survey});
  };
  const auto differs = [&](std::string id, std::string what, std::string keys, App app, Outcome survey,
                           Outcome ours) {
    list.push_back({std::move(id), std::move(what), std::move(keys), std::move(app), survey, ours});
  };

  // Status
  add("B1", "200", "", always(answer(200)), P);
  add("B2", "201", "", always(answer(201)), P);
  add("B3", "299", "", always(answer(299)), P);
  add("B4", "300", "", always(answer(300)), F);
  differs("B5", "404", "", always(answer(404)), F, E);
  add("B6", "404Listed", "status = [200, 404]", always(answer(404)), P);
  add("B7", "200Listed", "status = [200, 404]", always(answer(200)), P);
  add("B8", "201Unlisted", "status = [200, 404]", always(answer(201)), F);
  add("B9", "404Alone", "status = [404]", always(answer(404)), P);
  add("B10", "200WhereRefusalIsWanted", kIsRefused, always(answer(200)), F);
  add("B11", "401WhereRefusalIsWanted", kIsRefused, always(answer(401)), P);
  add("B12", "403WhereRefusalIsWanted", kIsRefused, always(answer(403)), P);
  add("G1", "200", "status = [200]", always(answer(200)), P);
  differs("G1", "500", "status = [200]", always(answer(500)), F, E);
  add("G2", "201", "status = [\"2xx\"]", always(answer(201)), P);
  differs("G2", "404", "status = [\"2xx\"]", always(answer(404)), F, E);
  add("G3", "429", "status = [200, 429]", always(answer(429)), P);
  differs("G3", "404", "status = [200, 429]", always(answer(404)), F, E);
  differs("K1", "TooSlow", "", always(no_answer(Ended::timeout)), F, E);
  add("K2", "200", "", always(answer(200)), P);
  add("K2", "299", "", always(answer(299)), P);
  add("K2", "399", "", always(answer(399)), F);
  add("K2", "400", "", always(answer(400)), F);
  differs("K2", "500", "", always(answer(500)), F, E);
  differs("K2", "NoStatus", "", always(no_answer(Ended::not_http)), F, E);

  // No answer: what negative assertions make of it
  add("H3", "RefusedNotUnauthorized", kNotUnauthorized, always(no_answer(Ended::refused)), E);
  add("H3", "RefusedBody", kNoSecret, always(no_answer(Ended::refused)), E);
  add("H3", "RefusedHeader", kNoServer, always(no_answer(Ended::refused)), E);
  add("H4", "TimeoutBody", kNoSecret, always(no_answer(Ended::timeout)), E);
  add("H4", "TimeoutHeader", kNoServer, always(no_answer(Ended::timeout)), E);
  add("H5", "BodyStalls", kNoSecret, always(ended(Ended::timeout, answer(200, "begin"))), E);
  add("H6", "BodyIsShort", kNoSecret, always(ended(Ended::cut_short, answer(200, "0123456789"))), E);
  add("H7", "ResetAfterHeaders", "", always(ended(Ended::reset, answer(200))), E);
  add("H8", "Garbage", kNotUnauthorized, always(no_answer(Ended::not_http)), E);
  add("H9", "TlsFails", "status = [401]", always(no_answer(Ended::tls_failed)), E);
  differs("H12", "500WhereRefusalIsWanted", "status = [401]", always(answer(500)), F, E);
  add("H13", "RedirectToLogin", kIsRefused, always(redirect(302, "/login")), F);
  add("H14", "RedirectToAnotherHost", "", always(redirect(302, "https://elsewhere.test/")), F);
  add("H15", "NameIsUnknown", kNotUnauthorized, always(no_answer(Ended::refused)), E);

  // Redirects: none is followed
  differs("B13", "ToA200", "", redirecting(302, "/ok"), P, F);
  add("B14", "NotFollowed", "", redirecting(302, "/ok"), F);
  add("B15", "Listed", "status = [302]", redirecting(302, "/ok"), P);
  differs("B16", "301", "", redirecting(301, "/ok"), P, F);
  differs("B16", "307", "", redirecting(307, "/ok"), P, F);
  differs("B17", "TenHops", "", always(redirect(302, "/hop")), P, F);
  add("B18", "ElevenHops", "", always(redirect(302, "/hop")), F);
  add("B19", "NoLocation", "", always(answer(302)), F);
  for (const int status : {301, 302, 307, 308}) {
    differs("K3", "Good" + std::to_string(status), "", redirecting(status, "/ok"), P, F);
    add("K3", "Bad" + std::to_string(status), "", always(redirect(status, "/healthz2")), F);
  }
  add("K4", "Loop", "", always(redirect(302, "/healthz")), F);
  add("K5", "AnotherHost", "", always(redirect(302, "http://elsewhere.test/")), F);
  add("K6", "AnotherHostWithCredentials", "as = \"token\"", always(redirect(302, "http://elsewhere.test/")),
      F);

  // Headers
  add("B20", "Javascript", kIsJavascript, always(with({{"Content-Type", "text/javascript"}})), F);
  add("B21", "OctetStream", kIsJavascript, always(with({{"Content-Type", "application/octet-stream"}})), P);
  add("B22", "NameInLowerCase", kIsJavascript, always(with({{"CONTENT-TYPE", "application/octet-stream"}})),
      P);
  add("B25", "AbsentAsItMayBe", kNoServer, always(answer(200)), P);
  add("B26", "PresentAndEmpty", kNoServer, always(with({{"Server", ""}})), F);
  add("B28", "Matches", kMaxAge, always(with({{"Cache-Control", "max-age=300"}})), P);
  add("B29", "Absent", kMaxAge, always(answer(200)), F);
  add("B31", "OneOfTwoCookies", "header_matches = { Set-Cookie = \"Domain=\\\\.example\\\\.com\" }",
      always(with({{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2; Domain=.example.com"}})), P);
  add("B32", "HostIsSent", "headers = { Host = \"foo.bar\" }", wanting("Host", "foo.bar", 421), P);
  add("B32", "HostIsNotSent", "", wanting("Host", "foo.bar", 421), F);
  add("K7", "AcceptOverride", "headers = { Accept = \"text/html\" }", wanting("Accept", "text/html", 406), P);
  add("K7", "EmptyValue", "headers = { X-Empty = \"\" }", wanting("X-Empty", "", 400), P);

  // Body
  add("B33", "ForbiddenText", "body_not_matches = \"could not connect to database\"",
      always(answer(200, kDatabase)), F);
  add("B34", "CaseMatters", "body_not_matches = \"could not connect to database\"",
      always(answer(200, kDatabaseCapital)), P);
  add("B35", "CaseIsIgnored", "body_not_matches = \"(?i)could not connect to database\"",
      always(answer(200, kDatabaseCapital)), F);
  add("B36", "OneOfTwoForbidden", "body_not_matches = [\"not there\", \"internal error\"]",
      always(answer(200, "internal error")), F);
  add("B37", "OneOfTwoMissing", "body_matches = [\"Download\", \"Copyright 2015\"]",
      always(answer(200, "Download the latest version here")), F);
  add("B38", "BothThere", "body_matches = [\"Download\", \"Copyright 2015\"]",
      always(answer(200, "Download the latest version here. Copyright 2015 Test Inc.")), P);

  // JSON: equality is the only word, so that nothing missing can make an assertion true
  const char* const kBar = R"(json = { "/foo/bar" = "qux" })";
  const auto json = [](std::string body) { return always(answer(200, std::move(body))); };
  add("B39", "AnotherValue", kBar, json(R"({"foo":{"bar":"baz"}})"), F);
  add("B40", "ThisValue", kBar, json(R"({"foo":{"bar":"qux"}})"), P);
  add("B41", "MissingPath", kBar, json("{}"), F);
  add("B43", "NoJson", kBar, json("hello world"), F);
  add("B44", "EmptyBody", kBar, json(""), F);
  add("B45", "TextAsRoot", R"(json = { "" = "foo" })", json("\"foo\""), P);
  add("B45", "BooleanAsRoot", R"(json = { "" = true })", json("true"), P);
  add("B45", "ListAsRoot", R"(json = { "" = ["a", "b", "c"] })", json(R"(["a","b","c"])"), P);
  add("B46", "Emoji", "json = { \"/mood\" = \"\xF0\x9F\x98\x80\" }", json("{\"mood\":\"\xF0\x9F\x98\x80\"}"),
      P);
  add("B46", "EscapedEmoji", "json = { \"/mood\" = \"\xF0\x9F\x98\x80\" }",
      json(R"({"mood":"\ud83d\ude00"})"), P);
  add("G4", "NullForText", R"(json = { "/data" = "OK" })", json(R"({"data":null})"), F);
  add("G4", "NullsInAList", R"(json = { "/items/0" = "OK" })", json(R"({"items":[null,null]})"), F);
  add("G4", "NullAsRoot", R"(json = { "" = "OK" })", json("null"), F);
  add("G5", "IndexIntoAnObject", R"(json = { "/0/name" = "test" })", json(R"({"statusCode":500})"), F);
  add("G6", "ListAsRoot", R"(json = { "/0/id" = 1 })", json(R"([{"id":1},{"id":2}])"), P);
  add("G6", "NestedList", R"(json = { "/data/1/id" = 2 })", json(R"({"data":[{"id":1},{"id":2}]})"), P);
  add("H19", "HexadecimalText", R"(json = { "/data" = 1 })", json(R"({"data":"0x1"})"), F);
  add("H25", "RepeatedKey", R"(json = { "/role" = "user" })", json(R"({"role":"user","role":"admin"})"), E);
  differs("H26", "NestedTooDeep", R"(json = { "/a" = 1 })", json(std::string(100'000, '[')), E, F);
  differs("H26", "NumberTooLarge", R"(json = { "/a" = 1 })", json(R"({"a":1e400})"), E, F);
  differs("H26", "LoneSurrogate", R"(json = { "/a" = 1 })", json(R"({"a":1,"b":"\ud800"})"), E, F);

  // Size and compression
  add("B48", "WithinTheLimit", kNoSecret, always(answer(200, std::string(kBodyCap, 'a'))), P);
  differs("B49", "BeyondTheLimit", kNoSecret, always(ended(Ended::capped, answer(200, "aaa"))), F, E);
  differs("B50", "CompressedBeyondTheLimit", kNoSecret, always(gzipped()), F, E);
  differs("B51", "CompressedAsAskedFor", "body_matches = \"ok\"\nheaders = { Accept-Encoding = \"gzip\" }",
          always(gzipped()), P, E);
  differs("B52", "CompressedOtherwise", "body_matches = \"ok\"\nheaders = { Accept-Encoding = \"deflate\" }",
          always(gzipped()), F, E);
  add("B53", "CompressedProvesNoAbsence", kNoSecret, always(gzipped()), E);
  add("S1", "LongLineThatBeginsWithIt", "body_matches = \"needle\"", beginning_with("needle"), P);
  differs("S1", "LongLineThatEndsWithIt", "body_matches = \"needle\"", beginning_with(""), P, E);
  add("K8", "CutBodyProvesNoAbsence", kNoSecret, always(ended(Ended::capped, answer(200, "begin"))), E);
  add("H27", "CutBeforeTheSecret", kNoSecret, always(ended(Ended::capped, answer(200, "se"))), E);
  add("H28", "EndlessBodyAtTheLimit", kNoSecret, always(ended(Ended::capped, answer(200, "chunk"))), E);
  add("H28", "EndlessBodyAtTheDeadline", "", always(ended(Ended::timeout, answer(200, "chunk"))), E);

  // Method, credentials, TLS
  add("B54", "Post", "method = \"POST\"\nbody = \"Test Body\"", wanting_body("POST", "Test Body"), P);
  add("B54", "GetWherePostIsWanted", "", wanting_body("POST", "Test Body"), F);
  add("B56", "BasicRight", "as = \"ops\"", wanting("Authorization", kOpsBasic), P);
  add("B56", "BasicWrong", "as = \"wrong\"", wanting("Authorization", kOpsBasic), F);
  add("B56", "BasicNone", "", wanting("Authorization", kOpsBasic), F);
  add("B57", "BearerSent", "as = \"token\"", wanting("Authorization", "Bearer ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5"),
      P);
  add("B57", "BearerNotSent", "", wanting("Authorization", "Bearer ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5"), F);
  add("B59", "SelfSigned", kIsRefused, always(no_answer(Ended::tls_failed)), E);
  add(
      "B60", "SelfSignedTaken", "url = \"https://127.0.0.1\"\ntls_skip_verify = true",
      [](const Sent& sent) {
        return sent.endpoint.tls_skip_verify ? answer(200) : no_answer(Ended::tls_failed);
      },
      P);
  add(
      "B61", "NameOverride", "url = \"https://127.0.0.1\"\ntls_server_name = \"orders.internal\"",
      [](const Sent& sent) {
        return sent.endpoint.tls_server_name == "orders.internal" ? answer(200)
                                                                  : no_answer(Ended::tls_failed);
      },
      P);
  differs("B62", "CertificateForAnotherName", "", always(no_answer(Ended::tls_failed)), F, E);
  add("B64", "SchemeInUpperCase", "url = \"HTTP://127.0.0.1\"", always(answer(200)), P);
  add("S2", "RightPassword", "as = \"ops\"", wanting("Authorization", kOpsBasic), P);
  add("S2", "WrongPasswordIsRefused", "as = \"wrong\"\nstatus = [401]", wanting("Authorization", kOpsBasic),
      P);
  add("S3", "PutEchoes", "method = \"PUT\"\nbody = \"echo\"\nbody_matches = \"^echo$\"",
      wanting_body("PUT", "echo"), P);
  return list;
}

INSTANTIATE_TEST_SUITE_P(, Peers, testing::ValuesIn(rows()),
                         [](const auto& row) { return row.param.id + "_" + row.param.what; });

// --- what no request can tell: the configuration is wrong

struct BadRow {
  const char* id;
  const char* what;
  const char* toml;  // behind [app]
  const char* says;
};
void PrintTo(const BadRow& row, std::ostream* out) { *out << row.id << " " << row.what; }

class PeersConfig : public testing::TestWithParam<BadRow> {};
TEST_P(PeersConfig, IsAnErrorThatNamesTheKey) {
  const testing_support::FakeEnvironment environment;
  const Loaded loaded = parse_config(
      "holdshort.toml", std::string("[app]\nurl = \"http://127.0.0.1:3000\"\n") + GetParam().toml,
      environment, {});
  ASSERT_FALSE(loaded.config);
  ASSERT_FALSE(loaded.diagnostics.empty());
  EXPECT_THAT(loaded.diagnostics.front().message, HasSubstr(GetParam().says));
  EXPECT_GT(loaded.diagnostics.front().place.line, 0);
}

#define HTTP_PROBE "[probes.p]\ntype = \"http\"\n"
const BadRow kBad[] = {
    {"H1", "9999", HTTP_PROBE "status = [9999]\n", "\"status\""},
    {"H1", "42", HTTP_PROBE "status = [42]\n", "\"status\""},
    {"H2", "EmptyList", HTTP_PROBE "status = []\n", "\"status\" is an empty list"},
    {"H16", "LineBreak", HTTP_PROBE "headers = { X-A = \"a\\r\\nX-B: b\" }\n", "CR or LF"},
    {"H17", "NoColon", HTTP_PROBE "headers = [\"Header\"]\n", "\"headers\""},
    {"H20", "LessThan", HTTP_PROBE "json = { \"admins < 1\" = true }\n", "no JSON pointer"},
    {"H24", "Misspelt", HTTP_PROBE "statuss = [401]\n", "unknown key \"statuss\""},
    {"H29", "TimeoutAtInterval", HTTP_PROBE "interval = \"5s\"\ntimeout = \"5s\"\n", "\"timeout\" is 5s"},
    {"H29", "NegativeTimeout", HTTP_PROBE "timeout = \"-5s\"\n", "\"timeout\""},
    {"H29", "NoTimeout", HTTP_PROBE "timeout = \"0s\"\n", "\"timeout\""},
    {"B55", "BodyFile", HTTP_PROBE "body_file = \"/a\"\nbody = \"b\"\n", "unknown key \"body_file\""},
    {"B64", "UnknownScheme", HTTP_PROBE "url = \"invalid://127.0.0.1\"\n", "\"url\""},
    {"B70", "BrokenPattern", HTTP_PROBE "body_matches = \":[\"\n", "\"body_matches\" is no RE2 pattern"},
    {"B70", "HeaderWithoutPattern", HTTP_PROBE "header_matches = { Server = \"\" }\n", "\"header_matches\""},
    {"B70", "TwoIdentities",
     "[identities.a]\nbearer = { env = \"A\" }\nbasic = { user = \"u\", password = { env = \"B\" } "
     "}\n" HTTP_PROBE,
     "\"bearer\""},
    {"B72", "NameTwice", HTTP_PROBE HTTP_PROBE, "probes"},
    {"H37", "UndefinedVariable", "[identities.a]\nbearer = { env = \"NOT_SET\" }\n" HTTP_PROBE, "NOT_SET"},
    {"S10", "NoProbe", "", "no probe"},
};
#undef HTTP_PROBE
INSTANTIATE_TEST_SUITE_P(, PeersConfig, testing::ValuesIn(kBad),
                         [](const auto& row) { return std::string(row.param.id) + "_" + row.param.what; });

// --- of other probes

// H10: a wall that refuses everybody is no guard.
TEST(PeersOthers, H10_AWallIsNoGuard) {
  ConfiguredProbe configured(
      "[identities.ops]\nbearer = { env = \"ADMIN_TOKEN\" }\n[probes.p]\ntype = \"authentication\"\n"
      "path = \"/admin\"\nas = \"ops\"\n");
  Stage stage(always(answer(401)), configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), E);
}

// H11: the survey says F; a 404 shows neither a guard nor that there is none (contract, section 1).
TEST(PeersOthers, H11_ARenamedRouteIsNotSeen) {
  ConfiguredProbe configured("[probes.p]\ntype = \"authentication\"\npath = \"/admin\"\n");
  Stage stage(always(answer(404)), configured.environment);
  EXPECT_EQ(configured.run(stage).outcome(), E);
}

TEST(PeersOthers, H18_ASecurityHeaderThatIsThereTwiceWithDifferentValuesFails) {
  ConfiguredProbe configured("[probes.p]\ntype = \"headers\"\nhsts_min_age = \"24h\"\n");
  const Header nosniff{"X-Content-Type-Options", "nosniff"};
  Stage stage(always(with({nosniff,
                           {"Strict-Transport-Security", "max-age=31536000"},
                           {"Strict-Transport-Security", "max-age=0"}})),
              configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  ASSERT_NE(outcome.worst(), nullptr);
  EXPECT_EQ(outcome.worst()->id, "headers.strict_transport_security") << outcome.summary();
  EXPECT_EQ(outcome.outcome(), F);
}

// K7: what stands on the wire besides.
TEST(PeersOthers, K7_TheUserAgentIsOursUnlessItIsDeclared) {
  ConfiguredProbe ours = configured_with(""),
                  declared = configured_with("headers = { User-Agent = \"mine/1\" }");
  Stage first(always(answer(200)), ours.environment), second(always(answer(200)), declared.environment);
  ours.run(first);
  declared.run(second);
  EXPECT_TRUE(first.client.sent.at(0).header("User-Agent").starts_with("holdshort/"));
  EXPECT_EQ(second.client.sent.at(0).header("User-Agent"), "mine/1");
}

// --- what differs on purpose is written down

TEST(PeersOthers, WhereOursDiffersTheDocsNameTheCase) {
  std::ifstream stream(std::string(HOLDSHORT_SOURCE_DIR) + "/docs/verdicts.md");
  const std::string page{std::istreambuf_iterator<char>(stream), {}};
  std::set<std::string> differing = {"H11"};
  for (const Row& row : rows())
    if (row.survey != row.ours) differing.insert(row.id);
  for (const std::string& id : differing) EXPECT_THAT(page, HasSubstr(id)) << id;
}

}  // namespace
}  // namespace holdshort
