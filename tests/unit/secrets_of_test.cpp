// Every secret that a configuration refers to is known to whoever takes secrets out of text.
#include "agent/config/secrets.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_environment.h"

namespace holdshort {
namespace {

TEST(SecretsOf, ThoseOfATableAreFoundHoweverDeep) {
  static constexpr Field kInner[] = {{.name = "b", .kind = Kind::secret},
                                     {.name = "c", .kind = Kind::secret_list}};
  static constexpr Field kOuter[] = {{.name = "a", .kind = Kind::secret},
                                     {.name = "inner", .kind = Kind::table, .fields = kInner},
                                     {.name = "absent", .kind = Kind::secret}};
  testing_support::FakeEnvironment environment;
  for (const char* name : {"A", "B", "C", "D"}) environment.variables[name] = std::string("value-of-") + name;
  const auto reference = [](const char* name) {
    return Node{Node::Table{{"env", {1, 1}, Node{std::string(name), {1, 1}}}}, {1, 1}};
  };
  const Node inner{Node::Table{{"b", {1, 1}, reference("B")},
                               {"c", {1, 1}, Node{Node::Array{reference("C"), reference("D")}, {1, 1}}}},
                   {1, 1}};
  const Node table{Node::Table{{"a", {1, 1}, reference("A")}, {"inner", {1, 1}, inner}}, {1, 1}};
  Diagnostics diagnostics;
  const std::span<const Field> groups[] = {kOuter};
  const Values values =
      FieldReader(environment, MissingSecret::is_error, diagnostics).read(table, "[x]", groups);
  std::vector<Secret> secrets;
  values.collect_secrets(secrets);
  std::vector<std::string> seen;
  for (const Secret& secret : secrets) seen.emplace_back(secret.reveal());
  EXPECT_THAT(seen, testing::UnorderedElementsAre("value-of-A", "value-of-B", "value-of-C", "value-of-D"));
}

TEST(SecretsOf, HasThoseOfTheAgentAndOfIdentities) {
  testing_support::FakeEnvironment environment;
  environment.variables = {{"STATUS", "the-status-token"}, {"BEARER", "the-bearer-token"}};
  const Loaded loaded =
      parse_config("f",
                   "[app]\nurl = 'http://127.0.0.1:1'\n[agent]\nstatus_token = { env = 'STATUS' }\n"
                   "[identities.a]\nbearer = { env = 'BEARER' }\n[probes.p]\ntype = 'http'\n",
                   environment, {});
  ASSERT_TRUE(loaded.config);
  std::vector<std::string> seen;
  for (const Secret& secret : secrets_of(*loaded.config)) seen.emplace_back(secret.reveal());
  EXPECT_THAT(seen, testing::UnorderedElementsAre("the-status-token", "the-bearer-token"));
}

}  // namespace
}  // namespace holdshort
