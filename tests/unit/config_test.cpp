#include "agent/config/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "probes/registry.h"
#include "tests/support/fake_environment.h"

namespace holdshort {
namespace {

using testing_support::FakeEnvironment;

FakeEnvironment environment() {
  FakeEnvironment fake;
  fake.variables = {{"TOKEN", "hunter2"},         {"PASSWORD", "p\"ss&w\xc3\xb6rd"}, {"KEY", "k3y"},
                    {"WITH_NEWLINE", "a\nb"},     {"WITH_SEMICOLON", "a;b"},         {"FLY_REGION", "fra"},
                    {"FLY_PRIVATE_IP", "fdaa::3"}};
  fake.files = {{"/run/key", {"k3y\n"}}};
  return fake;
}

Loaded parse(const std::string& toml, const LoadOptions& options = {},
             const FakeEnvironment& fake = environment()) {
  return parse_config("holdshort.toml", toml, fake, options);
}

std::string said(const Loaded& loaded) {
  std::string lines;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    if (!lines.empty()) lines += '\n';
    lines += format(loaded.file, diagnostic);
  }
  return lines;
}

// For rows: what stands before and after what they are about. Line numbers of rows begin at 1, as the rest
// follows them.
const std::string kApp = "\n[app]\nurl = \"http://127.0.0.1:3000\"\n";
const std::string kProbe = "\n[probes.fine]\ntype = \"http\"\n";

std::string complaint(const std::string& toml, const LoadOptions& options = {}) {
  return said(parse(toml, options));
}

// --- what is right

TEST(Config, ASmallFileHasTheContractsDefaults) {
  const Loaded loaded = parse(R"(
[app]
url = "http://127.0.0.1:3000"
[probes.admin_locked]
type = "authentication"
path = "/admin"
)");
  ASSERT_TRUE(loaded.config) << said(loaded);
  EXPECT_TRUE(loaded.readable);
  EXPECT_TRUE(loaded.diagnostics.empty());
  const Config& config = *loaded.config;
  EXPECT_EQ(config.file, "holdshort.toml");
  EXPECT_EQ(config.app.url.text(), "http://127.0.0.1:3000");
  EXPECT_EQ(config.app.host, "127.0.0.1:3000");
  EXPECT_TRUE(config.app.forwarded);
  EXPECT_EQ(config.app.region, "fra");
  EXPECT_EQ(config.app.private_ip, "fdaa::3");
  EXPECT_EQ(config.agent.listen.text(), "[::]:9090");
  EXPECT_FALSE(config.agent.status_token);
  EXPECT_EQ(config.agent.log_level, LogLevel::info);
  EXPECT_EQ(config.agent.log_format, LogFormat::automatic);
  EXPECT_EQ(config.agent.max_concurrency, 16);
  EXPECT_EQ(config.agent.request_budget, 50);
  EXPECT_FALSE(config.agent.request_budget_written);
  EXPECT_EQ(config.when_failing, WhenFailing::hold);
  ASSERT_EQ(config.probes.size(), 1u);
  const ProbeConfig& probe = config.probes[0];
  using namespace std::chrono_literals;
  EXPECT_EQ(probe.name, "admin_locked");
  EXPECT_EQ(probe.type->name, "authentication");
  EXPECT_EQ(probe.severity, Severity::required);
  EXPECT_EQ(probe.interval, 15s);
  EXPECT_EQ(probe.timeout, 5s);
  EXPECT_EQ(probe.grace_period, 0s);
  EXPECT_EQ(probe.startup_interval, 250ms);
  EXPECT_EQ(probe.failure_threshold, 1);
  EXPECT_EQ(probe.success_threshold, 1);
  EXPECT_EQ(probe.inconclusive_threshold, 3);
  EXPECT_TRUE(probe.confirm);
  EXPECT_EQ(probe.values->string("via"), "loopback");
  EXPECT_EQ(probe.values->string("method"), "GET");
  EXPECT_NE(probe.make(), nullptr);
}

TEST(Config, EveryTableIsRead) {
  const Loaded loaded = parse(R"(
[app]
url = "https://[::1]:3000/base/"
host = "orders.example.com:8443"
forwarded = false
[agent]
listen = "127.0.0.1:0"
status_token = { env = "TOKEN" }
log_level = "debug"
log_format = "json"
max_concurrency = 4
request_budget = 50
[readiness]
when_failing = "exit"
[defaults]
interval = "30s"
timeout = "3s"
severity = "advisory"
[identities.admin]
bearer = { env = "TOKEN" }
[probes.z]
type = "http"
paths = ["/a", "/b"]
as = "admin"
severity = "required"
runbook = "https://example.com/runbook#z"
description = "Z."
marker = { json = "/user" }
[probes.a]
type = "http"
confirm = false
interval = "1m"
failure_threshold = 2
)");
  ASSERT_TRUE(loaded.config) << said(loaded);
  const Config& config = *loaded.config;
  EXPECT_EQ(config.app.url.text(), "https://[::1]:3000/base");
  EXPECT_EQ(config.app.host, "orders.example.com:8443");
  EXPECT_FALSE(config.app.forwarded);
  EXPECT_EQ(config.agent.listen.port, 0);
  EXPECT_EQ(config.agent.status_token->value.reveal(), "hunter2");
  EXPECT_EQ(config.agent.log_level, LogLevel::debug);
  EXPECT_EQ(config.agent.log_format, LogFormat::json);
  EXPECT_EQ(config.agent.max_concurrency, 4);
  EXPECT_TRUE(config.agent.request_budget_written);
  EXPECT_EQ(config.when_failing, WhenFailing::exit);
  ASSERT_EQ(config.probes.size(), 2u);  // in the file's order
  EXPECT_EQ(config.probes[0].name, "z");
  EXPECT_EQ(config.probes[0].severity, Severity::required);
  EXPECT_EQ(config.probes[0].runbook, "https://example.com/runbook#z");
  EXPECT_EQ(config.probes[0].interval, std::chrono::seconds(30));
  EXPECT_EQ(config.probes[0].timeout, std::chrono::seconds(3));
  EXPECT_EQ(config.probes[1].severity, Severity::advisory);
  EXPECT_EQ(config.probes[1].interval, std::chrono::seconds(60));
  EXPECT_EQ(config.probes[1].failure_threshold, 2);
  EXPECT_FALSE(config.probes[1].confirm);
}

TEST(Config, HostComesFromTheUrl) {
  EXPECT_EQ(parse("[app]\nurl = \"https://orders.example.com\"" + kProbe).config->app.host,
            "orders.example.com");
  EXPECT_EQ(parse("[app]\nurl = \"unix:/run/app.sock\"" + kProbe).config->app.host, "localhost");
}

TEST(Config, TheTargetReplacesTheUrlEvenWhereThereIsNone) {
  LoadOptions options;
  options.target = "http://[fdaa::7]:3000";
  EXPECT_EQ(parse(kProbe, options).config->app.url.text(), "http://[fdaa::7]:3000");
  EXPECT_EQ(parse(kApp + kProbe, options).config->app.url.text(), "http://[fdaa::7]:3000");
  options.target = "fdaa::7";
  EXPECT_EQ(complaint(kApp + kProbe, options)
                .find("holdshort.toml: error: --target is no URL that probes can use: "),
            0u);
}

TEST(Config, ATypeMayComeFromTheDefaults) {
  const Loaded loaded = parse("[defaults]\ntype = 'http'\n[probes.a]\npath = '/a'\n" + kApp);
  ASSERT_TRUE(loaded.config) << said(loaded);
  EXPECT_EQ(loaded.config->probes[0].type->name, "http");
}

TEST(Config, ADisabledProbeIsCheckedButNotRun) {
  const std::string disabled = "[probes.off]\ntype = 'http'\nenabled = false\n";
  EXPECT_EQ(parse(disabled + kApp + kProbe).config->probes.size(), 1u);
  EXPECT_EQ(complaint(disabled + "pth = '/'\n" + kApp + kProbe),
            "holdshort.toml:4:1: error: unknown key \"pth\" in [probes.off]; did you mean \"path\"?");
}

TEST(Config, NoRequiredProbeIsAWarning) {
  const Loaded disabled = parse("[probes.off]\ntype = 'http'\nenabled = false\n" + kApp);
  ASSERT_TRUE(disabled.config);
  EXPECT_TRUE(disabled.config->probes.empty());
  EXPECT_EQ(said(disabled),
            "holdshort.toml:1:1: warning: no required probe is enabled: nothing holds readiness");
  const Loaded advisory = parse("[defaults]\nseverity = 'advisory'\n" + kApp + kProbe);
  ASSERT_TRUE(advisory.config);
  EXPECT_EQ(said(advisory),
            "holdshort.toml:7:1: warning: no required probe is enabled: nothing holds readiness");
}

TEST(Config, OneMethodBesideOthersIsAWarning) {
  EXPECT_EQ(complaint("[probes.p]\ntype = 'http'\nmethod = 'PUT'\nmethods = ['GET']\n" + kApp),
            "holdshort.toml:3:1: warning: \"method\" has no effect beside \"methods\"; add it to them");
  EXPECT_EQ(complaint("[probes.p]\ntype = 'http'\nmethod = 'PUT'\nmethods = ['GET', 'PUT']\n" + kApp), "");
}

// --- what is wrong

struct Row {
  const char* toml;
  const char* said;  // after "holdshort.toml:"
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.toml; }

std::string without_file(std::string lines) {
  for (std::size_t at = 0; (at = lines.find("holdshort.toml:", at)) != std::string::npos;)
    lines.erase(at, 15);
  return lines;
}

// "{types}" stands for the names of all probe types.
std::string with_types(std::string text) {
  std::vector<std::string_view> names;
  for (const ProbeType& type : probe_types()) names.push_back(type.name);
  const std::size_t at = text.find("{types}");
  return at == std::string::npos ? text : text.replace(at, 7, one_of(names));
}

class BadConfig : public testing::TestWithParam<Row> {};
TEST_P(BadConfig, IsRefusedInTheseWords) {
  const Loaded loaded = parse(GetParam().toml + kApp + kProbe);
  EXPECT_EQ(without_file(said(loaded)), with_types(GetParam().said));
  EXPECT_FALSE(loaded.config);
  EXPECT_TRUE(loaded.readable);
}
constexpr Row kBad[] = {
    // syntax
    {"[probes.x", "1:10: error: a table's name is wrong; write [name] on a line of its own"},
    {"[agent]\nlog_level = 'info'\nlog_level = 'warn'\n",
     "3:1: error: duplicate key \"log_level\"; remove one of the two"},
    // tables
    {"[probe.x]\n", "1:2: error: unknown table \"probe\"; did you mean \"probes\"?"},
    {"[fleet]\n",
     "1:2: error: unknown table \"fleet\", expected \"app\", \"agent\", \"gate\", \"readiness\", "
     "\"defaults\", "
     "\"identities\" or \"probes\""},
    {"interval = '5s'\n",
     "1:1: error: unknown key \"interval\", expected \"app\", \"agent\", \"gate\", \"readiness\", "
     "\"defaults\", "
     "\"identities\" or \"probes\""},
    {"agent = 5\n", "1:9: error: [agent] is an integer, expected a table"},
    {"identities = []\n", "1:14: error: \"identities\" is a list, expected tables [identities.NAME]"},
    // [agent], [readiness]
    {"[agent]\nlisten = 9090\n",
     "2:10: error: \"listen\" is 9090, expected an address and port such as \"[::]:9090\""},
    {"[agent]\nstatus_token = 'hunter2'\n",
     "2:16: error: \"status_token\" holds a literal, expected a reference; write { env = \"NAME\" }"},
    {"[agent]\nlog_level = 'warning'\n",
     "2:13: error: \"log_level\" is \"warning\", expected \"debug\", \"info\", \"warn\" or \"error\""},
    {"[agent]\nlog_levl = 'info'\n",
     "2:1: error: unknown key \"log_levl\" in [agent]; did you mean \"log_level\"?"},
    {"[agent]\nmax_concurrency = 0\n",
     "2:19: error: \"max_concurrency\" is 0, expected an integer from 1 to 1000"},
    {"[agent]\nrequest_budget = '50'\n",
     "2:18: error: \"request_budget\" is a string, expected an integer from 1 to 100000; write it without "
     "quotes"},
    {"[readiness]\nwhen_failing = 'holt'\n",
     "2:16: error: \"when_failing\" is \"holt\", expected \"hold\", \"report\" or \"exit\"; did you mean "
     "\"hold\"?"},
    // [gate]
    {"[gate]\nwhen_closed = 'hod'\n",
     "2:15: error: \"when_closed\" is \"hod\", expected \"reject\", \"hold\" or \"replay\"; did you mean "
     "\"hold\"?"},
    {"[gate]\nmax_connections = 0\n",
     "2:19: error: \"max_connections\" is 0, expected an integer from 1 to 1000000"},
    {"[gate]\nhealth_path = '/x?y'\n",
     "2:1: error: \"health_path\" has a query or a fragment, expected a path alone, such as "
     "\"/.holdshort/readyz\""},
    {"[gate]\nlisten = '[::]:9090'\n",
     "2:1: error: [gate] and [agent] both listen on port 9090; give one of them another"},
    // [defaults]
    {"[defaults]\npath = '/'\n", "2:1: error: unknown key \"path\" in [defaults]"},
    {"[defaults]\ninterval = 30\n",
     "2:12: error: \"interval\" is 30, expected a duration with a unit; write \"30s\""},
    {"[defaults]\ntimeout = '20s'\n[probes.a]\ntype = 'http'\n",
     "2:11: error: \"timeout\" is 20s, expected a duration below \"interval\", which is 15s"},
    {"[defaults]\ntype = 'htp'\n[probes.a]\npath = '/'\n",
     "2:8: error: \"type\" is \"htp\", expected {types}; did you mean \"http\"?"},
    {"[defaults]\nrunbook = 'javascript:x'\n[probes.a]\ntype = 'http'\n",
     "2:11: error: \"runbook\" is no URL, expected one that begins with https://"},
    // keys that all probes have
    {"[probes.admin_locked]\ntype = 'http'\nintervall = '5s'\n",
     "3:1: error: unknown key \"intervall\" in [probes.admin_locked]; did you mean \"interval\"?"},
    {"[probes.\"a b\"]\ntype = 'http'\n",
     "1:9: error: \"a b\" is no name for a probe, expected 1 to 63 letters, digits, \"_\", \".\" or \"-\""},
    {"[probes.\"\"]\ntype = 'http'\n",
     "1:9: error: \"\" is no name for a probe, expected 1 to 63 letters, digits, \"_\", \".\" or \"-\""},
    {"[probes.\"a.b\"]\ntype = 'http'\npaht = '/'\n",
     "3:1: error: unknown key \"paht\" in [probes.\"a.b\"]; did you mean \"path\"?"},
    {"[probes.a.b]\ntype = 'http'\n",
     "1:11: error: [probes.a] has a table \"b\"; a name with a dot is written [probes.\"a.b\"]"},
    {"[probes.a]\npath = '/'\n", "1:1: error: missing key \"type\" in [probes.a], expected {types}"},
    {"[probes.a]\ntpye = 'http'\n", "2:1: error: unknown key \"tpye\" in [probes.a]; did you mean \"type\"?"},
    {"[probes.a]\ntype = 'authentification'\nfoo = 1\ninterval = 5\n",
     "2:8: error: \"type\" is \"authentification\", expected {types}; "
     "did you mean \"authentication\"?\n4:12: error: \"interval\" is 5, expected a duration with a unit; "
     "write \"5s\""},
    {"[probes.a]\ntype = 'smtp'\n", "2:8: error: \"type\" is \"smtp\", expected {types}"},
    {"[probes]\na = 5\n", "2:5: error: [probes.a] is an integer, expected a table"},
    {"[probes.a]\ntype = 'http'\nseverity = 'critical'\n",
     "3:12: error: \"severity\" is \"critical\", expected \"required\" or \"advisory\""},
    {"[probes.a]\ntype = 'http'\ntimeout = 5\n",
     "3:11: error: \"timeout\" is 5, expected a duration with a unit, below interval; write \"5s\""},
    {"[probes.a]\ntype = 'http'\ninterval = '50ms'\ntimeout = '20ms'\n",
     "3:12: error: \"interval\" is 50ms, expected a duration from 100ms to 168h"},
    {"[probes.a]\ntype = 'http'\ntimeout = '15s'\n",
     "3:11: error: \"timeout\" is 15s, expected a duration below \"interval\", which is 15s"},
    {"[probes.a]\ntype = 'http'\ninterval = '3s'\n",
     "3:12: error: \"interval\" is 3s, expected a duration above \"timeout\", which is 5s"},
    {"[defaults]\ntimeout = '10s'\n[probes.a]\ntype = 'http'\ninterval = '10s'\n",
     "5:12: error: \"interval\" is 10s, expected a duration above \"timeout\", which is 10s"},
    {"[probes.a]\ntype = 'http'\nfailure_threshold = 0\n",
     "3:21: error: \"failure_threshold\" is 0, expected an integer from 1 to 100"},
    {"[probes.a]\ntype = 'http'\nconfirm = 'yes'\n",
     "3:11: error: \"confirm\" is a string, expected true or false"},
    {"[probes.a]\ntype = 'http'\nvia = 'privat'\n",
     "3:7: error: \"via\" is \"privat\", expected \"loopback\" or \"private\"; did you mean \"private\"?"},
    {"[probes.a]\ntype = 'http'\nvia = 'private'\nurl = 'unix:/run/app.sock'\n",
     "3:1: error: \"via\" is \"private\", but neighbours cannot reach a unix socket; write a url of http"},
    {"[probes.a]\ntype = 'http'\nrunbook = 'see wiki'\n",
     "3:11: error: \"runbook\" is no URL, expected one that begins with https://"},
    // keys of probes that send HTTP
    {"[probes.a]\ntype = 'http'\npath = 'admin'\n",
     "3:8: error: \"path\" is a string, expected a path that begins with \"/\", without white space"},
    {"[probes.a]\ntype = 'http'\npaths = []\n",
     "3:9: error: \"paths\" is an empty list, expected a list of paths such as [\"/admin\"]"},
    {"[probes.a]\ntype = 'http'\nheaders = { X = \"a\\nb\" }\n",
     "3:17: error: \"X\" in \"headers\" holds CR or LF, expected one line"},
    {"[probes.a]\ntype = 'http'\nstatus = []\n",
     "3:10: error: \"status\" is an empty list, expected a list of statuses such as [200, \"2xx\"]"},
    {"[probes.a]\ntype = 'http'\nstatus = [600]\n",
     "3:11: error: item 1 of \"status\" is 600, expected a status from 100 to 599 or a class such as "
     "\"2xx\""},
    {"[probes.a]\ntype = 'http'\nurl = 'http://127.0.0.1:99999'\n",
     "3:7: error: \"url\" is no URL that probes can use: expected a port within 1..65535"},
    {"[probes.a]\ntype = 'http'\nas = 'admin'\n",
     "3:6: error: \"as\" names an identity that is not declared: \"admin\"; declare it as [identities.NAME]"},
    {"[identities.admin]\nbearer = { env = 'TOKEN' }\n[probes.a]\ntype = 'http'\nas = 'admn'\n",
     "5:6: error: \"as\" names an identity that is not declared: \"admn\"; did you mean \"admin\"?"},
    // a probe that sends nothing has none of them
    {"[probes.a]\ntype = 'secret'\nenv = 'KEY'\npath = '/'\n",
     "4:1: error: unknown key \"path\" in [probes.a]"},
    {"[probes.a]\ntype = 'secret'\nenv = 'KEY'\nas = 'x'\n", "4:1: error: unknown key \"as\" in [probes.a]"},
    // identities
    {"[identities.\"a b\"]\nbearer = { env = 'TOKEN' }\n",
     "1:13: error: \"a b\" is no name for an identity, expected 1 to 63 letters, digits, \"_\", \".\" or "
     "\"-\""},
    {"[identities.x]\n",
     "1:1: error: [identities.x] says nothing of how to act, expected \"bearer\", \"basic\", \"api_key\", "
     "\"cookie\", \"jwt\" or \"login\""},
    {"[identities.x]\nbearr = { env = 'TOKEN' }\n",
     "2:1: error: unknown key \"bearr\" in [identities.x]; did you mean \"bearer\"?"},
    {"[identities.x]\nbearer = { env = 'TOKEN' }\ncookie = { name = 's', value = { env = 'KEY' } }\n",
     "3:1: error: [identities.x] has \"cookie\" beside \"bearer\", expected exactly one of them"},
    {"[identities.x]\nbearer = 'hunter2'\n",
     "2:10: error: \"bearer\" holds a literal, expected a reference; write { env = \"NAME\" }"},
    {"[identities.x]\nbearer = { env = 'ABSENT' }\n",
     "2:18: error: \"bearer\" refers to the variable \"ABSENT\", which is not set"},
    {"[identities.x]\nbearer = { env = 'WITH_NEWLINE' }\n",
     "2:1: error: \"bearer\" refers to a value with a line break or control character, which no header can "
     "carry"},
    {"[identities.x]\nbasic = { user = 'a:b', password = { env = 'PASSWORD' } }\n",
     "2:11: error: \"user\" has a colon or control character, which Basic cannot carry"},
    {"[identities.x]\nbasic = { user = 'a' }\n",
     "2:9: error: missing key \"password\" in \"basic\" of [identities.x], expected a reference"},
    {"[identities.x]\nbasic = { user = 'a', password = 'hunter2' }\n",
     "2:34: error: \"password\" holds a literal, expected a reference; write { env = \"NAME\" }"},
    {"[identities.x]\napi_key = { header = 'X Key', value = { env = 'KEY' } }\n",
     "2:13: error: \"header\" is no name of a header"},
    {"[identities.x]\ncookie = { name = 's=', value = { env = 'KEY' } }\n",
     "2:12: error: \"name\" is no name of a cookie"},
    {"[identities.x]\ncookie = { name = 's', value = { env = 'WITH_SEMICOLON' } }\n",
     "2:24: error: \"value\" refers to a value with a semicolon, which ends a cookie"},
    {"[identities.x]\njwt = { algorithm = 'RS256', secret = { env = 'KEY' } }\n",
     "2:9: error: \"algorithm\" is \"RS256\", which does not go with \"secret\", expected "
     "\"HS256\", \"HS384\" or \"HS512\""},
    {"[identities.x]\njwt = { secret = { env = 'KEY' }, private_key = { file = '/run/key' } }\n",
     "2:35: error: \"jwt\" of [identities.x] has \"private_key\" beside \"secret\", expected exactly one of "
     "them"},
    {"[identities.x]\njwt = { private_key = { file = '/run/key' } }\n",
     "2:9: error: \"private_key\" refers to no private key, expected PEM"},
    {"[identities.x]\njwt = { token = { env = 'KEY' } }\n",
     "2:9: error: \"token\" refers to a value that is no signed token, expected three parts of base64url "
     "with "
     "dots between them"},
    {"[identities.x]\njwt = { claims = { sub = 'probe' } }\n",
     "2:7: error: \"jwt\" of [identities.x] has nothing to sign with, expected \"secret\", \"private_key\" "
     "or "
     "\"token\""},
    {"[identities.x]\njwt = { secret = { env = 'KEY' }, claims = { exp = 2030-01-01 } }\n",
     "2:52: error: \"claims\" has a date, which JSON does not know; write seconds since 1970, or a string"},
    {"[identities.x]\njwt = { secret = { env = 'KEY' }, header = 'X-Token', cookie = 'token' }\n",
     "2:35: error: \"header\" has no meaning beside \"cookie\"; remove one of them"},
    {"[identities.x]\nlogin = { path = '/login', body = 'a=${KEY}', token = 'access_token' }\n",
     "2:47: error: \"token\" is no JSON pointer, expected one such as \"/access_token\""},
    {"[identities.x]\nlogin = { path = '/login', body = 'a=${ABSENT}', token = '/t' }\n",
     "2:28: error: \"body\" refers to the variable \"ABSENT\", which is not set"},
    {"[identities.x]\nlogin = { path = '/login', body = 'a=${KEY', token = '/t' }\n",
     "2:28: error: \"body\" has a \"${\" that is no variable; expected ${NAME}, and $$ for a \"$\" before "
     "\"{\""},
    {"[identities.x]\nlogin = { path = '/login', body = '{\"pin\":${TOKEN}}', token = '/t' }\n",
     "2:28: error: \"body\" is no JSON once its variables are in it; put them in quotes: \"${NAME}\""},
};
INSTANTIATE_TEST_SUITE_P(, BadConfig, testing::ValuesIn(kBad));

class BadApp : public testing::TestWithParam<Row> {};
TEST_P(BadApp, IsRefusedInTheseWords) {
  EXPECT_EQ(without_file(complaint(GetParam().toml)), GetParam().said);
}
constexpr Row kBadApps[] = {
    {"[probes.a]\ntype = 'http'\n",
     "1:1: error: missing key \"url\" in [app], expected the app's URL; write url = "
     "\"http://127.0.0.1:8080\""},
    {"[app]\nurl = 'http://127.0.0.1:3000'\n",
     "1:1: error: no probe is declared, expected at least one [probes.NAME]"},
    {"[app]\nurl = 'http://127.0.0.1:3000'\n[probes]\n",
     "3:1: error: no probe is declared, expected at least one [probes.NAME]"},
    {"[app]\nurl = 'http://127.0.0.1:3000'\n[[probes]]\ntype = 'http'\n",
     "3:1: error: \"probes\" is a list, expected tables [probes.NAME]"},
    {"[app]\nuri = 'http://127.0.0.1:3000'\n[probes.a]\ntype = 'http'\n",
     "2:1: error: unknown key \"uri\" in [app]; did you mean \"url\"?"},
    {"[app]\nurl = 'http://u:hunter2@127.0.0.1'\n[probes.a]\ntype = 'http'\n",
     "2:7: error: \"url\" is no URL that probes can use: user information does not belong in a URL; declare "
     "an identity"},
    {"[app]\nurl = 'http://127.0.0.1'\nhost = 'https://orders.example.com'\n[probes.a]\ntype = 'http'\n",
     "3:1: error: \"host\" is no host, expected a name and perhaps a port, such as \"orders.example.com\""},
    {"[app]\nurl = 'http://127.0.0.1'\nhost = \"a\\r\\nb\"\n[probes.a]\ntype = 'http'\n",
     "3:1: error: \"host\" is no host, expected a name and perhaps a port, such as \"orders.example.com\""},
    {"[app]\nurl = 'unix:/run/app.sock'\n[probes.a]\ntype = 'http'\nvia = 'private'\n",
     "5:1: error: \"via\" is \"private\", but neighbours cannot reach a unix socket; write a url of http"},
    {"",
     "1:1: error: missing key \"url\" in [app], expected the app's URL; write url = "
     "\"http://127.0.0.1:8080\"\n"
     "1:1: error: no probe is declared, expected at least one [probes.NAME]"},
};
INSTANTIATE_TEST_SUITE_P(, BadApp, testing::ValuesIn(kBadApps));

TEST(Config, AllErrorsAreReportedInOneGoInTheFilesOrder) {
  const Loaded loaded = parse(R"([app]
url = "ftp://x"
[agent]
log_level = "loud"
[identities.admin]
bearer = "hunter2"
[probes.a]
type = "http"
intervall = "5s"
timeout = 5
as = "admni"
status = []
[probes.b]
type = "htpp"
)");
  EXPECT_FALSE(loaded.config);
  std::vector<int> lines;
  for (const Diagnostic& diagnostic : loaded.diagnostics) lines.push_back(diagnostic.place.line);
  EXPECT_EQ(lines, (std::vector<int>{2, 4, 6, 9, 10, 11, 12, 14}));
}

TEST(Config, AFaultInTheDefaultsIsReportedOnceHoweverManyProbesThereAre) {
  EXPECT_EQ(
      complaint("[defaults]\ninterval = '4s'\nseverity = 'x'\n[probes.a]\ntype = 'http'\n[probes.b]\ntype = "
                "'http'\n" +
                kApp),
      "holdshort.toml:2:12: error: \"interval\" is 4s, expected a duration above \"timeout\", which is 5s\n"
      "holdshort.toml:3:12: error: \"severity\" is \"x\", expected \"required\" or \"advisory\"");
}

TEST(Config, AFaultyIdentityIsStillDeclared) {
  EXPECT_EQ(complaint("[identities.admin]\nbearer = 5\n[probes.a]\ntype = 'http'\nas = 'admin'\n" + kApp),
            "holdshort.toml:2:10: error: \"bearer\" holds a literal, expected a reference; write { env = "
            "\"NAME\" }");
}

TEST(Config, ValidateWarnsOfAMissingVariableAndRunRefusesIt) {
  const std::string toml =
      "[identities.a]\nbearer = { env = 'ABSENT' }\n[identities.b]\nlogin = { path = '/l', body = '${GONE}', "
      "token = '/t' }\n" +
      kApp + kProbe;
  LoadOptions options;
  options.missing = MissingSecret::is_warning;
  const Loaded validated = parse(toml, options);
  EXPECT_TRUE(validated.config);
  EXPECT_EQ(said(validated),
            "holdshort.toml:2:18: warning: \"bearer\" refers to the variable \"ABSENT\", which is not set\n"
            "holdshort.toml:4:24: warning: \"body\" refers to the variable \"GONE\", which is not set");
  EXPECT_FALSE(parse(toml).config);
}

TEST(Config, ASecretProbesOwnVariableMayBeMissing) {
  const Loaded loaded = parse("[probes.a]\ntype = 'secret'\nenv = 'ABSENT'\n" + kApp);
  EXPECT_TRUE(loaded.config) << said(loaded);
}

// --- secrets stay out of messages

TEST(Config, NoDiagnosticEverQuotesASecret) {
  const std::string secret = "S3CR3T_hunter2";
  const std::vector<std::string> places = {
      "[identities.x]\nbearer = '@'\n",
      "[identities.x]\nbearer = @\n",
      "[identities.x]\nbearer = \"@\n",
      "[identities.x]\nbearer = '@' '@'\n",
      "[identities.x]\nbearer = '@'\nbearer = '@'\n",
      "[identities.x]\nbearer = { env = '@' }\n",
      "[identities.x]\nbearer = { env = '@-' }\n",
      "[identities.x]\nbearer = { file = '@' }\n",
      "[identities.x]\nbearer = { value = '@' }\n",
      "[identities.x]\nbearer = ['@']\n",
      "[identities.x]\ntoken = '@'\n",
      "[identities.x]\nbasic = { user = 'u', password = '@' }\n",
      "[identities.x]\nbasic = { user = 'u:@', password = { env = 'KEY' } }\n",
      "[identities.x]\nbasic = '@'\n",
      "[identities.x]\napi_key = { header = '@:', value = '@' }\n",
      "[identities.x]\ncookie = { name = '@=', value = '@' }\n",
      "[identities.x]\njwt = { secret = '@', header = '@ ', prefix = \"@\\n\", cookie = '@;' }\n",
      "[identities.x]\nlogin = { path = '@', body = '${@-}', token = '@' }\n",
      "[identities.x]\nlogin = { path = '/l', body = '{\"p\":\"@${}\"}', token = '/t' }\n",
      "[agent]\nstatus_token = '@'\nlisten = '@'\n",
      "[probes.x]\ntype = 'http'\nurl = 'http://u:@@h/'\n",
      "[probes.x]\ntype = 'http'\nurl = '@'\npath = '@'\npaths = ['@']\nbody = 5\n",
      "[probes.x]\ntype = 'http'\nheaders = { Authorization = \"Bearer @\\n\" }\n",
      "[probes.x]\ntype = 'http'\nheaders = '@'\nmarker = '@('\nbody_matches = '@('\nbody_not_matches = "
      "['@(']\n",
      "[probes.x]\ntype = 'http'\npassword = '@'\nrunbook = '@'\nenabled = '@'\nfailure_threshold = "
      "'@'\njson = '@'\n",
      "[probes.x]\ntype = 'http'\njson = { '/p' = '@', '/q' = inf }\n",
      "@\n",
      "= '@'\n",
      "['@'\n",
  };
  for (std::string toml : places) {
    for (std::size_t at = 0; (at = toml.find('@', at)) != std::string::npos; at += secret.size())
      toml.replace(at, 1, secret);
    for (const MissingSecret missing : {MissingSecret::is_error, MissingSecret::is_warning}) {
      LoadOptions options;
      options.missing = missing;
      const std::string lines = complaint(toml + kApp + kProbe, options);
      EXPECT_NE(lines, "") << toml;
      EXPECT_EQ(lines.find("hunter2"), std::string::npos) << lines;
    }
  }
}

TEST(Config, ADiagnosticIsOneLineWhateverAKeyHolds) {
  const std::string lines =
      complaint("\"a\\nholdshort.toml:1:1: error: forged\\u001b[31m\" = 1\n" + kApp + kProbe);
  EXPECT_EQ(lines.find('\n'), std::string::npos);
  EXPECT_EQ(lines.find('\x1b'), std::string::npos);
  EXPECT_EQ(format("a\nb", {Diagnostic::Level::warning, {}, "x\ry"}), "a?b: warning: x?y");
}

// --- identities

template <class T>
T identity(const std::string& toml) {
  const Loaded loaded = parse("[identities.who]\n" + toml + "\n" + kApp + kProbe);
  EXPECT_TRUE(loaded.config) << said(loaded);
  if (!loaded.config) return T{};
  const T* found = std::get_if<T>(&loaded.config->identities.at("who"));
  EXPECT_NE(found, nullptr);
  return found ? *found : T{};
}

TEST(Identities, CarryTheirSecrets) {
  EXPECT_EQ(identity<BearerIdentity>("bearer = { env = 'TOKEN' }").token.reveal(), "hunter2");
  const auto basic = identity<BasicIdentity>("basic = { user = 'probe', password = { env = 'PASSWORD' } }");
  EXPECT_EQ(basic.user, "probe");
  EXPECT_EQ(basic.password.reveal(), "p\"ss&w\xc3\xb6rd");
  const auto key =
      identity<ApiKeyIdentity>("api_key = { header = 'X-API-Key', value = { file = '/run/key' } }");
  EXPECT_EQ(key.header, "X-API-Key");
  EXPECT_EQ(key.value.reveal(), "k3y");
  const auto cookie =
      identity<CookieIdentity>("[identities.who.cookie]\nname = 'session'\nvalue = { env = 'KEY' }");
  EXPECT_EQ(cookie.name, "session");
  EXPECT_EQ(cookie.value.reveal(), "k3y");
}

TEST(Identities, AJwtKeepsItsClaimsAsTheyAre) {
  const jose::TokenSource jwt = identity<JwtIdentity>(
                                    "jwt = { algorithm = 'HS512', secret = { env = 'KEY' }, claims = { sub = "
                                    "'probe', level = 3, roles = "
                                    "['admin'] } }")
                                    .token;
  EXPECT_EQ(jwt.algorithm->name, "HS512");
  EXPECT_EQ(std::get<Secret>(*jwt.key()).reveal(), "k3y");
  EXPECT_EQ(jwt.claims, R"({"sub":"probe","level":3,"roles":["admin"]})");
  EXPECT_EQ(jwt.header, "Authorization");
  EXPECT_EQ(jwt.prefix, "Bearer ");
  EXPECT_EQ(jwt.cookie, "");
  const jose::TokenSource other =
      identity<JwtIdentity>("jwt = { secret = { env = 'KEY' }, header = 'X-Token', prefix = '' }").token;
  EXPECT_EQ(other.algorithm->name, "HS256");
  EXPECT_EQ(other.claims, "{}");
  EXPECT_EQ(other.header, "X-Token");
  EXPECT_EQ(other.prefix, "");
  EXPECT_EQ(identity<JwtIdentity>("jwt = { secret = { env = 'KEY' }, cookie = 'token' }").token.cookie,
            "token");
}

struct LoginRow {
  const char* body;
  const char* sent;
  bool is_json;
};
std::ostream& operator<<(std::ostream& out, const LoginRow& row) { return out << row.body; }

class LoginBody : public testing::TestWithParam<LoginRow> {};
TEST_P(LoginBody, HasItsVariablesEscapedAsItNeedsThem) {
  const auto login = identity<LoginIdentity>(std::string("login = { path = '/login', body = '''") +
                                             GetParam().body + "''', token = '/access_token' }");
  EXPECT_EQ(login.body.reveal(), GetParam().sent);
  EXPECT_EQ(login.body_is_json, GetParam().is_json);
  EXPECT_EQ(login.path, "/login");
  EXPECT_EQ(login.token_pointer, "/access_token");
}
constexpr LoginRow kLogins[] = {
    {R"({"user":"probe","password":"${PASSWORD}"})",
     "{\"user\":\"probe\",\"password\":\"p\\\"ss&w\xc3\xb6rd\"}", true},
    {R"({"a":"$$","b":"$1","c":"$${KEY}"})", R"({"a":"$","b":"$1","c":"${KEY}"})", true},
    {"user=probe&password=${PASSWORD}", "user=probe&password=p%22ss%26w%C3%B6rd", false},
    {"${KEY}${KEY}$", "k3yk3y$", false},
    {"plain", "plain", false},
};
INSTANTIATE_TEST_SUITE_P(, LoginBody, testing::ValuesIn(kLogins));

// --- definitions

std::string definition(const std::string& toml, const FakeEnvironment& fake = environment()) {
  const Loaded loaded = parse(toml, {}, fake);
  EXPECT_TRUE(loaded.config) << said(loaded);
  return loaded.config ? loaded.config->probes.at(0).definition : "";
}

const std::string kDefined =
    "[app]\nurl = 'http://127.0.0.1:3000'\n[identities.who]\nbearer = { env = 'TOKEN' "
    "}\n[identities.other]\nbearer = { env = 'KEY' }\n"
    "[probes.a]\ntype = 'http'\npath = '/a'\nas = 'who'\n";

TEST(Definition, IsTheSameForTheSameProbeHoweverItIsWritten) {
  const std::string whole = definition(kDefined);
  EXPECT_EQ(definition("# comment\n[defaults]\ninterval = '15000ms'\n" + kDefined +
                       "method = 'get'\nseverity = 'required'\n"),
            whole);
  EXPECT_EQ(definition(kDefined + "[probes.b]\ntype = 'http'\n"), whole);
}

TEST(Definition, ChangesWithWhateverTheProbeDependsOn) {
  const std::string whole = definition(kDefined);
  const auto replaced = [](const std::string& what, const std::string& with) {
    std::string toml = kDefined;
    toml.replace(toml.find(what), what.size(), with);
    return definition(toml);
  };
  EXPECT_NE(replaced("'/a'", "'/b'"), whole);
  EXPECT_NE(replaced(":3000", ":3001"), whole);
  EXPECT_NE(replaced("as = 'who'", "as = 'other'"), whole);
  EXPECT_NE(replaced("env = 'TOKEN'", "env = 'KEY'"), whole);
  EXPECT_NE(definition("[defaults]\ninterval = '16s'\n" + kDefined), whole);
  EXPECT_NE(replaced("3000'\n", "3000'\nhost = 'h'\n"), whole);
  EXPECT_NE(replaced("3000'\n", "3000'\nforwarded = false\n"), whole);
}

TEST(Definition, ChangesWithASecretsValueAndShowsNone) {
  FakeEnvironment rotated = environment();
  rotated.variables["TOKEN"] = "hunter3";
  EXPECT_NE(definition(kDefined, rotated), definition(kDefined));
  rotated = environment();
  rotated.variables["KEY"] = "of an identity that the probe does not name";
  EXPECT_EQ(definition(kDefined, rotated), definition(kDefined));
  EXPECT_EQ(definition(kDefined).find("hunter2"), std::string::npos);
  EXPECT_LT(definition(kDefined).size(), 100u);
}

TEST(Definition, OfALoginHasTheVariablesOfItsBody) {
  const std::string toml =
      "[identities.who]\nlogin = { path = '/l', body = '${KEY}', token = '/t' }\n[probes.a]\ntype = "
      "'http'\nas = 'who'\n" +
      kApp;
  FakeEnvironment rotated = environment();
  rotated.variables["KEY"] = "another";
  EXPECT_NE(definition(toml, rotated), definition(toml));
}

TEST(Definition, OfTheAgentIsWhereItListens) {
  const auto of = [](const std::string& agent) {
    return parse("[agent]\n" + agent + kApp + kProbe).config->agent.definition;
  };
  EXPECT_EQ(of("log_level = 'warn'"), of(""));
  EXPECT_NE(of("listen = '[::]:9091'"), of(""));
}

// --- which file

const std::string kWhole = "[app]\nurl = 'http://127.0.0.1:3000'" + kProbe;

TEST(ConfigFile, IsSearchedInTheContractsOrder) {
  FakeEnvironment fake;
  fake.files["/etc/holdshort/holdshort.toml"] = {kWhole};
  EXPECT_EQ(load_config("", fake, {}).file, "/etc/holdshort/holdshort.toml");
  fake.files["holdshort.toml"] = {kWhole};
  EXPECT_EQ(load_config("", fake, {}).file, "holdshort.toml");
  fake.variables["HOLDSHORT_CONFIG"] = "/named.toml";
  fake.files["/named.toml"] = {kWhole};
  EXPECT_EQ(load_config("", fake, {}).file, "/named.toml");
  fake.files["given.toml"] = {kWhole};
  const Loaded loaded = load_config("given.toml", fake, {});
  EXPECT_EQ(loaded.file, "given.toml");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->file, "given.toml");
}

