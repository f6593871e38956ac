#include "agent/cli/explain.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "probes/registry.h"
#include "probes/remedy.h"

namespace holdshort {

namespace {

void print_section(std::string_view title, std::string_view text) {
  fmt::print("\n{}\n", title);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    fmt::print("  {}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void print_field(const Field& field) {
  std::string note(field.doc);
  if (field.required) note += " (required)";
  if (!field.choices.empty()) {
    note += ": ";
    for (const std::string_view& choice : field.choices)
      note += fmt::format("{}{}", &choice == field.choices.data() ? "" : ", ", choice);
  }
  const std::string key =
      field.fallback.empty() ? std::string(field.name) : fmt::format("{} = {}", field.name, field.fallback);
  if (key.size() > 30) {
    fmt::print("  {}\n  {:<30} {}\n", key, "", note);
  } else {
    fmt::print("  {:<30} {}\n", key, note);
  }
}

void print_remedy(std::string_view when, std::string_view advice) {
  fmt::print("  {}\n    {}\n", when, advice);
}

void print_remedies(const ProbeType& type) {
  const std::span<const Remedy> rows = type.explanation.remedies;
  fmt::print("\nwhat to do when it fails\n");
  for (const Remedy& row : rows) print_remedy(named(row), row.broken);
  fmt::print("\nwhat to do when it is inconclusive\n");
  for (const Remedy& row : rows)
    if (!row.unseen.empty()) print_remedy(named(row), row.unseen);
  const bool all = std::any_of(rows.begin(), rows.end(),
                               [](const Remedy& row) { return row.check.empty() && !row.unseen.empty(); });
  if (all) return;  // nothing is left for the common ones
  for (const UnseenRemedy& row : unseen_remedies())
    print_remedy(fmt::format("observed: {}", row.observed), row.advice);
}

void print_check(const CheckRow& row) {
  fmt::print("  {}: {}\n", row.id, text_of(row.ends));
  fmt::print("      {}{}{}\n", row.says, row.references.empty() ? "" : " ", row.references);
}

// A type may have a default of its own for a key that others share.
bool has_own(const ProbeType& type, std::string_view name) {
  return std::any_of(type.fields.begin(), type.fields.end(),
                     [&](const Field& field) { return field.name == name; });
}

void print_type(const ProbeType& type) {
  const Explanation& explanation = type.explanation;
  fmt::print("{}: {}\n", type.name, explanation.control);
  print_section("sends", explanation.sends);
  print_section("passes when", explanation.passes);
  print_section("fails when", explanation.fails);
  print_section("is inconclusive when", explanation.unclear);
  print_remedies(type);
  fmt::print("\nkeys of its own, with their defaults\n");
  for (const Field& field : type.fields) print_field(field);
  for (const Field& field : type.fields) {
    if (!field.fields.empty()) fmt::print("\nkeys of {}\n", field.name);
    for (const Field& inner : field.fields) print_field(inner);
  }
  if (type.talks == ProbeType::Talks::http) {
    fmt::print("\nkeys of every probe that sends HTTP\n");
    for (const Field& field : http_fields())
      if (!has_own(type, field.name)) print_field(field);
  }
  fmt::print("\nkeys of every probe\n");
  for (const Field& field : common_fields()) print_field(field);
  fmt::print("\nchecks (each may be inconclusive or skipped as well)\n");
  for (const CheckRow& row : type.checks) print_check(row);
  for (const CheckRow& row : common_checks()) print_check(row);
  print_section("example", explanation.example);
  print_section("cites", explanation.references);
}

}  // namespace

int run_explain(const std::string& name) {
  if (name.empty()) {
    for (const ProbeType& type : probe_types())
      fmt::print("{:<16} {}\n", type.name, type.explanation.control);
    fmt::print("\nholdshort explain TYPE tells more of one.\n");
    return 0;
  }
  if (const ProbeType* type = find_probe_type(name)) {
    print_type(*type);
    return 0;
  }
  std::vector<std::string_view> known;
  for (const ProbeType& type : probe_types()) known.push_back(type.name);
  fmt::print(stderr, "holdshort: no probe type \"{}\"{}; holdshort explain lists them\n", name,
             suggestion(name, known));
  return 2;
}

}  // namespace holdshort
