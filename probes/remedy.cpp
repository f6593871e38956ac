#include "probes/remedy.h"

#include <algorithm>

#include "probes/kit/ascii.h"
#include "probes/registry.h"

namespace holdshort {

namespace {

constexpr std::string_view kNoAnswer = "no answer";  // as Response::text() begins

// "503", "200, saying no": by its first digits. `pattern` has "x" for any digit.
bool is_status(std::string_view observed, std::string_view pattern) {
  constexpr std::size_t kDigits = 3;
  if (observed.size() < kDigits) return false;
  if (observed.size() > kDigits && ascii::is_digit(observed[kDigits])) return false;
  for (std::size_t n = 0; n < kDigits; ++n)
    if (!ascii::is_digit(observed[n]) || (pattern[n] != 'x' && pattern[n] != observed[n])) return false;
  return true;
}

constexpr UnseenRemedy kUnseen[] = {
    {"no answer", [](std::string_view seen) { return seen.starts_with(kNoAnswer); },
     "look at the app, not at the control: is it up, does it answer within the timeout, does it listen where "
     "the probe's url or [app].url says?"},
    {"5xx", [](std::string_view seen) { return is_status(seen, "5xx"); },
     "the app is broken: search its log for the run id; roll back the last deploy"},
    {"404", [](std::string_view seen) { return is_status(seen, "404") || is_status(seen, "410"); },
     "the path is not there: was the route renamed? Change the probe's path in the same deploy"},
    {"401 or 403", [](std::string_view seen) { return is_status(seen, "401") || is_status(seen, "403"); },
     "renew the probe's own credentials: they expired, were revoked or were mistyped (fly secrets set; for a "
     "file, SIGHUP)"},
    {"429", [](std::string_view seen) { return is_status(seen, "429"); },
     "a limit caught the probe: lengthen its interval, or raise the limit of its identity"},
    {"2xx", [](std::string_view seen) { return is_status(seen, "2xx"); },
     "the answer can be read both ways: declare a marker, something that only a served caller sees"},
    {"anything else", [](std::string_view) { return true; },
     "compare sent, expected and observed; `holdshort explain TYPE` lists what makes a run inconclusive"},
};

const Remedy* row_for(const Explanation& explanation, std::string_view id) {
  const Remedy* best = nullptr;
  for (const Remedy& row : explanation.remedies)
    if (id.starts_with(row.check) && (!best || row.check.size() > best->check.size())) best = &row;
  return best;
}

std::string_view by_what_was_observed(std::string_view observed) {
  return std::find_if(std::begin(kUnseen), std::end(kUnseen),
                      [&](const UnseenRemedy& row) { return row.applies(observed); })
      ->advice;
}

}  // namespace

std::string named(const Remedy& row) {
  if (row.check.empty()) return "any other";
  const bool whole = !row.check.ends_with('.') && !row.check.ends_with('_');
  return std::string(row.check) + (whole ? "" : "*");
}

std::span<const UnseenRemedy> unseen_remedies() { return kUnseen; }

std::string_view remedy_for(std::string_view type, const Check& check) {
  if (check.outcome != Outcome::fail && check.outcome != Outcome::inconclusive) return "";
  const ProbeType* known = find_probe_type(type);
  const Remedy* row = known ? row_for(known->explanation, check.id) : nullptr;
  if (check.outcome == Outcome::fail) return row ? row->broken : "";
  return row && !row->unseen.empty() ? row->unseen : by_what_was_observed(check.observed);
}

}  // namespace holdshort
