#include "probes/kit/entropy.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "probes/kit/dictionary.h"
#include "tests/support/random_secrets.h"

namespace holdshort {
namespace {

using testing_support::Generator;
using testing_support::generators;
using testing_support::Random;

constexpr double kDefaultMinimum = 64;  // of the secret probe

TEST(Strength, ARandomSecretIsNeverBelowTheDefaultMinimum) {
  for (const Generator& generator : generators()) {
    Random random(20261123);
    for (int i = 0; i < 400; ++i) {
      const std::string value = generator.make(random);
      const Strength strength = strength_of(value);
      ASSERT_GE(strength.bits, kDefaultMinimum) << generator.name << ": " << value;
      ASSERT_FALSE(strength.is_prose) << generator.name << ": " << value;
    }
  }
}

struct Worth {
  std::string value;
  double at_most;
};
class Guessable : public testing::TestWithParam<Worth> {};
TEST_P(Guessable, IsWorthAtMost) {
  EXPECT_LE(strength_of(GetParam().value).bits, GetParam().at_most) << GetParam().value;
}
INSTANTIATE_TEST_SUITE_P(
    Strength, Guessable,
    testing::Values(
        // Repetition: what is repeated counts once.
        Worth{"aaaaaaaaaaaaaaaaaaaaaaaa", 20}, Worth{"abababababababababababababababab", 20},
        Worth{"passwordpasswordpassword", 30}, Worth{"Password123!Password123!", 50},
        Worth{"deadbeefdeadbeefdeadbeefdeadbeef", 50}, Worth{"00000000-0000-0000-0000-000000000000", 20},
        Worth{"11111111-2222-3333-4444-555555555555", 62},
        // Runs, rows of the keyboard, texts that take turns.
        Worth{"12345678901234567890123456789012", 40}, Worth{"abcdefghijklmnopqrstuvwxyz123456", 40},
        Worth{"0123456789abcdef0123456789abcdef", 50}, Worth{"zyxwvutsrqponmlkjihgfedcba", 20},
        Worth{"qwertyuiopasdfghjklzxcvbnm123456", 60}, Worth{"poiuytrewqlkjhgfdsa", 40},
        Worth{"1q2w3e4r5t6y7u8i9o0p", 20}, Worth{"a1b2c3d4e5f6g7h8i9j0", 50},
        Worth{"00112233445566778899aabbccddeeff", 60},
        // Words, disguised or not, and years.
        Worth{"correct horse battery staple", 60}, Worth{"CorrectHorseBatteryStaple", 60},
        Worth{"c0rr3ct-h0rs3-b4tt3ry", 60}, Worth{"my-super-secret-jwt-key-2024", 62},
        Worth{"Summer2024!Summer2024!", 50}, Worth{"holdshort-production-2024!", 62},
        Worth{"acme-orders-api-2024", 62}, Worth{"P@ssw0rd1234567890", 30},
        Worth{"keyboard cat keyboard cat", 50},
        // What it decodes to, if that is worth less.
        Worth{crypto::base64("changeme-changeme-changeme"), 40},
        Worth{crypto::hex("changeme-changeme-changeme"), 40},
        Worth{crypto::base64(crypto::base64("my-super-secret-jwt-key")), 60},
        Worth{"000102030405060708090a0b0c0d0e0f", 40},
        Worth{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 40},
        Worth{"base64:" + crypto::base64("secretsecretsecretsecret"), 40},
        // Never more than its alphabet allows.
        Worth{"9f86d081884c7d659a2feaa0c55ad015", 32 * 4}, Worth{"9f86d081-884c-4d65-9a2f-eaa0c55ad015", 122},
        Worth{"8301947562", 10 * 3.33}, Worth{"whsec_t2Zq8m", 6 * 5.96},
        // Of a JWT, the signature alone.
        Worth{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 30}));

class Prose : public testing::TestWithParam<const char*> {};
TEST_P(Prose, IsSeen) { EXPECT_TRUE(strength_of(GetParam()).is_prose); }
INSTANTIATE_TEST_SUITE_P(Strength, Prose,
                         testing::Values("ThisIsMyVeryLongSuperSecretProductionJwtKeyDoNotShare",
                                         "my-super-secret-jwt-key-2024", "stripe-webhook-secret-key",
                                         "RandomSecretKeyThatIsAtLeast32CharsLong",
                                         "thisisaverylongsecretkeythatnobodywillguess",
                                         "a-very-long-and-random-string-for-signing-cookies",
                                         "supersecretjwtkeyforproduction",
                                         "bXktc3VwZXItc2VjcmV0LWp3dC1rZXk="));

TEST(Strength, FourWordsAreTooFewAndSixAreEnough) {
  Random random(4);
  for (int i = 0; i < 1000; ++i) {
    const std::string four = testing_support::random_phrase(random, 4, "-");
    EXPECT_LT(strength_of(four).bits, kDefaultMinimum) << four;
    const std::string six = testing_support::random_phrase(random, 6, "-");
    EXPECT_GE(strength_of(six).bits, kDefaultMinimum) << six;
  }
}

TEST(Strength, OnlyTheFirstBytesCount) {
  const std::string random = "t2Zq8mVb4Xw9Lk3Rj7Nc5Ps1Hd6Fy0Gu";
  const std::string padding(kMaxJudgedBytes, 'a');
  EXPECT_LT(strength_of(padding + random).bits, 30);
  EXPECT_GT(strength_of(padding.substr(random.size()) + random).bits, 150);
}

TEST(Strength, NothingIsWorthNothing) {
  EXPECT_EQ(strength_of("").bits, 0);
  EXPECT_EQ(strength_of("sk_live_").bits, 0);
}

TEST(Dictionary, IsSortedWithoutRepetitionAndInLowerCase) {
  const std::vector<Word>& words = dictionary();
  ASSERT_GT(words.size(), 2000u);
  for (std::size_t i = 1; i < words.size(); ++i) ASSERT_LT(words[i - 1].text, words[i].text);
  for (const Word& word : words)
    ASSERT_TRUE(std::all_of(word.text.begin(), word.text.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    })) << word.text;
}

TEST(Dictionary, AWordInTwoListsHasTheRankThatIsTriedFirst) {
  const auto found = std::find_if(dictionary().begin(), dictionary().end(),
                                  [](const Word& word) { return word.text == "key"; });
  ASSERT_NE(found, dictionary().end());
  EXPECT_EQ(found->rank, Word::Rank::naming);
}

}  // namespace
}  // namespace holdshort
