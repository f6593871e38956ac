// The reports of `check`.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "probes/probe.h"

namespace holdshort {

struct ProbeReport {
  std::string name, type, description, runbook;
  Severity severity = Severity::required;
  ProbeOutcome outcome;
  std::chrono::microseconds duration{};
  Place place;  // of its table in Report::config
};

struct Report {
  std::string version, app, region, machine;
  std::string config;  // the file, as it was named
  Wall started;
  std::chrono::microseconds duration{};
  std::vector<ProbeReport> probes;
  // 0 all required passed, 1 one failed, 3 none failed and one was inconclusive.
  int exit_code() const;
};

std::string render_json(const Report& report);  // contract section 4
std::string render_junit(const Report& report);
std::string render_sarif(const Report& report);
enum class Colour { no, yes };
std::string render_text(const Report& report, Colour colour);

}  // namespace holdshort
