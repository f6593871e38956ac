// docs/reference.md cannot drift from the rows that the parser reads.
#include "agent/cli/reference.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/config/sections.h"
#include "probes/registry.h"

namespace holdshort {
namespace {

using testing::HasSubstr;

const std::string kPage = std::string(HOLDSHORT_SOURCE_DIR) + "/docs/reference.md";

std::string read(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find('\n', i), text.size());
    lines.push_back(text.substr(i, end - i));
    i = end + 1;
  }
  return lines;
}

// What stands below `heading` until the next one.
std::string section(const std::string& page, const std::string& heading) {
  const std::size_t start = page.find("\n" + heading + "\n");
  if (start == std::string::npos) return "";
  const std::size_t text = start + heading.size() + 2;
  return page.substr(text, page.find("\n#", text) - text);
}

TEST(Reference, PageInTheDocsIsWhatTheProgramSaysByteForByte) {
  const std::string now = reference_markdown();
  if (std::getenv("HOLDSHORT_UPDATE_DOCS")) std::ofstream(kPage, std::ios::binary) << now;
  const std::string page = read(kPage);
  const auto lines = lines_of(page), lines_now = lines_of(now);
  const auto [ours, its] = std::mismatch(lines.begin(), lines.end(), lines_now.begin(), lines_now.end());
  EXPECT_TRUE(page == now) << kPage << ":" << ours - lines.begin() + 1 << ": "
                           << (its == lines_now.end() ? "is too long" : "should be: " + *its)
                           << "\nrun this test again with HOLDSHORT_UPDATE_DOCS=1";
}

TEST(Reference, EveryKeyHasARowInItsTable) {
  const std::string page = reference_markdown();
  const auto expect_rows = [&](const std::string& heading, std::span<const Field> fields) {
    for (const Field& field : fields)
      EXPECT_THAT(section(page, heading), HasSubstr("\n| `" + std::string(field.name) + "` | ")) << heading;
  };
  const auto expect_inner_rows = [&](const std::string& owner, std::span<const Field> fields) {
    for (const Field& field : fields)
      if (!field.fields.empty()) expect_rows("### " + std::string(field.name) + " of " + owner, field.fields);
  };
  expect_rows("## [app]", app_fields());
  expect_rows("## [agent]", agent_fields());
  expect_rows("## [gate]", gate_fields());
  expect_rows("## [readiness]", readiness_fields());
  expect_rows("## [identities.NAME]", identity_fields());
  expect_inner_rows("an identity", identity_fields());
  expect_rows("### Keys of every probe", common_fields());
  expect_rows("### Keys of every probe that sends HTTP", http_fields());
  for (const ProbeType& type : probe_types()) {
    const std::string title = "type = \"" + std::string(type.name) + "\"";
    expect_rows("## " + title, type.fields);
    expect_inner_rows(title, type.fields);
  }
}

// `explain` without a type lists them, one to a line.
TEST(Reference, WhatATypeIsForIsOneLine) {
  for (const ProbeType& type : probe_types())
    EXPECT_EQ(type.explanation.control.find('\n'), std::string_view::npos) << type.name;
}

TEST(Reference, EveryRowOfATableHasItsFourCells) {
  for (const std::string& line : lines_of(reference_markdown())) {
    if (!line.starts_with("| ")) continue;
    int pipes = 0;
    for (std::size_t i = 0; i < line.size(); ++i) pipes += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    EXPECT_EQ(pipes, 5) << line;
  }
}

TEST(Reference, ARowTellsWhatAKeyTakesItsDefaultAndWhatForOrThatItIsRequired) {
  const std::string page = reference_markdown();
  EXPECT_THAT(
      page,
      HasSubstr(
          "| `interval` | a duration with a unit, 100ms to 168h | `\"15s\"` | from one run to the next |\n"));
  EXPECT_THAT(page, HasSubstr("| `limit` | an integer from 1 to 100000 | **required** | "));
  EXPECT_THAT(page, HasSubstr("| `body_matches` | a pattern (RE2) or a list of them |  | "));
}

}  // namespace
}  // namespace holdshort
