// holdshort lint: each trap of fly.toml is found where it stands, and nothing is found where there is none.
#include "agent/lint/lint.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace holdshort::lint {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<Diagnostic> findings(std::string_view text, std::string_view companion = "") {
  return judge(text, companion.empty() ? std::nullopt : read_companion(companion)).sorted();
}

std::string told(const Diagnostic& finding) {
  return fmt::format("{}: {}: {}", finding.place.line,
                     finding.level == Diagnostic::Level::error ? "error" : "warning", finding.message);
}

std::vector<std::string> all_told(const std::vector<Diagnostic>& list) {
  std::vector<std::string> lines;
  for (const Diagnostic& finding : list) lines.push_back(told(finding));
  return lines;
}

// --- one trap a row: what is told, first line and level included, and nothing else

// A service as it should be.
const std::string kService =
    "[http_service]\n"                         // 1
    "internal_port = 8080\n"                   // 2
    "[[http_service.checks]]\n"                // 3
    "path = \"/.holdshort/readyz\"\n"          // 4
    "interval = \"10s\"\ntimeout = \"2s\"\n";  // 5, 6
// With a gate on its port.
const std::string kGate =
    "[app]\nurl = \"http://127.0.0.1:3000\"\n[gate]\nlisten = \"[::]:8080\"\n"
    "[probes.admin]\ntype = \"authentication\"\npath = \"/admin\"\n";

struct Row {
  const char* name;
  std::string fly_toml;
  std::string told;  // a part of the only finding; "" where there is none
  std::string companion = "";
};
class Lint : public testing::TestWithParam<Row> {};

