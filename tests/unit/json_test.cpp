#include "probes/kit/json.h"

#include <gtest/gtest.h>

#include <ostream>

namespace holdshort::json {
namespace {

struct LookupRow {
  const char* document;
  const char* pointer;
  Lookup lookup;
  const char* text;
};
std::ostream& operator<<(std::ostream& out, const LookupRow& row) {
  return out << row.document << " " << row.pointer;
}

class JsonAt : public testing::TestWithParam<LookupRow> {};
TEST_P(JsonAt, FindsWhatThePointerNames) {
  const Found found = at(GetParam().document, GetParam().pointer);
  EXPECT_EQ(found.lookup, GetParam().lookup);
  EXPECT_EQ(found.text, GetParam().text);
}
constexpr LookupRow kLookups[] = {
    {R"({"a": {"b": [1, 2]}})", "/a/b/1", Lookup::found, "2"},
    {R"({"a": {"b": [1, 2]}})", "", Lookup::found, R"({"a":{"b":[1,2]}})"},
    {R"({"a": {"b": [1, 2]}})", "/a/b/2", Lookup::absent, ""},
    {R"({"a": {"b": [1, 2]}})", "/a/b/-", Lookup::absent, ""},
    {R"({"a": {"b": [1, 2]}})", "/a/b/01", Lookup::absent, ""},
    {R"({"a": {"b": [1, 2]}})", "/a/b/+1", Lookup::absent, ""},
    {R"({"a": {"b": [1, 2]}})", "/a/b/99999999999999999999", Lookup::absent, ""},
    {R"({"a": {"b": [1, 2]}})", "/a/c", Lookup::absent, ""},
    {R"({"a": {"b": [1, 2]}})", "/a/b/0/c", Lookup::absent, ""},
    {R"({"a": {"b": [1, 2]}})", "a", Lookup::absent, ""},
    {R"({"": 1, "a/b": 2, "m~n": 3})", "/", Lookup::found, "1"},
    {R"({"": 1, "a/b": 2, "m~n": 3})", "/a~1b", Lookup::found, "2"},
    {R"({"": 1, "a/b": 2, "m~n": 3})", "/m~0n", Lookup::found, "3"},
    {R"({"~1": 1})", "/~01", Lookup::found, "1"},
    {R"({"a": null})", "/a", Lookup::found, "null"},
    {R"({"a": "x\u00e9\n"})", "/a", Lookup::found, "\"x\xc3\xa9\\n\""},
    {R"({"a": 1, "a": 2})", "/a", Lookup::ambiguous, ""},
    {R"({"a": {"x": 1}, "a": {"b": 2}})", "/a/b", Lookup::ambiguous, ""},
    {R"({"z": {"x": 1, "x": 2}, "a": 3})", "/a", Lookup::found, "3"},  // repeated, but not on the way
    {R"({"a": 9007199254740993})", "/a", Lookup::found, "9007199254740993"},
    {R"({"a": 123456789012345678901234567890})", "/a", Lookup::found, "123456789012345678901234567890"},
    {R"({"a": 1.10})", "/a", Lookup::found, "1.10"},
    {"", "", Lookup::not_json, ""},
    {"<html>", "", Lookup::not_json, ""},
    {"{} x", "", Lookup::not_json, ""},
    {"{}{}", "", Lookup::not_json, ""},
    {R"({"a": 1,})", "/a", Lookup::not_json, ""},
    {R"({'a': 1})", "/a", Lookup::not_json, ""},
    {R"({"a": NaN})", "/a", Lookup::not_json, ""},
    {R"({"a": 1e400})", "/a", Lookup::not_json, ""},
    {R"({"a": 01})", "/a", Lookup::not_json, ""},
    {R"({"a": "\ud800"})", "/a", Lookup::not_json, ""},
    {R"({"a": "\udc00\ud800"})", "/a", Lookup::not_json, ""},
    {"{\"a\": \"\xff\"}", "/a", Lookup::not_json, ""},
    {"{\"a\": \"\xed\xa0\x80\"}", "/a", Lookup::not_json, ""},
    {R"({"a": 1} // no)", "/a", Lookup::not_json, ""},
};
INSTANTIATE_TEST_SUITE_P(, JsonAt, testing::ValuesIn(kLookups));

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

TEST(Json, IsAsDeepAsItsBoundAndNoDeeper) {
  EXPECT_TRUE(is_json(nested(kMaxDepth)));
  EXPECT_FALSE(is_json(nested(kMaxDepth + 1)));
  EXPECT_FALSE(is_json(std::string(1'000'000, '[')));
}

TEST(Json, BehindANulNothingIsOverlooked) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(is_json("{}\0garbage"sv));
  EXPECT_FALSE(is_json("{}\0"sv));
}

struct EqualRow {
  const char* a;
  const char* b;
  bool equal;
};
std::ostream& operator<<(std::ostream& out, const EqualRow& row) { return out << row.a << " " << row.b; }

class JsonEqual : public testing::TestWithParam<EqualRow> {};
TEST_P(JsonEqual, IsStrict) {
  EXPECT_EQ(equal(GetParam().a, GetParam().b), GetParam().equal);
  EXPECT_EQ(equal(GetParam().b, GetParam().a), GetParam().equal);
}
constexpr EqualRow kEquals[] = {
    {"1", "1", true},
    {"1", "1.0", true},
    {"10", "1e1", true},
    {"0.10", "1E-1", true},
    {"-0", "0.0", true},
    {"100", "1e2", true},
    {"1", "-1", false},
    {"1", "\"1\"", false},
    {"1", "true", false},
    {"0", "false", false},
    {"null", "false", false},
    {"\"\"", "null", false},
    {"\"a\"", "\"A\"", false},
    {"\"\\u0061\"", "\"a\"", true},
    {"9007199254740993", "9007199254740992", false},
    {"18446744073709551616", "18446744073709551617", false},
    {"0.1", "0.10000000000000001", false},
    {"[1,2]", "[1.0,2]", true},
    {"[1,2]", "[2,1]", false},
    {"[1,2]", "[1,2,3]", false},
    {R"({"a":1,"b":2})", R"({"b":2.0,"a":1})", true},
    {R"({"a":1})", R"({"a":1,"b":2})", false},
    {R"({"a":1,"a":1})", R"({"a":1,"a":1})", false},  // readers differ on what it means
    {"x", "x", false},
};
INSTANTIATE_TEST_SUITE_P(, JsonEqual, testing::ValuesIn(kEquals));

TEST(JsonStringAt, GivesTheTextOfAStringOnly) {
  EXPECT_EQ(string_at(R"({"t": "a\"\u00e9"})", "/t"), "a\"\xc3\xa9");
  EXPECT_EQ(string_at(R"({"t": 1})", "/t"), std::nullopt);
  EXPECT_EQ(string_at(R"({"t": "a", "t": "b"})", "/t"), std::nullopt);
  EXPECT_EQ(string_at("{", "/t"), std::nullopt);
}

