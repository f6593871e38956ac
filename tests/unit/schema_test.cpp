// The JSON Schema cannot drift from the rows that the parser reads, and calls nothing wrong that the parser
// takes.
#include "agent/config/schema.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/config/config.h"
#include "agent/config/sections.h"
#include "probes/registry.h"
#include "tests/support/fake_environment.h"
#include "tests/support/json_schema.h"

namespace holdshort {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_support::misfit;
using testing_support::schema_misfit;
using Json = nlohmann::json;

const std::string kRoot = HOLDSHORT_SOURCE_DIR;
const std::string kPublished = kRoot + "/docs/holdshort.schema.json";
const std::string kApp = "[app]\nurl = \"http://127.0.0.1:3000\"\n";

std::string read(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

const Json& schema() {
  static const Json parsed = Json::parse(config_schema());
  return parsed;
}

// Whether `validate` takes it: missing variables and files are warnings there.
bool parser_takes(const std::string& toml) {
  const testing_support::FakeEnvironment environment;
  LoadOptions options;
  options.missing = MissingSecret::is_warning;
  return parse_config("holdshort.toml", toml, environment, options).config.has_value();
}

TEST(Schema, CopyInTheDocsIsWhatTheProgramSaysByteForByte) {
  const std::string now = config_schema();
  if (std::getenv("HOLDSHORT_UPDATE_DOCS")) std::ofstream(kPublished, std::ios::binary) << now;
  EXPECT_TRUE(read(kPublished) == now) << kPublished << ": run this test again with HOLDSHORT_UPDATE_DOCS=1";
}

// Every row of `fields` is a property of `table`, and nothing else is.
void expect_rows(const Json& table, std::span<const Field> fields, const std::string& title) {
  std::set<std::string> rows, properties;
  for (const Field& field : fields) rows.insert(std::string(field.name));
  for (const auto& [name, unused] : table.at("properties").items()) properties.insert(name);
  EXPECT_EQ(properties, rows) << title;
  for (const Field& field : fields) {
    const Json& property = table.at("properties").value(std::string(field.name), Json());
    const std::string key = title + "." + std::string(field.name);
    ASSERT_TRUE(property.is_object()) << key;
    EXPECT_THAT(property.value("description", ""), HasSubstr(field.doc)) << key;
    EXPECT_EQ(property.contains("default"), !field.fallback.empty()) << key;
    const Json required = table.value("required", Json::array());
    const bool is_required = std::find(required.begin(), required.end(), field.name) != required.end();
    EXPECT_EQ(is_required, field.required) << key;
    if (field.kind == Kind::table) expect_rows(property, field.fields, key);
    if (field.kind == Kind::table_list) expect_rows(property.at("items"), field.fields, key);
    if (field.kind == Kind::choice_or_table) expect_rows(property.at("anyOf").at(1), field.fields, key);
    if (field.kind == Kind::choice) {
      EXPECT_EQ(property.at("enum").size(), field.choices.size()) << key;
    }
  }
}

TEST(Schema, EveryRowOfEveryTableIsAPropertyWithItsWordsItsDefaultAndWhetherItIsRequired) {
  for (const Section& section : sections())
    expect_rows(schema().at("properties").at(std::string(section.name)), section.fields,
                std::string(section.name));
  expect_rows(schema().at("$defs").at("identity"), identity_fields(), "identities");
}

TEST(Schema, AProbeHasTheKeysOfItsTypeOfEveryProbeAndOfThoseThatSendHttpAndNoOther) {
  for (const ProbeType& type : probe_types()) {
    const std::string name(type.name);
    const Json& probe = schema().at("$defs").at("probe_" + name);
    EXPECT_EQ(probe.at("additionalProperties"), false) << name;
    std::set<std::string> keys, properties;
    const auto add = [&](std::span<const Field> fields) {
      for (const Field& field : fields) keys.insert(std::string(field.name));
    };
    add(common_fields());
    if (type.talks == ProbeType::Talks::http) add(http_fields());
    add(type.fields);
    for (const auto& [key, unused] : probe.at("properties").items()) properties.insert(key);
    EXPECT_EQ(properties, keys) << name;
    for (const Field& field : type.fields) {
      const Json& property = probe.at("properties").at(std::string(field.name));
      EXPECT_THAT(property.value("description", ""), HasSubstr(field.doc)) << name << "." << field.name;
    }
  }
}

void expect_defaults_to_fit(const Json& part, const Json& definitions) {
  if (part.is_object() && part.contains("default")) {
    Json alone = part;
    alone["$defs"] = definitions;
    EXPECT_EQ(misfit(alone.dump(), part.at("default").dump()), "") << part.dump();
  }
  if (part.is_structured())
    for (const Json& inner : part) expect_defaults_to_fit(inner, definitions);
}

TEST(Schema, EveryDefaultFitsItsOwnKey) { expect_defaults_to_fit(schema(), schema().at("$defs")); }

// --- what people copy

// The blocks ```toml of a page.
std::vector<std::string> blocks(const std::string& page) {
  std::vector<std::string> found;
  constexpr std::string_view kStart = "```toml\n";
  for (std::size_t i = page.find(kStart); i != page.npos; i = page.find(kStart, i)) {
    i += kStart.size();
    found.push_back(page.substr(i, page.find("```", i) - i));
  }
  return found;
}

TEST(Schema, WhatTheDocsShowAndTheParserTakesFits) {
  int judged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot + "/docs")) {
    if (entry.path().extension() != ".md") continue;
    for (const std::string& block : blocks(read(entry.path().string()))) {
      const std::string toml = block.find("[app]") == block.npos ? kApp + block : block;
      if (!parser_takes(toml)) continue;  // a fly.toml, an excerpt
      EXPECT_EQ(schema_misfit(toml), "") << entry.path() << "\n" << toml;
      ++judged;
    }
  }
  EXPECT_GE(judged, 12);
}

