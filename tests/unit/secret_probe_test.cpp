// The secret probe's outcomes, check by check. The value that is in order everywhere is kGood.
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/config/toml.h"
#include "probes/kit/crypto.h"
#include "probes/kit/secret_parts.h"
#include "probes/secret/committed.h"
#include "probes/secret/secret.h"
#include "tests/support/fake_environment.h"
#include "tests/support/private_keys.h"
#include "tests/support/random_secrets.h"
#include "tests/support/run_probe.h"

namespace holdshort {
namespace {

using secret_probe::File;
using secret_probe::ProcessVariable;
using secret_probe::Settings;
using secret_probe::Variable;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_support::FakeEnvironment;
using testing_support::find;
using testing_support::Stage;

const std::string kGood = "t2Zq8mVb4Xw9Lk3Rj7Nc5Ps1Hd6Fy0Gu";
const std::string kOther = "9fK2xQ7vB4mZ8sT1wR6yL3nD5aG0hJcE";

ProbeOutcome run(const Settings& settings, const FakeEnvironment& environment, Pace pace = Pace::whole) {
  Stage stage(
      [](const testing_support::Sent&) -> Response { throw std::logic_error("nothing is to be sent"); },
      environment);
  stage.pace = pace;
  return stage.run(*secret_probe::make_probe(settings));
}

// Of JWT_SECRET with that value.
ProbeOutcome run_with(const std::string& value, Settings settings = {.source = Variable{"JWT_SECRET"}}) {
  FakeEnvironment environment;
  environment.variables["JWT_SECRET"] = value;
  return run(settings, environment);
}

Outcome outcome_of(const ProbeOutcome& outcome, std::string_view id) {
  const Check* check = find(outcome, id);
  if (!check) throw std::runtime_error("no check " + std::string(id));
  return check->outcome;
}

std::vector<std::string> failed(const ProbeOutcome& outcome) {
  std::vector<std::string> ids;
  for (const Check& check : outcome.checks)
    if (check.outcome == Outcome::fail) ids.push_back(check.id);
  return ids;
}

// --- what is in order

TEST(SecretProbe, ARandomValuePassesWithoutARequest) {
  const ProbeOutcome outcome = run_with(kGood);
  EXPECT_EQ(outcome.outcome(), Outcome::pass);
  EXPECT_EQ(outcome.requests, 0);
  std::vector<std::string> ids;
  for (const Check& check : outcome.checks) {
    ids.push_back(check.id);
    EXPECT_EQ(check.request, "");
    EXPECT_THAT(check.references, Not(IsEmpty()));
  }
  EXPECT_THAT(ids,
              ElementsAre("secret.present", "secret.not_placeholder", "secret.not_published",
                          "secret.not_test_key", "secret.well_formed", "secret.length", "secret.entropy"));
}

TEST(SecretProbe, WhatGeneratorsMakePassesAtTheDefaults) {
  for (const auto& generator : testing_support::generators()) {
    testing_support::Random random(20261125);
    for (int i = 0; i < 50; ++i) {
      const std::string value = generator.make(random);
      ASSERT_EQ(run_with(value).summary(), "7 checks passed") << generator.name << ": " << value;
    }
  }
}

TEST(SecretProbe, RawBytesInAFilePass) {
  testing_support::Random random(5);
  for (int i = 0; i < 1000; ++i) {
    FakeEnvironment environment;
    environment.files["/run/key"] = {testing_support::random_bytes(random, 32)};
    ASSERT_EQ(run({.source = File{"/run/key"}}, environment).outcome(), Outcome::pass)
        << crypto::hex(environment.files["/run/key"].contents);
  }
}

// --- where it is

TEST(SecretProbe, AMissingOrEmptyVariableFails) {
  const FakeEnvironment nothing;
  const ProbeOutcome missing = run({.source = Variable{"JWT_SECRET"}}, nothing);
  EXPECT_THAT(failed(missing), ElementsAre("secret.present"));
  EXPECT_EQ(missing.summary(), "JWT_SECRET is not set; set it: fly secrets set JWT_SECRET=...");
  for (const std::string value : {"", "  ", "\n", "\"\"", "' '"})
    EXPECT_THAT(failed(run_with(value)), ElementsAre("secret.present")) << '[' << value << ']';
}

TEST(SecretProbe, AFilesFinalNewlineIsNotPartOfItsValue) {
  FakeEnvironment environment;
  for (const std::string end : {"", "\n", "\r\n"}) {
    environment.files["/run/key"] = {kGood + end};
    EXPECT_EQ(run({.source = File{"/run/key"}, .min_length = kGood.size()}, environment).outcome(),
              Outcome::pass);
    EXPECT_EQ(outcome_of(run({.source = File{"/run/key"}, .min_length = kGood.size() + 1}, environment),
                         "secret.length"),
              Outcome::fail);
  }
  environment.files["/run/key"] = {kGood + "\n\n"};
  EXPECT_THAT(failed(run({.source = File{"/run/key"}}, environment)), ElementsAre("secret.well_formed"));
}

TEST(SecretProbe, AMissingOrEmptyFileFailsAndAnUnreadableOneIsInconclusive) {
  FakeEnvironment environment;
  const Settings settings{.source = File{"/run/key"}};
  EXPECT_EQ(run(settings, environment).outcome(), Outcome::fail);
  environment.files["/run/key"] = {"\n"};
  EXPECT_EQ(run(settings, environment).outcome(), Outcome::fail);
  environment.files["/run/key"] = {kGood, false};
  EXPECT_EQ(run(settings, environment).outcome(), Outcome::inconclusive);
  EXPECT_EQ(run(settings, environment).summary(),
            "the secret's file /run/key cannot be read: permission denied");
  environment.files["/run/key"] = {std::string(secret_probe::kMaxSecretBytes, 'a') + kGood};
  EXPECT_EQ(run(settings, environment).outcome(), Outcome::inconclusive);
}

Process node(int pid) { return {pid, "node", {"node", "/app/dist/server.js"}}; }
const Settings kOfNode{.source = ProcessVariable{"node", "JWT_SECRET"}};

TEST(SecretProbe, TheRunningAppsValueIsJudged) {
  FakeEnvironment environment;
  environment.variables["JWT_SECRET"] = kGood;
  environment.running = {
      {node(12), std::vector<std::string>{"PATH=/bin", "JWT_SECRET=" + kGood, "JWT_SECRET=changeme"}}};
  EXPECT_EQ(run(kOfNode, environment).outcome(), Outcome::pass);
  environment.running[0].second = std::vector<std::string>{"JWT_SECRET=changeme-changeme"};
  const ProbeOutcome outcome = run(kOfNode, environment);
  EXPECT_EQ(outcome.outcome(), Outcome::fail);
  EXPECT_THAT(outcome.summary(), HasSubstr("JWT_SECRET of node (PID 12) is a placeholder"));
}

TEST(SecretProbe, AnAppStartedWithoutItFails) {
  FakeEnvironment environment;
  environment.running = {{node(12), std::vector<std::string>{"PATH=/bin", "XJWT_SECRET=" + kGood}}};
  EXPECT_EQ(run(kOfNode, environment).summary(), "JWT_SECRET is not set in the environment of node (PID 12)");
  environment.variables["JWT_SECRET"] = kGood;
  EXPECT_EQ(run(kOfNode, environment).summary(),
            "JWT_SECRET is set on the Machine, but node (PID 12) was started without it");
  EXPECT_EQ(run(kOfNode, environment).outcome(), Outcome::fail);
}

TEST(SecretProbe, AProcessThatCannotBeSeenIsInconclusive) {
  FakeEnvironment environment;
  EXPECT_EQ(run(kOfNode, environment).outcome(), Outcome::inconclusive);
  EXPECT_THAT(run(kOfNode, environment).summary(), HasSubstr("no process named node is running"));
  environment.running = {{node(12), failure("permission denied")}};
  EXPECT_EQ(run(kOfNode, environment).outcome(), Outcome::inconclusive);
  EXPECT_THAT(run(kOfNode, environment).summary(), HasSubstr("as the same user or as root"));
  // Ended between being listed and being read.
  environment.running = {{node(12), failure(std::string(kNoSuchFile))}};
  EXPECT_THAT(run(kOfNode, environment).summary(), HasSubstr("no process named node is running"));
  // nginx, puma and postgres write what `ps` shows over their environment.
  for (const std::vector<std::string>& overwritten :
       {std::vector<std::string>{}, {"", ""}, {"er process", "", "LANG=C"}}) {
    environment.running = {{node(12), overwritten}};
    EXPECT_EQ(run(kOfNode, environment).outcome(), Outcome::inconclusive);
  }
}

TEST(SecretProbe, TheWorstOfSeveralProcessesCounts) {
  FakeEnvironment environment;
  const std::vector<std::string> good{"JWT_SECRET=" + kGood}, bad{"JWT_SECRET=changeme-changeme"};
  environment.running = {{node(12), good}, {node(13), good}};
  EXPECT_EQ(run(kOfNode, environment).checks.size(), 7u);  // the same value is judged once
  environment.running.push_back({node(14), bad});
  EXPECT_EQ(run(kOfNode, environment).outcome(), Outcome::fail);
  environment.running[2].second = failure("permission denied");
  EXPECT_EQ(run(kOfNode, environment).outcome(), Outcome::inconclusive);
  environment.running[2].second = failure(std::string(kNoSuchFile));
  EXPECT_EQ(run(kOfNode, environment).outcome(), Outcome::pass);
}

TEST(SecretProbe, MoreProcessesThanItLooksAtAreInconclusive) {
  FakeEnvironment environment;
  for (int i = 0; i < static_cast<int>(secret_probe::kMaxProcesses); ++i)
    environment.running.push_back({node(100 + i), std::vector<std::string>{"JWT_SECRET=" + kGood}});
  EXPECT_EQ(run(kOfNode, environment).outcome(), Outcome::pass);
  environment.running.push_back({node(99), std::vector<std::string>{"JWT_SECRET=" + kGood}});
  EXPECT_EQ(run(kOfNode, environment).outcome(), Outcome::inconclusive);
}

struct Named {
  Process process;
  std::string name;
  bool is_it;
};
TEST(SecretProbe, AProcessGoesByItsCommandItsProgramOrItsScript) {
  const Named rows[] = {
      {{1, "node", {"node", "/app/server.js"}}, "node", true},
      {{1, "node", {"node", "/app/server.js"}}, "server.js", true},
      {{1, "node", {"node", "--inspect", "-r", "dotenv/config", "server.js"}}, "server.js", true},
      {{1, "node", {"node", "--inspect", "-r", "dotenv/config", "server.js"}}, "config", false},
      {{1, "MainThread", {"/usr/local/bin/node", "server.js"}}, "node", true},
      {{1, "python3.11", {"/usr/bin/python3.11", "-m", "gunicorn", "app:app"}}, "gunicorn", true},
      {{1, "gunicorn", {"gunicorn: master [app:app]"}}, "gunicorn", true},
      {{1, "ruby", {"puma 6.4.0 (tcp://0.0.0.0:3000)", ""}}, "puma", true},
      {{1, "a-name-longer-t", {"/opt/a-name-longer-than-comm"}}, "a-name-longer-than-comm", true},
      {{1, "orders", {"/app/orders"}}, "orders", true},
      {{1, "vim", {"vim", "server.js"}}, "server.js", false},
      {{1, "nodemon", {"nodemon", "server.js"}}, "node", false},
      {{1, "nodemon", {"nodemon", "server.js"}}, "server.js", false},
      // A kernel thread, or one that waits to be reaped.
      {{1, "node", {}}, "node", false},
      {{1, "node", {""}}, "node", false},
  };
  for (const Named& row : rows)
    EXPECT_EQ(secret_probe::goes_by(row.process, row.name), row.is_it) << row.process.name << ' ' << row.name;
}

// --- what it is

struct Flaw {
  std::string value;
  std::string id;  // of the first check that fails
};
TEST(SecretProbe, AFlawFailsItsCheck) {
  const Flaw rows[] = {
      {"please-change-me-please-change-me-please", "secret.not_placeholder"},
      {"changemechangemechangeme", "secret.not_placeholder"},
      {"my-super-secret-jwt-key-2024", "secret.not_placeholder"},
      {"secretsecretsecretsecret", "secret.not_placeholder"},
      {"aaaaaaaaaaaaaaaaaaaaaaaa", "secret.not_placeholder"},
      {"${JWT_SECRET}", "secret.not_placeholder"},
      {"<your-secret-here>", "secret.not_placeholder"},
      {"JWT_SECRET", "secret.not_placeholder"},
      {crypto::base64("changeme-changeme-changeme"), "secret.not_placeholder"},
      {"ThisIsMyVeryLongSuperSecretProductionJwtKey", "secret.not_placeholder"},
      {"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7", "secret.not_published"},
      {"gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr9C", "secret.not_published"},
      {"sk_test_t2Zq8mVb4Xw9Lk3Rj7Nc5Ps1", "secret.not_test_key"},
      {"t2Zq8mVb4Xw9Lk3", "secret.length"},
      {"12345678901234567890123456789012", "secret.not_placeholder"},
      {"abcdefghijklmnopqrstuvwxyz123456", "secret.not_placeholder"},
      {"0123456789abcdef0123456789abcdef", "secret.entropy"},
      {"deadbeefdeadbeefdeadbeefdeadbeef", "secret.entropy"},
      {"acme-orders-api-2024", "secret.entropy"},
      {"purple-monkey-dishwasher-lamp", "secret.entropy"},
      {"Password123!Password123!", "secret.entropy"},
      {"  " + kGood, "secret.well_formed"},
      {kGood + "\n", "secret.well_formed"},
      {kGood + "\r", "secret.well_formed"},
      {'"' + kGood + '"', "secret.well_formed"},
      {"\xEF\xBB\xBF" + kGood, "secret.well_formed"},
      {kGood + std::string(1, '\0'), "secret.well_formed"},
      {"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----", "secret.well_formed"},
  };
  for (const Flaw& row : rows) {
    const ProbeOutcome outcome = run_with(row.value);
    ASSERT_EQ(outcome.outcome(), Outcome::fail) << row.value;
    EXPECT_EQ(outcome.worst()->id, row.id) << row.value;
    EXPECT_THAT(outcome.summary(), HasSubstr("JWT_SECRET")) << row.value;
  }
}

TEST(SecretProbe, APlaceholderInQuotesIsNotOnlyAQuotingMistake) {
  EXPECT_EQ(run_with("\"changeme-changeme\"\n").worst()->id, "secret.not_placeholder");
}

TEST(SecretProbe, TheMinimaAreInclusiveAndCanBeMoved) {
  const std::string digits = "8301947562830174";  // 53 bits
  Settings settings{.source = Variable{"JWT_SECRET"}, .min_length = kGood.size(), .min_entropy_bits = 180};
  EXPECT_EQ(run_with(kGood, settings).outcome(), Outcome::pass);
  settings.min_length = kGood.size() + 1;
  EXPECT_THAT(failed(run_with(kGood, settings)), ElementsAre("secret.length"));
  settings = {.source = Variable{"JWT_SECRET"}, .min_entropy_bits = 200};
  EXPECT_THAT(failed(run_with(kGood, settings)), ElementsAre("secret.entropy"));
}

TEST(SecretProbe, DeniedValuesAreComparedWholeWhateverTheirCaseAndSeparators) {
  const Settings settings{.source = Variable{"JWT_SECRET"}, .deny = {"staging-" + kGood, "x+y"}};
  EXPECT_EQ(outcome_of(run_with(kGood, settings), "secret.not_denied"), Outcome::pass);
  for (const std::string& value : {"staging-" + kGood, "STAGING_" + kGood, "\"staging." + kGood + "\"",
                                   crypto::base64("staging-" + kGood)})
    EXPECT_THAT(failed(run_with(value, settings)), testing::Contains("secret.not_denied")) << value;
}

TEST(SecretProbe, TestKeysPassOnlyWhereTheyAreAllowed) {
  Settings settings{.source = Variable{"JWT_SECRET"}, .allow_test_keys = true};
  EXPECT_EQ(run_with("sk_test_t2Zq8mVb4Xw9Lk3Rj7Nc5Ps1", settings).outcome(), Outcome::pass);
  EXPECT_EQ(run_with("sk_test_"
                     "4eC39HqLyjWDarjtT1zdp7dc",
                     settings)
                .worst()
                ->id,
            "secret.not_published");
}

TEST(SecretProbe, DocumentsMayEndWithANewline) {
  EXPECT_EQ(run_with(testing_support::ec_pem()).outcome(), Outcome::pass);
  EXPECT_EQ(run_with("{\"type\":\"service_account\",\"private_key_id\":\"" + kGood + "\"}\n").outcome(),
            Outcome::pass);
}

TEST(SecretProbe, APrivateKeyIsAsStrongAsItsAlgorithm) {
  const std::string pem = testing_support::rsa_pem(2048);
  EXPECT_EQ(run_with(pem).outcome(), Outcome::pass);
  EXPECT_EQ(run_with(crypto::base64(pem)).outcome(), Outcome::pass);
  const ProbeOutcome weak = run_with(testing_support::rsa_pem(1024));
  EXPECT_THAT(failed(weak), ElementsAre("secret.entropy"));
  EXPECT_THAT(weak.summary(), HasSubstr("a private key of 1024 bits"));
  const ProbeOutcome sealed = run_with(testing_support::rsa_pem(1024, "a passphrase"));
  EXPECT_EQ(outcome_of(sealed, "secret.entropy"), Outcome::skipped);
  EXPECT_EQ(sealed.outcome(), Outcome::pass);
}

TEST(SecretProbe, OfAUrlThePasswordIsJudged) {
  struct Row {
    std::string value;
    std::string id;  // of the first check that fails, "" for a pass
  };
  const Row rows[] = {
      {"postgres://app:t2Zq8mVb4Xw9Lk3@db.flycast:5432/app?sslmode=disable", ""},
      {"postgres://app:t2Zq8mVb4Xw9Lk3@localhost/example.com", ""},
      {"postgresql+psycopg2://app:t2Zq%2F8mVb4Xw9%40Lk3@db/app", ""},
      {"redis://:t2Zq8mVb4Xw9Lk3@cache:6379", ""},
      {"jdbc:postgresql://db/app?user=app&password=t2Zq8mVb4Xw9Lk3", ""},
      {"Server=db;User Id=app;Password=t2Zq8mVb4Xw9Lk3;Encrypt=true", ""},
      {"https://hooks.slack.com/services/T02A9/B0E8G/X8mitYetsO9EpxPcWFSmda2k", ""},
      {"https://89587200489e4d1f71963368980c40a0@o44.ingest.sentry.io/54", ""},
      {"postgres://postgres:postgres@production-database.internal/orders", "secret.not_placeholder"},
      {"https://app:SW2YcwTIb9zpOOhoPsMm@grafana.internal/api", "secret.not_published"},
      {"postgres://user:password@production-database.internal/orders", "secret.not_placeholder"},
      {"postgres://app:${DB_PASSWORD}@production-database.internal/orders", "secret.not_placeholder"},
      {"postgres://app:%24%7BDB_PASSWORD%7D@production-database.internal/orders", "secret.not_placeholder"},
      {"postgres://ordersapp17:ordersapp17@production-database.internal/orders", "secret.not_placeholder"},
      {"postgres://app:summer-2024@production-database.internal/orders", "secret.entropy"},
      {"amqp://guest:guest@production-queue.internal", "secret.not_placeholder"},
      {"Server=production-database.internal;Password=changeme", "secret.not_placeholder"},
      {"redis://production-cache.internal:6379/0", "secret.present"},
      {"postgres://app@production-database.internal/orders", "secret.present"},
      {"mongodb+srv://app:@production-database.internal/orders", "secret.present"},
      {"https://production-api.internal/", "secret.present"},
      {"https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
       "secret.not_placeholder"},
  };
  for (const Row& row : rows) {
    const ProbeOutcome outcome = run_with(row.value);
    const std::string first_failed = outcome.outcome() == Outcome::pass ? "" : outcome.worst()->id;
    EXPECT_EQ(first_failed, row.id) << row.value << ": " << outcome.summary();
  }
  EXPECT_THAT(run_with("postgres://app:summer-2024@production-database.internal/orders").summary(),
              HasSubstr("the password in JWT_SECRET"));
}

// --- where it must not be

const Settings kSearched{.source = Variable{"JWT_SECRET"}, .not_in_files = {"/app/.env", "/app/src"}};

TEST(SecretProbe, AValueInAListedFileFailsHoweverItIsWritten) {
  const std::string value = "t2Zq8\"mVb4/Xw9+Lk3\\Rj7 Nc5";
  FakeEnvironment environment;
  environment.variables["JWT_SECRET"] = value;
  for (const std::string& form :
       {value, crypto::base64(value), crypto::base64(value + "\n"), crypto::base64url(value),
        crypto::hex(value), std::string("74325A7138226D5662342F5877392B4C6B335C526A37204E6335"),
        std::string("t2Zq8%22mVb4%2FXw9%2BLk3%5CRj7%20Nc5"),
        std::string("t2Zq8\\\"mVb4/Xw9+Lk3\\\\Rj7 Nc5")}) {
    environment.files = {{"/app/.env", {"PORT=80\n"}}, {"/app/src/a/b.js", {"const k = '" + form + "';"}}};
    const ProbeOutcome outcome = run(kSearched, environment);
    EXPECT_THAT(failed(outcome), ElementsAre("secret.not_committed")) << form;
    EXPECT_THAT(outcome.summary(), HasSubstr("JWT_SECRET stands in /app/src/a/b.js")) << form;
  }
  environment.files = {
      {"/app/.env", {"PORT=80\n"}}, {"/app/src/a/b.js", {value.substr(1)}}, {"/app/other", {value}}};
  EXPECT_EQ(run(kSearched, environment).outcome(), Outcome::pass);
}

TEST(SecretProbe, AUrlsPasswordAndAPrivateKeysBodyAreSearchedForToo) {
  FakeEnvironment environment;
  environment.variables["JWT_SECRET"] = "postgres://app:" + kGood + "@db/app";
  environment.files = {{"/app/.env", {"PGPASSWORD=" + kGood}}};
  EXPECT_EQ(outcome_of(run(kSearched, environment), "secret.not_committed"), Outcome::fail);

  const std::string pem = testing_support::rsa_pem(2048);
  std::string one_line = pem;
  for (std::size_t at = one_line.find('\n'); at != one_line.npos; at = one_line.find('\n', at))
    one_line.replace(at, 1, "\\n");
  environment.variables["JWT_SECRET"] = one_line;
  environment.files = {{"/app/src/key.pem", {pem}}};
  EXPECT_EQ(outcome_of(run(kSearched, environment), "secret.not_committed"), Outcome::fail);
}

TEST(SecretProbe, AListedPathThatDoesNotExistHoldsNothingUnlessItsFolderDoesNotExistEither) {
  FakeEnvironment environment;
  environment.variables["JWT_SECRET"] = kGood;
  environment.files = {{"/app/server.js", {"..."}}};
  EXPECT_EQ(run(kSearched, environment).outcome(), Outcome::pass);
  Settings settings{.source = Variable{"JWT_SECRET"}, .not_in_files = {".env"}};
  EXPECT_EQ(run(settings, environment).outcome(), Outcome::pass);
  settings.not_in_files = {"/srv/.env"};
  EXPECT_EQ(run(settings, environment).outcome(), Outcome::inconclusive);
  EXPECT_THAT(run(settings, environment).summary(), HasSubstr("neither /srv/.env nor its folder exists"));
}

TEST(SecretProbe, WhatCannotBeSearchedIsInconclusiveUnlessItIsFoundElsewhere) {
  FakeEnvironment environment;
  environment.variables["JWT_SECRET"] = kGood;
  environment.files = {{"/app/.env", {"", false}}, {"/app/src/a.js", {"..."}}};
  EXPECT_EQ(run(kSearched, environment).outcome(), Outcome::inconclusive);
  EXPECT_THAT(run(kSearched, environment).summary(), HasSubstr("/app/.env: permission denied"));
  environment.files["/app/src/a.js"] = {kGood};
  EXPECT_EQ(run(kSearched, environment).outcome(), Outcome::fail);
}

TEST(SecretProbe, ASearchIsBoundedInFilesAndBytes) {
  FakeEnvironment environment;
  environment.variables["JWT_SECRET"] = kGood;
  for (std::size_t i = 0; i < secret_probe::kMaxFiles; ++i)
    environment.files["/app/src/" + std::to_string(i)] = {"..."};
  EXPECT_EQ(run(kSearched, environment).outcome(), Outcome::pass);
  environment.files["/app/.env"] = {"..."};
  EXPECT_EQ(run(kSearched, environment).outcome(), Outcome::inconclusive);

  environment.files = {{"/app/src/a", {std::string(secret_probe::kMaxFileBytes, 'a')}}};
  EXPECT_EQ(run(kSearched, environment).outcome(), Outcome::pass);
  environment.files = {{"/app/src/a", {std::string(secret_probe::kMaxFileBytes + 1, 'a')}}};
  EXPECT_EQ(run(kSearched, environment).outcome(), Outcome::inconclusive);
}

// The same 4 MiB for every file, so that the test does not need what it forbids.
class BigTree final : public Environment {
 public:
  explicit BigTree(std::size_t files) : files_(files) {}
  std::optional<std::string> variable(std::string_view) const override { return kGood; }
  Result<std::string> read_file(const std::string&, std::size_t max_bytes) const override {
    if (max_bytes < secret_probe::kMaxFileBytes)
      return failure("longer than " + std::to_string(max_bytes) + " bytes");
    return std::string(secret_probe::kMaxFileBytes, 'a');
  }
  Result<std::string> read_start(const std::string&, std::size_t) const override { return failure("none"); }
  Result<std::vector<std::string>> list_files(const std::string&, std::size_t) const override {
    return std::vector<std::string>(files_, "/app/src/a");
  }
  std::vector<Process> processes() const override { return {}; }
  Result<std::vector<std::string>> process_environment(int) const override { return failure("none"); }
  Result<std::vector<std::uint64_t>> process_sockets(int) const override { return failure("none"); }

