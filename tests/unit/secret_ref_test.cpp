#include <gtest/gtest.h>

#include <ostream>

#include "agent/config/toml.h"
#include "probes/kit/field_values.h"
#include "probes/kit/fields.h"
#include "tests/support/fake_environment.h"

namespace holdshort {
namespace {

using testing_support::FakeEnvironment;

constexpr Field kRows[] = {{.name = "bearer", .kind = Kind::secret},
                           {.name = "secrets", .kind = Kind::secret_list}};

struct ReadResult {
  std::optional<SecretValue> secret;
  std::string said;
  bool has_errors = false;
};

ReadResult read(const std::string& toml, const FakeEnvironment& environment,
                MissingSecret missing = MissingSecret::is_error) {
  Diagnostics diagnostics;
  const Node root = parse_toml(toml, diagnostics);
  const std::span<const Field> groups[] = {kRows};
  const Values values =
      FieldReader(environment, missing, diagnostics).read(root, "[identities.admin]", groups);
  ReadResult result{values.secret("bearer"), "", diagnostics.has_errors()};
  for (const Diagnostic& d : diagnostics.sorted()) {
    if (!result.said.empty()) result.said += '\n';
    result.said += std::to_string(d.place.line) + ':' + std::to_string(d.place.column) + ": " + d.message;
  }
  return result;
}

FakeEnvironment environment() {
  FakeEnvironment fake;
  fake.variables = {
      {"TOKEN", "hunter2"}, {"EMPTY", ""}, {"WITH_NEWLINE", "hunter2\n"}, {"lower_case", "hunter2"}};
  fake.files = {{"/run/secrets/token", {"hunter2\n"}},
                {"/run/secrets/dos", {"hunter2\r\n"}},
                {"/run/secrets/two", {"hunter2\n\n"}},
                {"/run/secrets/bare", {"hunter2"}},
                {"/run/secrets/inner", {"hunter2\r"}},
                {"/run/secrets/empty", {"\n"}},
                {"/run/secrets/closed", {"hunter2", false}},
                {"/run/secrets/longest", {std::string(kMaxSecretBytes, 'x')}},
                {"/run/secrets/longer", {std::string(kMaxSecretBytes + 1, 'x')}}};
  return fake;
}

struct Good {
  const char* reference;
  const char* value;
  const char* text;
};
std::ostream& operator<<(std::ostream& out, const Good& row) { return out << row.reference; }

class SecretReference : public testing::TestWithParam<Good> {};
TEST_P(SecretReference, GivesTheValue) {
  const ReadResult result = read(std::string("bearer = ") + GetParam().reference, environment());
  EXPECT_EQ(result.said, "");
  ASSERT_TRUE(result.secret);
  EXPECT_TRUE(result.secret->found);
  EXPECT_EQ(result.secret->value.reveal(), GetParam().value);
  EXPECT_EQ(result.secret->ref.text(), GetParam().text);
}
constexpr Good kGood[] = {
    {"{ env = 'TOKEN' }", "hunter2", "$TOKEN"},
    {"{ env = 'WITH_NEWLINE' }", "hunter2\n", "$WITH_NEWLINE"},  // of a variable every byte counts
    {"{ env = 'lower_case' }", "hunter2", "$lower_case"},
    {"{ file = '/run/secrets/token' }", "hunter2", "file /run/secrets/token"},
    {"{ file = '/run/secrets/dos' }", "hunter2", "file /run/secrets/dos"},
    {"{ file = '/run/secrets/two' }", "hunter2\n", "file /run/secrets/two"},
    {"{ file = '/run/secrets/bare' }", "hunter2", "file /run/secrets/bare"},
    {"{ file = '/run/secrets/inner' }", "hunter2\r", "file /run/secrets/inner"},
};
INSTANTIATE_TEST_SUITE_P(, SecretReference, testing::ValuesIn(kGood));

struct Bad {
  const char* toml;
  const char* said;
};
std::ostream& operator<<(std::ostream& out, const Bad& row) { return out << row.toml; }

class NoSecretReference : public testing::TestWithParam<Bad> {};
TEST_P(NoSecretReference, IsRefusedWithoutQuotingIt) {
  const ReadResult result = read(GetParam().toml, environment());
  EXPECT_EQ(result.said, GetParam().said);
  EXPECT_EQ(result.said.find("hunter"), std::string::npos);
  EXPECT_FALSE(result.secret);
}
constexpr Bad kBad[] = {
    {"bearer = 'hunter2'",
     "1:10: \"bearer\" holds a literal, expected a reference; write { env = \"NAME\" }"},
    {"bearer = ''", "1:10: \"bearer\" holds a literal, expected a reference; write { env = \"NAME\" }"},
    {"bearer = 5", "1:10: \"bearer\" holds a literal, expected a reference; write { env = \"NAME\" }"},
    {"bearer = ['hunter2']",
     "1:10: \"bearer\" holds a literal, expected a reference; write { env = \"NAME\" }"},
    {"bearer = {}", "1:10: \"bearer\" is an empty table, expected a reference; write { env = \"NAME\" }"},
    {"bearer = { env = 'TOKEN', file = '/run/secrets/token' }",
     "1:10: \"bearer\" has \"env\" and \"file\", expected one of them"},
    {"bearer = { evn = 'TOKEN' }", "1:12: unknown key \"evn\" in \"bearer\"; did you mean \"env\"?"},
    {"bearer = { value = 'hunter2' }", "1:12: unknown key \"value\" in \"bearer\""},
    {"bearer = { env = 'hunter-2' }",
     "1:18: \"env\" in \"bearer\" is no name of a variable, expected letters, digits and \"_\""},
    {"bearer = { env = '' }",
     "1:18: \"env\" in \"bearer\" is no name of a variable, expected letters, digits and \"_\""},
    {"bearer = { env = 5 }",
     "1:18: \"env\" in \"bearer\" is no name of a variable, expected letters, digits and \"_\""},
    {"bearer = { env = 'ABSENT' }", "1:18: \"bearer\" refers to the variable \"ABSENT\", which is not set"},
    {"bearer = { env = 'EMPTY' }", "1:18: \"bearer\" refers to the variable \"EMPTY\", which is empty"},
    {"bearer = { env = 'hunter22' }", "1:18: \"bearer\" refers to the variable named here, which is not set"},
    {"bearer = { file = 5 }", "1:19: \"file\" in \"bearer\" is 5, expected a path"},
    {"bearer = { file = '' }", "1:19: \"file\" in \"bearer\" is empty, expected a path"},
    {"bearer = { file = \"/a\\u0000b\" }", "1:19: \"file\" in \"bearer\" is a string, expected a path"},
    {"bearer = { file = 'hunter2' }",
     "1:19: \"bearer\" refers to the file named here, which cannot be read: no such file"},
    {"bearer = { file = '/none' }",
     "1:19: \"bearer\" refers to the file \"/none\", which cannot be read: no such file"},
    {"bearer = { file = '/run/secrets/closed' }",
     "1:19: \"bearer\" refers to the file \"/run/secrets/closed\", which cannot be read: permission denied"},
    {"bearer = { file = '/run/secrets/empty' }",
     "1:19: \"bearer\" refers to the file \"/run/secrets/empty\", which is empty"},
    {"bearer = { file = '/run/secrets/longer' }",
     "1:19: \"bearer\" refers to the file \"/run/secrets/longer\", which cannot be read: longer than 65536 "
     "bytes"},
    {"secrets = []", "1:11: \"secrets\" is an empty list, expected a list of references"},
    {"secrets = [{ env = 'TOKEN' }, 'hunter2']",
     "1:31: item 2 of \"secrets\" holds a literal, expected a reference; write { env = \"NAME\" }"},
};
INSTANTIATE_TEST_SUITE_P(, NoSecretReference, testing::ValuesIn(kBad));

TEST(SecretReferences, ValidateOnlyWarnsOfWhatIsNotThere) {
  for (const char* reference : {"{ env = 'ABSENT' }", "{ env = 'EMPTY' }", "{ file = '/none' }"}) {
    const ReadResult result =
        read(std::string("bearer = ") + reference, environment(), MissingSecret::is_warning);
    EXPECT_NE(result.said, "") << reference;
    EXPECT_FALSE(result.has_errors) << reference;
    ASSERT_TRUE(result.secret) << reference;
    EXPECT_FALSE(result.secret->found);
    EXPECT_TRUE(result.secret->value.empty());
  }
}

TEST(SecretReferences, ValidateStillRefusesALiteral) {
  EXPECT_TRUE(read("bearer = 'hunter2'", environment(), MissingSecret::is_warning).has_errors);
}

TEST(SecretReferences, AFileMayBeAsLongAsItsBound) {
  EXPECT_EQ(read("bearer = { file = '/run/secrets/longest' }", environment()).secret->value.reveal().size(),
            kMaxSecretBytes);
}

TEST(Secret, IsGoneFromWhereItWasMoved) {
  Secret secret("hunter2");
  const Secret moved = std::move(secret);
  EXPECT_EQ(moved.reveal(), "hunter2");
  EXPECT_TRUE(secret.empty());
  Secret other("other");
  other = Secret(moved);
  EXPECT_EQ(other.reveal(), "hunter2");
  EXPECT_EQ(format_as(other), "***");
}

}  // namespace
}  // namespace holdshort