TEST(Schema, EveryConfigurationInTheReadmeAndInFlyDeployFits) {
  std::vector<std::string> examples;
  for (const std::string& block : blocks(read(kRoot + "/README.md")))
    if (parser_takes(block)) examples.push_back(block);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot + "/fly/deploy"))
    if (entry.path().filename() == "holdshort.toml") examples.push_back(read(entry.path().string()));
  EXPECT_GE(examples.size(), 5U);
  for (const std::string& example : examples) {
    EXPECT_TRUE(parser_takes(example)) << example;
    EXPECT_EQ(schema_misfit(example), "") << example;
  }
}

TEST(Schema, TheExampleOfEveryTypeFits) {
  for (const ProbeType& type : probe_types()) {
    const std::string example(type.explanation.example);
    std::string toml = example.find("[app]") == example.npos ? kApp + example : example;
    const bool borrows = example.find("as = \"alice\"") != example.npos;
    if (borrows && example.find("[identities.alice]") == example.npos)
      toml += "[identities.alice]\nbearer = { env = \"ALICE_TOKEN\" }\n";
    EXPECT_TRUE(parser_takes(toml)) << type.name;
    EXPECT_EQ(schema_misfit(toml), "") << type.name;
  }
}

// --- it refuses what the parser refuses, where it can

struct Row {
  std::string name, toml;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.toml; }
std::string name_of_row(const testing::TestParamInfo<Row>& row) { return row.param.name; }

// Behind [app]; "{probe}" is a probe that is right.
std::string whole(std::string toml) {
  const std::string probe = "[probes.alive]\ntype = \"http\"\n";
  if (const std::size_t at = toml.find("{probe}"); at != toml.npos) toml.replace(at, 7, probe);
  return toml.find("[app]") == toml.npos ? kApp + toml : toml;
}