TEST(JsonLeaves, AreEachPointerAndValueOnce) {
  EXPECT_EQ(
      leaves(R"({"a": [{"b": 1}, {"b": 2}, {"b": 1}], "c/d": {}, "e": "x"})", 100),
      (std::vector<std::string>{"/a/*/b", "/a/*/b=1", "/a/*/b=2", "/c~1d", "/c~1d={}", "/e", "/e=\"x\""}));
  EXPECT_TRUE(leaves("<html>", 100).empty());
}

TEST(JsonLeaves, AreNoMoreThanAskedFor) {
  std::string many = "[0";
  for (int i = 1; i < 1000; ++i) many.append(",").append(std::to_string(i));
  EXPECT_EQ(leaves(many + "]", 10).size(), 10u);
}

TEST(JsonWithTimes, AddsWhatIsMissingAndKeepsWhatIsThere) {
  EXPECT_EQ(with_times(R"({"sub": "probe"})", 1000), R"({"sub":"probe","iat":1000,"exp":1300})");
  EXPECT_EQ(with_times(R"({"exp": 5, "iat": 4})", 1000), R"({"exp":5,"iat":4})");
  EXPECT_EQ(with_times("{}", 1), R"({"iat":1,"exp":301})");
  EXPECT_EQ(with_times("[]", 1), "[]");
}

