#include "agent/surface/report.h"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/surface/render.h"
#include "agent/terminal.h"
#include "probes/kit/duration.h"
#include "probes/remedy.h"

namespace holdshort {

namespace {

using Json = nlohmann::ordered_json;

double milliseconds(std::chrono::microseconds duration) {
  return static_cast<double>(duration.count() / 100) / 10;  // to a tenth: more would only be noise
}

std::string utc(Wall time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

Json to_json(const Check& check, std::string_view type) {
  Json json{{"id", check.id}, {"outcome", name_of(check.outcome)}};
  if (!check.request.empty()) json["request"] = check.request;
  if (!check.expected.empty()) json["expected"] = check.expected;
  if (!check.observed.empty()) json["observed"] = check.observed;
  if (!check.summary.empty()) json["summary"] = check.summary;
  if (const std::string_view remedy = remedy_for(type, check); !remedy.empty()) json["remedy"] = remedy;
  json["references"] = check.references;
  return json;
}

Json to_json(const ProbeReport& probe) {
  Json json{{"name", probe.name},
            {"type", probe.type},
            {"severity", name_of(probe.severity)},
            {"outcome", name_of(probe.outcome.outcome())},
            {"summary", probe.outcome.summary()},
            {"duration_ms", milliseconds(probe.duration)},
            {"requests", probe.outcome.requests}};
  if (!probe.description.empty()) json["description"] = probe.description;
  if (!probe.runbook.empty()) json["runbook"] = probe.runbook;
  json["checks"] = Json::array();
  for (const Check& check : probe.outcome.checks) json["checks"].push_back(to_json(check, probe.type));
  return json;
}

class TextReport {
 public:
  explicit TextReport(Colour colour) : colour_(colour) {}

  std::string render(const Report& report) {
    for (const ProbeReport& probe : report.probes) add(probe);
    const int code = report.exit_code();
    const auto required = std::count_if(report.probes.begin(), report.probes.end(), [](const ProbeReport& p) {
      return p.severity == Severity::required;
    });
    text_ += fmt::format("\n{}  {} required and {} advisory probes in {}ms\n",
                         painted(code == 0 ? kGreen : kRed, code == 0 ? "ready" : "not ready"), required,
                         static_cast<std::ptrdiff_t>(report.probes.size()) - required,
                         report.duration.count() / 1000);
    return std::move(text_);
  }

 private:
  static constexpr std::string_view kRed = "31", kGreen = "32", kYellow = "33", kGrey = "90";

  std::string painted(std::string_view code, std::string_view text) const {
    return colour_ == Colour::yes ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
  }

  static std::string_view colour_of(Outcome outcome) {
    switch (outcome) {
      case Outcome::pass:
        return kGreen;
      case Outcome::fail:
        return kRed;
      case Outcome::inconclusive:
        return kYellow;
      case Outcome::skipped:
        return kGrey;
    }
    return kGrey;
  }

  void add(const ProbeReport& probe) {
    const Outcome outcome = probe.outcome.outcome();
    text_ += fmt::format("{}  {} ({}{}): {}\n",
                         painted(colour_of(outcome), fmt::format("{:<12}", name_of(outcome))), probe.name,
                         probe.type, probe.severity == Severity::advisory ? ", advisory" : "",
                         printable(probe.outcome.summary()));
    if (outcome == Outcome::pass) return;
    for (const Check& check : probe.outcome.checks)
      if (is_finding(check.outcome)) add(check, probe.type);
    if (!probe.runbook.empty()) text_ += fmt::format("                runbook: {}\n", probe.runbook);
  }

  void add(const Check& check, std::string_view type) {
    text_ +=
        fmt::format("              {} {}\n",
                    painted(colour_of(check.outcome), check.outcome == Outcome::fail ? "x" : "?"), check.id);
    if (!check.request.empty())
      text_ += fmt::format("                sent:     {}\n", printable(check.request));
    if (!check.expected.empty())
      text_ += fmt::format("                expected: {}\n", printable(check.expected));
    if (!check.observed.empty())
      text_ += fmt::format("                observed: {}\n", printable(check.observed));
    if (!check.summary.empty()) text_ += fmt::format("                {}\n", printable(check.summary));
    if (const std::string_view remedy = remedy_for(type, check); !remedy.empty())
      text_ += fmt::format("                do:       {}\n", remedy);
    std::string references;
    for (const std::string& reference : check.references)
      references += (references.empty() ? "" : ", ") + reference;
    if (!references.empty()) text_ += fmt::format("                {}\n", painted(kGrey, references));
  }

  Colour colour_;
  std::string text_;
};

}  // namespace

int Report::exit_code() const {
  Outcome worst = Outcome::skipped;
  for (const ProbeReport& probe : probes)
    if (probe.severity == Severity::required) worst = std::max(worst, probe.outcome.outcome());
  return worst == Outcome::fail ? 1 : worst == Outcome::inconclusive ? 3 : 0;
}

std::string render_json(const Report& report) {
  Json json{{"version", report.version},
            {"app", report.app},
            {"region", report.region},
            {"machine", report.machine},
            {"started", utc(report.started)},
            {"duration_ms", milliseconds(report.duration)},
            {"verdict", report.exit_code() == 0 ? "ready" : "not_ready"}};
  json["probes"] = Json::array();
  for (const ProbeReport& probe : report.probes) json["probes"].push_back(to_json(probe));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string render_text(const Report& report, Colour colour) { return TextReport(colour).render(report); }

}  // namespace holdshort
