// The reports of `check`, as the programs read them that they are made for.
#include "agent/surface/report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/surface/references.h"

namespace holdshort {
namespace {

using Json = nlohmann::json;

Check check(std::string id, Outcome outcome, std::string observed = "200") {
  return {.id = std::move(id),
          .outcome = outcome,
          .request = "GET /admin",
          .expected = "401 or 403",
          .observed = std::move(observed),
          .references = {"OWASP API2:2023", "CWE-306"},
          .summary = "GET /admin answered"};
}

ProbeReport probe(std::string name, std::vector<Check> checks, Severity severity = Severity::required) {
  ProbeReport report;
  report.name = std::move(name);
  report.type = "authentication";
  report.severity = severity;
  report.outcome.checks = std::move(checks);
  report.duration = std::chrono::milliseconds(1500);
  report.place = {12, 1};
  return report;
}

Report report_of(std::vector<ProbeReport> probes) {
  Report report;
  report.version = "0.1.0";
  report.app = "orders";
  report.machine = "148e";
  report.config = "holdshort.toml";
  report.probes = std::move(probes);
  return report;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

Json run_of(const Report& report) { return Json::parse(render_sarif(report))["runs"][0]; }

TEST(JunitReport, HasATestsuiteForAProbeAndATestcaseForACheck) {
  const std::string xml =
      render_junit(report_of({probe("admin_locked", {check("authentication.none", Outcome::fail),
                                                     check("authentication.head", Outcome::pass),
                                                     check("authentication.accepted", Outcome::inconclusive),
                                                     check("authentication.bypass", Outcome::skipped)}),
                              probe("other", {check("authentication.none", Outcome::pass)})}));
  EXPECT_EQ(count(xml, "<testsuite "), 2u);
  EXPECT_EQ(count(xml, "<testcase "), 5u);
  EXPECT_TRUE(has(xml, R"(<testsuite name="admin_locked" tests="4" failures="1" errors="1" skipped="1" )"));
  EXPECT_TRUE(
      has(xml, R"(<testsuites name="holdshort 0.1.0" tests="5" failures="1" errors="1" skipped="1" )"));
  EXPECT_TRUE(has(xml, R"(time="1.500")"));
}

TEST(JunitReport, ABrokenControlIsAFailureAndOneThatCouldNotBeSeenAnError) {
  const std::string broken = render_junit(report_of({probe("a", {check("x", Outcome::fail)})}));
  EXPECT_TRUE(has(broken, R"(<failure type="x" message="GET /admin answered">)"));
  EXPECT_TRUE(has(broken, "observed: 200"));
  EXPECT_FALSE(has(broken, "<error"));
  const std::string unseen = render_junit(report_of({probe("a", {check("x", Outcome::inconclusive)})}));
  EXPECT_TRUE(has(unseen, R"(<error type="x" )"));
  EXPECT_FALSE(has(unseen, "<failure"));
}

TEST(JunitReport, AProbeThatCheckedNothingIsAnErrorAndNoEmptySuite) {
  const std::string xml = render_junit(report_of({probe("a", {})}));
  EXPECT_TRUE(has(xml, R"(tests="1" failures="0" errors="1")"));
  EXPECT_TRUE(has(xml, R"(message="nothing was checked")"));
}

TEST(JunitReport, WhatAHostileAppAnswersBreaksNothing) {
  const std::string xml = render_junit(report_of(
      {probe("a", {check("x", Outcome::fail, "]]></failure><testcase name=\"\x01\x1b[31m\xff'&")})}));
  EXPECT_EQ(count(xml, "<testcase "), 1u);
  EXPECT_FALSE(has(xml, "\x1b"));
  EXPECT_FALSE(has(xml, "\xff"));
  EXPECT_TRUE(has(xml, "]]&gt;&lt;/failure&gt;"));
}

TEST(SarifReport, HasAResultForWhatIsBrokenAndForWhatCouldNotBeSeen) {
  const Json run =
      run_of(report_of({probe("a", {check("x.fails", Outcome::fail), check("x.passes", Outcome::pass),
                                    check("x.unseen", Outcome::inconclusive)}),
                        probe("b", {check("x.fails", Outcome::fail)}, Severity::advisory)}));
  ASSERT_EQ(run["results"].size(), 3u);
  const Json& broken = run["results"][0];
  EXPECT_EQ(broken["ruleId"], "x.fails");
  EXPECT_EQ(broken["kind"], "fail");
  EXPECT_EQ(broken["level"], "error");
  // SARIF 2.1.0, 3.27.10: what is no failure has no level.
  EXPECT_EQ(run["results"][1]["kind"], "open");
  EXPECT_EQ(run["results"][1]["level"], "none");
  EXPECT_EQ(run["results"][2]["level"], "warning");
  EXPECT_EQ(run["tool"]["driver"]["rules"].size(), 2u);
  for (const Json& result : run["results"])
    EXPECT_EQ(run["tool"]["driver"]["rules"][result["ruleIndex"].get<std::size_t>()]["id"], result["ruleId"]);
}

TEST(SarifReport, RulesSayWhatTheyStandFor) {
  const Json run = run_of(report_of({probe("a", {check("authentication.none", Outcome::fail)})}));
  const Json& rule = run["tool"]["driver"]["rules"][0];
  EXPECT_EQ(rule["properties"]["references"], Json({"OWASP API2:2023", "CWE-306"}));
  EXPECT_EQ(rule["properties"]["tags"], Json({"security", "authentication", "external/cwe/cwe-306"}));
  EXPECT_FALSE(rule["help"]["text"].get<std::string>().empty());
  EXPECT_TRUE(has(rule["help"]["markdown"], "https://cwe.mitre.org/data/definitions/306.html"));
  EXPECT_TRUE(rule["helpUri"].get<std::string>().starts_with("https://"));
}

TEST(SarifReport, ResultsPointToTheProbesTableInTheConfiguration) {
  Report report = report_of({probe("a", {check("x", Outcome::fail)})});
  const auto place = [&] { return run_of(report)["results"][0]["locations"][0]["physicalLocation"]; };
  EXPECT_EQ(place()["artifactLocation"]["uri"], "holdshort.toml");
  EXPECT_EQ(place()["region"]["startLine"], 12);
  for (const auto& [file, uri] :
       {std::pair{"./a b.toml", "a%20b.toml"}, {"/etc/h.toml", "file:///etc/h.toml"}}) {
    report.config = file;
    EXPECT_EQ(place()["artifactLocation"]["uri"], uri);
  }
}

TEST(SarifReport, AFingerprintIsTheSameWhereverTheTableStandsAndWhateverElseFails) {
  const auto print = [](const Json& run, std::size_t n) {
    return run["results"][n]["partialFingerprints"]["primaryLocationLineHash"].get<std::string>();
  };
  const Json before = run_of(report_of({probe("a", {check("x", Outcome::fail)})}));
  ProbeReport moved = probe("a", {check("w", Outcome::fail), check("x", Outcome::fail, "500")});
  moved.place.line = 99;
  const Json after = run_of(report_of({moved, probe("b", {check("x", Outcome::fail)})}));
  EXPECT_EQ(print(after, 1), print(before, 0));
  EXPECT_NE(print(after, 2), print(before, 0));
  EXPECT_NE(print(after, 0), print(after, 1));
  const Json twice = run_of(report_of({probe("a", {check("x", Outcome::fail), check("x", Outcome::fail)})}));
  EXPECT_NE(print(twice, 0), print(twice, 1));
}

TEST(SarifReport, InvalidUtf8AndControlCharactersStayValidJson) {
  const Json run = run_of(report_of({probe("a", {check("x", Outcome::fail, "\xff\x01\x1b\"")})}));
  EXPECT_EQ(run["results"][0]["properties"]["observed"], "\xEF\xBF\xBD\x01\x1b\"");
}

TEST(SarifReport, AProbeThatCheckedNothingIsAResult) {
  EXPECT_EQ(run_of(report_of({probe("a", {})}))["results"][0]["kind"], "open");
}

TEST(References, HaveAnAddressWhereThereIsAFixedOne) {
  EXPECT_EQ(link_of("CWE-306"), "https://cwe.mitre.org/data/definitions/306.html");
  EXPECT_EQ(link_of("RFC 8725"), "https://www.rfc-editor.org/rfc/rfc8725");
  EXPECT_EQ(link_of("OWASP API10:2023"),
            "https://owasp.org/API-Security/editions/2023/en/0xaa-unsafe-consumption-of-apis/");
  for (const char* other : {"ASVS 8.3.1", "CWE-", "CWE-1/../x", "OWASP API11:2023", ""})
    EXPECT_EQ(link_of(other), "") << other;
}

TEST(Reports, SayWhatToDoAboutACheckThatDidNotPass) {
  const Report report =
      report_of({probe("admin_locked", {check("authentication.none", Outcome::fail),
                                        check("authentication.head", Outcome::pass),
                                        check("authentication.accepted", Outcome::inconclusive, "503")})});
  constexpr const char* kOpen = "the path is open to everybody";
  EXPECT_EQ(count(render_text(report, Colour::no), "do:  "), 2u);
  EXPECT_TRUE(has(render_text(report, Colour::no), kOpen));
  EXPECT_EQ(count(render_json(report), "\"remedy\":"), 2u);
  EXPECT_TRUE(has(render_junit(report), kOpen));
  EXPECT_TRUE(has(render_junit(report), "the app is broken"));
  EXPECT_TRUE(has(run_of(report)["tool"]["driver"]["rules"][0]["help"]["text"], kOpen));
}

}  // namespace
}  // namespace holdshort