const Row kRows[] = {
    {"AServiceBehindTheGateIsFine", kService, "", kGate},
    {"SyntaxErrorIsTheOnlyFinding", "[http_service\n", "1: error: "},

    // 1. A check on another port never gates routing.
    {"ServiceCheckHasNoPort", kService + "port = 9090\n",
     "7: error: flyctl drops \"port\" in [[http_service.checks]]"},
    {"ServiceCheckOfServicesHasNoPort",
     "[[services]]\ninternal_port = 80\n[[services.http_checks]]\npath = \"/\"\nport = 81\n",
     "5: error: flyctl drops \"port\" in [[services.http_checks]]"},
    {"TopLevelCheckOfHoldshortNeverRoutes",
     "[http_service]\ninternal_port = 8080\n[checks.ready]\ntype = \"http\"\nport = 9090\npath = "
     "\"/readyz\"\n",
     "3: error: [checks.ready] never keeps traffic away"},
    {"ByItsNameToo", "[http_service]\ninternal_port = 8080\n[checks.holdshort]\ntype = \"http\"\nport = 1\n",
     "3: error: [checks.holdshort] never keeps traffic away"},
    {"ByTheCompanionsPortToo",
     "[[services]]\ninternal_port = 8080\n[checks.x]\ntype = \"tcp\"\nport = 7000\n"
     "[[services.machine_checks]]\ncommand = [\"true\"]\n",
     "3: error: [checks.x] never keeps traffic away", "[agent]\nlisten = \"[::]:7000\"\n"},
    {"AnyTopLevelCheckIsWorthALook",
     "[http_service]\ninternal_port = 8080\n[checks.x]\ntype = \"http\"\nport = 8080\n",
     "3: warning: [checks.x] never keeps traffic away, it only stops a deploy"},
    {"NextToAServiceCheckItIsFine",
     kService + "[checks.holdshort]\ntype = \"http\"\nport = 9090\npath = \"/readyz\"\n", ""},
    {"OfAGroupWithoutAServiceItIsFine",
     "[processes]\nweb = \"a\"\nworker = \"b\"\n[http_service]\ninternal_port = 1\nprocesses = [\"web\"]\n"
     "[checks.x]\ntype = \"tcp\"\nport = 2\nprocesses = [\"worker\"]\n",
     ""},

    // 3. Exactly 200: a redirect is a failed check.
    {"AppThatRedirectsFailsItsCheck",
     "[env]\nFORCE_SSL = \"true\"\n[http_service]\ninternal_port = 1\nforce_https = true\n"
     "[[http_service.checks]]\npath = \"/up\"\n",
     "6: error: [[http_service.checks]] comes without Fly's proxy"},
    {"WithXForwardedProtoItPasses",
     "[env]\nFORCE_SSL = \"true\"\n[http_service]\ninternal_port = 1\nforce_https = true\n"
     "[[http_service.checks]]\npath = \"/up\"\nheaders = { x-forwarded-proto = \"https\" }\n",
     ""},
    {"TheGateDoesNotRedirect",
     "[env]\nFORCE_SSL = \"true\"\n[http_service]\nforce_https = true\ninternal_port = 1\n"
     "[[http_service.checks]]\npath = \"/.holdshort/readyz\"\n",
     ""},
    {"PathWithAHost", "[http_service]\ninternal_port = 1\n[[http_service.checks]]\npath = \"http://x/up\"\n",
     "4: error: \"path\" of a check begins with \"/\""},
    {"HeadersAsAListDoNotDeploy",
     "[http_service]\ninternal_port = 1\n[[http_service.checks]]\nheaders = [{ name = \"A\", value = \"b\" "
     "}]\n",
     "4: error: \"headers\" as a list"},

    // 6. Grace and durations.
    {"GraceOver60sIsLowered", kService + "grace_period = \"90s\"\n", "7: error: Fly lowers \"grace_period\""},
    {"GraceOf60sIsNot", kService + "grace_period = \"60s\"\n", ""},
    {"GraceOf1mIsNot", kService + "grace_period = \"1m\"\n", ""},
    {"GraceOf0IsTaken", kService + "grace_period = \"0s\"\n", ""},
    {"IntervalOver1mIsLowered", "[http_service]\n[[http_service.checks]]\ninterval = \"61s\"\n",
     "3: error: Fly lowers \"interval\""},
    {"TimeoutBelow1sIsRaised", "[http_service]\n[[http_service.checks]]\ntimeout = \"500ms\"\n",
     "3: error: Fly raises \"timeout\""},
    {"BareNumberOfAnHttpServiceIsNanoseconds", "[http_service]\n[[http_service.checks]]\ninterval = 30000\n",
     "3: error: flyctl reads \"interval\" without a unit as nanoseconds here; write \"30s\""},
    {"SoIsASmallOne", "[http_service]\n[[http_service.checks]]\ntimeout = 2\n",
     "3: error: flyctl reads \"timeout\" without a unit as nanoseconds here; write \"2s\""},
    {"BareNumberOfAServiceIsMilliseconds", "[[services]]\n[[services.tcp_checks]]\ninterval = 15000\n",
     "3: warning: flyctl reads \"interval\" without a unit as milliseconds here"},
    {"ASmallOneWasMeantInSeconds", "[[services]]\n[[services.tcp_checks]]\ninterval = 15\n",
     "3: error: flyctl reads \"interval\" without a unit as milliseconds here; write \"15s\""},
    {"BareNumberInATopLevelCheck", "[checks.x]\ntype = \"tcp\"\nport = 1\ninterval = 30\n",
     "4: error: flyctl reads \"interval\" without a unit as milliseconds here; write \"30s\""},
    {"WaitTimeoutIsNanoseconds", "[deploy]\nwait_timeout = 600\n",
     "2: error: flyctl reads \"wait_timeout\" without a unit as nanoseconds here; write \"600s\""},
    {"ReleaseCommandTimeoutToo", "[deploy]\nrelease_command_timeout = 600\n", "2: error: flyctl reads"},
    {"KillTimeoutIsSeconds", "kill_timeout = 30\n", ""},
    {"KillTimeoutHasAnEnd", "kill_timeout = \"10m\"\n", "1: error: \"kill_timeout\" is at most 300s"},
    {"KillTimeoutThatCutsAStopShort", "kill_timeout = 2\n", "1: warning: holdshort takes up to 4.5s to stop",
     "[agent]\n"},
    {"KillTimeoutThatLetsItStop", "kill_timeout = \"5s\"\n", "", "[agent]\n"},
    {"KillTimeoutIsTheAppsWithoutHoldshort", "kill_timeout = 2\n", ""},
    {"KillSignalAtWhichHoldshortDoesNotStop", "kill_signal = \"SIGUSR1\"\n",
     "1: error: at \"SIGUSR1\" holdshort neither closes the gate", "[agent]\n"},
    {"KillSignalAtWhichItStops", "kill_signal = \"SIGINT\"\n", "", "[agent]\n"},
    {"TextWithoutAUnit", "[http_service]\n[[http_service.checks]]\ninterval = \"15\"\n",
     "3: error: \"interval\" is no duration to flyctl"},
    {"ADayIsNoDuration", "[deploy]\nwait_timeout = \"1d\"\n", "2: error: \"wait_timeout\" is no duration"},
    {"TopLevelIntervalBelow2sIsRefused", "[checks.x]\ntype = \"tcp\"\nport = 1\ninterval = \"1s\"\n",
     "4: error: flyctl refuses an \"interval\" below 2s"},
    {"TopLevelTimeoutAbove60sIsRefused", "[checks.x]\ntype = \"tcp\"\nport = 1\ntimeout = \"61s\"\n",
     "4: error: flyctl refuses a \"timeout\" above 60s"},
    {"TopLevelGraceMayBeLong", "[checks.x]\ntype = \"tcp\"\nport = 1\ngrace_period = \"10m\"\n", ""},
    {"TopLevelCheckWantsAType", "[checks.x]\nport = 1\n", "1: error: flyctl wants a \"type\""},
    {"ATypeThatIsNone", "[checks.x]\nport = 1\ntype = \"script\"\n", "3: error: flyctl wants a \"type\""},
    {"TopLevelCheckWantsAPort", "[checks.x]\ntype = \"tcp\"\n", "1: error: flyctl wants a \"port\""},

    // 7. What the app does not see.
    {"StaticsOverAGuardedPath", kService + "[[statics]]\nguest_path = \"/a\"\nurl_prefix = \"/\"\n",
     "7: error: Fly serves \"/\" itself, before the app", kGate},
    {"StaticsElsewhereAreFine", kService + "[[statics]]\nguest_path = \"/a\"\nurl_prefix = \"/assets\"\n", "",
     kGate},

    // 8. Process groups.
    {"ServiceWithoutProcesses", "[processes]\nweb = \"a\"\n[http_service]\ninternal_port = 1\n",
     "3: error: flyctl refuses a service without \"processes\""},
    {"GroupThatIsNotThere",
     "[processes]\nworker = \"a\"\n[http_service]\ninternal_port = 1\nprocesses = [\"worke\"]\n",
     "5: error: there is no process group \"worke\" in [processes]; did you mean \"worker\"?"},

    // 9. Containers.
    {"ContainerUnderExperimentalIsIgnored",
     "[experimental]\nmachine_config = \"machine.json\"\ncontainer = \"app\"\n",
     "3: error: flyctl drops \"container\" in [experimental]: it belongs above the first [table]"},

    // 10. One metrics endpoint; silent typos and drops.
    {"SecondMetricsIsNeverScraped",
     "[[metrics]]\nport = 1\npath = \"/\"\n[[metrics]]\nport = 2\npath = \"/\"\n",
     "4: error: Fly reads one metrics endpoint of a Machine, the first (line 1)"},
    {"MetricsOfTwoGroupsAreFine",
     "[processes]\na = \"1\"\nb = \"2\"\n[[metrics]]\nport = 1\nprocesses = [\"a\"]\n[[metrics]]\nport = 2\n"
     "processes = [\"b\"]\n",
     ""},
    {"TypoInHttpService", "[http_service]\ninternal_prot = 8080\n",
     "2: error: flyctl drops \"internal_prot\" in [http_service], which it does not know; did you mean "
     "\"internal_port\"?"},
    {"TypoInServices", "[[services]]\nprotocoll = \"tcp\"\n", "did you mean \"protocol\"?"},
    {"TypoInACheck", kService + "grace_perod = \"5s\"\n", "7: error: flyctl drops \"grace_perod\""},
    {"TypoInVm", "[[vm]]\nmemry = \"1gb\"\n", "did you mean \"memory\"?"},
    {"TypoOfASection", "[http_servic]\ninternal_port = 1\n",
     "1: error: flyctl drops \"http_servic\", which it does not know; did you mean \"http_service\"?"},
    {"KeyOfNobody", "[holdshort]\nx = 1\n", "1: warning: flyctl drops \"holdshort\", which it does not know"},
    {"EmptyOldKeysLoseNothing",
     "[[services]]\nscript_checks = []\n[experimental]\nallowed_public_ports = []\n", ""},
    {"TopLevelKeyInATable", "[build]\nkill_timeout = 5\n",
     "2: error: flyctl drops \"kill_timeout\" in [build]: it belongs above the first [table]"},
    {"SingleBrackets", "[http_service]\ninternal_port = 1\n[http_service.checks]\npath = \"/\"\n",
     "3: error: [http_service.checks] in single brackets does not deploy"},
    {"SingleBracketsOfServicesAreTaken",
     "[[services]]\ninternal_port = 1\n[services.http_checks]\npath = \"/\"\n", ""},
    {"TcpChecksOfAnHttpService",
     "[http_service]\ninternal_port = 1\n[[http_service.tcp_checks]]\ninterval = \"5s\"\n",
     "3: error: flyctl drops \"tcp_checks\" in [http_service]"},
    {"AutostopThatDiffers",
     "[http_service]\ninternal_port = 1\nauto_stop_machines = \"stop\"\n[[services]]\ninternal_port = 2\n",
     "4: warning: auto_stop_machines is \"off\" here and \"stop\" in [http_service]"},
    {"AutostopTrueIsStop",
     "[http_service]\ninternal_port = 1\nauto_stop_machines = \"stop\"\n[[services]]\ninternal_port = 2\n"
     "auto_stop_machines = true\n",
     ""},
    {"AutostopOfOtherGroups",
     "[processes]\na = \"1\"\nb = \"2\"\n[[services]]\ninternal_port = 1\nprocesses = [\"a\"]\n[[services]]\n"
     "internal_port = 2\nprocesses = [\"b\"]\nauto_stop_machines = true\n",
     ""},
    {"SwapForbidsSuspend",
     "swap_size_mb = 512\n[http_service]\ninternal_port = 1\nauto_stop_machines = \"suspend\"\n",
     "1: warning: a Machine with swap is stopped instead of suspended"},
    {"NamesOfFly", "[env]\nFLY_REGION = \"ams\"\n", "2: warning: \"FLY_REGION\" in [env]"},

    // Deploys.
    {"MachineChecksDoNotRunInBluegreen",
     kService + "[[http_service.machine_checks]]\ncommand = [\"x\"]\n[deploy]\nstrategy = \"bluegreen\"\n",
     "7: error: machine checks do not run with strategy = \"bluegreen\""},
    {"MachineCheckWithABareAddress",
     kService +
         "[[http_service.machine_checks]]\ncommand = [\"curl\", \"http://$FLY_TEST_MACHINE_IP:8080/\"]\n",
     "8: error: FLY_TEST_MACHINE_IP is an IPv6 address"},
    {"MachineCheckWithBracketsIsFine",
     kService +
         "[[http_service.machine_checks]]\ncommand = [\"curl\", \"http://[$FLY_TEST_MACHINE_IP]:8080/\"]\n",
     ""},
    {"MachineCheckWithAnInterval",
     kService + "[[http_service.machine_checks]]\ncommand = [\"x\"]\ninterval = \"5s\"\n",
     "9: error: flyctl drops \"interval\" in [[http_service.machine_checks]]: a machine check runs once a "
     "deploy"},
    {"MachineCheckAsText", kService + "[[http_service.machine_checks]]\ncommand = \"curl x\"\n",
     "8: error: \"command\" of a machine check is a list"},
    {"BluegreenWithoutChecks", "[deploy]\nstrategy = \"bluegreen\"\n",
     "2: error: \"bluegreen\" wants a check"},
    {"CanaryWithAVolume", "[deploy]\nstrategy = \"canary\"\n[mounts]\nsource = \"a\"\ndestination = \"/a\"\n",
     "2: error: \"canary\" does not work with [mounts]"},
    {"StrategyThatIsNone", "[deploy]\nstrategy = \"roling\"\n", "did you mean \"rolling\"?"},

    // The gate.
    {"InternalPortSkipsTheGate",
     "[http_service]\ninternal_port = 3000\n[[http_service.checks]]\npath = \"/.holdshort/readyz\"\n",
     "2: error: internal_port 3000 skips the gate, which listens on 8080", kGate},
    {"ServiceSkipsTheGate",
     "[[services]]\ninternal_port = 3000\n[[services.http_checks]]\npath = \"/.holdshort/readyz\"\n",
     "2: error: internal_port 3000 skips the gate", kGate},
    {"NoServiceOnTheGate", "[[services]]\ninternal_port = 5000\n[[services.tcp_checks]]\ninterval = \"5s\"\n",
     "1: error: no service has internal_port = 8080", kGate},
    {"AnotherServiceBesideTheGateIsFine", kService + "[[services]]\ninternal_port = 5000\n", "", kGate},
    {"TheAgentIsNotForThePublic",
     "[http_service]\ninternal_port = 9090\n[[http_service.checks]]\npath = \"/readyz\"\n",
     "2: error: internal_port 9090 is [agent].listen", "[agent]\nlog_level = \"info\"\n"},
    {"GateWithoutACheck", "[http_service]\ninternal_port = 8080\n",
     "1: error: [http_service] has no HTTP check: the gate's port is open whether the Machine is ready or "
     "not",
     kGate},
    {"GateWithATcpCheck", "[[services]]\ninternal_port = 8080\n[[services.tcp_checks]]\ninterval = \"5s\"\n",
     "1: error: [[services]] has no HTTP check", kGate},
    {"GateWithAMisspeltHealthPath",
     "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\npath = \"/holdshort/readyz\"\n",
     "4: error: the gate answers \"/.holdshort/readyz\"", kGate},
    {"GateWithThePathOfTheApp",
     "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\npath = \"/up\"\n",
     "4: warning: \"/up\" asks the app through the gate", kGate},
    {"GateWithBothPathsIsFine", kService + "[[http_service.checks]]\npath = \"/up\"\n", "", kGate},
    {"GateWithAHealthPathOfItsOwn",
     "[http_service]\ninternal_port = 8080\n[[http_service.checks]]\npath = \"/ok\"\n", "",
     "[gate]\nlisten = \"0.0.0.0:8080\"\nhealth_path = \"/ok\"\n"},
    {"NoGateAndNoCheck", "[http_service]\ninternal_port = 3000\n",
     "1: error: [http_service] has no check: whatever holdshort sees, Fly routes to this Machine",
     "[agent]\nlog_level = \"info\"\n"},
    {"NoGateButACheckOfTheApp",
     "[http_service]\ninternal_port = 3000\n[[http_service.checks]]\npath = \"/up\"\n", "",
     "[agent]\nlog_level = \"info\"\n"},
    {"OnlyAtDeploys",
     "[http_service]\ninternal_port = 3000\n[[http_service.machine_checks]]\ncommand = [\"holdshort\", "
     "\"check\"]\n",
     "", "[agent]\nlog_level = \"info\"\n"},
};

