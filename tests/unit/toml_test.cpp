#include "agent/config/toml.h"

#include <gtest/gtest.h>

#include <ostream>

namespace holdshort {
namespace {

std::string complaint(std::string_view text) {
  Diagnostics diagnostics;
  parse_toml(text, diagnostics);
  std::string all;
  for (const Diagnostic& d : diagnostics.sorted())
    all += std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + ": " + d.message;
  return all;
}

Node parsed(std::string_view text) {
  Diagnostics diagnostics;
  Node node = parse_toml(text, diagnostics);
  EXPECT_EQ(complaint(text), "");
  return node;
}

TEST(Toml, KeepsTheFilesOrderAndEveryPlace) {
  const Node root = parsed("z = 1\n[probes.b]\ntype = \"http\"\n  [probes.a]\nx = [1,\n 2]\n");
  const Node& probes = *root.find("probes");
  ASSERT_EQ(probes.table()->size(), 2u);
  EXPECT_EQ(probes.table()->at(0).key, "b");
  EXPECT_EQ(probes.table()->at(0).place.line, 2);
  EXPECT_EQ(probes.table()->at(0).place.column, 9);
  EXPECT_EQ(probes.table()->at(1).key, "a");
  EXPECT_EQ(probes.find("a")->place.line, 4);
  EXPECT_EQ(probes.find("a")->place.column, 3);
  const auto& list = std::get<Node::Array>(probes.find("a")->find("x")->value);
  EXPECT_EQ(list.at(1).place.line, 6);
  EXPECT_EQ(list.at(1).place.column, 2);
}

TEST(Toml, KeepsTheTypeOfEveryValue) {
  const Node root =
      parsed("a = 'x'\nb = 1\nc = 1.0\nd = true\ne = []\nf = {}\ng = 1979-05-27\nh = 07:32:00\n");
  const std::vector<std::string_view> kinds = {"a string", "an integer", "a number", "a boolean",
                                               "a list",   "a table",    "a date",   "a time"};
  for (std::size_t i = 0; i < kinds.size(); ++i) EXPECT_EQ(root.table()->at(i).node.kind(), kinds[i]);
}

TEST(Toml, AByteOrderMarkAndCarriageReturnsAreNoFault) {
  const Node root = parsed("\xEF\xBB\xBF[app]\r\nurl = \"u\"\r\n");
  EXPECT_EQ(std::get<std::string>(root.find("app")->find("url")->value), "u");
  EXPECT_EQ(root.find("app")->find("url")->place.column, 7);
  EXPECT_EQ(complaint("\xEF\xBB\xBF"
                      "a = 1\r\na = 2\r\n"),
            "2:1: duplicate key \"a\"; remove one of the two");
  EXPECT_EQ(complaint("\xEF\xBB\xBF"
                      "a = 'x' b"),
            "1:9: expected a line break after the value");
}

TEST(Toml, ColumnsCountCharacters) {
  EXPECT_EQ(complaint("\"\xc3\xa9\" = { a = 1, a = 2 }"), "1:16: duplicate key \"a\"; remove one of the two");
}

struct Row {
  const char* text;
  const char* complaint;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.text; }

class TomlError : public testing::TestWithParam<Row> {};
TEST_P(TomlError, SaysWhereAndWhatToDo) { EXPECT_EQ(complaint(GetParam().text), GetParam().complaint); }
constexpr Row kErrors[] = {
    {"a = 1\na = 2\n", "2:1: duplicate key \"a\"; remove one of the two"},
    {"[a]\nb = 1\n[a]\n", "3:1: duplicate table [a]; remove one of the two"},
    {"[probes.x]\n[probes.x]\n", "2:1: duplicate table [probes.x]; remove one of the two"},
    {"a.b = 1\na = 'x'\n", "2:1: duplicate key \"a\"; remove one of the two"},
    {"a = { x = 1 }\na.y = 2\n", "2:1: duplicate key \"a.y\"; remove one of the two"},
    {"\"a b\" = 1\n\"a b\" = 2\n", "2:1: duplicate key; remove one of the two"},
    {"x = { a = { b = 1 } }\n[x.a]\nc = 2\n",
     "3:1: a table written in { } cannot be added to; write all its keys there"},
    {"k = \"abc\n", "1:9: a string is not closed on its line; write the quote that ends it"},
    {"k = 'abc\n", "1:9: a string is not closed on its line; write the quote that ends it"},
    {"k = '''abc", "1:11: a string is not closed; write the quote that ends it"},
    {"k = abc\n", "1:5: this is no TOML value; write text in quotes"},
    {"k = 12abc\n", "1:7: this is no TOML value; write text in quotes"},
    {"k = _abc\n", "1:5: this is no TOML value; write text in quotes"},
    {"k = trueabc\n", "1:9: this is no TOML value; write text in quotes"},
    {"k = \n", "1:5: expected a value after \"=\""},
    {"k\n", "1:2: expected \"=\" after the key"},
    {"k: 1\n", "1:2: expected \"=\" after the key"},
    {"= 1\n", "1:1: expected a key, [table] or comment"},
    {"[a\n", "1:3: a table's name is wrong; write [name] on a line of its own"},
    {"[a] b = 1\n", "1:5: a table's name is wrong; write [name] on a line of its own"},
    {"[=]\n", "1:1: a table's name is wrong; write [name] on a line of its own"},
    {"a = [\n]\n [[ .b]]\n", "3:2: a table's name is wrong; write [name] on a line of its own"},
    {"[]\n", "1:2: a table's name is wrong; write [name] on a line of its own"},
    {"[a\nb = 1\nk = { x = 1 }\n", "1:3: a table's name is wrong; write [name] on a line of its own"},
    {"k = = 1\n[=]\n", "1:5: this is no TOML value; write text in quotes"},
    {"k = [1, }\n", "1:9: a list is not closed; write \"]\""},
    {"k = [1, 2\n", "1:11: a list is not closed; write \"]\""},
    {"k = [1 2]\n", "1:8: expected a value, \",\" or \"]\""},
    {"k = { a = 1\n}\n", "1:12: expected a key, \",\" or \"}\" on the same line"},
    {"k = { a = 1, }\n", "1:14: a table in { } does not end with a comma; remove it"},
    {"k = \"a\\qb\"\n", "1:8: unknown escape in a string; write \"\\\\\" for a backslash, or use '...'"},
    {"k = 99999999999999999999\n", "1:25: the number is too large"},
    {"k = 0123\n", "1:9: a number does not begin with 0; write text in quotes"},
    {"k = \"a\" b\n", "1:9: expected a line break after the value"},
    {"k = 2020-13-01\n", "1:12: this is no date"},
    {"k = \"\xff\"\n", "1:5: the file is no valid UTF-8 here"},
};
INSTANTIATE_TEST_SUITE_P(, TomlError, testing::ValuesIn(kErrors));

TEST(Toml, NoSyntaxErrorQuotesAValue) {
  const std::string_view faults[] = {
      "k = hunter2",
      "k = 12hunter2",
      "k = \"hunter2",
      "k = 'hunter2",
      "k = \"\"\"hunter2",
      "k = \"hunter2\" hunter2",
      "k = [hunter2",
      "k = [\"hunter2\" 1]",
      "k = { a = \"hunter2\"",
      "k = \"hunter2\\q\"",
      "k = +hunter2",
      "k = 0xhunter2",
      "k = 1e5hunter2",
      "k = \"hunter2\"\nk = \"hunter2\"",
      "[a]\nk = \"hunter2\"\n[a]",
      "k = 2020-01-01Thunter2",
      "k = "
      "hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunt"
      "er2hunter2",
      "k.a = 'hunter2'\nk = 'hunter2'",
      "k = { a = 'hunter2', a = 'hunter2' }",
      "k == \"hunter2\"",
      "k = {\"hunter2\"}",
  };
  for (const std::string_view fault : faults) {
    const std::string said = complaint(fault);
    EXPECT_NE(said, "") << fault;
    EXPECT_EQ(said.find("hunter"), std::string::npos) << said;
  }
}

// 32 brackets, 16 parts of a key: beyond, the parser's own stack would be at stake.
TEST(Toml, NestingHasABound) {
  const std::string deepest = "k = " + std::string(32, '[') + std::string(32, ']');
  EXPECT_EQ(complaint(deepest), "");
  EXPECT_EQ(complaint("k = " + std::string(33, '[')),
            "1:37: nested deeper than 32 levels, or a key of more than 16 parts");
}

TEST(Toml, AKeysPartsHaveABound) {
  std::string key = "e = 1\na";
  for (int i = 0; i < 15; ++i) key += ".a";
  EXPECT_EQ(complaint(key + " = 1"), "");
  EXPECT_EQ(complaint(key + ".a = 1"), "2:32: nested deeper than 32 levels, or a key of more than 16 parts");
  std::string endless(1, 'a');
  for (int i = 0; i < 300'000; ++i) endless += ".a";
  EXPECT_NE(complaint(endless + " = 1"), "");
}

TEST(Toml, DotsAndBracketsInStringsAndCommentsAreNoNesting) {
  const std::string noise(100, '.');
  const std::string brackets(100, '[');
  EXPECT_EQ(complaint("a = \"" + noise + brackets + "\\\"" + noise + "\" # " + brackets + "'\n"), "");
  EXPECT_EQ(complaint("a = '" + noise + "\\' # " + noise + brackets + "\"\n"), "");
  EXPECT_EQ(
      complaint("a = '''" + noise + "\n'" + brackets + "'\n'''\nb = \"\"\"\n\"" + brackets + "\\\"\"\"\"\n"),
      "");
}

}  // namespace
}  // namespace holdshort
