#include "probes/jwt/forgeries.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "probes/kit/crypto.h"
#include "probes/kit/json.h"
#include "probes/kit/wordlists.h"

namespace holdshort::jwt {
namespace {

using crypto::AsymmetricKey;
using jose::Algorithm;
using jose::Family;
using jose::SigningKey;
using jose::Token;

using References = std::vector<std::string>;
const References kSignature{"OWASP API2:2023", "ASVS 9.1.1", "CWE-347"};
const References kAlgorithm{"OWASP API2:2023", "ASVS 9.1.2", "CWE-327", "CWE-347"};
const References kKey{"OWASP API2:2023", "ASVS 9.1.3", "CWE-321", "CWE-1392"};
const References kKeySource{"OWASP API2:2023", "ASVS 9.1.3", "CWE-345", "CWE-347"};
const References kKeyFetched{"OWASP API2:2023", "OWASP API7:2023", "ASVS 9.1.3", "CWE-345", "CWE-918"};
const References kKeyPath{"OWASP API2:2023", "ASVS 9.1.3", "CWE-22", "CWE-347"};
const References kKeyQuery{"OWASP API2:2023", "ASVS 9.1.3", "CWE-89", "CWE-347"};
const References kTime{"OWASP API2:2023", "ASVS 9.2.1", "CWE-613"};
const References kIssuer{"OWASP API2:2023", "ASVS 9.1.3", "CWE-345"};
const References kAudience{"OWASP API2:2023", "ASVS 9.2.3", "CWE-345"};
const References kKind{"OWASP API2:2023", "ASVS 9.2.2", "RFC 8725 3.11"};
const References kShape{"ASVS 9.1.1", "RFC 7515 4.1.11"};

constexpr std::int64_t kHour = 3600, kDay = 24 * kHour;
constexpr std::size_t kKeyBytes = 32;        // of a random HMAC key
constexpr std::size_t kTruncatedBytes = 16;  // of a signature
constexpr std::size_t kLongKeyId = 4096;     // below the smallest header limit that servers have, 8 KiB
constexpr std::size_t kSealingKeyBytes = 32, kNonceBytes = 12;  // of A256GCM (RFC 7518 5.3)
constexpr std::string_view kForeignKeyId = "holdshort";
constexpr std::string_view kElsewhere = "https://holdshort.invalid";  // RFC 6761 6.4: nobody's

// What code falls back to: process.env.JWT_SECRET || "secret".
constexpr std::string_view kFallbackKeys[] = {
    "secret",    "undefined",   "null",         "None",        "dev-secret", "dev",        "changeme",
    "change-me", "supersecret", "super-secret", "superSecret", "mysecret",   "my-secret",  "jwt-secret",
    "jwtsecret", "jwt_secret",  "JWT_SECRET",   "secretkey",   "secret-key", "secret_key", "password",
    "test",      "test-secret", "shhhhh",       "key",
};

const Algorithm& algorithm(std::string_view name) { return *jose::find_algorithm(name); }

SigningKey secret_key(std::string_view text) { return Secret(std::string(text)); }

bool is_hmac(const Algorithm* algorithm) { return algorithm && algorithm->family == Family::hmac; }

// The foreign key's own algorithm where the genuine one is of the same kind.
const Algorithm& foreign_algorithm(const Algorithm* own) {
  return own && !is_hmac(own) ? *own : algorithm("ES256");
}

// Adds to a list; what would be the genuine token after all is left out.
class Forger {
 public:
  explicit Forger(const Material& material)
      : genuine_(material.genuine),
        source_(*material.source),
        random_(*material.random),
        now_(material.now),
        key_set_url_(material.key_set_url),
        chain_url_(material.chain_url) {}

  std::vector<ForgedToken> take() { return std::move(list_); }

  // --- what any token can be turned into

