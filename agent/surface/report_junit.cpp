// JUnit XML, as CI systems read it: a testsuite for a probe, a testcase for a check, `failure` for a control
// that is broken, `error` for one that could not be verified.
#include <algorithm>

#include <fmt/format.h>

#include "agent/surface/markup.h"
#include "agent/surface/report.h"
#include "agent/timestamp.h"
#include "probes/remedy.h"

namespace holdshort {

namespace {

struct Counts {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;

  void add(Outcome outcome) {
    ++tests;
    if (outcome == Outcome::fail) ++failures;
    if (outcome == Outcome::inconclusive) ++errors;
    if (outcome == Outcome::skipped) ++skipped;
  }
  std::string attributes() const {
    return fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"", tests, failures, errors,
                       skipped);
  }
};

std::string seconds(std::chrono::microseconds duration) {
  return fmt::format("{:.3f}", std::chrono::duration<double>(duration).count());
}

// A suite without a case would count as passed.
std::vector<Check> cases_of(const ProbeReport& probe) {
  if (!probe.outcome.checks.empty()) return probe.outcome.checks;
  return {{.id = probe.type, .outcome = probe.outcome.outcome(), .summary = probe.outcome.summary()}};
}

std::string evidence(const Check& check, std::string_view type) {
  std::string text;
  const auto line = [&](std::string_view label, std::string_view value) {
    if (!value.empty()) text += fmt::format("{} {}\n", label, value);
  };
  line("sent:    ", check.request);
  line("expected:", check.expected);
  line("observed:", check.observed);
  line("do:      ", remedy_for(type, check));
  line("refers to:", fmt::format("{}", fmt::join(check.references, ", ")));
  return text;
}

std::string render_case(const ProbeReport& probe, const Check& check) {
  const std::string name = check.request.empty() ? check.id : fmt::format("{} ({})", check.id, check.request);
  std::string xml =
      fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escaped(probe.name), escaped(name));
  if (check.outcome == Outcome::pass) return xml + "/>\n";
  if (check.outcome == Outcome::skipped)
    return xml + fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", escaped(check.summary));
  const std::string_view tag = check.outcome == Outcome::fail ? "failure" : "error";
  return xml + fmt::format(">\n      <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n    </testcase>\n", tag,
                           escaped(check.id), escaped(check.summary), escaped(evidence(check, probe.type)));
}

std::string property(std::string_view name, std::string_view value) {
  if (value.empty()) return "";
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, escaped(value));
}

std::string render_suite(const Report& report, const ProbeReport& probe) {
  const std::vector<Check> checks = cases_of(probe);
  Counts counts;
  std::string cases;
  for (const Check& check : checks) {
    counts.add(check.outcome);
    cases += render_case(probe, check);
  }
  std::string xml = fmt::format("  <testsuite name=\"{}\" {} time=\"{}\" timestamp=\"{}\" hostname=\"{}\">\n",
                                escaped(probe.name), counts.attributes(), seconds(probe.duration),
                                timestamp(report.started), escaped(report.machine));
  xml += "    <properties>\n" + property("type", probe.type) + property("severity", name_of(probe.severity)) +
         property("description", probe.description) + property("runbook", probe.runbook) +
         property("app", report.app) + property("region", report.region) + "    </properties>\n";
  return xml + cases + "  </testsuite>\n";
}

}  // namespace

std::string render_junit(const Report& report) {
  Counts counts;
  std::string suites;
  for (const ProbeReport& probe : report.probes) {
    for (const Check& check : cases_of(probe)) counts.add(check.outcome);
    suites += render_suite(report, probe);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"holdshort {}\" {} time=\"{}\">\n{}</testsuites>\n",
      escaped(report.version), counts.attributes(), seconds(report.duration), suites);
}

}  // namespace holdshort
