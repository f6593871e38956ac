// JSON Web Tokens (RFC 7519) as an issuer makes them, and the keys of the configuration that say how. The jwt
// probe and the identity of that kind share it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "probes/kit/clock.h"
#include "probes/kit/fields.h"
#include "probes/kit/keys.h"

namespace holdshort::jose {

enum class Family { hmac, rsa_pkcs1, rsa_pss, ecdsa, eddsa };
struct Algorithm {
  std::string_view name;  // RFC 7518 3.1, RFC 8037 3.1: "HS256"
  Family family = Family::hmac;
  crypto::Digest digest = crypto::Digest::sha256;
};
const Algorithm* find_algorithm(std::string_view name);  // null: none that we sign with
const Algorithm& default_of(
    const crypto::AsymmetricKey& key);  // what its kind is used with; needs a known kind

using SigningKey = std::variant<Secret, crypto::AsymmetricKey>;
bool fits(const Algorithm& algorithm, const SigningKey& key);
std::string sign(const Algorithm& algorithm, const SigningKey& key, std::string_view message);

// A token taken apart. Header and claims are JSON texts, the signature is bytes.
struct Token {
  std::string header, claims, signature;
  std::string signed_text() const;  // header and claims as they stand before the second dot
  std::string text() const;
  // Three parts of base64url whose first is a JSON object with a string "alg"; nullopt for anything else.
  static std::optional<Token> parse(std::string_view text);
};
Token mint(const Algorithm& algorithm, const SigningKey& key, std::string header, std::string claims);
// {"alg":"HS256","typ":"JWT"}, with "kid" where there is one.
std::string header_of(const Algorithm& algorithm, const std::string& key_id);

// How to come by a token, and where it goes in a request.
struct TokenSource {
  const Algorithm* algorithm = nullptr;              // null: of a given token that we do not know
  std::variant<SigningKey, Secret> from = Secret();  // a key to mint with, or a token that was given
  std::string claims = "{}";
  std::string key_id;
  std::vector<crypto::PublicKey> public_keys;  // as `public_key` has them
  Secret public_key_text;                      // the same as it was written
  std::string header, prefix, cookie;

  const SigningKey* key() const { return std::get_if<SigningKey>(&from); }
  // Minted for `now`, iat and exp included; or the one that was given.
  std::string token(Wall now) const;
  std::string claims_at(Wall now) const;
  Header carry(const std::string& token) const;
};

// The keys that a table may have: algorithm, secret, private_key, public_key, token, claims, header, prefix,
// cookie.
std::span<const Field> token_fields();
// secret, private_key and token, of which `sources` must be written, and what excludes a cookie.
std::vector<Alternatives> token_alternatives(Alternatives::Count sources);
bool has_source(const Values& values);  // secret, private_key or token is written
// Reports what the rows cannot express; what it gives then was not meant. `title` names the table in
// messages. Needs has_source().
TokenSource read_token_source(const Values& values, std::string_view title, Diagnostics& diagnostics);
// What is wrong with header, prefix and cookie; for a table that has no source.
void check_carrier(const Values& values, Diagnostics& diagnostics);

}  // namespace holdshort::jose