  void add_broken_signatures() {
    std::string flipped = genuine_.signature;
    flipped[0] = static_cast<char>(flipped[0] ^ 0x80);  // its last bits may be padding that nobody reads
    add("signature_flipped", unsigned_text() + "." + crypto::base64url(flipped),
        "with a token whose signature was changed", "signatures are not verified", kSignature);
    const bool is_admin = json::string_at(genuine_.claims, "/role") == "admin";
    Token tampered = genuine_;
    tampered.claims = json::with_member(genuine_.claims, "role", is_admin ? R"("root")" : R"("admin")");
    add("payload_tampered", tampered.text(), "with a token whose claims were changed after it was signed",
        "signatures are not verified", kSignature);
  }

  void add_none() {
    const std::string text = with_header(with_algorithm(R"("none")"));
    const char* const means = "a token may say that it needs no signature";
    add("alg_none", text + ".", "with an unsigned token of algorithm \"none\"", means, kAlgorithm);
    add("alg_none_two_parts", text, "with a token of algorithm \"none\" in two parts", means, kAlgorithm);
    add("alg_none_old_signature", text + "." + old_signature(),
        "with a token of algorithm \"none\" and a signature", means, kAlgorithm);
  }

  void add_wrong_key() {
    if (const Algorithm* own = source_.algorithm)
      add_signed("wrong_key", *own,
                 is_hmac(own) ? secret_key(random_bytes()) : foreign_key(foreign_kind(own)), genuine_.header,
                 "with a token signed with a key that nobody has", "any key will do", kSignature);
  }

  void add_empty_key() {
    const Algorithm& hmac = own_hmac();
    add_signed("key_empty", hmac, secret_key(""), with_algorithm(json::quote(hmac.name)),
               "with a token signed with an empty key", "the app's key is not set", kKey);
  }

  // RFC 8725 2.1: a verifier that lets the token choose takes the public key for a shared secret.
  void add_confusion(Catalogue catalogue) {
    if (!source_.algorithm || is_hmac(source_.algorithm)) return;
    for (const crypto::PublicKey& each : public_keys()) {
      const std::string spki = crypto::pem("PUBLIC KEY", each.key.spki());
      add_confused("pem", "HS256", spki, "as PEM");
      add_confused("pem_trimmed", "HS256", without_line_end(spki), "as PEM without its last line break");
      const std::string written(source_.public_key_text.reveal());
      if (!written.empty() && written != spki && written != without_line_end(spki)) {
        add_confused("as_shown", "HS256", written, "as the issuer shows it");
        add_confused("as_shown_line", "HS256", written + "\n", "as the issuer shows it, and a line break");
      }
      if (each.key.is_rsa()) add_confused("pkcs1", "HS256", pkcs1(each.key), "as PEM of PKCS #1");
      if (catalogue == Catalogue::thorough) add_more_confusion(each.key, spki);
    }
  }

  void add_embedded_key() {
    const AsymmetricKey& key = foreign_key(foreign_kind(source_.algorithm));
    add_signed("jwk_embedded", foreign_algorithm(), key,
               json::with_member(foreign_header(), "jwk", key.jwk()),
               "with a token that brings its own key (jwk)", "the key is taken from the token", kKeySource);
  }

  // ASVS 9.1.3: a key comes from where the app looks for it, not from where a token says.
  void add_fetched_keys() {
    const char* const means = "the key is fetched from where the token says";
    add_fetched("jku", key_set_url_, json::with_member(foreign_header(), "kid", json::quote(kForeignKeyId)),
                "with a token that says where its key is (jku)", means);
    add_fetched("x5u", chain_url_, foreign_header(), "with a token that says where its certificate is (x5u)",
                means);
  }

  void add_key_file() {
    add_key_id("kid_traversal", R"("../../../../../../dev/null")", "",
               "with a token whose kid names /dev/null", "the kid is opened as a file", kKeyPath);
  }

  // --- the rest of them