class SchemaTakes : public testing::TestWithParam<Row> {};
TEST_P(SchemaTakes, WhatTheParserTakes) {
  const std::string toml = whole(GetParam().toml);
  EXPECT_TRUE(parser_takes(toml));
  EXPECT_EQ(schema_misfit(toml), "");
}
const Row kTaken[] = {
    {"HttpProbeWithNothingButItsType", "{probe}"},
    {"SocketUrl", "[app]\nurl = \"unix:/run/app.sock\"\n{probe}"},
    {"Ipv6UrlWithPath", "[app]\nurl = \"https://[fdaa::3]:8443/api\"\n{probe}"},
    {"UpperCaseScheme", "[app]\nurl = \"HTTP://localhost:3000\"\n{probe}"},
    {"DurationOfSeveralUnits", "[defaults]\ninterval = \"1h30m\"\n{probe}"},
    {"DurationWithFraction", "[defaults]\ninterval = \"7.5s\"\n{probe}"},
    {"DurationOfZero", "[defaults]\ngrace_period = \"0s\"\n{probe}"},
    {"DurationOfZeroFractionMilliseconds", "[defaults]\ninterval = \"15s250.0ms\"\n{probe}"},
    {"StatusesAsNumberTextAndClass", "{probe}status = [200, \"204\", \"3xx\", \"4XX\"]\n"},
    {"OnePatternOrSeveral", "{probe}body_matches = \"ok\"\nbody_not_matches = [\"a\", \"b\"]\n"},
    {"MethodInLowerCase", "{probe}method = \"get\"\n"},
    {"HeadersWithATab", "{probe}headers = { X-Probe = \"a\\tb\", X-Empty = \"\" }\n"},
    {"JsonOfEveryType", "{probe}json = { \"/a\" = 1, \"/b~1c\" = [1.5, true], \"\" = { x = \"y\" } }\n"},
    {"MarkerAsPattern", "{probe}marker = \"orders\"\n"},
    {"MarkerAsPointer", "{probe}marker = { json = \"/user/id\" }\n"},
    {"TypeFromDefaults", "[defaults]\ntype = \"http\"\n[probes.alive]\npath = \"/healthz\"\n"},
    {"NameWithDots", "[probes.\"v2.admin\"]\ntype = \"http\"\n"},
    {"IdentityOfEveryKind",
     "[identities.a]\nbearer = { env = \"A\" }\n"
     "[identities.b]\nbasic = { user = \"u\", password = { file = \"/run/p\" } }\n"
     "[identities.c]\napi_key = { header = \"X-API-Key\", value = { env = \"C\" } }\n"
     "[identities.d]\ncookie = { name = \"session\", value = { env = \"D\" } }\n"
     "[identities.e]\njwt = { secret = { env = \"E\" }, claims = { sub = \"probe\", roles = [\"admin\"] } }\n"
     "[identities.f]\nlogin = { path = \"/login\", body = '{\"p\":\"${P}\"}', token = \"/access_token\" }\n"
     "{probe}"},
    {"WebhookSchemeAsWord",
     "[probes.w]\ntype = \"webhook\"\npath = \"/w\"\nsecret = { env = \"S\" }\nscheme = \"stripe\"\nbody = "
     "\"{}\"\n"},
    {"WebhookSchemeAsTable",
     "[probes.w]\ntype = \"webhook\"\npath = \"/w\"\nsecret = { env = \"S\" }\nbody = \"{}\"\n"
     "scheme = { header = \"X-Signature\", format = \"sha256={hex}\" }\n"},
    {"JwtWithTheIdentityAlone",
     "[identities.a]\nbearer = { env = \"A\" }\n[probes.j]\ntype = \"jwt\"\npath = \"/me\"\nas = \"a\"\n"},
    {"SecretOfAProcess",
     "[probes.s]\ntype = \"secret\"\nprocess = { name = \"node\", env = \"JWT_SECRET\" }\n"},
    {"SizeInLowerCase",
     "[probes.i]\ntype = \"input_validation\"\npath = \"/\"\nbody = '{\"a\":1}'\nmax_body = \"64kb\"\n"},
    {"EmptyListWhereItMayBe", "[probes.l]\ntype = \"listeners\"\nallow = []\n"},
    {"NumberAsInteger", "[probes.r]\ntype = \"rate_limit\"\nlimit = 5\nwindow = \"1m\"\ntolerance = 0\n"},
};
INSTANTIATE_TEST_SUITE_P(, SchemaTakes, testing::ValuesIn(kTaken), name_of_row);