TEST(JsonMembers, AreReplacedInPlaceAddedAtTheEndAndRemoved) {
  EXPECT_EQ(with_member(R"({"a": 1, "b": 2})", "a", "\"x\""), R"({"a":"x","b":2})");
  EXPECT_EQ(with_member(R"({"a": 1})", "b", "[null]"), R"({"a":1,"b":[null]})");
  EXPECT_EQ(with_member("[1]", "a", "1"), "[1]");
  EXPECT_EQ(with_member(R"({"a":1})", "b", "{"), R"({"a":1})");
  EXPECT_EQ(without_member(R"({"a": 1, "b": 2, "a": 3})", "a"), R"({"b":2})");
  EXPECT_EQ(without_member("[1]", "a"), "[1]");
}

TEST(JsonQuote, EscapesAndNeverThrows) {
  EXPECT_EQ(quote("a\"\\\n\x01"), R"("a\"\\\n\u0001")");
  EXPECT_EQ(quote("\xff"), "\"\xef\xbf\xbd\"");
  EXPECT_TRUE(is_json(quote("\xed\xa0\x80")));
}

TEST(JsonMembers, AreInOrderWithTheirTypes) {
  std::string found;
  for (const Member& member : members(R"({"a": {"b/c": 1}, "d": [{"e": "x"}, {"f": 2}], "g": null})", 100))
    found += member.pointer + " " + member.text + (member.in_object ? "\n" : " (element)\n");
  EXPECT_EQ(found,
            "/a {\"b/c\":1}\n/a/b~1c 1\n/d [{\"e\":\"x\"},{\"f\":2}]\n/d/0 {\"e\":\"x\"} (element)\n"
            "/d/0/e \"x\"\n/g null\n");
  EXPECT_EQ(members("[1,2,3]", 100).size(), 1u);
  EXPECT_EQ(members(R"({"a":1,"b":2,"c":3})", 2).size(), 2u);
  EXPECT_TRUE(members("{", 100).empty());
  EXPECT_TRUE(members("7", 100).empty());
}

TEST(JsonMutations, WriteWhatTheyAreGivenByteForByte) {
  const char* const document = R"({"a": {"b": 1.50}, "c": ["x"]})";
  EXPECT_EQ(replaced(document, "/a/b", "1e309"), R"({"a":{"b":1e309},"c":["x"]})");
  EXPECT_EQ(replaced(document, "/c/0", "\"\\ud800\""), "{\"a\":{\"b\":1.50},\"c\":[\"\\ud800\"]}");
  EXPECT_EQ(replaced(document, "/a", "[[["), R"({"a":[[[,"c":["x"]})");
  EXPECT_EQ(replaced(document, "/z", "1"), std::nullopt);
  EXPECT_EQ(replaced(document, "", "1"), std::nullopt);
  EXPECT_EQ(replaced("{", "/a", "1"), std::nullopt);
}

TEST(JsonMutations, RemoveAMember) {
  EXPECT_EQ(removed(R"({"a": 1, "b": 2, "c": 3})", "/b"), R"({"a":1,"c":3})");
  EXPECT_EQ(removed(R"({"a": {"b": 2}})", "/a/b"), R"({"a":{}})");
  EXPECT_EQ(removed(R"([1, 2])", "/0"), "[2]");
  EXPECT_EQ(removed(R"({"a": 1})", "/b"), std::nullopt);
  EXPECT_EQ(removed(R"({"a": 1})", ""), std::nullopt);
}

TEST(JsonMutations, AppendAKeyThatMayBeThere) {
  EXPECT_EQ(appended(R"({"a": 1})", "", "a", "2"), R"({"a":1,"a":2})");
  EXPECT_EQ(appended(R"({"a": {}})", "/a", "__proto__", "{}"), R"({"a":{"__proto__":{}}})");
  EXPECT_EQ(appended("[1]", "", "a", "2"), std::nullopt);
}

TEST(JsonPointer, HasSlashesAndTwoEscapes) {
  for (const char* good : {"", "/", "/a/b", "/a~0b~1"}) EXPECT_TRUE(is_pointer(good)) << good;
  for (const char* bad : {"a", "$.a", "/a~", "/a~2"}) EXPECT_FALSE(is_pointer(bad)) << bad;
}

}  // namespace
}  // namespace holdshort::json
