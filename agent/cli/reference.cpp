#include "agent/cli/reference.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "agent/config/sections.h"
#include "probes/kit/field_values.h"
#include "probes/registry.h"
#include "probes/remedy.h"

namespace holdshort {

namespace {

constexpr std::string_view kIntroduction = R"(# Reference

Every table and key of `holdshort.toml`. This page is written by the program itself, from the rows that its parser
reads: a test compares them, `HOLDSHORT_UPDATE_DOCS=1 ctest --preset dev -R Reference` rewrites the page.
[configuration.md](configuration.md) explains; this page lists.

A *reference* is how a secret is named: `{ env = "NAME" }` or `{ file = "PATH" }`. A *pattern* is RE2 and is found
anywhere in the text. Keys without a default are optional, unless they say **required**.
)";

constexpr std::string_view kProbes = R"(
## [probes.NAME]

A probe has the keys of every probe, the keys of every probe that sends HTTP where its type does, and those of its type.

### Keys of every probe

In `[defaults]` they hold for all probes that do not write them.
)";

constexpr std::string_view kChecks = R"(
### Checks

A probe's run is a list of checks with stable ids, listed with their type. Whatever a check may end as, it is
`inconclusive` where nothing could be seen and `skipped` where it does not apply. One that may only pass is a positive
control; one that may only fail is reported only where something is wrong. `*` stands for what the run puts there.
)";

// Text between pipes: a pipe of its own would end the cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string code(std::string_view text) { return text.empty() ? "" : fmt::format("`{}`", cell(text)); }

std::string_view count_of(const Alternatives& alternatives) {
  switch (alternatives.count) {
    case Alternatives::Count::exactly_one:
      return "Exactly one";
    case Alternatives::Count::at_least_one:
      return "At least one";
    case Alternatives::Count::at_most_one:
      break;
  }
  return "At most one";
}

class Page {
 public:
  std::string write() {
    text_ = kIntroduction;
    for (const Section& section : sections())
      if (section.name != "defaults") table(fmt::format("## [{}]", section.name), section.fields);
    identities();
    text_ += kProbes;
    rows(common_fields());
    table("### Keys of every probe that sends HTTP", http_fields());
    text_ += kChecks;
    checks("### Checks of every probe", common_checks());
    for (const ProbeType& type : probe_types()) probe_type(type);
    unseen();
    return std::move(text_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }

  void table(std::string_view heading, std::span<const Field> fields) {
    add("\n{}\n", heading);
    rows(fields);
  }

  void rows(std::span<const Field> fields) {
    text_ += "\n| key | takes | default | what for |\n|---|---|---|---|\n";
    for (const Field& field : fields)
      add("| `{}` | {} | {} | {} |\n", field.name, cell(takes(field)),
          field.required ? "**required**" : code(field.fallback), cell(field.doc));
  }

  // The keys of each row that is a table itself.
  void inner_tables(std::string_view owner, std::span<const Field> fields) {
    for (const Field& field : fields)
      if (!field.fields.empty()) {
        table(fmt::format("### {} of {}", field.name, owner), field.fields);
        rules(field.alternatives);
      }
  }

  // What the rows cannot say one by one.
  void rules(std::span<const Alternatives> alternatives) {
    for (const Alternatives& each : alternatives) {
      std::string keys;
      for (const std::string_view key : each.keys)
        keys += fmt::format("{}`{}`", keys.empty() ? "" : ", ", key);
      add("\n{} of {}.\n", count_of(each), keys);
    }
  }

  void identities() {
    table("## [identities.NAME]\n\nExactly one of:", identity_fields());
    inner_tables("an identity", identity_fields());
  }

  void probe_type(const ProbeType& type) {
    const Explanation& explained = type.explanation;
    add("\n## type = \"{}\"\n\n{}\n\n", type.name, explained.control);
    item("Sends", explained.sends);
    item("Passes when", explained.passes);
    item("Fails when", explained.fails);
    item("Is inconclusive when", explained.unclear);
    item("Cites", explained.references);
    remedies(explained.remedies);
    add("\n```toml\n{}```\n", explained.example);
    rows(type.fields);
    rules(type.alternatives);
    inner_tables(fmt::format("type = \"{}\"", type.name), type.fields);
    checks(fmt::format("### Checks of type = \"{}\"", type.name), type.checks);
  }

  void checks(std::string_view heading, std::span<const CheckRow> rows) {
    add("\n{}\n\n| id | what holds where it passes | may end as | cites |\n|---|---|---|---|\n", heading);
    for (const CheckRow& row : rows)
      add("| {} | {} | {} | {} |\n", code(row.id), cell(row.says), text_of(row.ends), row.references);
  }

  void remedies(std::span<const Remedy> list) {
    add("- **Do where it failed:**\n");
    for (const Remedy& row : list) remedy(named(row), row.broken);
    constexpr std::string_view kByObserved =
        "[by what was observed](#what-to-do-where-nothing-could-be-said)";
    const bool has_own =
        std::any_of(list.begin(), list.end(), [](const Remedy& r) { return !r.unseen.empty(); });
    add("- **Do where it is inconclusive:** {}{}\n", has_own ? "else " : "", kByObserved);
    for (const Remedy& row : list)
      if (!row.unseen.empty()) remedy(named(row), row.unseen);
  }

  void remedy(std::string_view when, std::string_view advice) { add("  - {}: {}\n", when, advice); }

  void unseen() {
    add("\n## What to do where nothing could be said\n\n");
    for (const UnseenRemedy& row : unseen_remedies()) add("- observed {}: {}\n", row.observed, row.advice);
  }

  // An item of a list; the lines of its text are kept and indented as Markdown wants them.
  void item(std::string_view title, std::string_view text) {
    add("- **{}:** ", title);
    for (const char c : text) text_ += c == '\n' ? std::string("\n  ") : std::string(1, c);
    text_ += '\n';
  }

  std::string text_;
};

}  // namespace

std::string reference_markdown() { return Page().write(); }

}  // namespace holdshort
