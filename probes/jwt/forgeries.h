// Tokens that no verifier may take: the catalogue, as data made from one genuine token. Each changes one
// thing.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/forgery.h"
#include "probes/kit/jose.h"

namespace holdshort::jwt {

enum class Catalogue { standard, thorough };

struct ForgedToken {
  std::string id;     // "jwt.alg_none"
  std::string text;   // what stands in the token's place
  std::string with;   // "with an unsigned token": shows no part of a token
  std::string means;  // "signatures are not verified"
  std::vector<std::string> references;
  Forgery::Weight weight = Forgery::Weight::must_be_refused;
  std::string page = {};  // a URL of ours that it names; "": none
};

// What forgeries are made of.
struct Material {
  jose::Token genuine;
  const jose::TokenSource* source = nullptr;
  std::int64_t now = 0;               // seconds since 1970
  std::mt19937_64* random = nullptr;  // for keys that are nobody's
  // Where foreign_keys() and foreign_chain() can be fetched; "" : nowhere, and no token says so.
  std::string key_set_url, chain_url;
};

// By what they need: the signature and the header (any token will do), then the claims, for which the token
// must be signed again with the right key. The most telling come first.
std::vector<ForgedToken> forged_signatures(const Material& material, Catalogue catalogue);
std::vector<ForgedToken> forged_claims(const Material& material, Catalogue catalogue);

// Tokens signed by HMAC with what apps fall back to when their key is not set, and with keys that are
// published. Without those that are the genuine key. All of a list share one id.
std::vector<ForgedToken> with_fallback_keys(const Material& material);
std::vector<ForgedToken> with_published_keys(const Material& material);
// Offline: whether such a key, or a placeholder, has signed the genuine token.
bool is_signed_with_known_key(const jose::Token& token, const jose::Algorithm& algorithm);

// What stands behind jku and x5u: a JWKS and a chain in PEM (RFC 7515 4.1.2, 4.1.5), of the foreign key.
std::string foreign_keys(const jose::Algorithm* algorithm);
std::string foreign_chain(const jose::Algorithm* algorithm);

// The pair that wrong and embedded keys are taken from: made once, RSA in tens of milliseconds. Any thread.
const crypto::AsymmetricKey& foreign_key(crypto::AsymmetricKey::Kind kind);
// The kind that forged_signatures() will ask for.
crypto::AsymmetricKey::Kind foreign_kind(const jose::Algorithm* algorithm);

}  // namespace holdshort::jwt