TEST(ConfigFile, OneThatCannotBeReadIsNotPassedOver) {
  FakeEnvironment fake;
  fake.files["/etc/holdshort/holdshort.toml"] = {kWhole};
  fake.files["holdshort.toml"] = {kWhole, false};
  const Loaded loaded = load_config("", fake, {});
  EXPECT_FALSE(loaded.readable);
  EXPECT_FALSE(loaded.config);
  EXPECT_EQ(said(loaded),
            "holdshort.toml: error: cannot be read: permission denied; name another file with --config or "
            "$HOLDSHORT_CONFIG");
  fake.variables["HOLDSHORT_CONFIG"] = "/named.toml";
  EXPECT_EQ(said(load_config("", fake, {})),
            "/named.toml: error: cannot be read: no such file; name another file with --config or "
            "$HOLDSHORT_CONFIG");
}

TEST(ConfigFile, WhereThereIsNoneAllPlacesAreNamed) {
  const Loaded loaded = load_config("", FakeEnvironment(), {});
  EXPECT_FALSE(loaded.readable);
  EXPECT_EQ(said(loaded),
            "holdshort.toml: error: cannot be read: no such file, nor /etc/holdshort/holdshort.toml; name "
            "another file with "
            "--config or $HOLDSHORT_CONFIG");
}

TEST(ConfigFile, MayBeAsLongAsItsBoundAndNoLonger) {
  FakeEnvironment fake;
  const std::string padded = kWhole + "#" + std::string(kMaxConfigBytes - kWhole.size() - 1, 'x');
  fake.files["holdshort.toml"] = {padded};
  EXPECT_TRUE(load_config("", fake, {}).config);
  fake.files["holdshort.toml"] = {padded + "x"};
  EXPECT_FALSE(load_config("", fake, {}).readable);
}

}  // namespace
}  // namespace holdshort
