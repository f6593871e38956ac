// The jwt probe against apps that verify, that have one hole each, that lie, that hang and that are absent.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "probes/kit/crypto.h"
#include "probes/kit/jose.h"
#include "tests/support/configured_probe.h"
#include "tests/support/token_verifier.h"

namespace holdshort {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::always;
using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::expect_verdict;
using testing_support::find;
using testing_support::hmac_verifies;
using testing_support::key_of;
using testing_support::key_verifies;
using testing_support::no_answer;
using testing_support::SeenToken;
using testing_support::Sent;
using testing_support::Stage;
using testing_support::take_apart;

constexpr long long kNow = 1795448448;  // FakeClock's wall
const char* const kSecret = "t2Zq8mVb4Xw9Lk3Rj7Nc5Ps1Hd6Fy0Gu";
const std::string kClaims =
    "claims = { sub = \"probe\", role = \"user\", iss = \"orders\", aud = \"orders-api\" }\n";
const std::string kProbe = "[probes.tokens]\ntype = \"jwt\"\npath = \"/me\"\n" + kClaims;
const std::string kHmac = kProbe + "secret = { env = \"JWT_SECRET\" }\n";
const std::string kRsa = kProbe + "private_key = { env = \"RSA_KEY\" }\n";
const std::string kThorough = "forgeries = \"thorough\"\n";
const char* const kMe = R"({"sub":"probe","name":"Ada Lovelace","plan":"gold"})";

const std::string& rsa_key() {
  static const std::string pem = testing_support::rsa_pem(2048);
  return pem;
}
const std::string& rsa_public_key() {
  static const std::string pem = testing_support::public_pem_of(key_of(rsa_key()).get());
  return pem;
}

// --- the app

using Verifier = std::function<bool(const SeenToken&)>;
using App = std::function<Response(const Sent&)>;

Response unauthenticated() {
  return answer(401, R"({"error":"unauthenticated"})", {{"WWW-Authenticate", "Bearer"}});
}

bool is_number_before(const nlohmann::json& claims, const char* name, long long time) {
  return claims.contains(name) && claims[name].is_number() &&
         claims[name].get<double>() < static_cast<double>(time);
}

bool claims_hold(const SeenToken& token) {
  const nlohmann::json& claims = token.claims;
  if (!claims.is_object() || !claims.contains("exp") || !claims["exp"].is_number()) return false;
  if (is_number_before(claims, "exp", kNow)) return false;
  if (claims.contains("nbf") && !is_number_before(claims, "nbf", kNow + 1)) return false;
  return claims.value("iss", nlohmann::json()) == "orders" &&
         claims.value("aud", nlohmann::json()) == "orders-api";
}

bool has_three_parts(const SeenToken& token) { return token.parts.size() == 3; }
bool signature_holds(const SeenToken& token) {
  return has_three_parts(token) && token.algorithm() == "HS256" && hmac_verifies(token, kSecret);
}
bool verifies(const SeenToken& token) { return signature_holds(token) && claims_hold(token); }
bool rsa_verifies(const SeenToken& token) {
  static const auto key = key_of(rsa_public_key());
  return has_three_parts(token) && token.algorithm() == "RS256" &&
         key_verifies(key.get(), "RS256", token.signed_text, token.signature) && claims_hold(token);
}

std::string token_of(const Sent& sent) {
  const std::string value = sent.header("Authorization");
  return value.starts_with("Bearer ") ? value.substr(7) : "";
}

App serving(Verifier verifier) {
  return [verifier](const Sent& sent) {
    if (sent.request.target != "/me") return answer(404);
    if (sent.header("Authorization").empty()) return unauthenticated();
    return verifier(take_apart(token_of(sent))) ? answer(200, kMe) : unauthenticated();
  };
}

App with_hole(Verifier right, Verifier hole) {
  return serving([right, hole](const SeenToken& token) { return right(token) || hole(token); });
}

ConfiguredProbe configured_with(const std::string& toml, std::map<std::string, std::string> variables = {}) {
  return ConfiguredProbe(toml, [&](testing_support::FakeEnvironment& environment) {
    environment.variables["JWT_SECRET"] = kSecret;
    environment.variables["RSA_KEY"] = rsa_key();
    environment.variables["RSA_PUBLIC_KEY"] = rsa_public_key();
    for (const auto& [name, value] : variables) environment.variables[name] = value;
  });
}

// Where an app that is asked something may ask somebody else before it answers.
boost::asio::io_context* loop_of_the_run = nullptr;

ProbeOutcome run(App app, const std::string& toml = kHmac,
                 std::map<std::string, std::string> variables = {}) {
  ConfiguredProbe configured = configured_with(toml, std::move(variables));
  Stage stage(std::move(app), configured.environment);
  loop_of_the_run = &stage.loop;
  return configured.run(stage);
}

// The body of http://HOST:PORT/PATH, as an app fetches it.
std::string fetch(const std::string& url) {
  const std::size_t slash = url.find('/', 7);
  Endpoint endpoint;
  endpoint.url = Url::parse(url.substr(0, slash)).value();
  Request request;
  request.method = "GET";
  request.target = url.substr(slash);
  const std::unique_ptr<HttpClient> client = make_http_client();
  std::optional<Response> response;
  boost::asio::co_spawn(*loop_of_the_run, client->send(endpoint, request, Limits{}),
                        [&](std::exception_ptr, Response got) { response = std::move(got); });
  while (!response) loop_of_the_run->run_one();
  return response->body;
}

std::string failed_ids(const ProbeOutcome& outcome) {
  std::string ids;
  for (const Check& check : outcome.checks)
    if (check.outcome == Outcome::fail) ids += check.id + " ";
  return ids;
}

// --- one hole at a time

struct Hole {
  const char* id;
  Verifier accepts;               // beside what is right
  const char* also_failing = "";  // ids that this hole cannot but let in too
};

bool has_key_id(const SeenToken& t) { return t.header.is_object() && t.header.contains("kid"); }
std::string key_id(const SeenToken& t) {
  return has_key_id(t) && t.header["kid"].is_string() ? t.header["kid"] : "";
}
bool empty_key_signs(const SeenToken& t) { return hmac_verifies(t, ""); }
bool is_unsigned(const SeenToken& t) { return has_three_parts(t) && t.parts[2].empty(); }
nlohmann::json algorithm_value(const SeenToken& t) {
  return t.header.is_object() && t.header.contains("alg") ? t.header["alg"] : nlohmann::json("absent");
}
std::string right_mac(const SeenToken& t) {
  return crypto::hmac(crypto::Digest::sha256, kSecret, t.signed_text);
}
nlohmann::json claim(const SeenToken& t, const char* name) {
  return t.claims.is_object() && t.claims.contains(name) ? t.claims[name] : nlohmann::json();
}
// The right key signed it, and all claims hold but the one in question, which is put right.
bool holds_but_for(const SeenToken& t, const char* name, const nlohmann::json& right) {
  SeenToken mended = t;
  if (!signature_holds(t) || !t.claims.is_object()) return false;
  mended.claims[name] = right;
  return claims_hold(mended);
}
bool embedded_key_signs(const SeenToken& t) {
  if (!t.header.is_object() || !t.header.contains("jwk")) return false;
  const auto key = testing_support::key_of_jwk(t.header["jwk"]);
  return key && key_verifies(key.get(), t.algorithm(), t.signed_text, t.signature);
}
bool certificate_signs(const std::string& der, const SeenToken& t) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  X509* certificate = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
  if (!certificate) return false;
  EVP_PKEY* key = X509_get_pubkey(certificate);
  const bool right =
      X509_verify(certificate, key) == 1 && key_verifies(key, t.algorithm(), t.signed_text, t.signature);
  EVP_PKEY_free(key);
  X509_free(certificate);
  return right;
}

