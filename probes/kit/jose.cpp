#include "probes/kit/jose.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "probes/kit/json.h"

namespace holdshort::jose {
namespace {

using crypto::AsymmetricKey;
using crypto::Digest;

constexpr Algorithm kAlgorithms[] = {
    {"HS256", Family::hmac, Digest::sha256},      {"HS384", Family::hmac, Digest::sha384},
    {"HS512", Family::hmac, Digest::sha512},      {"RS256", Family::rsa_pkcs1, Digest::sha256},
    {"RS384", Family::rsa_pkcs1, Digest::sha384}, {"RS512", Family::rsa_pkcs1, Digest::sha512},
    {"PS256", Family::rsa_pss, Digest::sha256},   {"ES256", Family::ecdsa, Digest::sha256},
    {"ES384", Family::ecdsa, Digest::sha384},     {"EdDSA", Family::eddsa, Digest::sha512},
};
constexpr auto kAlgorithmNames = [] {
  std::array<std::string_view, std::size(kAlgorithms)> names;
  std::transform(std::begin(kAlgorithms), std::end(kAlgorithms), names.begin(),
                 [](const Algorithm& algorithm) { return algorithm.name; });
  return names;
}();

constexpr std::string_view kSources[] = {"secret", "private_key", "token"};
constexpr std::string_view kHeaderOrCookie[] = {"header", "cookie"};
constexpr std::string_view kPrefixOrCookie[] = {"prefix", "cookie"};

constexpr Field kTokenFields[] = {
    {.name = "algorithm",
     .kind = Kind::choice,
     .doc =
         "how the token is signed; default: HS256 with a secret, RS256, ES256, ES384 or EdDSA by the kind of "
         "the private key; a given token says it itself",
     .choices = kAlgorithmNames},
    {.name = "secret", .kind = Kind::secret, .doc = "what the token is signed with by HMAC, byte for byte"},
    {.name = "private_key",
     .kind = Kind::secret,
     .doc = "what the token is signed with otherwise: PEM without a passphrase"},
    {.name = "public_key",
     .kind = Kind::secret,
     .doc = "the public key as the issuer shows it: PEM, a JWK or a JWKS, whose kid goes into the token"},
    {.name = "token",
     .kind = Kind::secret,
     .doc = "a token that the issuer signed, where its key is not at hand"},
    {.name = "claims",
     .kind = Kind::claims,
     .doc = "what the token says; iat and exp (in 5 minutes) are added where they are missing"},
    {.name = "header",
     .kind = Kind::string,
     .fallback = R"("Authorization")",
     .doc = "the header that carries the token"},
    {.name = "prefix",
     .kind = Kind::string,
     .fallback = R"("Bearer ")",
     .doc = "what stands before the token in the header"},
    {.name = "cookie",
     .kind = Kind::string,
     .doc = "the cookie that carries the token, instead of a header",
     .min = 1},
};

long long seconds_of(Wall time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// Reads the rows above into a source, and says what does not fit together.
class SourceReader {
 public:
  SourceReader(const Values& values, std::string_view title, Diagnostics& diagnostics)
      : values_(values), title_(title), diagnostics_(diagnostics) {}

  TokenSource read() {
    source_.claims = values_.claims_json("claims");
    source_.header = values_.string("header");
    source_.prefix = values_.string("prefix");
    source_.cookie = values_.string("cookie");
    check_carrier(values_, diagnostics_);
    read_public_keys();
    if (!has_one_source()) return std::move(source_);
    if (values_.has("secret")) read_secret();
    if (values_.has("private_key")) read_private_key();
    if (values_.has("token")) read_token();
    return std::move(source_);
  }

 private:
  void report(std::string_view key, const std::string& message) {
    diagnostics_.error(values_.place(key), in_quotes(key) + " " + message);
  }

  bool has_one_source() {
    std::vector<std::string_view> written;
    for (const std::string_view key : kSources)
      if (values_.has(key)) written.push_back(key);
    if (written.size() > 1)
      diagnostics_.error(values_.place(written[1]),
                         fmt::format("{} has {} beside {}, expected exactly one of them", title_,
                                     in_quotes(written[1]), in_quotes(written[0])));
    return written.size() == 1;
  }

  // Nothing where `validate` only warned about it, or where what was written is wrong.
  const Secret* found(std::string_view key) {
    value_ = values_.secret(key);
    return value_ && value_->found ? &value_->value : nullptr;
  }

  void read_public_keys() {
    const Secret* text = found("public_key");
    if (!text) return;
    auto keys = crypto::read_public_keys(text->reveal());
    if (!keys) return report("public_key", "refers to " + keys.error().message);
    source_.public_keys = std::move(*keys);
    source_.public_key_text = *text;
  }

  void read_secret() {
    source_.algorithm = chosen(kAlgorithms[0]);
    const std::optional<SecretValue> secret = values_.secret("secret");
    source_.from = SigningKey(secret ? secret->value : Secret());
    check_fit("secret");
  }

  void read_private_key() {
    const Secret* pem = found("private_key");
    source_.algorithm = chosen(kAlgorithms[0]);
    source_.from = SigningKey(Secret());
    if (!pem) return;
    auto key = AsymmetricKey::read_private(pem->reveal());
    if (!key) return report("private_key", "refers to " + key.error().message);
    if (key->kind() == AsymmetricKey::Kind::other)
      return report("private_key",
                    "is of a kind that no algorithm here signs with, expected RSA, P-256, P-384 or "
                    "Ed25519");
    source_.algorithm = chosen(default_of(*key));
    source_.from = SigningKey(*key);
    check_fit("private_key");
    find_key_id(*key);
  }

  const Algorithm* chosen(const Algorithm& fallback) const {
    const Algorithm* written = find_algorithm(values_.string("algorithm"));
    return written ? written : &fallback;
  }

  void check_fit(std::string_view key) {
    if (fits(*source_.algorithm, *source_.key())) return;
    std::vector<std::string_view> fitting;
    for (const Algorithm& algorithm : kAlgorithms)
      if (fits(algorithm, *source_.key())) fitting.push_back(algorithm.name);
    report("algorithm", fmt::format("is \"{}\", which does not go with {}, expected {}",
                                    source_.algorithm->name, in_quotes(key), one_of(fitting)));
  }

  void find_key_id(const AsymmetricKey& key) {
    if (source_.public_keys.empty()) return;
    const std::string spki = key.spki();
    const auto own = std::find_if(source_.public_keys.begin(), source_.public_keys.end(),
                                  [&](const crypto::PublicKey& each) { return each.key.spki() == spki; });
    if (own == source_.public_keys.end()) return report("public_key", "does not belong to \"private_key\"");
    source_.key_id = own->id;
  }

  void read_token() {
    const Secret* text = found("token");
    source_.from = Secret();
    if (!text) return;
    const std::optional<Token> token = Token::parse(text->reveal());
    if (!token)
      return report("token",
                    "refers to a value that is no signed token, expected three parts of base64url "
                    "with dots between them");
    source_.algorithm = find_algorithm(json::string_at(token->header, "/alg").value_or(""));
    source_.from = *text;
    if (values_.has("claims"))
      diagnostics_.warning(values_.place("claims"),
                           "\"claims\" has no effect beside \"token\", which says what it says");
  }

  const Values& values_;
  const std::string_view title_;
  Diagnostics& diagnostics_;
  TokenSource source_;
  std::optional<SecretValue> value_;  // what found() points into
};

}  // namespace

const Algorithm* find_algorithm(std::string_view name) {
  const auto found = std::find_if(std::begin(kAlgorithms), std::end(kAlgorithms),
                                  [&](const Algorithm& algorithm) { return algorithm.name == name; });
  return found == std::end(kAlgorithms) ? nullptr : found;
}

const Algorithm& default_of(const AsymmetricKey& key) {
  switch (key.kind()) {
    case AsymmetricKey::Kind::p256:
      return *find_algorithm("ES256");
    case AsymmetricKey::Kind::p384:
      return *find_algorithm("ES384");
    case AsymmetricKey::Kind::ed25519:
      return *find_algorithm("EdDSA");
    case AsymmetricKey::Kind::rsa:
    case AsymmetricKey::Kind::other:
      break;
  }
  return *find_algorithm("RS256");
}

bool fits(const Algorithm& algorithm, const SigningKey& key) {
  const auto* pair = std::get_if<AsymmetricKey>(&key);
  if (!pair) return algorithm.family == Family::hmac;
  switch (pair->kind()) {
    case AsymmetricKey::Kind::rsa:
      return algorithm.family == Family::rsa_pkcs1 || algorithm.family == Family::rsa_pss;
    case AsymmetricKey::Kind::p256:
    case AsymmetricKey::Kind::p384:
    case AsymmetricKey::Kind::ed25519:
      return &algorithm == &default_of(*pair);
    case AsymmetricKey::Kind::other:
      break;
  }
  return false;
}

std::string sign(const Algorithm& algorithm, const SigningKey& key, std::string_view message) {
  if (const auto* secret = std::get_if<Secret>(&key))
    return crypto::hmac(algorithm.digest, secret->reveal(), message);
  const auto padding =
      algorithm.family == Family::rsa_pss ? AsymmetricKey::Padding::pss : AsymmetricKey::Padding::pkcs1;
  return std::get<AsymmetricKey>(key).sign(algorithm.digest, padding, message);
}

std::string Token::signed_text() const { return crypto::base64url(header) + "." + crypto::base64url(claims); }

std::string Token::text() const { return signed_text() + "." + crypto::base64url(signature); }

std::optional<Token> Token::parse(std::string_view text) {
  const std::size_t first = text.find('.');
  const std::size_t second = first == text.npos ? first : text.find('.', first + 1);
  if (second == text.npos || text.find('.', second + 1) != text.npos) return std::nullopt;
  const auto header = crypto::decode_base64(text.substr(0, first));
  const auto claims = crypto::decode_base64(text.substr(first + 1, second - first - 1));
  const auto signature = crypto::decode_base64(text.substr(second + 1));
  if (!header || !claims || !signature || signature->empty() || !json::string_at(*header, "/alg"))
    return std::nullopt;
  return Token{*header, *claims, *signature};
}

Token mint(const Algorithm& algorithm, const SigningKey& key, std::string header, std::string claims) {
  Token token{std::move(header), std::move(claims), {}};
  token.signature = sign(algorithm, key, token.signed_text());
  return token;
}

std::string header_of(const Algorithm& algorithm, const std::string& key_id) {
  const std::string header = fmt::format(R"({{"alg":"{}","typ":"JWT"}})", algorithm.name);
  return key_id.empty() ? header : json::with_member(header, "kid", json::quote(key_id));
}

std::string TokenSource::claims_at(Wall now) const { return json::with_times(claims, seconds_of(now)); }

std::string TokenSource::token(Wall now) const {
  const SigningKey* signing_key = key();
  if (!signing_key) return std::string(std::get<Secret>(from).reveal());
  return mint(*algorithm, *signing_key, header_of(*algorithm, key_id), claims_at(now)).text();
}

Header TokenSource::carry(const std::string& token) const {
  if (!cookie.empty()) return {"Cookie", cookie + "=" + token};
  return {header, prefix + token};
}

std::span<const Field> token_fields() { return kTokenFields; }

std::vector<Alternatives> token_alternatives(Alternatives::Count sources) {
  using Count = Alternatives::Count;
  return {{sources, kSources}, {Count::at_most_one, kHeaderOrCookie}, {Count::at_most_one, kPrefixOrCookie}};
}

bool has_source(const Values& values) {
  return std::any_of(std::begin(kSources), std::end(kSources),
                     [&](std::string_view key) { return values.has(key); });
}

TokenSource read_token_source(const Values& values, std::string_view title, Diagnostics& diagnostics) {
  return SourceReader(values, title, diagnostics).read();
}

void check_carrier(const Values& values, Diagnostics& diagnostics) {
  const auto report = [&](std::string_view key, const std::string& message) {
    diagnostics.error(values.place(key), in_quotes(key) + " " + message);
  };
  const bool has_cookie = values.has("cookie");
  for (const std::string_view key : {"header", "prefix"}) {
    if (has_cookie && values.has(key)) report(key, "has no meaning beside \"cookie\"; remove one of them");
  }
  if (has_cookie && !ascii::is_token(values.string("cookie"))) report("cookie", "is no name of a cookie");
  if (!ascii::is_token(values.string("header"))) report("header", "is no name of a header");
  if (ascii::has_control(values.string("prefix"))) report("prefix", "has a control character");
}

}  // namespace holdshort::jose