class SchemaRefuses : public testing::TestWithParam<Row> {};
TEST_P(SchemaRefuses, WhatTheParserRefuses) {
  const std::string toml = whole(GetParam().toml);
  EXPECT_FALSE(parser_takes(toml));
  EXPECT_THAT(schema_misfit(toml), Not(IsEmpty()));
}
const Row kRefused[] = {
    {"NoProbe", ""},
    {"NoProbeInTheTable", "[probes]\n"},
    {"NoUrl", "[app]\nhost = \"a.example\"\n{probe}"},
    {"UnknownTable", "[probs.alive]\ntype = \"http\"\n{probe}"},
    {"UnknownKeyOfApp", "[app]\nurl = \"http://127.0.0.1:1\"\nforwarde = true\n{probe}"},
    {"UnknownKeyOfAProbe", "{probe}intervall = \"15s\"\n"},
    {"KeyOfAnotherType", "{probe}limit = 5\n"},
    {"HttpKeyOfATypeThatSendsNone", "[probes.s]\ntype = \"secret\"\nenv = \"S\"\npath = \"/\"\n"},
    {"UnknownType", "[probes.a]\ntype = \"htp\"\n"},
    {"NoType", "[probes.a]\npath = \"/\"\n"},
    {"NameWithASpace", "[probes.\"a b\"]\ntype = \"http\"\n"},
    {"NameThatIsTooLong", "[probes." + std::string(64, 'a') + "]\ntype = \"http\"\n"},
    {"ProbeThatIsNoTable", "[probes]\nalive = \"http\"\n"},
    {"BareNumberForADuration", "{probe}interval = 15\n"},
    {"DurationWithoutUnit", "{probe}interval = \"15\"\n"},
    {"DurationThatIsEmpty", "{probe}interval = \"\"\n"},
    {"DurationInDays", "{probe}interval = \"1d\"\n"},
    {"NegativeDuration", "{probe}interval = \"-5s\"\n"},
    {"DurationWithUnitsInTheWrongOrder", "{probe}interval = \"5s1m\"\n"},
    {"DurationFinerThanAMillisecond", "{probe}interval = \"100.5ms\"\n"},
    {"BooleanInQuotes", "{probe}confirm = \"true\"\n"},
    {"ThresholdOfZero", "{probe}failure_threshold = 0\n"},
    {"ThresholdInQuotes", "{probe}failure_threshold = \"1\"\n"},
    {"ThresholdBeyondItsRange", "{probe}failure_threshold = 101\n"},
    {"StatusOutOfRange", "{probe}status = [9999]\n"},
    {"StatusAsANumberAlone", "{probe}status = 200\n"},
    {"StatusListThatIsEmpty", "{probe}status = []\n"},
    {"StatusOfAnUnknownClass", "{probe}status = [\"6xx\"]\n"},
    {"PathWithoutSlash", "{probe}path = \"healthz\"\n"},
    {"PathWithASpace", "{probe}path = \"/a b\"\n"},
    {"PathsThatAreEmpty", "{probe}paths = []\n"},
    {"MethodWithASpace", "{probe}method = \"GET /\"\n"},
    {"HeaderWithALineBreak", "{probe}headers = { X-A = \"a\\r\\nX-B: b\" }\n"},
    {"HeaderNameWithASpace", "{probe}headers = { \"X A\" = \"a\" }\n"},
    {"HeaderThatIsANumber", "{probe}headers = { X-A = 1 }\n"},
    {"PatternThatIsEmpty", "{probe}body_matches = \"\"\n"},
    {"PointerWithoutSlash", "{probe}json = { status = \"ok\" }\n"},
    {"JsonThatIsEmpty", "{probe}json = {}\n"},
    {"MarkerThatIsEmpty", "{probe}marker = \"\"\n"},
    {"MarkerWithAnotherKey", "{probe}marker = { xml = \"/a\" }\n"},
    {"UrlOfAnotherScheme", "[app]\nurl = \"ftp://127.0.0.1\"\n{probe}"},
    {"UrlWithAQuery", "[app]\nurl = \"http://127.0.0.1/?a=b\"\n{probe}"},
    {"UrlWithUserInformation", "[app]\nurl = \"http://u:p@127.0.0.1\"\n{probe}"},
    {"ListenWithoutPort", "[agent]\nlisten = \"0.0.0.0\"\n{probe}"},
    {"ListenThatIsANumber", "[agent]\nlisten = 9090\n{probe}"},
    {"UnknownWord", "[agent]\nlog_level = \"verbose\"\n{probe}"},
    {"BudgetOfZero", "[agent]\nrequest_budget = 0\n{probe}"},
    {"LiteralSecret", "[agent]\nstatus_token = \"hunter2\"\n{probe}"},
    {"SecretOfBoth", "[agent]\nstatus_token = { env = \"A\", file = \"/b\" }\n{probe}"},
    {"SecretOfNeither", "[agent]\nstatus_token = {}\n{probe}"},
    {"SecretWithAnotherKey", "[agent]\nstatus_token = { value = \"hunter2\" }\n{probe}"},
    {"VariableThatIsNoName", "[agent]\nstatus_token = { env = \"A-B\" }\n{probe}"},
    {"LiteralBearer", "[identities.a]\nbearer = \"hunter2\"\n{probe}"},
    {"IdentityOfTwoKinds",
     "[identities.a]\nbearer = { env = \"A\" }\ncookie = { name = \"s\", value = { env = \"B\" } }\n{probe}"},
    {"IdentityOfNoKind", "[identities.a]\n{probe}"},
    {"BasicWithoutPassword", "[identities.a]\nbasic = { user = \"u\" }\n{probe}"},
    {"JwtIdentityWithoutAKey", "[identities.a]\njwt = { claims = { sub = \"a\" } }\n{probe}"},
    {"JwtIdentityWithTwoKeys",
     "[identities.a]\njwt = { secret = { env = \"A\" }, token = { env = \"B\" } }\n{probe}"},
    {"JwtWithoutAnything", "[probes.j]\ntype = \"jwt\"\npath = \"/me\"\n"},
    {"JwtWithTwoKeys",
     "[probes.j]\ntype = \"jwt\"\npath = \"/\"\nsecret = { env = \"A\" }\nprivate_key = { env = \"B\" }\n"},
    {"JwtWithCookieAndHeader",
     "[probes.j]\ntype = \"jwt\"\nsecret = { env = \"A\" }\ncookie = \"t\"\nheader = \"X-T\"\n"},
    {"JwtWithCookieAndPrefix",
     "[probes.j]\ntype = \"jwt\"\nsecret = { env = \"A\" }\ncookie = \"t\"\nprefix = \"T \"\n"},
    {"SecretProbeOfNothing", "[probes.s]\ntype = \"secret\"\n"},
    {"SecretProbeOfTwo", "[probes.s]\ntype = \"secret\"\nenv = \"A\"\nfile = \"/b\"\n"},
    {"ProcessWithoutName", "[probes.s]\ntype = \"secret\"\nprocess = { env = \"A\" }\n"},
    {"RateLimitWithoutLimit", "[probes.r]\ntype = \"rate_limit\"\nwindow = \"1m\"\n"},
    {"ToleranceAboveOne", "[probes.r]\ntype = \"rate_limit\"\nlimit = 5\nwindow = \"1m\"\ntolerance = 2\n"},
    {"RulesThatAreEmpty", "[probes.a]\ntype = \"authorization\"\nrules = []\n"},
    {"RuleWithoutExpectation", "[probes.a]\ntype = \"authorization\"\nrules = [{ path = \"/\" }]\n"},
    {"WebhookWithALiteral", "[probes.w]\ntype = \"webhook\"\nsecret = \"whsec\"\nbody = \"{}\"\n"},
    {"WebhookSchemeUnknown",
     "[probes.w]\ntype = \"webhook\"\nsecret = { env = \"S\" }\nscheme = \"gitlab\"\nbody = \"{}\"\n"},
    {"WebhookSchemeWithoutHeader",
     "[probes.w]\ntype = \"webhook\"\nsecret = { env = \"S\" }\nscheme = { format = \"{hex}\" }\nbody = "
     "\"{}\"\n"},
    {"SizeWithoutUnit", "[probes.i]\ntype = \"input_validation\"\nbody = \"{}\"\nmax_body = 1000\n"},
    {"CommandThatIsEmpty", "[probes.e]\ntype = \"exec\"\ncommand = []\n"},
    {"SecretsWithALiteral", "[probes.x]\ntype = \"exposure\"\nsecrets = [\"hunter2\"]\n"},
};
INSTANTIATE_TEST_SUITE_P(, SchemaRefuses, testing::ValuesIn(kRefused), name_of_row);

}  // namespace
}  // namespace holdshort
