#include "probes/probe.h"

#include <algorithm>

#include <fmt/format.h>

namespace holdshort {

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::skipped:
      return "skipped";
    case Outcome::pass:
      return "pass";
    case Outcome::inconclusive:
      return "inconclusive";
    case Outcome::fail:
      return "fail";
  }
  return "";
}

std::string ProbeContext::unknown_name() const {
  return fmt::format("hs-{:012x}", random() & 0xffffffffffffu);
}

const Check* worst_of(const std::vector<Check>& checks) {
  const auto it = std::max_element(checks.begin(), checks.end(),
                                   [](const Check& a, const Check& b) { return a.outcome < b.outcome; });
  return it == checks.end() ? nullptr : &*it;
}

Outcome ProbeOutcome::outcome() const {
  const Check* check = worst();
  return check ? check->outcome : Outcome::inconclusive;
}

std::string ProbeOutcome::summary() const {
  const Check* check = worst();
  if (!check) return "nothing was checked";
  if (check->outcome == Outcome::skipped) return check->summary;
  if (check->outcome == Outcome::pass) {
    const auto passed = std::count_if(checks.begin(), checks.end(),
                                      [](const Check& c) { return c.outcome == Outcome::pass; });
    return passed == 1 && !check->summary.empty() ? check->summary : fmt::format("{} checks passed", passed);
  }
  return check->summary;
}

}  // namespace holdshort