  void add_more_signatures() {
    const char* const means = "signatures are not verified";
    add("signature_empty", unsigned_text() + ".", "with a token whose signature is empty", means, kSignature);
    add("signature_missing", unsigned_text(), "with a token that has no third part", means, kSignature);
    add("signature_truncated",
        unsigned_text() + "." + crypto::base64url(genuine_.signature.substr(0, kTruncatedBytes)),
        "with a token whose signature was cut", "only the beginning of signatures is compared", kSignature);
    add("trailing_part", genuine_.text() + ".AAAA", "with a token of four parts",
        "what follows the signature is not looked at", kSignature);
    for (const auto& [id, text] :
         {std::pair{"garbage_empty", ""}, {"garbage_letter", "x"}, {"garbage_null", "null"}})
      add(id, text, fmt::format("with \"{}\" for a token", text), "anything is taken for a token",
          kSignature);
  }

  void add_more_none() {
    for (const auto& [id, name] :
         {std::pair{"alg_none_capitalised", "None"}, {"alg_none_upper", "NONE"}, {"alg_none_mixed", "nOnE"}})
      add(id, with_header(with_algorithm(json::quote(name))) + ".",
          fmt::format("with an unsigned token of algorithm \"{}\"", name),
          "a token may say that it needs no signature", kAlgorithm);
    const char* const means = "a token without a usable algorithm needs no signature";
    add("alg_missing", with_header(json::without_member(genuine_.header, "alg")) + ".",
        "with an unsigned token that names no algorithm", means, kAlgorithm);
    for (const auto& [id, value] : {std::pair{"alg_empty", "\"\""},
                                    {"alg_null", "null"},
                                    {"alg_array", R"(["none"])"},
                                    {"alg_number", "0"}})
      add(id, with_header(with_algorithm(value)) + ".",
          fmt::format("with an unsigned token whose algorithm is {}", value), means, kAlgorithm);
  }

  void add_other_kind_of_key() {
    if (!source_.algorithm) return;
    const Algorithm& other = algorithm(is_hmac(source_.algorithm) ? "ES256" : "HS256");
    add_signed("wrong_key_other_algorithm", other,
               is_hmac(&other) ? secret_key(random_bytes()) : foreign_key(foreign_kind(&other)),
               with_algorithm(json::quote(other.name)),
               fmt::format("with a token signed by {} with a key that nobody has", other.name),
               "any key of another algorithm will do", kSignature);
  }

  void add_more_key_ids() {
    const char* const means = "an unknown kid gives an empty key";
    if (json::at(genuine_.header, "/kid").lookup == json::Lookup::found)
      add_signed("kid_missing", own_hmac(), secret_key(""),
                 json::without_member(with_algorithm(json::quote(own_hmac().name)), "kid"),
                 "with a token that has no kid, signed with an empty key",
                 "where no kid is named the key is empty", kKeySource);
    add_key_id("kid_proc", R"("../../../../../../proc/sys/kernel/randomize_va_space")", "2\n",
               "with a token whose kid names a file of /proc", "the kid is opened as a file", kKeyPath);
    add_key_id("kid_query", json::quote("x' UNION SELECT 'hs' -- "), "hs", "with a token whose kid is SQL",
               "the kid is put into a query", kKeyQuery);
    add_key_id("kid_object", R"({"a":1})", "", "with a token whose kid is an object", means, kKeySource);
    add_key_id("kid_unknown", json::quote("hs-" + crypto::hex(random_bytes().substr(0, 8))), "",
               "with a token whose kid is unknown", means, kKeySource);
    add_key_id("kid_long", json::quote(std::string(kLongKeyId, 'k')), "", "with a token whose kid has 4 KiB",
               means, kKeySource);
  }

  void add_embedded_certificate() {
    const AsymmetricKey& key = foreign_key(foreign_kind(source_.algorithm));
    const std::string chain = "[" + json::quote(crypto::base64(key.self_signed_certificate())) + "]";
    add_signed("x5c_embedded", foreign_algorithm(), key, json::with_member(foreign_header(), "x5c", chain),
               "with a token that brings its own certificate (x5c)", "the key is taken from the token",
               kKeySource);
  }