bool embedded_certificate_signs(const SeenToken& t) {
  if (!t.header.is_object() || !t.header.contains("x5c")) return false;
  return certificate_signs(crypto::decode_base64(t.header["x5c"][0].get<std::string>()).value_or(""), t);
}
bool fetched_key_signs(const SeenToken& t) {
  if (!t.header.is_object() || !t.header.contains("jku")) return false;
  const nlohmann::json keys = nlohmann::json::parse(fetch(t.header["jku"]));
  for (const nlohmann::json& jwk : keys["keys"]) {
    if (jwk["kid"] != t.header["kid"] || jwk["alg"] != t.algorithm()) continue;
    const auto key = testing_support::key_of_jwk(jwk);
    return key && key_verifies(key.get(), t.algorithm(), t.signed_text, t.signature);
  }
  return false;
}
bool fetched_certificate_signs(const SeenToken& t) {
  if (!t.header.is_object() || !t.header.contains("x5u")) return false;
  return certificate_signs(crypto::find_pem(fetch(t.header["x5u"]), "CERTIFICATE")->der.value(), t);
}
bool holds_an_unsigned_token(const std::string& inside) {
  const SeenToken nested = take_apart(inside);
  return nested.algorithm() == "none" && inside.ends_with('.') && claims_hold(nested);
}

const std::vector<Hole>& holes() {
  static const std::vector<Hole> list = {
      {"jwt.signature_flipped",
       [](const SeenToken& t) {
         std::string mended = t.signature;
         if (!mended.empty()) mended[0] = static_cast<char>(mended[0] ^ 0x80);
         return mended == right_mac(t) && has_three_parts(t);
       }},
      {"jwt.payload_tampered",
       [](const SeenToken& t) { return claim(t, "role") == "admin" && t.signature.size() == 32; }},
      {"jwt.alg_none", [](const SeenToken& t) { return is_unsigned(t) && t.algorithm() == "none"; }},
      {"jwt.alg_none_two_parts",
       [](const SeenToken& t) { return t.parts.size() == 2 && t.algorithm() == "none"; }},
      {"jwt.alg_none_old_signature",
       [](const SeenToken& t) { return t.signature.size() == 32 && t.algorithm() == "none"; }},
      {"jwt.wrong_key",
       [](const SeenToken& t) {
         const std::string right = right_mac(t);
         int differing = 0;
         for (std::size_t i = 0; i < 32 && t.signature.size() == 32; ++i)
           differing += t.signature[i] != right[i];
         return differing > 8 && t.algorithm() == "HS256" && claim(t, "role") == "user" && !has_key_id(t) &&
                !empty_key_signs(t) && !hmac_verifies(t, "secret");
       },
       "jwt.key_fallback jwt.key_published "},
      {"jwt.key_empty", [](const SeenToken& t) { return empty_key_signs(t) && !has_key_id(t); }},
      {"jwt.jwk_embedded", embedded_key_signs},
      {"jwt.x5c_embedded", embedded_certificate_signs},
      {"jwt.jku", fetched_key_signs},
      {"jwt.x5u", fetched_certificate_signs},
      {"jwt.wrong_key_other_algorithm",
       [](const SeenToken& t) {
         return t.algorithm() == "ES256" && t.header.size() == 2 && t.signature.size() == 64 &&
                t.signature != std::string(64, '\0');
       }},
      {"jwt.jwe_dir",
       [](const SeenToken& t) {
         return t.algorithm() == "dir" &&
                holds_an_unsigned_token(testing_support::unsealed(t, std::string(32, '\0')));
       }},
      {"jwt.kid_traversal",
       [](const SeenToken& t) { return key_id(t).ends_with("/dev/null") && empty_key_signs(t); }},
      {"jwt.kid_proc",
       [](const SeenToken& t) {
         return key_id(t).ends_with("/proc/sys/kernel/randomize_va_space") && hmac_verifies(t, "2\n");
       }},
      {"jwt.kid_query",
       [](const SeenToken& t) {
         return key_id(t).find("UNION") != std::string::npos && hmac_verifies(t, "hs");
       }},
      {"jwt.kid_object",
       [](const SeenToken& t) { return has_key_id(t) && t.header["kid"].is_object() && empty_key_signs(t); }},
      {"jwt.kid_unknown",
       [](const SeenToken& t) { return key_id(t).starts_with("hs-") && empty_key_signs(t); }},
      {"jwt.kid_long", [](const SeenToken& t) { return key_id(t).size() >= 4096 && empty_key_signs(t); }},
      {"jwt.signature_empty", [](const SeenToken& t) { return is_unsigned(t) && t.algorithm() == "HS256"; }},
      {"jwt.signature_missing",
       [](const SeenToken& t) { return t.parts.size() == 2 && t.algorithm() == "HS256"; }},
      {"jwt.signature_truncated",
       [](const SeenToken& t) { return t.signature.size() == 16 && right_mac(t).starts_with(t.signature); }},
      {"jwt.trailing_part",
       [](const SeenToken& t) { return t.parts.size() == 4 && hmac_verifies(t, kSecret) && claims_hold(t); }},
      {"jwt.garbage_empty", [](const SeenToken& t) { return t.text.empty(); }},
      {"jwt.garbage_letter", [](const SeenToken& t) { return t.text == "x"; }},
      {"jwt.garbage_null", [](const SeenToken& t) { return t.text == "null"; }},
      {"jwt.alg_none_capitalised",
       [](const SeenToken& t) { return is_unsigned(t) && t.algorithm() == "None"; }},
      {"jwt.alg_none_upper", [](const SeenToken& t) { return is_unsigned(t) && t.algorithm() == "NONE"; }},
      {"jwt.alg_none_mixed", [](const SeenToken& t) { return is_unsigned(t) && t.algorithm() == "nOnE"; }},
      {"jwt.alg_missing",
       [](const SeenToken& t) { return is_unsigned(t) && algorithm_value(t) == "absent"; }},
      {"jwt.alg_empty", [](const SeenToken& t) { return is_unsigned(t) && algorithm_value(t) == ""; }},
      {"jwt.alg_null", [](const SeenToken& t) { return is_unsigned(t) && algorithm_value(t).is_null(); }},
      {"jwt.alg_array", [](const SeenToken& t) { return is_unsigned(t) && algorithm_value(t).is_array(); }},
      {"jwt.alg_number", [](const SeenToken& t) { return is_unsigned(t) && algorithm_value(t) == 0; }},
      {"jwt.es256_zero",
       [](const SeenToken& t) { return t.algorithm() == "ES256" && t.signature == std::string(64, '\0'); }},
      {"jwt.es256_zero_der",
       [](const SeenToken& t) { return has_three_parts(t) && t.parts[2] == "MAYCAQACAQA"; }},
      {"jwt.expired",
       [](const SeenToken& t) {
         return is_number_before(t.claims, "exp", kNow) && holds_but_for(t, "exp", kNow + 60);
       }},
      {"jwt.expired_text",
       [](const SeenToken& t) {
         const nlohmann::json exp = claim(t, "exp");
         return exp.is_string() && std::stoll(exp.get<std::string>()) < kNow &&
                holds_but_for(t, "exp", kNow + 60);
       }},
      {"jwt.not_before",
       [](const SeenToken& t) { return claim(t, "nbf").is_number() && holds_but_for(t, "nbf", kNow - 60); }},
      {"jwt.issuer_wrong",
       [](const SeenToken& t) { return claim(t, "iss").is_string() && holds_but_for(t, "iss", "orders"); }},
      {"jwt.issuer_missing",
       [](const SeenToken& t) { return claim(t, "iss").is_null() && holds_but_for(t, "iss", "orders"); }},
      {"jwt.issuer_list",
       [](const SeenToken& t) {
         const nlohmann::json iss = claim(t, "iss");
         return iss.is_array() && iss[0] == "orders" && holds_but_for(t, "iss", "orders");
       }},
      {"jwt.audience_wrong",
       [](const SeenToken& t) {
         return claim(t, "aud").is_string() && !claim(t, "aud").get<std::string>().starts_with("orders") &&
                holds_but_for(t, "aud", "orders-api");
       }},
      {"jwt.audience_missing",
       [](const SeenToken& t) { return claim(t, "aud").is_null() && holds_but_for(t, "aud", "orders-api"); }},
      {"jwt.audience_longer",
       [](const SeenToken& t) {
         return claim(t, "aud").is_string() &&
                claim(t, "aud").get<std::string>().starts_with("orders-api.") &&
                holds_but_for(t, "aud", "orders-api");
       }},
      {"jwt.key_fallback", [](const SeenToken& t) { return hmac_verifies(t, "dev-secret"); }},
      {"jwt.key_published", [](const SeenToken& t) { return hmac_verifies(t, "your-256-bit-secret"); }},
  };
  return list;
}

