// Secrets as generators make them: what no judgement of strength may ever condemn.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "probes/kit/crypto.h"
#include "probes/kit/dictionary.h"

namespace holdshort::testing_support {

using Random = std::mt19937_64;

inline constexpr std::string_view kAlphanumeric =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
inline constexpr std::string_view kLetters = kAlphanumeric.substr(0, 52);
inline constexpr std::string_view kHexDigits = "0123456789abcdef";

inline std::string random_text(Random& random, std::size_t length, std::string_view alphabet) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i) text += alphabet[random() % alphabet.size()];
  return text;
}
inline std::string random_bytes(Random& random, std::size_t length) {
  std::string bytes;
  for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>(random() & 0xFF);
  return bytes;
}
inline std::string random_uuid4(Random& random) {
  std::string text = random_text(random, 8, kHexDigits);
  for (const std::size_t length : {4u, 4u, 4u, 12u}) text += "-" + random_text(random, length, kHexDigits);
  text[14] = '4';
  text[19] = "89ab"[random() % 4];
  return text;
}
// Uniform over the words that a guesser tries last: 11.4 bits each, less than of a real diceware list.
inline std::string random_phrase(Random& random, int count, std::string_view between) {
  static const std::vector<Word> words = [] {
    std::vector<Word> ordinary;
    for (const Word& word : dictionary())
      if (word.rank == Word::Rank::ordinary && word.text.size() >= 3) ordinary.push_back(word);
    return ordinary;
  }();
  std::string phrase;
  for (int i = 0; i < count; ++i)
    fmt::format_to(std::back_inserter(phrase), "{}{}", i ? between : "", words[random() % words.size()].text);
  return phrase;
}
inline std::string random_jwt(Random& random) {
  const std::string claims =
      fmt::format(R"({{"sub":"{}","iat":{}}})", random() % 100000, 1700000000 + random() % 10000000);
  return crypto::base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + crypto::base64url(claims) + "." +
         crypto::base64url(random_bytes(random, 32));
}

struct Generator {
  std::string name;
  std::function<std::string(Random&)> make;
};

inline const std::vector<Generator>& generators() {
  static const std::vector<Generator> all = [] {
    std::vector<Generator> list{
        {"uuid4", random_uuid4},
        {"upper case uuid4",
         [](Random& r) {
           std::string text = random_uuid4(r);
           for (char& c : text) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
           return text;
         }},
        {"letters 24", [](Random& r) { return random_text(r, 24, kLetters); }},
        {"digits 24", [](Random& r) { return random_text(r, 24, "0123456789"); }},
        {"printable 20",
         [](Random& r) {
           return "x" +
                  random_text(r, 18,
                              "!#$%&()*+,-./:;<=>?@[]^_{|}~"
                              "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") +
                  "y";
         }},
        {"stripe", [](Random& r) { return "sk_live_" + random_text(r, 24, kAlphanumeric); }},
        {"long stripe", [](Random& r) { return "sk_live_51" + random_text(r, 97, kAlphanumeric); }},
        {"github", [](Random& r) { return "ghp_" + random_text(r, 36, kAlphanumeric); }},
        {"stripe webhook", [](Random& r) { return "whsec_" + random_text(r, 32, kAlphanumeric); }},
        {"openai", [](Random& r) { return "sk-" + random_text(r, 48, kAlphanumeric); }},
        {"openai project", [](Random& r) { return "sk-proj-" + random_text(r, 48, kAlphanumeric); }},
        {"sendgrid",
         [](Random& r) {
           return "SG." + crypto::base64url(random_bytes(r, 16)) + "." +
                  crypto::base64url(random_bytes(r, 32));
         }},
        {"postgres url",
         [](Random& r) {
           return "postgres://app:" + random_text(r, 15, kAlphanumeric) +
                  "@orders-db.flycast:5432/app?sslmode=disable";
         }},
        {"redis url",
         [](Random& r) {
           return "redis://default:" + crypto::hex(random_bytes(r, 16)) + "@fly-orders.upstash.io:6379";
         }},
        {"laravel", [](Random& r) { return "base64:" + crypto::base64(random_bytes(r, 32)); }},
        {"fernet", [](Random& r) { return crypto::base64url(random_bytes(r, 32)) + "="; }},
        {"bcrypt",
         [](Random& r) {
           return "$2b$12$" +
                  random_text(r, 53, "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
         }},
        {"jwt", random_jwt},
        {"slack webhook",
         [](Random& r) {
           return "https://hooks.slack.com/services/T0" +
                  random_text(r, 9, "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") + "/B0" +
                  random_text(r, 9, "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") + "/" +
                  random_text(r, 24, kAlphanumeric);
         }},
        {"sentry dsn",
         [](Random& r) {
           return "https://" + crypto::hex(random_bytes(r, 16)) + "@o447951.ingest.sentry.io/5429215";
         }},
        {"django",
         [](Random& r) { return random_text(r, 50, "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)"); }},
        {"six words", [](Random& r) { return random_phrase(r, 6, "-"); }},
        {"six words with spaces", [](Random& r) { return random_phrase(r, 6, " "); }},
        {"six words without anything between", [](Random& r) { return random_phrase(r, 6, ""); }},
        {"twelve words", [](Random& r) { return random_phrase(r, 12, " "); }},
        {"apple",
         [](Random& r) {
           return random_text(r, 6, kLetters) + "-" + random_text(r, 6, kAlphanumeric) + "-" +
                  random_text(r, 6, kLetters);
         }},
    };
    const std::pair<const char*, std::string (*)(std::string_view)> encodings[] = {
        {"hex", crypto::hex}, {"base64", crypto::base64}, {"base64url", crypto::base64url}};
    for (const auto& [name, encode] : encodings)
      for (const std::size_t bytes : {16u, 24u, 32u, 48u, 64u})
        list.push_back({fmt::format("{} of {} bytes", name, bytes),
                        [encode = encode, bytes](Random& r) { return encode(random_bytes(r, bytes)); }});
    for (const std::size_t length : {20u, 24u, 32u})
      list.push_back({fmt::format("alphanumeric {}", length),
                      [length](Random& r) { return random_text(r, length, kAlphanumeric); }});
    return list;
  }();
  return all;
}

}  // namespace holdshort::testing_support