  // Five parts (RFC 7516 3.1): whoever may encrypt is nobody in particular, so that what is inside must be
  // signed all the same.
  void add_encrypted() {
    const char* const means = "an unsigned token is believed where it was encrypted";
    const std::string zeros(kSealingKeyBytes, '\0');
    add("jwe_dir", encrypted(R"({"alg":"dir","enc":"A256GCM","cty":"JWT"})", zeros, ""),
        "with an unsigned token encrypted with a key of zeros (alg dir)", means, kAlgorithm);
    for (const crypto::PublicKey& each : public_keys()) {
      if (!each.key.is_rsa()) continue;
      const std::string key = random_bytes();
      add("jwe_public_key",
          encrypted(R"({"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"})", key, each.key.encrypt(key)),
          "with an unsigned token encrypted to the public key", means, kAlgorithm);
    }
  }

  // CVE-2022-21449: for r = s = 0 the equation holds for every message.
  void add_zero_signatures() {
    const char* const means = "a signature of zeros verifies";
    const std::string text = with_header(with_algorithm(R"("ES256")"));
    add("es256_zero", text + "." + crypto::base64url(std::string(64, '\0')),
        "with an ES256 signature of zeros", means, kSignature);
    add("es256_zero_der", text + ".MAYCAQACAQA", "with an ES256 signature of zeros in DER", means,
        kSignature);
  }

  // --- what the right key says

  void add_times() {
    add_claim("expired", "exp", std::to_string(now_ - kHour), "with a token that expired an hour ago",
              "exp is ignored", kTime);
    add_claim("not_before", "nbf", std::to_string(now_ + kDay), "with a token that is valid from tomorrow on",
              "nbf is ignored", kTime);
  }

  void add_issuers() {
    if (!has_claim("iss")) return;
    add_claim("issuer_wrong", "iss", json::quote(kElsewhere), "with a token of another issuer",
              "iss is ignored", kIssuer);
    add_signed_claims("issuer_missing", json::without_member(genuine_.claims, "iss"),
                      "with a token that names no issuer", "iss may be missing", kIssuer);
  }

  void add_audiences() {
    if (!has_claim("aud")) return;
    add_claim("audience_wrong", "aud", json::quote(kElsewhere), "with a token for another audience",
              "aud is ignored", kAudience);
    add_signed_claims("audience_missing", json::without_member(genuine_.claims, "aud"),
                      "with a token that names no audience", "aud may be missing", kAudience);
  }

  void add_more_claims() {
    add_claim("expired_text", "exp", json::quote(std::to_string(now_ - kHour)),
              "with a token that expired an hour ago, as text", "exp is ignored where it is text", kTime);
    if (const auto issuer = json::at(genuine_.claims, "/iss"); issuer.lookup == json::Lookup::found)
      add_claim("issuer_list", "iss", fmt::format("[{},{}]", issuer.text, json::quote(kElsewhere)),
                "with a token of two issuers", "one right issuer in a list will do", kIssuer);
    if (const auto audience = json::string_at(genuine_.claims, "/aud"))
      add_claim("audience_longer", "aud", json::quote(*audience + ".holdshort.invalid"),
                "with a token for an audience that begins with the right one",
                "only the beginning of aud is compared", kAudience);
  }

  void add_leniencies() {
    weight_ = Forgery::Weight::advice;
    add_header("crit_unknown", "crit", R"(["holdshort"])", "with a critical header that nobody knows",
               "crit is ignored (RFC 7515 4.1.11)");
    add_header("crit_empty", "crit", "[]", "with an empty crit", "crit is ignored (RFC 7515 4.1.11)");
    add_header("b64_false", "b64", "false", "with b64 = false", "b64 without crit is ignored (RFC 7797 6)");
    add_signed("typ_other", *source_.algorithm, *source_.key(),
               json::with_member(genuine_.header, "typ", R"("dpop+jwt")"),
               "with a token of another kind (typ dpop+jwt)",
               "typ is not looked at; whether tokens of other kinds get in is up to their claims", kKind);
    if (const Algorithm* other = other_algorithm())
      add_signed("alg_not_pinned", *other, *source_.key(), with_algorithm(json::quote(other->name)),
                 fmt::format("with {} instead of {}", other->name, source_.algorithm->name),
                 "the algorithm is not pinned; name the one that is used", kAlgorithm);
    add_signed_claims("exp_missing", json::without_member(genuine_.claims, "exp"), "with a token without exp",
                      "tokens need not expire", kTime);
    add_claim("exp_text", "exp", json::quote(std::to_string(now_ + kHour)), "with exp as text",
              "types of claims are not checked", kTime);
    add_claim("exp_null", "exp", "null", "with exp = null", "types of claims are not checked", kTime);
    add_claim("issued_in_future", "iat", std::to_string(now_ + kDay), "with a token from tomorrow",
              "iat is not checked", kTime);
    for (const auto& [id, claims] :
         {std::pair{"claims_null", "null"}, {"claims_list", "[]"}, {"claims_text", "\"x\""}})
      add_signed_claims(id, claims, fmt::format("with {} for claims", claims), "claims need not be an object",
                        kShape);
    weight_ = Forgery::Weight::must_be_refused;
  }