class JwtHole : public testing::TestWithParam<Hole> {};
TEST_P(JwtHole, IsCalledByItsName) {
  const ProbeOutcome outcome = run(with_hole(verifies, GetParam().accepts), kHmac + kThorough);
  EXPECT_EQ(outcome.outcome(), Outcome::fail) << outcome.summary();
  EXPECT_EQ(outcome.worst()->id, GetParam().id) << outcome.summary();
  EXPECT_EQ(failed_ids(outcome), std::string(GetParam().id) + " " + GetParam().also_failing);
  EXPECT_FALSE(outcome.worst()->references.empty());
}
INSTANTIATE_TEST_SUITE_P(, JwtHole, testing::ValuesIn(holes()), [](const auto& row) {
  return std::string(row.param.id).substr(std::string_view("jwt.").size());
});

// RSA apps: the public key is no secret.
bool signed_by_hmac_with(const SeenToken& t, const std::string& algorithm, const std::string& key) {
  return has_three_parts(t) && t.algorithm() == algorithm && hmac_verifies(t, key);
}
std::string rsa_pkcs1() {
  return crypto::pem("RSA PUBLIC KEY", crypto::read_public_keys(rsa_public_key()).value().at(0).key.pkcs1());
}
std::string rsa_jwk() { return crypto::read_public_keys(rsa_public_key()).value().at(0).key.jwk(); }
std::string without_last(std::string text) {
  text.pop_back();
  return text;
}
const std::vector<Hole>& rsa_holes() {
  static const std::vector<Hole> list = {
      {"jwt.public_key_as_secret_pem",
       [](const SeenToken& t) { return signed_by_hmac_with(t, "HS256", rsa_public_key()); }},
      {"jwt.public_key_as_secret_pem_trimmed",
       [](const SeenToken& t) { return signed_by_hmac_with(t, "HS256", without_last(rsa_public_key())); }},
      {"jwt.public_key_as_secret_pkcs1",
       [](const SeenToken& t) { return signed_by_hmac_with(t, "HS256", rsa_pkcs1()); }},
      {"jwt.public_key_as_secret_pkcs1_trimmed",
       [](const SeenToken& t) { return signed_by_hmac_with(t, "HS256", without_last(rsa_pkcs1())); }},
      {"jwt.public_key_as_secret_pem_hs384",
       [](const SeenToken& t) { return signed_by_hmac_with(t, "HS384", rsa_public_key()); }},
      {"jwt.public_key_as_secret_pem_hs512",
       [](const SeenToken& t) { return signed_by_hmac_with(t, "HS512", rsa_public_key()); }},
      {"jwt.public_key_as_secret_der",
       [](const SeenToken& t) {
         return signed_by_hmac_with(t, "HS256",
                                    crypto::find_pem(rsa_public_key(), "PUBLIC KEY")->der.value());
       }},
      {"jwt.public_key_as_secret_jwk",
       [](const SeenToken& t) { return signed_by_hmac_with(t, "HS256", rsa_jwk()); }},
      {"jwt.public_key_as_secret_modulus",
       [](const SeenToken& t) {
         return signed_by_hmac_with(t, "HS256", nlohmann::json::parse(rsa_jwk())["n"].get<std::string>());
       }},
      {"jwt.wrong_key",
       [](const SeenToken& t) {
         return t.algorithm() == "RS256" && !rsa_verifies(t) && claim(t, "role") == "user" &&
                has_three_parts(t) && t.header.size() == 2 && t.signature.size() == 256 && claims_hold(t) &&
                !is_unsigned(t);
       }},
      {"jwt.jwk_embedded", embedded_key_signs},
      {"jwt.x5c_embedded", embedded_certificate_signs},
      {"jwt.jku", fetched_key_signs},
      {"jwt.x5u", fetched_certificate_signs},
      {"jwt.wrong_key_other_algorithm",
       [](const SeenToken& t) {
         return t.algorithm() == "HS256" && t.signature.size() == 32 && has_three_parts(t) && !has_key_id(t);
       }},
      {"jwt.jwe_dir",
       [](const SeenToken& t) {
         return t.algorithm() == "dir" &&
                holds_an_unsigned_token(testing_support::unsealed(t, std::string(32, '\0')));
       }},
      {"jwt.jwe_public_key",
       [](const SeenToken& t) {
         if (t.algorithm() != "RSA-OAEP" || t.parts.size() != 5) return false;
         const auto pair = key_of(rsa_key());
         const std::string key =
             testing_support::decrypted(pair.get(), testing_support::from_base64url(t.parts[1]).value_or(""));
         return holds_an_unsigned_token(testing_support::unsealed(t, key));
       }},
      {"jwt.key_empty",
       [](const SeenToken& t) { return signed_by_hmac_with(t, "HS256", "") && !has_key_id(t); }},
  };
  return list;
}
class JwtRsaHole : public testing::TestWithParam<Hole> {};
TEST_P(JwtRsaHole, IsCalledByItsName) {
  const ProbeOutcome outcome = run(with_hole(rsa_verifies, GetParam().accepts), kRsa + kThorough);
  EXPECT_EQ(outcome.outcome(), Outcome::fail) << outcome.summary();
  EXPECT_THAT(failed_ids(outcome), HasSubstr(std::string(GetParam().id) + " "));
}
INSTANTIATE_TEST_SUITE_P(, JwtRsaHole, testing::ValuesIn(rsa_holes()), [](const auto& row) {
  return std::string(row.param.id).substr(std::string_view("jwt.").size());
});

