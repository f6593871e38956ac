// Key pairs and public keys for signatures, in whatever text they come: PEM, JWK, a JWKS. OpenSSL is behind
// this door.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/crypto.h"
#include "probes/kit/result.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace holdshort::crypto {

// An RSA, EC or Ed25519 key: a pair, or its public half alone. Copies share it; it never changes.
class AsymmetricKey {
 public:
  enum class Kind { rsa, p256, p384, ed25519, other };
  enum class Padding { pkcs1, pss };  // RSA's (RFC 8017); other kinds have none

  // PKCS #8, PKCS #1 or SEC 1 in PEM, not encrypted; find_pem() tells how lines may be broken.
  [[nodiscard]] static Result<AsymmetricKey> read_private(std::string_view pem);
  // A fresh pair; RSA 2048 takes tens of milliseconds. `kind` is not `other`.
  static AsymmetricKey generate(Kind kind);

  Kind kind() const;
  bool is_rsa() const { return kind() == Kind::rsa; }
  // As JOSE has it: an EC signature is r and s side by side (RFC 7518 3.4). Needs a pair.
  std::string sign(Digest digest, Padding padding, std::string_view message) const;

  // For whoever has the pair, by RSA-OAEP with SHA-1 (RFC 7518 4.3); RSA only, and `text` no longer than an
  // AES key.
  std::string encrypt(std::string_view text) const;

  std::string spki() const;   // DER of SubjectPublicKeyInfo, "BEGIN PUBLIC KEY"
  std::string pkcs1() const;  // DER of RSAPublicKey, "BEGIN RSA PUBLIC KEY"; RSA only
  // The public half as JSON members in RFC 7638's order; "" for `other`.
  std::string jwk() const;
  // DER of an X.509 certificate for the public half, signed by the pair itself.
  std::string self_signed_certificate() const;

 private:
  friend struct PublicKeyReader;
  explicit AsymmetricKey(evp_pkey_st* owned);
  std::shared_ptr<evp_pkey_st> key_;
};

// A public key as an issuer publishes it.
struct PublicKey {
  AsymmetricKey key;
  std::string id;  // "kid" of a JWK; "" where there is none
};
// All that `text` holds: PEM ("PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"), a JWK, or a JWKS, of which keys
// of unknown kinds are left out. Fails where none is left.
Result<std::vector<PublicKey>> read_public_keys(std::string_view text);

}  // namespace holdshort::crypto