TEST_P(Lint, TellsItWithItsLineAndNothingElse) {
  const Row& row = GetParam();
  const std::vector<std::string> told = all_told(findings(row.fly_toml, row.companion));
  if (row.told.empty()) {
    EXPECT_THAT(told, IsEmpty());
    return;
  }
  ASSERT_EQ(told.size(), 1u) << testing::PrintToString(told);
  EXPECT_THAT(told.front(), HasSubstr(row.told));
}
INSTANTIATE_TEST_SUITE_P(Table, Lint, testing::ValuesIn(kRows),
                         [](const auto& instance) { return std::string(instance.param.name); });

// --- [env]

struct EnvRow {
  const char* name;
  const char* variable;
  const char* value;
  const char* told;  // "" where it is no secret
};
class LintEnv : public testing::TestWithParam<EnvRow> {};

const EnvRow kEnvRows[] = {
    {"RandomKey", "SESSION_KEY", "k7Jd92mXqPz4Lw8sVb3nRt6Y", "holds a secret"},
    {"HexSecret", "JWT_SECRET", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c", "holds a secret"},
    {"RailsKeyBase", "SECRET_KEY_BASE", "7c1d9e0f3b5a48d2a6c4e8f01b2d3c4e5f60718293a4b5c6", "holds a secret"},
    {"Placeholder", "JWT_SECRET", "changeme", "holds a placeholder"},
    {"PlaceholderInWords", "API_KEY", "your-api-key-here", "holds a placeholder"},
    {"ShortPassword", "SMTP_PASSWORD", "blue42horse", "holds a password"},
    {"PasswordInAUrl", "DATABASE_URL", "postgres://app:hunter22@db.internal:5432/app",
     "a URL with a password"},
    {"PasswordInAUrlOfAnyName", "CACHE", "redis://default:9sHf72kQpLmN@fly-x.upstash.io:6379",
     "a URL with a password"},
    {"StripeKeyOfAnyName", "STRIPE", "sk_live_51Hq8s7d6f5g4h3j2k1l0q9w8",
     "prefix is that of an access token"},
    {"GithubToken", "GH", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "prefix is that of an access token"},
    {"PrivateKey", "SIGNER", "-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----",
     "a private key"},
    {"UrlWithoutAPassword", "DATABASE_URL", "postgres://db.internal:5432/app", ""},
    {"SqliteUrl", "DATABASE_URL", "sqlite:///data/production.sqlite3", ""},
    {"Switch", "USE_API_KEY", "true", ""},
    {"Number", "MAX_TOKEN", "4096", ""},
    {"Path", "TLS_KEY", "/etc/ssl/private/app.key", ""},
    {"NameOfAFile", "SECRET_FILE", "k7Jd92mXqPz4Lw8sVb3nRt6Y", ""},
    {"PublicKey", "PUBLIC_KEY", "k7Jd92mXqPz4Lw8sVb3nRt6Y", ""},
    {"PublishableKey", "STRIPE_PUBLISHABLE_KEY", "pk_live_51Hq8s7d6f5g4h3j2k1l0q9w8", ""},
    {"KeyOfThePage", "VITE_MAPS_KEY", "k7Jd92mXqPz4Lw8sVb3nRt6Y", ""},
    {"Empty", "API_KEY", "", ""},
    {"ShortWord", "PARTITION_KEY", "tenant", ""},
    {"ColumnName", "SORT_KEY", "created_at_descending", ""},
    {"RandomOfAnotherName", "BUILD_ID", "9f86d081884c7d659a2feaa0c55ad015", ""},
    {"Host", "SECRET_HOST", "vault.example.com", ""},
};
TEST_P(LintEnv, KnowsASecretFromASetting) {
  const EnvRow& row = GetParam();
  const std::vector<std::string> told =
      all_told(findings(fmt::format("[env]\n{} = \"{}\"\n", row.variable, row.value)));
  if (std::string_view(row.told).empty()) {
    EXPECT_THAT(told, IsEmpty());
    return;
  }
  ASSERT_EQ(told.size(), 1u) << testing::PrintToString(told);
  EXPECT_THAT(told.front(), HasSubstr(row.told));
  EXPECT_THAT(told.front(), testing::StartsWith("2: error: "));
  EXPECT_THAT(told.front(), HasSubstr(fmt::format("fly secrets set {}=", row.variable)));
  EXPECT_THAT(told.front(), Not(HasSubstr(row.value)));
}
INSTANTIATE_TEST_SUITE_P(Table, LintEnv, testing::ValuesIn(kEnvRows),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(LintBuild, ASecretBuildArgumentStaysInTheImage) {
  EXPECT_THAT(all_told(findings("[build.args]\nNPM_TOKEN = \"k7Jd92mXqPz4Lw8sVb3nRt6Y\"\n")).at(0),
              HasSubstr("stays in the image"));
}

// --- whole files in the style of Fly's documentation: every finding stands in a comment on its line

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::map<int, std::string> announced_in(const std::string& text) {
  std::map<int, std::string> announced;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    for (const std::string_view level : {"error: ", "warning: "})
      if (const std::size_t at = line.find("  # " + std::string(level)); at != std::string::npos)
        announced[number] = line.substr(at + 4);
  }
  return announced;
}

TEST(LintSamples, HaveTheFindingsOfTheirCommentsAndNoOther) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(HOLDSHORT_SOURCE_DIR "/tests/fly_toml")) {
    SCOPED_TRACE(entry.path().filename().string());
    ++files;
    const std::string text = read(entry.path());
    std::map<int, std::string> announced = announced_in(text);
    for (const Diagnostic& finding : findings(text)) {
      const std::string announcement = announced[finding.place.line];
      announced.erase(finding.place.line);
      const std::size_t colon = announcement.find(": ");
      ASSERT_NE(colon, std::string::npos) << "unexpected: " << told(finding);
      EXPECT_THAT(told(finding), HasSubstr(announcement.substr(0, colon)));
      EXPECT_THAT(told(finding), HasSubstr(announcement.substr(colon + 2)));
    }
    EXPECT_TRUE(announced.empty()) << "not found: " << announced.begin()->second;
  }
  EXPECT_GE(files, 15);
}

// --- what we tell users to copy

TEST(LintDeploy, EveryExampleIsFaultlessNextToItsHoldshortToml) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(HOLDSHORT_SOURCE_DIR "/fly/deploy")) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("fly") || entry.path().extension() != ".toml") continue;
    SCOPED_TRACE(entry.path().string());
    ++files;
    const std::string companion = read(entry.path().parent_path() / "holdshort.toml");
    ASSERT_TRUE(read_companion(companion));
    EXPECT_THAT(all_told(findings(read(entry.path()), companion)), IsEmpty());
  }
  EXPECT_EQ(files, 5);
}

TEST(LintDeploy, TheMachineConfigurationIsJsonWhoseChecksCountSeconds) {
  const auto json = nlohmann::json::parse(read(HOLDSHORT_SOURCE_DIR "/fly/deploy/containers/machine.json"));
  for (const auto& container : json["containers"])
    for (const auto& check : container.value("healthchecks", nlohmann::json::array()))
      for (const char* field : {"interval", "timeout", "grace_period"}) EXPECT_LE(check[field], 60);
}

}  // namespace
}  // namespace holdshort::lint
