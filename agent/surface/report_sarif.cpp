// SARIF 2.1.0, for code scanning. A control of a running app has no line of source: results point to the
// probe's table in the configuration.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/surface/references.h"
#include "agent/surface/render.h"
#include "agent/surface/report.h"
#include "agent/timestamp.h"
#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "probes/registry.h"
#include "probes/remedy.h"

namespace holdshort {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kFingerprintDigits = 16;

// As a URI reference (RFC 3986): a colon in a first segment would be a scheme.
std::string uri_of(std::string_view path) {
  constexpr std::string_view kUnreserved = "-._~/";
  std::string uri = path.starts_with('/') ? "file://" : "";
  if (path.starts_with("./")) path.remove_prefix(2);
  for (const char c : path) {
    if (ascii::is_letter(c) || ascii::is_digit(c) || kUnreserved.find(c) != std::string_view::npos)
      uri += c;
    else
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

// One check's description: its type explains it, its references say where to read on.
class Rule {
 public:
  Rule(const Check& check, std::string_view type)
      : id_(check.id), type_(type), references_(check.references) {}

  Json to_json() const {
    const ProbeType* type = find_probe_type(type_);
    const std::string control =
        type ? std::string(type->explanation.control) : "A control that the app must enforce.";
    Json rule{{"id", id_}, {"shortDescription", {{"text", control}}}};
    if (const std::string link = first_link(); !link.empty()) rule["helpUri"] = link;
    rule["help"] = {{"text", help(type, control)}, {"markdown", markdown(type, control)}};
    rule["defaultConfiguration"] = {{"level", "error"}};
    rule["properties"] = {{"tags", tags()}, {"references", references_}};
    return rule;
  }

 private:
  // Where the control is broken.
  std::string_view remedy() const { return remedy_for(type_, {.id = id_, .outcome = Outcome::fail}); }

  std::string first_link() const {
    for (const std::string& reference : references_)
      if (std::string link = link_of(reference); !link.empty()) return link;
    return "";
  }

  std::string help(const ProbeType* type, const std::string& control) const {
    std::string text = control;
    if (type) {
      text += fmt::format("\n\nDo: {}\n\nFails: {}\n\nCould not be seen: {}", remedy(),
                          type->explanation.fails, type->explanation.unclear);
    }
    return text + fmt::format("\n\nRefers to: {}", fmt::join(references_, ", "));
  }

  std::string markdown(const ProbeType* type, const std::string& control) const {
    std::string text = control;
    if (type) {
      text += fmt::format("\n\n**Do:** {}\n\n**Fails:** {}\n\n**Could not be seen:** {}", remedy(),
                          type->explanation.fails, type->explanation.unclear);
    }
    for (const std::string& reference : references_) {
      const std::string link = link_of(reference);
      text += link.empty() ? fmt::format("\n- {}", reference) : fmt::format("\n- [{}]({})", reference, link);
    }
    return text;
  }

  // "external/cwe/cwe-306" is what code scanning groups by.
  std::vector<std::string> tags() const {
    std::vector<std::string> list{"security", std::string(type_)};
    for (const std::string& reference : references_)
      if (reference.starts_with("CWE-")) list.push_back("external/cwe/" + ascii::lowered(reference));
    return list;
  }

  std::string id_;
  std::string_view type_;
  std::vector<std::string> references_;
};

class SarifReport {
 public:
  explicit SarifReport(const Report& report) : report_(report) {}

  Json to_json() {
    for (const ProbeReport& probe : report_.probes) {
      if (probe.outcome.checks.empty()) nothing_checked(probe);
      for (const Check& check : probe.outcome.checks)
        if (is_finding(check.outcome)) add(probe, check);
    }
    Json driver{{"name", "holdshort"}, {"version", report_.version}, {"rules", std::move(rules_)}};
    Json run;
    run["tool"] = {{"driver", std::move(driver)}};
    run["invocations"] = Json::array({{{"executionSuccessful", true},
                                       {"exitCode", report_.exit_code()},
                                       {"startTimeUtc", timestamp(report_.started)}}});
    run["results"] = std::move(results_);
    run["properties"] = {{"app", report_.app}, {"region", report_.region}, {"machine", report_.machine}};
    return {{"$schema",
             "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"},
            {"version", "2.1.0"},
            {"runs", Json::array({std::move(run)})}};
  }

 private:
  void nothing_checked(const ProbeReport& probe) {
    add(probe, {.id = probe.type, .outcome = Outcome::inconclusive, .summary = probe.outcome.summary()});
  }

  std::size_t rule_of(const ProbeReport& probe, const Check& check) {
    const auto [known, fresh] = index_.emplace(check.id, rules_.size());
    if (fresh) rules_.push_back(Rule(check, probe.type).to_json());
    return known->second;
  }

  // A control that is broken is a `fail`. One that could not be seen is `open`, which has no level (3.27.10).
  void add(const ProbeReport& probe, const Check& check) {
    const std::size_t rule = rule_of(probe, check);
    Json result{{"ruleId", check.id}, {"ruleIndex", rule}};
    result["kind"] = check.outcome == Outcome::fail ? "fail" : "open";
    result["level"] = level(probe, check);
    result["message"] = {{"text", message(probe, check)}};
    result["locations"] = Json::array({location(probe)});
    result["partialFingerprints"] = {{"primaryLocationLineHash", fingerprint(probe, check)}};
    result["properties"] = {{"probe", probe.name},
                            {"severity", name_of(probe.severity)},
                            {"request", check.request},
                            {"expected", check.expected},
                            {"observed", check.observed}};
    if (!probe.runbook.empty()) result["properties"]["runbook"] = probe.runbook;
    results_.push_back(std::move(result));
  }

  static std::string_view level(const ProbeReport& probe, const Check& check) {
    if (check.outcome != Outcome::fail) return "none";
    return probe.severity == Severity::required ? "error" : "warning";
  }

  static std::string message(const ProbeReport& probe, const Check& check) {
    std::string text = fmt::format("{}: {}", probe.name, check.summary.empty() ? check.id : check.summary);
    if (!check.expected.empty())
      text += fmt::format(". Expected {}, observed {}", check.expected, check.observed);
    return text;
  }

  Json location(const ProbeReport& probe) const {
    Json physical{{"artifactLocation", {{"uri", uri_of(report_.config)}}}};
    if (probe.place.line > 0)
      physical["region"] = {{"startLine", probe.place.line},
                            {"startColumn", std::max(probe.place.column, 1)}};
    return {{"physicalLocation", std::move(physical)},
            {"logicalLocations", Json::array({{{"name", probe.name}, {"kind", "member"}}})}};
  }

  // The same for the same check of the same probe on the same request, wherever the table stands in the file.
  // Checks that share all three are counted, as in GitHub's "hash:count".
  std::string fingerprint(const ProbeReport& probe, const Check& check) {
    const std::string what = fmt::format("{}\n{}\n{}", probe.name, check.id, check.request);
    return fmt::format("{}:{}", crypto::hex(crypto::sha256(what)).substr(0, kFingerprintDigits),
                       ++seen_[what]);
  }

  const Report& report_;
  Json rules_ = Json::array(), results_ = Json::array();
  std::map<std::string, std::size_t> index_;  // of a rule's id
  std::map<std::string, int> seen_;
};

}  // namespace

std::string render_sarif(const Report& report) {
  return SarifReport(report).to_json().dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace holdshort