  // --- HMAC with keys that are known

  void add_known_keys(const std::string& id, std::span<const std::string_view> keys, std::string_view with) {
    const Algorithm& hmac = own_hmac();
    const auto* own = source_.key() ? std::get_if<Secret>(source_.key()) : nullptr;
    for (const std::string_view key : keys) {
      if (own && own->reveal() == key) continue;
      add_signed(id, hmac, secret_key(key), with_algorithm(json::quote(hmac.name)), with,
                 "the app runs on another key than the one declared, and everybody knows it", kKey);
    }
  }

 private:
  void add(std::string_view id, std::string text, std::string_view with, std::string_view means,
           const References& references) {
    if (text == genuine_.text()) return;
    list_.push_back({"jwt." + std::string(id), std::move(text), std::string(with), std::string(means),
                     references, weight_});
  }

  void add_signed(std::string_view id, const Algorithm& algorithm, const SigningKey& key,
                  const std::string& header, std::string_view with, std::string_view means,
                  const References& references) {
    add(id, jose::mint(algorithm, key, header, genuine_.claims).text(), with, means, references);
  }

  void add_signed_claims(std::string_view id, const std::string& claims, std::string_view with,
                         std::string_view means, const References& references) {
    add(id, jose::mint(*source_.algorithm, *source_.key(), genuine_.header, claims).text(), with, means,
        references);
  }

  void add_claim(std::string_view id, std::string_view claim, const std::string& value, std::string_view with,
                 std::string_view means, const References& references) {
    add_signed_claims(id, json::with_member(genuine_.claims, claim, value), with, means, references);
  }

  void add_header(std::string_view id, std::string_view member, const std::string& value,
                  std::string_view with, std::string_view means) {
    add_signed(id, *source_.algorithm, *source_.key(), json::with_member(genuine_.header, member, value),
               with, means, kShape);
  }

  void add_key_id(std::string_view id, const std::string& key_id, std::string_view key, std::string_view with,
                  std::string_view means, const References& references) {
    const Algorithm& hmac = own_hmac();
    add_signed(id, hmac, secret_key(key),
               json::with_member(with_algorithm(json::quote(hmac.name)), "kid", key_id), with, means,
               references);
  }

  // Nothing where there is nobody who could fetch the key.
  void add_fetched(const char* member, const std::string& url, const std::string& header,
                   std::string_view with, std::string_view means) {
    if (url.empty()) return;
    add_signed(member, foreign_algorithm(), foreign_key(foreign_kind(source_.algorithm)),
               json::with_member(header, member, json::quote(url)), with, means, kKeyFetched);
    list_.back().page = url;
  }

  // The compact form of RFC 7516 7.1, around the claims unsigned.
  std::string encrypted(std::string_view header, std::string_view key, std::string_view encrypted_key) {
    const std::string inside = with_header(with_algorithm(R"("none")")) + ".";
    const std::string nonce = random_bytes().substr(0, kNonceBytes), start = crypto::base64url(header);
    const crypto::Sealed sealed = crypto::aes_gcm(key, nonce, start, inside);
    return fmt::format("{}.{}.{}.{}.{}", start, crypto::base64url(encrypted_key), crypto::base64url(nonce),
                       crypto::base64url(sealed.text), crypto::base64url(sealed.tag));
  }