 private:
  std::size_t files_;
};
TEST(SecretProbe, ASearchIsBoundedInAll) {
  constexpr std::size_t kFit = secret_probe::kMaxTotalBytes / secret_probe::kMaxFileBytes;
  const std::vector<std::string> forms{kGood};
  EXPECT_EQ(secret_probe::search_files(BigTree(kFit), {"/app/src"}, forms, "").unseen, "");
  EXPECT_NE(secret_probe::search_files(BigTree(kFit + 1), {"/app/src"}, forms, "").unseen, "");
}

TEST(SecretProbe, TheSecretsOwnFileIsNotSearched) {
  FakeEnvironment environment;
  environment.files = {{"/run/secrets/jwt", {kGood}}, {"/run/secrets/other", {kOther}}};
  const Settings settings{.source = File{"/run/secrets/jwt"}, .not_in_files = {"/run/secrets"}};
  EXPECT_EQ(run(settings, environment).outcome(), Outcome::pass);
  environment.files["/run/secrets/other"] = {kGood};
  EXPECT_EQ(run(settings, environment).outcome(), Outcome::fail);
}

TEST(SecretProbe, AValueThatIsTooShortIsNotSearchedFor) {
  FakeEnvironment environment;
  environment.variables["JWT_SECRET"] = "t2Zq8mV";
  environment.files = {{"/app/.env", {"t2Zq8mV"}}};
  EXPECT_EQ(outcome_of(run(kSearched, environment), "secret.not_committed"), Outcome::skipped);
  environment.variables["JWT_SECRET"] = environment.files["/app/.env"].contents = "t2Zq8mVb";
  EXPECT_EQ(outcome_of(run(kSearched, environment), "secret.not_committed"), Outcome::fail);
}

TEST(SecretProbe, WhileTheAppStartsFilesAreSearchedOnlyWhereTheRestHolds) {
  FakeEnvironment environment;
  environment.variables["JWT_SECRET"] = "changeme-changeme";
  EXPECT_EQ(find(run(kSearched, environment, Pace::startup), "secret.not_committed"), nullptr);
  EXPECT_NE(find(run(kSearched, environment, Pace::steady), "secret.not_committed"), nullptr);
  environment.variables["JWT_SECRET"] = kGood;
  EXPECT_NE(find(run(kSearched, environment, Pace::startup), "secret.not_committed"), nullptr);
}

// --- what is said of it

TEST(SecretProbe, NothingThatIsSaidHasAnyPartOfTheValue) {
  const Settings settings{.source = Variable{"JWT_SECRET"},
                          .min_length = 500,
                          .min_entropy_bits = 1000,
                          .deny = {kGood},
                          .not_in_files = {"/app/.env"}};
  for (const std::string& value : {kGood, "sk_test_" + kGood, "postgres://app:" + kGood + "@db/app",
                                   '"' + kGood + "\"\n", "${" + kGood + "}"}) {
    FakeEnvironment environment;
    environment.variables["JWT_SECRET"] = value;
    environment.files = {{"/app/.env", {value}}};
    const ProbeOutcome outcome = run(settings, environment);
    ASSERT_EQ(outcome.outcome(), Outcome::fail);
    for (const Check& check : outcome.checks) {
      const std::string said = check.id + check.expected + check.observed + check.summary + check.request;
      for (std::size_t i = 0; i + 4 <= kGood.size(); ++i)
        EXPECT_EQ(said.find(kGood.substr(i, 4)), said.npos) << check.id;
    }
  }
}

TEST(SecretProbe, ASummaryNamesTheVariableTheFlawAndTheRemedy) {
  EXPECT_EQ(run_with("changeme-changeme").summary(),
            "JWT_SECRET is a placeholder: it is on every list of placeholders; set a random value: openssl "
            "rand -base64 32");
  EXPECT_EQ(
      run_with("t2Zq8mVb4Xw9Lk3").summary(),
      "JWT_SECRET has 15 characters, at least 16 are wanted; set a random value: openssl rand -base64 32");
  EXPECT_EQ(run_with("0123456789abcdef0123456789abcdef").summary(),
            "JWT_SECRET can be guessed: it is worth about 40 bits, 64 are wanted; set a random value: "
            "openssl rand -base64 32");
}

// --- how it is declared

struct Made {
  std::unique_ptr<Probe> probe;
  std::vector<std::string> errors;  // "2:1: ..."
};
Made make(const std::string& toml) {
  const FakeEnvironment environment;
  Diagnostics diagnostics;
  const Node table = parse_toml(toml, diagnostics);
  const std::span<const Field> groups[] = {secret_probe::kFields};
  const Values values =
      FieldReader(environment, MissingSecret::is_error, diagnostics).read(table, "[probes.jwt]", groups);
  Made made;
  if (!diagnostics.has_errors()) made.probe = secret_probe::make({"jwt", values}, diagnostics);
  for (const Diagnostic& each : diagnostics.sorted())
    made.errors.push_back(std::to_string(each.place.line) + ":" + std::to_string(each.place.column) + ": " +
                          each.message);
  return made;
}

TEST(SecretProbe, HasExactlyOneSource) {
  EXPECT_THAT(make("env = \"A\"").errors, IsEmpty());
  EXPECT_THAT(make("file = \"/run/a\"").errors, IsEmpty());
  EXPECT_THAT(make("process = { name = \"node\", env = \"A\" }").errors, IsEmpty());
  EXPECT_THAT(make("min_length = 20").errors,
              ElementsAre(HasSubstr("needs one of \"env\", \"file\" and \"process\"")));
  EXPECT_THAT(make("env = \"A\"\nfile = \"/run/a\"").errors,
              ElementsAre(HasSubstr("2:1: \"env\" and \"file\" exclude each other")));
  EXPECT_THAT(
      make("env = \"A\"\nfile = \"/run/a\"\nprocess = { name = \"node\", env = \"A\" }").errors.size(), 2u);
}

TEST(SecretProbe, ImpossibleNamesAreErrors) {
  for (const std::string toml :
       {"env = \"\"", "env = \"A=B\"", "file = \"\"", "process = { name = \"\", env = \"A\" }",
        "process = { name = \"node\", env = \"\" }", "process = { name = \"bin/node\", env = \"A\" }",
        "process = { name = \"node\" }", "env = \"A\"\nnot_in_files = [\"\"]",
        "env = \"A\"\nmin_length = 0"}) {
    const Made made = make(toml);
    EXPECT_EQ(made.errors.size(), 1u) << toml;
    EXPECT_EQ(made.probe, nullptr) << toml;
  }
}

TEST(SecretProbe, IsMadeAsDeclared) {
  const Made made =
      make("env = \"JWT_SECRET\"\nmin_length = 40\nmin_entropy_bits = 1000\ndeny = [\"" + kGood +
           "\"]\nnot_in_files = [\"/app/.env\"]\nallow_test_keys = true\nfingerprint = false");
  ASSERT_NE(made.probe, nullptr);
  FakeEnvironment environment;
  environment.variables["JWT_SECRET"] = kGood;
  environment.files = {{"/app/.env", {kGood}}};
  Stage stage([](const testing_support::Sent&) { return Response(); }, environment);
  EXPECT_THAT(failed(stage.run(*made.probe)),
              ElementsAre("secret.not_denied", "secret.length", "secret.entropy", "secret.not_committed"));
  environment.variables["JWT_SECRET"] = "sk_test_" + kOther;
  EXPECT_EQ(outcome_of(stage.run(*made.probe), "secret.not_test_key"), Outcome::skipped);
}

TEST(SecretProbe, TheDefaultsAreTheContracts) {
  const Made made = make("env = \"JWT_SECRET\"");
  FakeEnvironment environment;
  Stage stage([](const testing_support::Sent&) { return Response(); }, environment);
  const auto judged = [&](const std::string& value) {
    environment.variables["JWT_SECRET"] = value;
    return failed(stage.run(*made.probe));
  };
  EXPECT_THAT(judged("t2Zq8mVb4Xw9Lk3R"), IsEmpty());
  EXPECT_THAT(judged("t2Zq8mVb4Xw9Lk3"), ElementsAre("secret.length"));
  EXPECT_THAT(judged("sk_test_" + kOther), ElementsAre("secret.not_test_key"));
}

}  // namespace
}  // namespace holdshort