const Verifier& hole(std::string_view id) {
  return std::find_if(holes().begin(), holes().end(), [&](const Hole& each) { return each.id == id; })
      ->accepts;
}

std::string minted(const char* key, const std::string& claims) {
  return jose::mint(*jose::find_algorithm("HS256"), Secret(std::string(key)),
                    R"({"alg":"HS256","typ":"JWT"})", claims)
      .text();
}
const std::string kGoodClaims =
    R"({"sub":"probe","role":"user","iss":"orders","aud":"orders-api","exp":1795449000})";
const std::string kGiven = "[probes.tokens]\ntype = \"jwt\"\npath = \"/me\"\ntoken = { env = \"TOKEN\" }\n";
std::string with_key_id() {
  return jose::mint(*jose::find_algorithm("HS256"), Secret(std::string(kSecret)),
                    R"({"alg":"HS256","kid":"2026-11"})", kGoodClaims)
      .text();
}

const std::set<std::string> kControls = {"jwt.accepted", "jwt.no_token", "jwt.still_accepted"};
const std::set<std::string> kLeniencies = {"jwt.crit_unknown",   "jwt.crit_empty",       "jwt.b64_false",
                                           "jwt.alg_not_pinned", "jwt.exp_missing",      "jwt.exp_text",
                                           "jwt.exp_null",       "jwt.issued_in_future", "jwt.claims_null",
                                           "jwt.claims_list",    "jwt.claims_text",      "jwt.typ_other"};
// Of a token that was given: what cannot be forged, what needs no request, and what wants a kid.
const std::set<std::string> kOfGivenTokens = {"jwt.claims", "jwt.lifetime", "jwt.kid_missing"};

TEST(JwtCatalogue, EveryForgeryOfItHasItsHoleHere) {
  std::set<std::string> known = kControls;
  known.insert(kLeniencies.begin(), kLeniencies.end());
  known.insert(kOfGivenTokens.begin(), kOfGivenTokens.end());
  for (const Hole& each : holes()) known.insert(each.id);
  for (const Hole& each : rsa_holes()) known.insert(each.id);
  std::set<std::string> seen;
  for (const Check& check : run(serving(verifies), kHmac + kThorough).checks) seen.insert(check.id);
  for (const Check& check : run(serving(rsa_verifies), kRsa + kThorough).checks) seen.insert(check.id);
  for (const Check& check : run(serving(verifies), kGiven + kThorough, {{"TOKEN", with_key_id()}}).checks)
    seen.insert(check.id);
  EXPECT_EQ(seen, known);
}

// --- apps as a whole

struct Row {
  const char* name;
  App app;
  Outcome outcome;
  const char* worst;  // id of the worst check where the outcome is no pass
  std::string config = kHmac;
};
class Jwt : public testing::TestWithParam<Row> {};
TEST_P(Jwt, Judges) {
  const ProbeOutcome outcome = run(GetParam().app, GetParam().config);
  expect_verdict(outcome, GetParam().outcome, GetParam().worst);
}

// Whoever has no valid token gets `refusal`.
App refusing_with(Response refusal) {
  return [refusal](const Sent& sent) {
    const Response right = serving(verifies)(sent);
    return right.status == 401 ? refusal : right;
  };
}
App answering_forgeries_with(Response refusal) {
  return [refusal](const Sent& sent) {
    const Response right = serving(verifies)(sent);
    return right.status == 401 && !sent.header("Authorization").empty() ? refusal : right;
  };
}