  void add_confused(std::string_view form, std::string_view hmac, const std::string& key,
                    std::string_view as) {
    add_signed(fmt::format("public_key_as_secret_{}", form), algorithm(hmac), secret_key(key),
               with_algorithm(json::quote(hmac)),
               fmt::format("with a token signed by {} with the public key {}", hmac, as),
               "the public key is taken for a shared secret", kAlgorithm);
  }

  void add_more_confusion(const AsymmetricKey& key, const std::string& spki) {
    add_confused("pem_hs384", "HS384", spki, "as PEM");
    add_confused("pem_hs512", "HS512", spki, "as PEM");
    add_confused("der", "HS256", key.spki(), "as DER");
    add_confused("jwk", "HS256", key.jwk(), "as JWK");
    if (!key.is_rsa()) return;
    add_confused("pkcs1_trimmed", "HS256", without_line_end(pkcs1(key)),
                 "as PEM of PKCS #1 without its last line break");
    add_confused("modulus", "HS256", json::string_at(key.jwk(), "/n").value_or(""), "as its modulus");
  }

  std::vector<crypto::PublicKey> public_keys() const {
    if (!source_.public_keys.empty()) return source_.public_keys;
    const auto* pair = source_.key() ? std::get_if<AsymmetricKey>(source_.key()) : nullptr;
    return pair ? std::vector<crypto::PublicKey>{{*pair, ""}} : std::vector<crypto::PublicKey>{};
  }

  static std::string pkcs1(const AsymmetricKey& key) { return crypto::pem("RSA PUBLIC KEY", key.pkcs1()); }

  static std::string without_line_end(std::string text) {
    if (text.ends_with('\n')) text.pop_back();
    return text;
  }

  const Algorithm& own_hmac() const {
    return is_hmac(source_.algorithm) ? *source_.algorithm : algorithm("HS256");
  }

  const Algorithm& foreign_algorithm() const { return holdshort::jwt::foreign_algorithm(source_.algorithm); }
  std::string foreign_header() const { return with_algorithm(json::quote(foreign_algorithm().name)); }

  // Another one that the right key signs with.
  const Algorithm* other_algorithm() const {
    for (const std::string_view name : {"HS512", "HS256", "PS256", "RS512", "RS256"}) {
      const Algorithm& other = algorithm(name);
      if (&other != source_.algorithm && jose::fits(other, *source_.key())) return &other;
    }
    return nullptr;
  }

  bool has_claim(std::string_view claim) const {
    return json::at(genuine_.claims, "/" + std::string(claim)).lookup == json::Lookup::found;
  }

  std::string with_algorithm(const std::string& value) const {
    return json::with_member(genuine_.header, "alg", value);
  }
  std::string with_header(const std::string& header) const {
    return Token{header, genuine_.claims, {}}.signed_text();
  }
  std::string unsigned_text() const { return genuine_.signed_text(); }
  std::string old_signature() const { return crypto::base64url(genuine_.signature); }

  std::string random_bytes() {
    std::string bytes;
    for (std::size_t i = 0; i < kKeyBytes; ++i) bytes += static_cast<char>(random_() & 0xFF);
    return bytes;
  }

