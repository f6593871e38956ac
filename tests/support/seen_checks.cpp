#include "tests/support/seen_checks.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "probes/registry.h"

namespace holdshort::testing_support {
namespace {

using Ends = CheckRow::Ends;
using Outcomes = std::set<Outcome>;

std::map<std::string, Outcomes, std::less<>>& seen() {
  static std::map<std::string, Outcomes, std::less<>> outcomes;
  return outcomes;
}

bool may_end(Ends ends, Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
      return ends != Ends::never_passes && ends != Ends::never_judges;
    case Outcome::fail:
      return ends == Ends::either || ends == Ends::never_passes;
    case Outcome::skipped:
    case Outcome::inconclusive:
      break;
  }
  return true;
}

bool cites(const CheckRow& row, std::string_view reference) {
  std::string_view rest = row.references;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(", "), rest.size());
    if (rest.substr(0, comma) == reference) return true;
    rest.remove_prefix(std::min(comma + 2, rest.size()));
  }
  return false;
}

// Of which at least one must have been seen, for each way to end.
std::vector<Outcomes> ways_to_end(Ends ends) {
  switch (ends) {
    case Ends::either:
      return {{Outcome::pass}, {Outcome::fail}};
    case Ends::advice:
      return {{Outcome::pass}, {Outcome::skipped}};
    case Ends::never_fails:
      return {{Outcome::pass}, {Outcome::inconclusive}};
    case Ends::only_passes:
      return {{Outcome::pass}};
    case Ends::never_passes:
      return {{Outcome::fail}};
    case Ends::never_judges:
      break;
  }
  return {{Outcome::inconclusive, Outcome::skipped}};
}

bool any_of_them(const Outcomes& wanted, const Outcomes& outcomes) {
  return std::any_of(wanted.begin(), wanted.end(), [&](Outcome o) { return outcomes.count(o) > 0; });
}

// A part of the tests cannot have seen everything.
bool is_whole_run() {
  const testing::UnitTest& tests = *testing::UnitTest::GetInstance();
  return tests.test_to_run_count() + tests.disabled_test_count() >= tests.total_test_count();
}

class EveryCheckIsSeen final : public testing::Environment {
 public:
  void TearDown() override {
    if (!is_whole_run()) return;
    expect_seen(common_checks());
    for (const ProbeType& type : probe_types()) expect_seen(type.checks);
  }

 private:
  static void expect_seen(std::span<const CheckRow> rows) {
    for (const CheckRow& row : rows)
      for (const Outcomes& wanted : ways_to_end(row.ends))
        EXPECT_TRUE(any_of_them(wanted, seen()[std::string(row.id)]))
            << "no test has seen " << row.id << " end as " << name_of(*wanted.begin());
  }
};

// Kept by GoogleTest.
[[maybe_unused]] testing::Environment* const kEveryCheckIsSeen =
    testing::AddGlobalTestEnvironment(new EveryCheckIsSeen);

}  // namespace

void note_check(const Check& check) {
  const CheckRow* row = find_check(check.id);
  if (!row) {
    ADD_FAILURE() << in_quotes(check.id) << " is declared in no probes/TYPE/checks.h";
    return;
  }
  EXPECT_TRUE(may_end(row->ends, check.outcome))
      << check.id << " ended as " << name_of(check.outcome) << ", which its row rules out: " << check.summary;
  for (const std::string& reference : check.references)
    EXPECT_TRUE(cites(*row, reference)) << check.id << " cites " << reference << ", its row does not";
  seen()[std::string(row->id)].insert(check.outcome);
}

void note_checks(const ProbeOutcome& outcome) {
  for (const Check& check : outcome.checks) note_check(check);
}

}  // namespace holdshort::testing_support