INSTANTIATE_TEST_SUITE_P(
    Verifying, Jwt,
    testing::Values(Row{"AnAppThatVerifiesPasses", serving(verifies), Outcome::pass, ""},
                    Row{"AnAppThatVerifiesPassesTheThoroughCatalogue", serving(verifies), Outcome::pass, "",
                        kHmac + kThorough},
                    Row{"AnRsaAppThatVerifiesPasses", serving(rsa_verifies), Outcome::pass, "", kRsa},
                    Row{"AnRsaAppThatVerifiesPassesTheThoroughCatalogue", serving(rsa_verifies),
                        Outcome::pass, "", kRsa + kThorough},
                    Row{"ForbiddenIsARefusal", refusing_with(answer(403, "no")), Outcome::pass, ""},
                    Row{"BadRequestIsARefusal", refusing_with(answer(400, "no")), Outcome::pass, ""},
                    Row{"UnprocessableIsARefusal", refusing_with(answer(422, "no")), Outcome::pass, ""},
                    Row{"ALoginPageIsARefusal",
                        refusing_with(answer(302, "", {{"Location", "/login?next=/me"}})), Outcome::pass, ""},
                    Row{"AHeaderThatIsTooLargeIsRefusedUnread",
                        [](const Sent& sent) {
                          return token_of(sent).size() > 4096 ? answer(431) : serving(verifies)(sent);
                        },
                        Outcome::pass, "", kHmac + kThorough},
                    Row{"AnAnswerThatShowsTheTimeIsStillTheSame",
                        [](const Sent& sent) {
                          Response response = serving(verifies)(sent);
                          static int n = 0;
                          if (response.status == 200) response.body = "{\"now\":" + std::to_string(++n) + "}";
                          return response;
                        },
                        Outcome::pass, ""},
                    Row{"A200ThatSaysNoIsARefusalWhereTheMarkerIsMissing",
                        refusing_with(answer(200, R"({"error":"unauthenticated"})")), Outcome::pass, "",
                        kHmac + "marker = \"Lovelace\"\n"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    NotVerifying, Jwt,
    testing::Values(
        Row{"APathThatNeedsNoToken", [](const Sent&) { return answer(200, kMe); }, Outcome::fail,
            "jwt.no_token"},
        Row{"AnAppThatOnlyDecodes", serving([](const SeenToken& token) { return token.claims.is_object(); }),
            Outcome::fail, "jwt.signature_flipped"},
        Row{"AnAppThatOnlyDecodesAndEchoesTheClaims",
            [](const Sent& sent) {
              const SeenToken token = take_apart(token_of(sent));
              if (!token.claims.is_object()) return unauthenticated();
              return answer(
                  200, nlohmann::json{{"sub", claim(token, "sub")}, {"role", claim(token, "role")}}.dump());
            },
            Outcome::fail, "jwt.signature_flipped"},
        Row{"ARefusalThatCarriesTheContent", answering_forgeries_with(answer(401, kMe)), Outcome::fail,
            "jwt.signature_flipped"},
        Row{"ADecoderWhoseAnswerShowsTheTime",
            [](const Sent& sent) {
              static int n = 0;
              if (!take_apart(token_of(sent)).claims.is_object()) return unauthenticated();
              return answer(200, "{\"now\":" + std::to_string(++n) + "}");
            },
            Outcome::fail, "jwt.signature_flipped"},
        Row{"ADecoderThatServesAnEmptyBody",
            [](const Sent& sent) {
              return take_apart(token_of(sent)).claims.is_object() ? answer(204) : unauthenticated();
            },
            Outcome::fail, "jwt.signature_flipped"}),
    [](const auto& row) { return row.param.name; });

INSTANTIATE_TEST_SUITE_P(
    NotSeen, Jwt,
    testing::Values(
        Row{"AnAbsentAppProvesNothing", always(no_answer(Ended::refused)), Outcome::inconclusive,
            "jwt.accepted"},
        Row{"AHangingAppProvesNothing", always(no_answer(Ended::timeout)), Outcome::inconclusive,
            "jwt.accepted"},
        Row{"AFailingAppProvesNothing", always(answer(500, "boom")), Outcome::inconclusive, "jwt.accepted"},
        Row{"AnAppThatRefusesEverybodyProvesNothing", always(unauthenticated()), Outcome::inconclusive,
            "jwt.accepted"},
        Row{"ARouteThatIsGoneProvesNothing", always(answer(404)), Outcome::inconclusive, "jwt.accepted"},
        Row{"AFailingAppProvesNothingOfATokenEither", always(answer(503)), Outcome::inconclusive,
            "jwt.accepted", kHmac + kThorough},
        Row{"AnErrorIsNoRefusal", answering_forgeries_with(answer(500)), Outcome::inconclusive,
            "jwt.signature_flipped"},
        Row{"NotFoundIsNoRefusal", answering_forgeries_with(answer(404)), Outcome::inconclusive,
            "jwt.signature_flipped"},
        Row{"ALimitIsNoRefusal", answering_forgeries_with(answer(429)), Outcome::inconclusive,
            "jwt.signature_flipped"},
        Row{"ATimeoutIsNoRefusal", answering_forgeries_with(no_answer(Ended::timeout)), Outcome::inconclusive,
            "jwt.signature_flipped"},
        Row{"AResetIsNoRefusal", answering_forgeries_with(no_answer(Ended::reset)), Outcome::inconclusive,
            "jwt.signature_flipped"},
        Row{"AnotherRedirectIsNoRefusal", answering_forgeries_with(answer(302, "", {{"Location", "/"}})),
            Outcome::inconclusive, "jwt.signature_flipped"},
        Row{"A200ThatSaysNoNeedsAMarker", answering_forgeries_with(answer(200, R"({"error":"bad token"})")),
            Outcome::inconclusive, "jwt.signature_flipped"},
        Row{"A200WithOtherContentNeedsAMarker", answering_forgeries_with(answer(200, "<h1>Welcome</h1>")),
            Outcome::inconclusive, "jwt.signature_flipped"},
        Row{"AnErrorForStrangersIsNoRefusal",
            [](const Sent& sent) {
              return sent.header("Authorization").empty() ? answer(500) : serving(verifies)(sent);
            },
            Outcome::inconclusive, "jwt.no_token"},
        Row{"ABodyCutByTheCapIsNoCleanRefusal",
            [](const Sent& sent) {
              Response response = serving(verifies)(sent);
              if (response.status == 401) response.ended = Ended::capped;
              return response;
            },
            Outcome::inconclusive, "jwt.no_token"},
        Row{"AnAppWithAnotherKeyProvesNothing", serving([](const SeenToken& token) {
              return hmac_verifies(token, "Qx7Lm2Vb9Rt4Kp8Zs1Nd6Hf3Jw5Gy0Cu");
            }),
            Outcome::inconclusive, "jwt.accepted"},
        Row{"AValidTokenWithoutTheMarkerProvesNothing", serving(verifies), Outcome::inconclusive,
            "jwt.accepted", kHmac + "marker = \"Babbage\"\n"}),
    [](const auto& row) { return row.param.name; });

TEST(JwtKeys, AnAppThatFellBackToADefaultFails) {
  for (const char* key : {"dev-secret", "secret", "undefined", "your-256-bit-secret"}) {
    const ProbeOutcome outcome =
        run(serving([&](const SeenToken& t) { return hmac_verifies(t, key) && claims_hold(t); }));
    EXPECT_EQ(outcome.outcome(), Outcome::fail) << key;
    EXPECT_THAT(outcome.worst()->id, testing::StartsWith("jwt.key_")) << key;
    EXPECT_THAT(outcome.summary(), HasSubstr("the app runs on another key than the one declared")) << key;
  }
}

TEST(JwtKeys, AnAppWithoutAKeyFails) {
  const ProbeOutcome outcome =
      run(serving([](const SeenToken& t) { return hmac_verifies(t, "") && claims_hold(t); }));
  EXPECT_EQ(outcome.worst()->id, "jwt.key_empty");
  EXPECT_EQ(outcome.outcome(), Outcome::fail);
}

// What the declared secret is worth is the `secret` probe's question.
TEST(JwtKeys, ADeclaredKeyThatIsPublishedIsNoForgery) {
  const std::string published = "your-256-bit-secret";
  const ProbeOutcome outcome = run(serving([&](const SeenToken& t) {
                                     return has_three_parts(t) && t.algorithm() == "HS256" &&
                                            hmac_verifies(t, published) && claims_hold(t);
                                   }),
                                   kHmac + kThorough, {{"JWT_SECRET", published}});
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
}

TEST(JwtLeniency, IsReportedAndHoldsNobody) {
  const ProbeOutcome outcome =
      run(serving([](const SeenToken& t) {
            const bool is_lenient = !t.claims.is_object() || t.header.size() > 2 ||
                                    t.algorithm() == "HS512" || t.header.value("typ", "JWT") != "JWT" ||
                                    !claim(t, "exp").is_number() || claim(t, "iat").get<long long>() > kNow;
            return verifies(t) || (is_lenient && t.algorithm().starts_with("HS") && has_three_parts(t) &&
                                   !has_key_id(t) && hmac_verifies(t, kSecret) &&
                                   !(claim(t, "exp").is_string() && hole("jwt.expired_text")(t)));
          }),
          kHmac + kThorough);
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  for (const std::string& id : kLeniencies) {
    ASSERT_NE(find(outcome, id), nullptr) << id;
    EXPECT_EQ(find(outcome, id)->outcome, Outcome::skipped) << id;
    EXPECT_THAT(find(outcome, id)->summary, HasSubstr("answered 200 with ")) << id;
  }
}

TEST(JwtLeniency, IsPassedWhereItIsRefusedAndSkippedWhereItBreaksTheApp) {
  for (const auto& [answered, outcome] : {std::pair{401, Outcome::pass}, {500, Outcome::skipped}}) {
    const int status = answered;
    const ProbeOutcome seen = run(
        [status](const Sent& sent) {
          const SeenToken token = take_apart(token_of(sent));
          const bool is_critical = token.header.is_object() && token.header.contains("crit");
          return is_critical ? answer(status) : serving(verifies)(sent);
        },
        kHmac + kThorough);
    EXPECT_EQ(find(seen, "jwt.crit_unknown")->outcome, outcome);
    EXPECT_EQ(seen.outcome(), Outcome::pass) << seen.summary();
  }
}

// --- keys that a token points at

TEST(JwtFetch, IsAHoleEvenWhereTheTokenIsThenRefused) {
  for (const auto& [member, id] : {std::pair{"jku", "jwt.jku"}, {"x5u", "jwt.x5u"}}) {
    const std::string name = member;
    const ProbeOutcome outcome = run(serving([&](const SeenToken& t) {
      if (t.header.is_object() && t.header.contains(name)) fetch(t.header[name]);
      return verifies(t);
    }));
    EXPECT_EQ(failed_ids(outcome), std::string(id) + " ") << outcome.summary();
    EXPECT_THAT(outcome.summary(), HasSubstr("the app called that address"));
    EXPECT_THAT(find(outcome, id)->references, testing::Contains("CWE-918"));
  }
}

TEST(JwtFetch, OfAnotherPageIsNone) {
  const ProbeOutcome outcome = run(serving([&](const SeenToken& t) {
    if (t.header.is_object() && t.header.contains("jku")) {
      const std::string url = t.header["jku"];
      fetch(url.substr(0, url.find('/', 7)) + "/.well-known/jwks.json");
    }
    return verifies(t);
  }));
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
}

TEST(JwtFetch, NeverLeavesThisMachine) {
  std::set<std::string> members;
  const auto app = [&](const SeenToken& t) {
    for (const char* name : {"jku", "x5u"}) {
      if (!t.header.is_object() || !t.header.contains(name)) continue;
      members.insert(name);
      EXPECT_THAT(t.header[name].get<std::string>(), testing::StartsWith("http://127.0.0.1:"));
    }
    return verifies(t);
  };
  run(serving(app));
  EXPECT_EQ(members.size(), 2u);
  members.clear();
  const ProbeOutcome elsewhere = run(serving(app), kHmac + "url = \"http://orders.internal:3000\"\n");
  EXPECT_THAT(members, testing::IsEmpty());
  EXPECT_EQ(elsewhere.outcome(), Outcome::pass) << elsewhere.summary();
  EXPECT_EQ(find(elsewhere, "jwt.jku")->outcome, Outcome::skipped);
}

TEST(JwtLockout, AValidTokenThatIsRefusedAfterwardsMakesTheRefusalsWorthless) {
  int refused = 0;
  const ProbeOutcome outcome = run([&](const Sent& sent) {
    const Response right = serving(verifies)(sent);
    refused += right.status == 401;
    return refused > 5 ? unauthenticated() : right;
  });
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_EQ(outcome.worst()->id, "jwt.still_accepted");
}

TEST(JwtReport, ShowsNoTokenAndNoKey) {
  std::set<std::string> tokens;
  ConfiguredProbe configured = configured_with(kHmac + kThorough);
  Stage stage(
      [&](const Sent& sent) {
        if (token_of(sent).size() > 20) tokens.insert(token_of(sent));
        return take_apart(token_of(sent)).claims.is_object() ? answer(200, kMe) : unauthenticated();
      },
      configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  EXPECT_GT(tokens.size(), 20u);
  for (const Check& check : outcome.checks) {
    for (const std::string* text : {&check.summary, &check.request, &check.observed, &check.expected}) {
      EXPECT_THAT(*text, Not(HasSubstr(kSecret)));
      EXPECT_THAT(*text, Not(HasSubstr("eyJ"))) << check.id;
    }
  }
}

// --- algorithms

struct AlgorithmRow {
  const char* name;
  const char* variable;
  std::string (*key)();
};
class JwtAlgorithm : public testing::TestWithParam<AlgorithmRow> {};
TEST_P(JwtAlgorithm, IsMintedSoThatOpenSslVerifiesIt) {
  const std::string name = GetParam().name, pem = GetParam().key();
  const auto key = key_of(pem);
  ASSERT_TRUE(key);
  const ProbeOutcome outcome =
      run(serving([&](const SeenToken& t) {
            return has_three_parts(t) && t.algorithm() == name && claims_hold(t) &&
                   key_verifies(key.get(), name, t.signed_text, t.signature);
          }),
          kProbe + "algorithm = \"" + name + "\"\nprivate_key = { env = \"KEY\" }\n", {{"KEY", pem}});
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
}
std::string p256_pem() { return testing_support::ec_pem("P-256"); }
std::string p384_pem() { return testing_support::ec_pem("P-384"); }
std::string the_rsa_key() { return rsa_key(); }
INSTANTIATE_TEST_SUITE_P(
    , JwtAlgorithm,
    testing::Values(AlgorithmRow{"RS256", "", the_rsa_key}, AlgorithmRow{"RS384", "", the_rsa_key},
                    AlgorithmRow{"RS512", "", the_rsa_key}, AlgorithmRow{"PS256", "", the_rsa_key},
                    AlgorithmRow{"ES256", "", p256_pem}, AlgorithmRow{"ES384", "", p384_pem},
                    AlgorithmRow{"EdDSA", "", testing_support::ed25519_pem}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(JwtAlgorithms, HmacIsMintedWithItsOwnDigest) {
  for (const char* name : {"HS256", "HS384", "HS512"}) {
    const ProbeOutcome outcome = run(serving([&](const SeenToken& t) {
                                       return has_three_parts(t) && t.algorithm() == name && claims_hold(t) &&
                                              hmac_verifies(t, kSecret);
                                     }),
                                     kHmac + "algorithm = \"" + name + "\"\n");
    EXPECT_EQ(outcome.outcome(), Outcome::pass) << name << ": " << outcome.summary();
  }
}

TEST(JwtAlgorithms, AKeysKindChoosesWhereNothingIsWritten) {
  for (const auto& [name, pem] : {std::pair<std::string, std::string>{"RS256", rsa_key()},
                                  {"ES256", p256_pem()},
                                  {"ES384", p384_pem()},
                                  {"EdDSA", testing_support::ed25519_pem()}}) {
    std::string seen;
    run(serving([&](const SeenToken& t) {
          if (seen.empty()) seen = t.algorithm();
          return true;
        }),
        kProbe + "private_key = { env = \"KEY\" }\n", {{"KEY", pem}});
    EXPECT_EQ(seen, name);
  }
}

TEST(JwtAlgorithms, TheKeyIdOfTheJwksGoesIntoTheToken) {
  nlohmann::json jwk = nlohmann::json::parse(rsa_jwk());
  jwk["kid"] = "2026-11";
  const std::string jwks =
      nlohmann::json{{"keys", {nlohmann::json::parse(R"({"kty":"unheard of"})"), jwk}}}.dump();
  const ProbeOutcome outcome =
      run(serving([](const SeenToken& t) { return key_id(t) == "2026-11" && rsa_verifies(t); }),
          kRsa + "public_key = { env = \"JWKS\" }\n", {{"JWKS", jwks}});
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
}

// --- a token alone

TEST(JwtGivenToken, IsSentAsItIsAndForgedWithoutItsKey) {
  const std::string token = minted(kSecret, kGoodClaims);
  std::set<std::string> accepted;
  const ProbeOutcome outcome = run(serving([&](const SeenToken& t) {
                                     if (verifies(t)) accepted.insert(t.text);
                                     return verifies(t);
                                   }),
                                   kGiven, {{"TOKEN", token}});
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_EQ(accepted, std::set<std::string>{token});
  EXPECT_EQ(find(outcome, "jwt.claims")->outcome, Outcome::skipped);
  EXPECT_NE(find(outcome, "jwt.alg_none"), nullptr);
  EXPECT_NE(find(outcome, "jwt.wrong_key"), nullptr);
}

TEST(JwtGivenToken, FindsTheHolesThatNeedNoKey) {
  for (const Hole& hole : holes()) {
    const std::string id = hole.id;
    const bool needs_key = id.starts_with("jwt.key_f") || id.starts_with("jwt.key_p") ||
                           id == "jwt.not_before" || id.starts_with("jwt.expired") ||
                           id.starts_with("jwt.issuer") || id.starts_with("jwt.audience");
    if (needs_key) continue;
    const ProbeOutcome outcome =
        run(with_hole(verifies, hole.accepts), kGiven + kThorough, {{"TOKEN", minted(kSecret, kGoodClaims)}});
    EXPECT_EQ(outcome.worst()->id, id) << outcome.summary();
    EXPECT_EQ(outcome.outcome(), Outcome::fail) << id;
  }
}

TEST(JwtGivenToken, WithAKeyIdFindsThatNoneMeansAnEmptyKey) {
  const ProbeOutcome outcome = run(with_hole(verifies,
                                             [](const SeenToken& t) {
                                               return has_three_parts(t) && t.algorithm() == "HS256" &&
                                                      !has_key_id(t) && empty_key_signs(t);
                                             }),
                                   kGiven + kThorough, {{"TOKEN", with_key_id()}});
  EXPECT_EQ(failed_ids(outcome), "jwt.kid_missing ") << outcome.summary();
}

TEST(JwtGivenToken, ThatNeverEndsIsReportedAndHoldsNobody) {
  const auto lifetime = [](const std::string& expiry) {
    const ProbeOutcome outcome =
        run(serving(signature_holds), kGiven,
            {{"TOKEN", minted(kSecret, R"({"sub":"probe","role":"user")" + expiry + "}")}});
    EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
    return *find(outcome, "jwt.lifetime");
  };
  EXPECT_EQ(lifetime(",\"exp\":1795449000").outcome, Outcome::pass);
  EXPECT_EQ(lifetime("").outcome, Outcome::skipped);
  EXPECT_EQ(lifetime("").summary, "the token does not say when it ends");
  EXPECT_EQ(lifetime(",\"exp\":1795449000000").outcome, Outcome::skipped);
  EXPECT_THAT(lifetime(",\"exp\":1795449000000").summary, HasSubstr("is its exp in milliseconds?"));
}

TEST(JwtGivenToken, ThatAPlaceholderHasSignedFails) {
  for (const char* key : {"changeme", "your-256-bit-secret", "secret", ""}) {
    const ProbeOutcome outcome = run(serving([&](const SeenToken& t) {
                                       return has_three_parts(t) && t.algorithm() == "HS256" &&
                                              hmac_verifies(t, key) && !has_key_id(t) && claims_hold(t);
                                     }),
                                     kGiven, {{"TOKEN", minted(key, kGoodClaims)}});
    ASSERT_NE(find(outcome, "jwt.key_published"), nullptr) << key;
    EXPECT_EQ(find(outcome, "jwt.key_published")->outcome, Outcome::fail) << key;
  }
}

TEST(JwtGivenToken, ThatHasExpiredSaysSo) {
  const ProbeOutcome outcome =
      run(serving(verifies), kGiven, {{"TOKEN", minted(kSecret, R"({"sub":"probe","exp":1795448000})")}});
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_THAT(outcome.summary(), HasSubstr("it has expired, give a new one"));
}

TEST(JwtGivenToken, WithThePublicKeyFindsTheConfusion) {
  const jose::Algorithm& rs256 = *jose::find_algorithm("RS256");
  const std::string token = jose::mint(rs256, crypto::AsymmetricKey::read_private(rsa_key()).value(),
                                       R"({"alg":"RS256"})", kGoodClaims)
                                .text();
  const auto hole = [](const std::string& key) {
    return with_hole(rsa_verifies,
                     [key](const SeenToken& t) { return signed_by_hmac_with(t, "HS256", key); });
  };
  const std::string toml = kGiven + "public_key = { env = \"PUBLIC\" }\n";
  ProbeOutcome outcome = run(hole(rsa_public_key()), toml, {{"TOKEN", token}, {"PUBLIC", rsa_public_key()}});
  EXPECT_EQ(outcome.worst()->id, "jwt.public_key_as_secret_pem") << outcome.summary();
  outcome = run(hole(rsa_public_key()), toml, {{"TOKEN", token}, {"PUBLIC", rsa_jwk()}});
  EXPECT_EQ(outcome.worst()->id, "jwt.public_key_as_secret_pem") << outcome.summary();
  outcome = run(hole(rsa_jwk()), toml, {{"TOKEN", token}, {"PUBLIC", rsa_jwk()}});
  EXPECT_EQ(outcome.worst()->id, "jwt.public_key_as_secret_as_shown") << outcome.summary();
  outcome = run(serving(rsa_verifies), toml, {{"TOKEN", token}, {"PUBLIC", rsa_public_key()}});
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
}

// --- tokens of an identity

const std::string kAs = "[probes.tokens]\ntype = \"jwt\"\npath = \"/me\"\nas = \"alice\"\n";

TEST(JwtIdentity, LendsItsKey) {
  const ProbeOutcome outcome =
      run(with_hole(verifies, hole("jwt.expired")),
          "[identities.alice]\njwt = { secret = { env = \"JWT_SECRET\" }, claims = { sub = \"alice\", iss = "
          "\"orders\", aud = \"orders-api\" } }\n" +
              kAs);
  EXPECT_EQ(outcome.worst()->id, "jwt.expired") << outcome.summary();
}

TEST(JwtIdentity, ThatLogsInLendsTheTokenItGot) {
  int logins = 0;
  const ProbeOutcome outcome = run(
      [&](const Sent& sent) {
        if (sent.request.target != "/login") return serving(verifies)(sent);
        ++logins;
        const std::string claims = logins == 1 ? R"({"exp":1})" : kGoodClaims;  // the first is refused
        return answer(200, nlohmann::json{{"token", minted(kSecret, claims)}}.dump());
      },
      "[identities.alice]\nlogin = { path = \"/login\", body = '{\"user\":\"alice\"}', token = \"/token\" "
      "}\n" +
          kAs);
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_EQ(logins, 2);
}

TEST(JwtIdentity, WithACookieHasItForgedThere) {
  const std::string token = minted(kSecret, kGoodClaims);
  int forged = 0;
  const ProbeOutcome outcome = run(
      [&](const Sent& sent) {
        const std::string cookie = sent.header("Cookie");
        if (!cookie.starts_with("session=")) return unauthenticated();
        forged += cookie != "session=" + token;
        return verifies(take_apart(cookie.substr(8))) ? answer(200, kMe) : unauthenticated();
      },
      "[identities.alice]\ncookie = { name = \"session\", value = { env = \"TOKEN\" } }\n" + kAs,
      {{"TOKEN", token}});
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_GT(forged, 5);
}

TEST(JwtIdentity, WhoseCredentialIsNoTokenProvesNothing) {
  const ProbeOutcome outcome =
      run(serving(verifies), "[identities.alice]\nbearer = { env = \"ADMIN_TOKEN\" }\n" + kAs);
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_THAT(outcome.summary(), HasSubstr("no signed token"));
}

// --- requests

TEST(JwtRequests, OfAStandardRunAreAsManyAsThePagesSay) {
  ConfiguredProbe configured = configured_with(kHmac);
  Stage stage(serving(verifies), configured.environment);
  EXPECT_EQ(configured.run(stage).requests, 20);
  ConfiguredProbe rsa = configured_with(kRsa);
  Stage rsa_stage(serving(rsa_verifies), rsa.environment);
  EXPECT_EQ(rsa.run(rsa_stage).requests, 23);
}

TEST(JwtRequests, NoSyntheticClientSendsMoreThanFifty) {
  ConfiguredProbe configured = configured_with(kHmac + kThorough);
  Stage stage(serving(verifies), configured.environment);
  configured.run(stage);
  std::map<std::string, int> by_client;
  for (const Sent& sent : stage.client.sent) ++by_client[sent.header("Fly-Client-IP")];
  for (const auto& [client, count] : by_client) EXPECT_LE(count, 50) << client;
  EXPECT_GT(stage.client.sent.size(), 100u);
}

TEST(JwtRequests, GoOnlyToTheDeclaredPath) {
  ConfiguredProbe configured = configured_with(kHmac + kThorough);
  Stage stage(serving(verifies), configured.environment);
  configured.run(stage);
  for (const Sent& sent : stage.client.sent) {
    EXPECT_EQ(sent.request.target, "/me");
    EXPECT_EQ(sent.request.method, "GET");
  }
}

TEST(JwtRequests, CarryTheTokenWhereTheConfigurationSays) {
  const auto first_header = [](const std::string& more, const char* name) {
    ConfiguredProbe configured = configured_with(kHmac + more);
    Stage stage(always(answer(500)), configured.environment);
    configured.run(stage);
    return stage.client.sent.at(0).header(name);
  };
  EXPECT_THAT(first_header("", "Authorization"), testing::StartsWith("Bearer eyJ"));
  EXPECT_THAT(first_header("header = \"X-Token\"\nprefix = \"\"\n", "X-Token"), testing::StartsWith("eyJ"));
  EXPECT_THAT(first_header("cookie = \"session\"\n", "Cookie"), testing::StartsWith("session=eyJ"));
  EXPECT_EQ(first_header("cookie = \"session\"\n", "Authorization"), "");
}

TEST(JwtStartup, AnAppThatIsNotThereCostsOneRequest) {
  ConfiguredProbe configured = configured_with(kHmac);
  Stage stage(always(no_answer(Ended::refused)), configured.environment);
  stage.pace = Pace::startup;
  configured.run(stage);
  EXPECT_EQ(stage.client.sent.size(), 1u);
}

TEST(JwtStartup, WhatFailedIsAskedFirst) {
  ConfiguredProbe configured = configured_with(kHmac);
  Stage stage(with_hole(verifies, hole("jwt.expired")), configured.environment);
  stage.pace = Pace::startup;
  stage.failed_before = "jwt.expired";
  EXPECT_EQ(configured.run(stage).worst()->id, "jwt.expired");
  EXPECT_EQ(stage.client.sent.size(), 3u);  // a valid token, none, and this
}

TEST(JwtWatch, AFailEndsTheRunAndItsRepetitionBeginsWithIt) {
  ConfiguredProbe configured = configured_with(kHmac);
  Stage stage(with_hole(verifies, hole("jwt.expired")), configured.environment);
  stage.pace = Pace::watch;
  EXPECT_EQ(configured.run(stage).checks.back().id, "jwt.expired");
  const std::size_t before = stage.client.sent.size();
  stage.failed_before = "jwt.expired";
  EXPECT_EQ(configured.run(stage).worst()->id, "jwt.expired");
  EXPECT_EQ(stage.client.sent.size(), before + 3);  // a valid token, none, and this
}

TEST(JwtSilence, EndsARunAfterThreeRequestsWithoutAnAnswer) {
  ConfiguredProbe configured = configured_with(kHmac);
  Stage stage(answering_forgeries_with(no_answer(Ended::timeout)), configured.environment);
  configured.run(stage);
  EXPECT_EQ(stage.client.sent.size(), 5u);
}

// --- configuration

TEST(JwtConfig, SaysWhatDoesNotFitTogether) {
  const auto said = [](const std::string& toml) {
    try {
      configured_with(toml, {{"NOT_A_KEY", "x"}, {"EC_KEY", p256_pem()}});
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("valid");
  };
  const std::string bare = "[probes.tokens]\ntype = \"jwt\"\n";
  EXPECT_EQ(said(kHmac), "valid");
  EXPECT_THAT(said(bare), HasSubstr("[probes.tokens] has nothing to make a token with, expected \"secret\", "
                                    "\"private_key\", \"token\" or \"as\""));
  EXPECT_THAT(said(kHmac + "private_key = { env = \"RSA_KEY\" }\n"),
              HasSubstr("has \"private_key\" beside \"secret\", expected exactly one of them"));
  EXPECT_THAT(said(bare + "private_key = { env = \"NOT_A_KEY\" }\n"),
              HasSubstr("\"private_key\" refers to no private key, expected PEM"));
  EXPECT_THAT(
      said(bare + "private_key = { env = \"EC_KEY\" }\nalgorithm = \"RS256\"\n"),
      HasSubstr("\"algorithm\" is \"RS256\", which does not go with \"private_key\", expected \"ES256\""));
  EXPECT_THAT(said(bare + "private_key = { env = \"RSA_KEY\" }\npublic_key = { env = \"NOT_A_KEY\" }\n"),
              HasSubstr("\"public_key\" refers to no public key, expected PEM, a JWK or a JWKS"));
  EXPECT_THAT(said(bare + "token = { env = \"NOT_A_KEY\" }\n"), HasSubstr("no signed token"));
  EXPECT_THAT(said(kHmac + "cookie = \"a\"\nheader = \"X-Token\"\n"),
              HasSubstr("\"header\" has no meaning beside \"cookie\""));
}

}  // namespace
}  // namespace holdshort
