#include "probes/kit/fields.h"

#include <gtest/gtest.h>

#include <ostream>
#include <set>
#include <stdexcept>

#include "agent/config/toml.h"
#include "tests/support/fake_environment.h"

namespace holdshort {
namespace {

using testing_support::FakeEnvironment;

constexpr std::string_view kColours[] = {"red", "green", "blue"};
constexpr Field kInner[] = {{.name = "name", .kind = Kind::string, .required = true},
                            {.name = "size", .kind = Kind::integer, .fallback = "3"}};
constexpr Field kSecretInner[] = {{.name = "key", .kind = Kind::secret}};
constexpr Field kRows[] = {
    {.name = "string", .kind = Kind::string, .fallback = R"("quiet")"},
    {.name = "filled", .kind = Kind::string, .min = 1},
    {.name = "name", .kind = Kind::name},
    {.name = "path", .kind = Kind::path, .fallback = R"("/")"},
    {.name = "paths", .kind = Kind::path_list},
    {.name = "method", .kind = Kind::method, .fallback = R"("GET")"},
    {.name = "methods", .kind = Kind::method_list},
    {.name = "boolean", .kind = Kind::boolean, .fallback = "true"},
    {.name = "integer", .kind = Kind::integer, .fallback = "5", .min = 1, .max = 10},
    {.name = "whole", .kind = Kind::integer},
    {.name = "number", .kind = Kind::number, .fallback = "0.1", .max = 1},
    {.name = "duration", .kind = Kind::duration, .fallback = R"("15s")", .min = 100, .max = 3'600'000},
    {.name = "timeout", .kind = Kind::duration, .expected = "below interval"},
    {.name = "url", .kind = Kind::url},
    {.name = "listen", .kind = Kind::listen, .fallback = R"("[::]:9090")"},
    {.name = "statuses", .kind = Kind::status_list, .fallback = R"([401, "403"])"},
    {.name = "pattern", .kind = Kind::pattern},
    {.name = "patterns", .kind = Kind::pattern_list},
    {.name = "strings", .kind = Kind::string_list, .fallback = R"(["a", "b"])"},
    {.name = "words", .kind = Kind::string_list, .min = 1},
    {.name = "colour", .kind = Kind::choice, .fallback = R"("red")", .choices = kColours},
    {.name = "paint",
     .kind = Kind::choice_or_table,
     .fallback = R"("blue")",
     .choices = kColours,
     .fields = kSecretInner},
    {.name = "headers", .kind = Kind::headers},
    {.name = "header_patterns", .kind = Kind::header_patterns},
    {.name = "header_names", .kind = Kind::header_names},
    {.name = "json", .kind = Kind::json_values},
    {.name = "marker", .kind = Kind::marker},
    {.name = "secret", .kind = Kind::secret},
    {.name = "secrets", .kind = Kind::secret_list},
    {.name = "bytes", .kind = Kind::bytes, .fallback = R"("1MB")", .max = 2'097'152},
    {.name = "claims", .kind = Kind::claims},
    {.name = "table", .kind = Kind::table, .fields = kInner},
    {.name = "tables", .kind = Kind::table_list, .fields = kInner},
};

struct ReadResult {
  Values values;
  std::string said;  // "1:5: ..." a line each
};

std::string said(const Diagnostics& diagnostics) {
  std::string lines;
  for (const Diagnostic& d : diagnostics.sorted()) {
    if (!lines.empty()) lines += '\n';
    lines += std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + ": " +
             (d.level == Diagnostic::Level::warning ? "warning: " : "") + d.message;
  }
  return lines;
}

ReadResult read(std::string_view toml, MissingSecret missing = MissingSecret::is_error) {
  FakeEnvironment environment;
  environment.variables = {{"TOKEN", "hunter2"}, {"EMPTY", ""}};
  Diagnostics diagnostics;
  const Node root = parse_toml(toml, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << toml;
  const std::span<const Field> groups[] = {kRows};
  Values values = FieldReader(environment, missing, diagnostics).read(root, "[test]", groups);
  return {std::move(values), said(diagnostics)};
}

TEST(Fields, AnEmptyTableHasItsDefaults) {
  const auto [values, complaint] = read("");
  EXPECT_EQ(complaint, "");
  EXPECT_TRUE(values.complete());
  EXPECT_EQ(values.string("string"), "quiet");
  EXPECT_EQ(values.string("filled"), "");
  EXPECT_TRUE(values.boolean("boolean"));
  EXPECT_EQ(values.integer("integer"), 5);
  EXPECT_EQ(values.maybe_integer("whole"), std::nullopt);
  EXPECT_EQ(values.number("number"), 0.1);
  EXPECT_EQ(values.duration("duration"), std::chrono::seconds(15));
  EXPECT_EQ(values.maybe_duration("timeout"), std::nullopt);
  EXPECT_EQ(values.url("url"), std::nullopt);
  EXPECT_EQ(values.listen("listen").port, 9090);
  EXPECT_EQ(values.statuses("statuses").text(), "401 or 403");
  EXPECT_FALSE(values.pattern("pattern"));
  EXPECT_TRUE(values.patterns("patterns").empty());
  EXPECT_EQ(values.strings("strings"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(values.string("colour"), "red");
  EXPECT_TRUE(values.headers("headers").empty());
  EXPECT_FALSE(values.marker("marker"));
  EXPECT_FALSE(values.secret("secret"));
  EXPECT_EQ(values.integer("bytes"), 1024 * 1024);
  EXPECT_EQ(values.claims_json("claims"), "{}");
  EXPECT_EQ(values.table("table"), nullptr);
  EXPECT_TRUE(values.tables("tables").empty());
  EXPECT_FALSE(values.has("string"));
  EXPECT_EQ(values.place("string").line, 1);
}

TEST(Fields, EveryKindIsReadAsItsType) {
  const auto [values, complaint] = read(R"(
string = ""
name = "a.B-9_"
paths = ["//x/admin", "/%61dmin?a=1"]
method = "get"
methods = ["POST", "query"]
number = 1
duration = "1h"
url = "http://[::1]:3000"
statuses = [200, "3xx"]
pattern = "a|b"
patterns = "x"
strings = []
headers = { X-A = "1", x-a = "" }
header_patterns = { Server = "^nginx$" }
header_names = ["Server"]
json = { "/a" = 1, "/b" = 1.5, "/c" = [true, "x"], "/d" = { e = {} }, "" = "all" }
marker = { json = "/user/id" }
secret = { env = "TOKEN" }
secrets = [{ env = "TOKEN" }]
bytes = "64kb"
claims = { sub = "probe", exp = 9007199254740993, rate = 0.5, roles = ["a"] }
table = { name = "t" }
[[tables]]
name = "one"
[[tables]]
name = "two"
size = 4
)");
  EXPECT_EQ(complaint, "");
  EXPECT_TRUE(values.complete());
  EXPECT_EQ(values.string("string"), "");
  EXPECT_EQ(values.string("name"), "a.B-9_");
  EXPECT_EQ(values.strings("paths"), (std::vector<std::string>{"//x/admin", "/%61dmin?a=1"}));
  EXPECT_EQ(values.string("method"), "GET");
  EXPECT_EQ(values.strings("methods"), (std::vector<std::string>{"POST", "QUERY"}));
  EXPECT_EQ(values.number("number"), 1.0);
  EXPECT_EQ(values.url("url")->text(), "http://[::1]:3000");
  EXPECT_EQ(values.statuses("statuses").text(), "200 or 3xx");
  EXPECT_TRUE(values.pattern("pattern")->found_in("b"));
  EXPECT_EQ(values.patterns("patterns").size(), 1u);
  EXPECT_TRUE(values.strings("strings").empty());
  EXPECT_EQ(values.headers("headers"), (std::vector<Header>{{"X-A", "1"}, {"x-a", ""}}));
  EXPECT_EQ(values.header_patterns("header_patterns").at(0).first, "Server");
  ASSERT_EQ(values.json_values("json").size(), 5u);
  EXPECT_EQ(values.json_values("json")[2].value_json, R"([true,"x"])");
  EXPECT_EQ(values.json_values("json")[3].value_json, R"({"e":{}})");
  EXPECT_EQ(values.marker("marker")->json_pointer, "/user/id");
  EXPECT_EQ(values.secret("secret")->value.reveal(), "hunter2");
  EXPECT_TRUE(values.secrets("secrets").at(0).found);
  EXPECT_EQ(values.integer("bytes"), 65'536);
  EXPECT_EQ(values.claims_json("claims"),
            R"({"sub":"probe","exp":9007199254740993,"rate":0.5,"roles":["a"]})");
  EXPECT_EQ(values.table("table")->integer("size"), 3);
  EXPECT_EQ(values.tables("tables").at(1).integer("size"), 4);
  EXPECT_TRUE(values.has("paths"));
  EXPECT_EQ(values.place("paths").line, 4);
  EXPECT_EQ(values.place("paths").column, 1);
}

struct Row {
  const char* toml;
  const char* said;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.toml; }

class BadValue : public testing::TestWithParam<Row> {};
TEST_P(BadValue, IsToldWithItsPlaceAndWhatWasExpected) {
  const auto [values, complaint] = read(GetParam().toml);
  EXPECT_EQ(complaint, GetParam().said);
  EXPECT_FALSE(values.complete());
}
constexpr Row kBad[] = {
    {"coluor = 'red'", "1:1: unknown key \"coluor\" in [test]; did you mean \"colour\"?"},
    {"string = 5", "1:10: \"string\" is 5, expected a string"},
    {"filled = ''", "1:10: \"filled\" is empty, expected a string that is not empty"},
    {"name = 'a b'", "1:8: \"name\" is a string, expected 1 to 63 letters, digits, \"_\", \".\" or \"-\""},
    {"path = 'admin'",
     "1:8: \"path\" is a string, expected a path that begins with \"/\", without white space"},
    {"path = '/a b'",
     "1:8: \"path\" is a string, expected a path that begins with \"/\", without white space"},
    {"path = \"/a\\r\\nX: y\"",
     "1:8: \"path\" is a string, expected a path that begins with \"/\", without white space"},
    {"path = 1979-05-27",
     "1:8: \"path\" is a date, expected a path that begins with \"/\", without white space"},
    {"paths = []", "1:9: \"paths\" is an empty list, expected a list of paths such as [\"/admin\"]"},
    {"paths = '/a'", "1:9: \"paths\" is a string, expected a list of paths such as [\"/admin\"]"},
    {"paths = ['/a', 'b', 3]",
     "1:16: item 2 of \"paths\" is a string, expected a list of paths such as [\"/admin\"]\n"
     "1:21: item 3 of \"paths\" is 3, expected a list of paths such as [\"/admin\"]"},
    {"method = 'GE T'", "1:10: \"method\" is \"GE T\", expected a method such as \"GET\""},
    {"methods = []", "1:11: \"methods\" is an empty list, expected a list of methods such as [\"GET\"]"},
    {"boolean = 'true'", "1:11: \"boolean\" is a string, expected true or false; write it without quotes"},
    {"boolean = 1", "1:11: \"boolean\" is 1, expected true or false"},
    {"integer = 0", "1:11: \"integer\" is 0, expected an integer from 1 to 10"},
    {"integer = 11", "1:11: \"integer\" is 11, expected an integer from 1 to 10"},
    {"integer = 3.0", "1:11: \"integer\" is 3, expected an integer from 1 to 10"},
    {"integer = '3'",
     "1:11: \"integer\" is a string, expected an integer from 1 to 10; write it without quotes"},
    {"number = nan", "1:10: \"number\" is nan, expected a number from 0 to 1"},
    {"number = 1.1", "1:10: \"number\" is 1.1, expected a number from 0 to 1"},
    {"timeout = 5", "1:11: \"timeout\" is 5, expected a duration with a unit, below interval; write \"5s\""},
    {"timeout = 5000",
     "1:11: \"timeout\" is 5000, expected a duration with a unit, below interval; write \"5000ms\" if "
     "milliseconds are meant"},
    {"timeout = '5'",
     "1:11: \"timeout\" is \"5\", expected a duration with a unit, below interval; write \"5s\""},
    {"timeout = 5.5", "1:11: \"timeout\" is 5.5, expected a duration with a unit, below interval"},
    {"duration = '1 s'",
     "1:12: \"duration\" is \"1 s\", expected a duration with a unit; write a number and a unit (ms, s, m, "
     "h): \"250ms\", \"15s\", \"1h30m\""},
    {"duration = '99ms'", "1:12: \"duration\" is 99ms, expected a duration from 100ms to 1h"},
    {"duration = '2h'", "1:12: \"duration\" is 2h, expected a duration from 100ms to 1h"},
    {"url = 5", "1:7: \"url\" is 5, expected a URL"},
    {"url = 'ftp://u:hunter2@h'",
     "1:7: \"url\" is no URL that probes can use: expected http://host[:port][/path], "
     "https://host[:port][/path] or unix:/path"},
    {"listen = '[::1]'",
     "1:10: \"listen\" is no address to listen on: expected host:port, such as \"[::]:9090\" or "
     "\"127.0.0.1:9090\""},
    {"statuses = []",
     "1:12: \"statuses\" is an empty list, expected a list of statuses such as [200, \"2xx\"]"},
    {"statuses = 200",
     "1:12: \"statuses\" is 200, expected a list of statuses such as [200, \"2xx\"]; write [200]"},
    {"statuses = '2xx'",
     "1:12: \"statuses\" is \"2xx\", expected a list of statuses such as [200, \"2xx\"]; write [\"2xx\"]"},
    {"statuses = [99, '6xx', 600, true]",
     "1:13: item 1 of \"statuses\" is 99, expected a status from 100 to 599 or a class such as \"2xx\"\n"
     "1:17: item 2 of \"statuses\" is \"6xx\", expected a status from 100 to 599 or a class such as \"2xx\"\n"
     "1:24: item 3 of \"statuses\" is 600, expected a status from 100 to 599 or a class such as \"2xx\"\n"
     "1:29: item 4 of \"statuses\" is true, expected a status from 100 to 599 or a class such as \"2xx\""},
    {"pattern = 'a('", "1:11: \"pattern\" is no RE2 pattern: missing )"},
    {"pattern = ''", "1:11: \"pattern\" is empty, expected a pattern (RE2)"},
    {"patterns = []", "1:12: \"patterns\" is an empty list, expected a pattern (RE2) or a list of them"},
    {"patterns = ['a', '(?=b)']", "1:18: item 2 of \"patterns\" is no RE2 pattern: invalid perl operator"},
    {"strings = [1]", "1:12: item 1 of \"strings\" is 1, expected a list of strings"},
    {"words = []", "1:9: \"words\" is an empty list, expected a list of strings"},
    {"colour = 'bule'",
     "1:10: \"colour\" is \"bule\", expected \"red\", \"green\" or \"blue\"; did you mean \"blue\"?"},
    {"colour = 'purple'", "1:10: \"colour\" is \"purple\", expected \"red\", \"green\" or \"blue\""},
    {"colour = true", "1:10: \"colour\" is true, expected \"red\", \"green\" or \"blue\""},
    {"headers = ['a']", "1:11: \"headers\" is a list, expected a table such as { Accept = \"text/html\" }"},
    {"headers = { A = \"x\\r\\ny\" }", "1:17: \"A\" in \"headers\" holds CR or LF, expected one line"},
    {"headers = { A = \"x\\ny\" }", "1:17: \"A\" in \"headers\" holds CR or LF, expected one line"},
    {"headers = { A = \"x\\u0000y\" }",
     "1:17: \"A\" in \"headers\" holds a control character, expected one line of text"},
    {"headers = { \"A B\" = 'x' }", "1:13: \"A B\" in \"headers\" is no name of a header"},
    {"headers = { \"A\\n\" = 'x' }", "1:13: \"A?\" in \"headers\" is no name of a header"},
    {"headers = { A = 5 }", "1:17: \"A\" in \"headers\" is 5, expected a string"},
    {"headers = { A = { env = 'TOKEN' } }",
     "1:17: \"A\" in \"headers\" is a table, expected a string; a secret goes into an identity: as = "
     "\"NAME\""},
    {"header_patterns = {}",
     "1:19: \"header_patterns\" is an empty table, expected a table such as { Content-Type = \"^text/html\" "
     "}"},
    {"header_patterns = { A = '[' }", "1:25: \"A\" in \"header_patterns\" is no RE2 pattern: missing ]"},
    {"header_names = ['Ser ver']",
     "1:17: item 1 of \"header_names\" is a string, expected a list of names such as [\"Server\"]"},
    {"json = {}", "1:8: \"json\" is an empty table, expected a table such as { \"/status\" = \"ok\" }"},
    {"json = { status = 'ok' }",
     "1:10: \"status\" in \"json\" is no JSON pointer, expected one such as \"/status\""},
    {"json = { \"/a\" = inf }", "1:17: \"json\" has inf, which JSON does not know"},
    {"marker = { jsno = '/a' }", "1:12: unknown key \"jsno\" in \"marker\"; did you mean \"json\"?"},
    {"marker = { json = '' }",
     "1:19: \"json\" in \"marker\" is empty, expected a JSON pointer such as \"/user/id\""},
    {"marker = { json = 'a' }",
     "1:19: \"json\" in \"marker\" is a string, expected a JSON pointer such as \"/user/id\""},
    {"marker = '.*'", "1:10: \"marker\" matches an empty body, expected what only a served caller sees"},
    {"bytes = 512",
     "1:9: \"bytes\" is 512, expected a size with a unit (B, KB, MB) from 0 to 2097152; write \"512B\""},
    {"bytes = '3MB'", "1:9: \"bytes\" is \"3MB\", expected a size with a unit (B, KB, MB) from 0 to 2097152"},
    {"bytes = '1GB'", "1:9: \"bytes\" is \"1GB\", expected a size with a unit (B, KB, MB) from 0 to 2097152"},
    {"bytes = '9999999999999999999999MB'",
     "1:9: \"bytes\" is \"9999999999999999999999MB\", expected a size with a unit (B, KB, MB) from 0 to "
     "2097152"},
    {"claims = 'sub'", "1:10: \"claims\" is a string, expected a table such as { sub = \"probe\" }"},
    {"claims = { exp = 2026-01-01T00:00:00Z }",
     "1:18: \"claims\" has a date, which JSON does not know; write seconds since 1970, or a string"},
    {"table = 5", "1:9: \"table\" is an integer, expected a table"},
    {"table = {}", "1:9: missing key \"name\" in \"table\" of [test], expected a string"},
    {"table = { nmae = 'x' }", "1:11: unknown key \"nmae\" in \"table\" of [test]; did you mean \"name\"?"},
    {"tables = []", "1:10: \"tables\" is an empty list, expected a list of tables"},
    {"tables = [1]", "1:11: \"tables\" of [test] is an integer, expected a table"},
};
INSTANTIATE_TEST_SUITE_P(, BadValue, testing::ValuesIn(kBad));

TEST(Fields, AllThatIsWrongIsToldInOneGo) {
  const auto [values, complaint] = read("integer = 0\nnope_at_all = 1\ntimeout = 5\n");
  EXPECT_EQ(complaint,
            "1:11: \"integer\" is 0, expected an integer from 1 to 10\n"
            "2:1: unknown key \"nope_at_all\" in [test]\n"
            "3:11: \"timeout\" is 5, expected a duration with a unit, below interval; write \"5s\"");
  EXPECT_EQ(values.integer("integer"), 5);
}

TEST(Fields, AnUnknownKeyThatIsLikeNoneLeavesTheValuesComplete) {
  EXPECT_TRUE(read("nope_at_all = 1").values.complete());
}

TEST(Fields, AskingForWhatIsNotDeclaredIsABug) {
  const Values values = read("").values;
  EXPECT_THROW(values.string("nothing"), std::logic_error);
  EXPECT_THROW(values.integer("string"), std::logic_error);
}

TEST(Fields, ADefaultThatDoesNotParseIsABug) {
  const FakeEnvironment environment;
  Diagnostics diagnostics;
  const Node empty{Node::Table(), {1, 1}};
  for (const Field& row : {Field{.name = "x", .kind = Kind::integer, .fallback = "abc"},
                           Field{.name = "x", .kind = Kind::duration, .fallback = "15"},
                           Field{.name = "x", .kind = Kind::string, .fallback = "\"a"},
                           Field{.name = "x", .kind = Kind::string_list, .fallback = "[\"a\" \"b\"]"}}) {
    const std::span<const Field> groups[] = {std::span(&row, 1)};
    EXPECT_THROW(FieldReader(environment, MissingSecret::is_error, diagnostics).read(empty, "[t]", groups),
                 std::logic_error)
        << row.fallback;
  }
}

TEST(Fields, DefaultsStandInForWhatTheTableLacksAndAreNotJudgedAgain) {
  const FakeEnvironment environment;
  Diagnostics diagnostics;
  const Node defaults =
      parse_toml("string = 'shared'\nnumber = 0.5\ninteger = 99\nunknown = 1\n", diagnostics);
  const Node table = parse_toml("\n\n\n\nnumber = 0.25\n", diagnostics);
  const std::span<const Field> groups[] = {kRows};
  const Values values =
      FieldReader(environment, MissingSecret::is_error, diagnostics).read(table, "[test]", groups, &defaults);
  EXPECT_EQ(said(diagnostics), "");
  EXPECT_EQ(values.string("string"), "shared");
  EXPECT_TRUE(values.has("string"));
  EXPECT_EQ(values.place("string").line, 1);
  EXPECT_EQ(values.number("number"), 0.25);
  EXPECT_EQ(values.place("number").line, 5);
  EXPECT_EQ(values.integer("integer"), 5);
  EXPECT_FALSE(values.complete());
}

TEST(Fields, ALaterGroupRedefinesARow) {
  constexpr Field kEarlier[] = {{.name = "method", .kind = Kind::method, .fallback = R"("GET")"}};
  constexpr Field kLater[] = {{.name = "method", .kind = Kind::method, .fallback = R"("POST")"}};
  const FakeEnvironment environment;
  Diagnostics diagnostics;
  const std::span<const Field> groups[] = {kEarlier, kLater};
  const Node empty{Node::Table(), {1, 1}};
  const Values values =
      FieldReader(environment, MissingSecret::is_error, diagnostics).read(empty, "[t]", groups);
  EXPECT_EQ(values.string("method"), "POST");
}

TEST(Fields, CanonicalTextFollowsTheValuesAndNotTheirSpelling) {
  const std::string text =
      read("duration = '1m'\nmethod = 'get'\nstatuses = [200, 201]\n").values.canonical();
  EXPECT_EQ(read("statuses = ['201', 200]\nmethod = 'GET'\n\nduration = '60s'\n").values.canonical(), text);
  EXPECT_NE(read("duration = '61s'\nmethod = 'get'\nstatuses = [200, 201]\n").values.canonical(), text);
  EXPECT_EQ(read("string = 'quiet'").values.canonical(), read("").values.canonical());
}

TEST(Fields, CanonicalTextShowsNoSecret) {
  const std::string text =
      read("secret = { env = 'TOKEN' }\nsecrets = [{ env = 'TOKEN' }]\n").values.canonical();
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  EXPECT_NE(text, read("").values.canonical());
}

TEST(Fields, AllSecretsAreThoseOfInnerTablesToo) {
  static constexpr Field kInnerSecret[] = {{.name = "key", .kind = Kind::secret}};
  static constexpr Field kSecrets[] = {{.name = "token", .kind = Kind::secret},
                                       {.name = "more", .kind = Kind::secret_list},
                                       {.name = "inner", .kind = Kind::table, .fields = kInnerSecret}};
  const std::span<const Field> groups[] = {kSecrets};
  FakeEnvironment environment;
  environment.variables = {{"A", "first"}, {"B", "second"}, {"C", "third"}};
  Diagnostics diagnostics;
  const Node table = parse_toml(
      "token = { env = 'A' }\nmore = [{ env = 'B' }]\ninner = { key = { env = 'C' } }\n", diagnostics);
  const Values values =
      FieldReader(environment, MissingSecret::is_error, diagnostics).read(table, "[t]", groups);
  std::vector<Secret> secrets;
  values.collect_secrets(secrets);
  std::set<std::string> found;
  for (const Secret& secret : secrets) found.emplace(secret.reveal());
  EXPECT_EQ(found, (std::set<std::string>{"first", "second", "third"}));
}

TEST(Marker, APatternOrAPointerIsFound) {
  Marker pattern;
  pattern.pattern = *Pattern::compile("admin");
  EXPECT_TRUE(pattern.found_in("the admin page"));
  EXPECT_FALSE(pattern.found_in("login"));
  Marker pointer;
  pointer.json_pointer = "/user/id";
  EXPECT_TRUE(pointer.found_in(R"({"user": {"id": false}})"));
  EXPECT_FALSE(pointer.found_in(R"({"user": {"id": null}})"));
  EXPECT_FALSE(pointer.found_in(R"({"user": {}})"));
  EXPECT_FALSE(pointer.found_in(R"({"user": {"id": 1, "id": 2}})"));
  EXPECT_FALSE(pointer.found_in("<html>"));
}

TEST(Fields, AChoiceOrATableIsOneOfThem) {
  EXPECT_FALSE(read("").values.is_table("paint"));
  EXPECT_EQ(read("").values.string("paint"), "blue");
  EXPECT_EQ(read("paint = 'red'").values.string("paint"), "red");
  const ReadResult table = read("paint = { key = { env = 'TOKEN' } }");
  ASSERT_TRUE(table.values.is_table("paint")) << table.said;
  EXPECT_EQ(table.values.table("paint")->secret("key")->value.reveal(), "hunter2");
  EXPECT_FALSE(table.values.canonical() == read("paint = 'red'").values.canonical());
  EXPECT_EQ(read("paint = 'rod'").said,
            "1:9: \"paint\" is \"rod\", expected \"red\", \"green\" or \"blue\", or a table; did you mean "
            "\"red\"?");
  EXPECT_EQ(read("paint = { kay = 1 }").said,
            "1:11: unknown key \"kay\" in \"paint\" of [test]; did you mean \"key\"?");
}

TEST(Fields, GiveUpAllTheirSecretsToWhoeverKeepsThemOutOfTheLog) {
  std::vector<Secret> secrets;
  read(
      "secret = { env = 'TOKEN' }\nsecrets = [{ env = 'TOKEN' }, { env = 'TOKEN' }]\npaint = { key = { env = "
      "'TOKEN' } }")
      .values.collect_secrets(secrets);
  ASSERT_EQ(secrets.size(), 4u);
  for (const Secret& secret : secrets) EXPECT_EQ(secret.reveal(), "hunter2");
  secrets.clear();
  read("secret = { env = 'ABSENT' }", MissingSecret::is_warning).values.collect_secrets(secrets);
  EXPECT_TRUE(secrets.empty());
}

}  // namespace
}  // namespace holdshort
