#include "probes/kit/wordlists.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "probes/kit/crypto.h"
#include "tests/support/random_secrets.h"

namespace holdshort {
namespace {

using testing_support::Generator;
using testing_support::generators;
using testing_support::Random;

constexpr const char* kName = "JWT_SECRET";

bool is_placeholder(const std::string& value) { return placeholder_reason(value, kName).has_value(); }

TEST(Placeholders, ARandomSecretIsNeverTakenForOneOrForAPublishedKey) {
  for (const Generator& generator : generators()) {
    Random random(20261124);
    for (int i = 0; i < 2000; ++i) {
      const std::string value = generator.make(random);
      ASSERT_EQ(placeholder_reason(value, kName).value_or(""), "") << generator.name << ": " << value;
      ASSERT_FALSE(is_published(value)) << generator.name << ": " << value;
      ASSERT_FALSE(is_test_key(value)) << generator.name << ": " << value;
    }
  }
}

TEST(Placeholders, EveryOneOfTheListIsSeenHoweverItIsWritten) {
  ASSERT_GT(placeholders().size(), 250u);
  for (const std::string_view word : placeholders()) {
    const std::string text(word);
    std::string shout;
    for (const char c : text)
      shout += std::string(shout.empty() ? "" : "_") + static_cast<char>(std::toupper(c));
    for (const std::string& value : {text, "  " + text + "\n", '"' + text + '"', "'" + text + "'", shout})
      EXPECT_TRUE(is_placeholder(value)) << value;
  }
}

struct Row {
  std::string value;
  std::string_view reason;  // part of it
};
const Row kRows[] = {
    {"changeme123!", "list"},
    {"secret-key-2024", "list"},
    {"secretsecretsecretsecret", "list"},
    {"changemechangemechangeme", "list"},
    {"please-change-me-please-change-me-please", "list"},
    {"aaaaaaaa", "one character"},
    {"jwt-secret", "its own name"},
    {"JwtSecret", "its own name"},
    {"<your-secret-here>", "nobody replaced"},
    {"{{ .Values.jwtSecret }}", "nobody replaced"},
    {"{JWT_KEY}", "nobody replaced"},
    {"${JWT_KEY}", "nobody replaced"},
    {"${JWT_KEY:-default value}", "nobody replaced"},
    {"$JWT_KEY", "nobody replaced"},
    {"%JWT_KEY%", "nobody replaced"},
    {"@jwt.key@", "nobody replaced"},
    {"__ORDERS_DB__", "nobody replaced"},
    {"[the key of production]", "nobody replaced"},
    {"$(openssl rand -hex 32)", "nobody ran"},
    {"openssl rand -base64 32", "nobody ran"},
    {"`cat /run/key`", "nobody ran"},
    {"python3 -c 'import secrets'", "nobody ran"},
    {"xxxx-xxxx-xxxx", "masked"},
    {"sk_live_xxxxxxxxxxxxxxxx", "masked"},
    {"AbC-*****-xxxxxx", "masked"},
    {"eyJhbGciOi...", "masked or cut"},
    {"change.me.before.launch", "changed"},
    {"ReplaceMe_today", "changed"},
    {"must be changed by operations", "changed"},
    {"do not use in production, ever", "changed"},
    {"INSERT_YOUR_TOKEN_OF_STRIPE", "changed"},
    {"TODO: ask Kim", "changed"},
    {"your_stripe_key_goes_here", "describes"},
    {"put-the-value-here", "describes"},
    {"yourwebhooksecret", "describes"},
    {"must have at least 32 characters", "describes"},
    {"a-256-bit-thing", "describes"},
    {"django-insecure-9x$k2", "example"},
    {"ABCDEFGHEXAMPLEKEY", "example"},
    {"ghp_xxxxx", "example"},
    {"sk-test-1234", "example"},
    {"sk_live_", "prefix"},
    {"ghp_", "prefix"},
    {"48151623420815", "number"},
};
TEST(Placeholders, ARuleSeesIt) {
  for (const Row& row : kRows) {
    const std::string reason(placeholder_reason(row.value, kName).value_or("no placeholder"));
    EXPECT_NE(reason.find(row.reason), reason.npos) << row.value << ": " << reason;
  }
}

TEST(Placeholders, AreSeenThroughBase64) {
  for (const std::string value : {"changeme", "${JWT_KEY}", "please-change-me", "your-key-here"}) {
    EXPECT_TRUE(is_placeholder(crypto::base64(value))) << value;
    EXPECT_TRUE(is_placeholder(crypto::base64(value + "\n"))) << value;
    EXPECT_TRUE(is_placeholder("base64:" + crypto::base64(value))) << value;
  }
  EXPECT_TRUE(is_published(crypto::base64("your-256-bit-secret")));
}

// Seldom, but each takes an app down that is in order.
TEST(Placeholders, WhatOnlyLooksALittleLikeOneIsNone) {
  for (const std::string value :
       {R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"})",
        R"(["t2Zq8mVb4Xw9Lk3R","j7Nc5Ps1Hd6Fy0Gu"])", "sandbox-t2Zq8mVb4Xw9", "t2Zq8mVb4Xw9@example.com",
        "localhost-t2Zq8mVb4Xw9", "sk-Xt2Zq8mVb4Xw9Lk3R", "sk-abcDt2Zq8mVb4Xw9Lk3R", "sk-proj-x7t2Zq8mVb4Xw9",
        "exchange-item-white-pupil-spiral-ssh", "address-white-pupil-spiral-ssh-jockey",
        "mystery-video-between-dolphin-motion-donkey", "tEsTiNgj7Nc5Ps1Hd6", "nullt2Zq8mVb4Xw9",
        "whsec_t2Zq8m", "SELFMADEj7Nc5Ps1", "$(t2Zq8m)^b4Xw9", "`t2Zq8mVb4Xw9", "48151623420815162342081"})
    EXPECT_EQ(placeholder_reason(value, kName).value_or(""), "") << value;
}

TEST(Placeholders, TheirReasonNeverQuotesTheValue) {
  for (const Row& row : kRows) {
    const std::string_view reason = placeholder_reason(row.value, kName).value_or("");
    EXPECT_EQ(reason.find(row.value), reason.npos) << row.value;
  }
}

TEST(PublishedKeys, EveryOneOfTheListIsSeenExactly) {
  ASSERT_GT(published_keys().size(), 60u);
  for (const std::string_view key : published_keys()) {
    EXPECT_TRUE(is_published(key)) << key;
    EXPECT_TRUE(is_published('"' + std::string(key) + "\"\n")) << key;
    EXPECT_FALSE(is_published(std::string(key) + "q")) << key;
  }
  EXPECT_FALSE(is_published("ALLYOURBASE"));
}

TEST(TestKeys, AreKnownByTheirPrefix) {
  for (const std::string value :
       {"sk_test_t2Zq8mVb", "pk_test_t2Zq8mVb", "rk_test_t2Zq8mVb", "rzp_test_t2Zq8mVb",
        "\"sk_test_t2Zq8mVb\"", "FLWSECK_TEST-t2Zq8mVb", "pdl_sdbx_t2Zq8mVb", "sandbox-sq0idb-t2Zq8mVb"})
    EXPECT_TRUE(is_test_key(value)) << value;
  for (const std::string value :
       {"sk_live_t2Zq8mVb", "test_t2Zq8mVb", "sandbox_t2Zq8mVb", "t2Zq8mVbsk_test_", ""})
    EXPECT_FALSE(is_test_key(value)) << value;
}

TEST(Normalise, LeavesLettersDigitsAndSigns) {
  EXPECT_EQ(normalise(" \"Change_Me-Now. 1!\"\n"), "changemenow1!");
  EXPECT_EQ(normalise("''"), "");
  EXPECT_EQ(normalise("\""), "\"");
  EXPECT_EQ(normalise(" \n"), "");
}

}  // namespace
}  // namespace holdshort