  const Token& genuine_;
  const jose::TokenSource& source_;
  std::mt19937_64& random_;
  const std::int64_t now_;
  const std::string key_set_url_, chain_url_;
  Forgery::Weight weight_ = Forgery::Weight::must_be_refused;
  std::vector<ForgedToken> list_;
};

}  // namespace

std::vector<ForgedToken> forged_signatures(const Material& material, Catalogue catalogue) {
  Forger forger(material);
  forger.add_broken_signatures();
  forger.add_none();
  forger.add_wrong_key();
  forger.add_empty_key();
  forger.add_confusion(catalogue);
  forger.add_embedded_key();
  forger.add_fetched_keys();
  forger.add_key_file();
  if (catalogue == Catalogue::thorough) {
    forger.add_more_signatures();
    forger.add_more_none();
    forger.add_other_kind_of_key();
    forger.add_more_key_ids();
    forger.add_embedded_certificate();
    forger.add_encrypted();
    forger.add_zero_signatures();
  }
  return forger.take();
}

std::vector<ForgedToken> forged_claims(const Material& material, Catalogue catalogue) {
  Forger forger(material);
  forger.add_times();
  forger.add_issuers();
  forger.add_audiences();
  if (catalogue == Catalogue::thorough) {
    forger.add_more_claims();
    forger.add_leniencies();
  }
  return forger.take();
}

std::vector<ForgedToken> with_fallback_keys(const Material& material) {
  Forger forger(material);
  forger.add_known_keys("key_fallback", kFallbackKeys, "with a token signed with what code falls back to");
  return forger.take();
}

std::vector<ForgedToken> with_published_keys(const Material& material) {
  Forger forger(material);
  forger.add_known_keys("key_published", published_keys(), "with a token signed with a published default");
  return forger.take();
}

bool is_signed_with_known_key(const Token& token, const Algorithm& algorithm) {
  const std::string message = token.signed_text();
  const auto signs = [&](std::string_view key) {
    return crypto::hmac(algorithm.digest, key, message) == token.signature;
  };
  // Frameworks that want base64 decode it first.
  const auto signs_somehow = [&](std::string_view key) {
    const std::optional<std::string> decoded = crypto::decode_base64(key);
    return signs(key) || (decoded && signs(*decoded));
  };
  const std::span<const std::string_view> fallbacks = kFallbackKeys;
  return signs("") || std::ranges::any_of(fallbacks, signs_somehow) ||
         std::ranges::any_of(published_keys(), signs_somehow) ||
         std::ranges::any_of(placeholders(), signs_somehow);
}

std::string foreign_keys(const Algorithm* algorithm) {
  std::string jwk = foreign_key(foreign_kind(algorithm)).jwk();
  for (const auto& [member, value] : {std::pair<std::string_view, std::string_view>{"kid", kForeignKeyId},
                                      {"use", "sig"},
                                      {"alg", foreign_algorithm(algorithm).name}})
    jwk = json::with_member(jwk, member, json::quote(value));
  return fmt::format(R"({{"keys":[{}]}})", jwk);
}

std::string foreign_chain(const Algorithm* algorithm) {
  return crypto::pem("CERTIFICATE", foreign_key(foreign_kind(algorithm)).self_signed_certificate());
}

const AsymmetricKey& foreign_key(AsymmetricKey::Kind kind) {
  switch (kind) {
    case AsymmetricKey::Kind::p256: {
      static const AsymmetricKey key = AsymmetricKey::generate(kind);
      return key;
    }
    case AsymmetricKey::Kind::p384: {
      static const AsymmetricKey key = AsymmetricKey::generate(kind);
      return key;
    }
    case AsymmetricKey::Kind::ed25519: {
      static const AsymmetricKey key = AsymmetricKey::generate(kind);
      return key;
    }
    case AsymmetricKey::Kind::rsa:
    case AsymmetricKey::Kind::other:
      break;
  }
  static const AsymmetricKey key = AsymmetricKey::generate(AsymmetricKey::Kind::rsa);
  return key;
}

// Not RSA unless it must be: making a pair takes tens of milliseconds.
AsymmetricKey::Kind foreign_kind(const Algorithm* algorithm) {
  if (!algorithm) return AsymmetricKey::Kind::p256;
  switch (algorithm->family) {
    case Family::rsa_pkcs1:
    case Family::rsa_pss:
      return AsymmetricKey::Kind::rsa;
    case Family::eddsa:
      return AsymmetricKey::Kind::ed25519;
    case Family::hmac:
      break;
    case Family::ecdsa:
      if (algorithm->digest == crypto::Digest::sha384) return AsymmetricKey::Kind::p384;
      break;
  }
  return AsymmetricKey::Kind::p256;
}

}  // namespace holdshort::jwt
