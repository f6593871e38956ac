#include "probes/kit/keys.h"

#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "probes/kit/json.h"

namespace holdshort::crypto {
namespace {

using Kind = AsymmetricKey::Kind;

constexpr std::size_t kMaxKeys = 32;  // of a JWKS
constexpr unsigned kRsaBits = 2048;

template <auto free_it>
struct Free {
  template <class T>
  void operator()(T* it) const {
    free_it(it);
  }
};
template <class T, auto free_it>
using Owned = std::unique_ptr<T, Free<free_it>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

[[noreturn]] void broken(const char* what) {
  ERR_clear_error();
  throw std::runtime_error(std::string("OpenSSL failed: ") + what);
}

// What i2d_... writes.
template <class T>
std::string der_of(int (*encode)(const T*, unsigned char**), const T* object) {
  unsigned char* data = nullptr;
  const int size = encode(object, &data);
  if (size <= 0) broken("DER");
  std::string der(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(data);
  return der;
}

// Big-endian, `width` bytes; as few as needed where it is 0.
std::string bytes_of(const BIGNUM* number, std::size_t width) {
  const std::size_t size = width ? width : static_cast<std::size_t>(BN_num_bytes(number));
  std::string bytes(size, '\0');
  if (BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) < 0)
    broken("a number is longer than its field");
  return bytes;
}

std::string parameter(const EVP_PKEY* key, const char* name, std::size_t width = 0) {
  BIGNUM* number = nullptr;
  if (!EVP_PKEY_get_bn_param(key, name, &number)) broken(name);
  const Owned<BIGNUM, BN_free> owned(number);
  return bytes_of(number, width);
}

std::size_t coordinate_bytes(Kind kind) { return kind == Kind::p256 ? 32 : 48; }

// ECDSA's DER to r and s side by side.
std::string joined_signature(std::string_view der, std::size_t width) {
  const unsigned char* at = bytes_of(der);
  const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature) broken("an ECDSA signature");
  return bytes_of(ECDSA_SIG_get0_r(signature.get()), width) +
         bytes_of(ECDSA_SIG_get0_s(signature.get()), width);
}

// --- reading

EVP_PKEY* from_parameters(const char* algorithm, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) <= 0)
    return nullptr;
  return key;
}

EVP_PKEY* rsa_of(const std::string& modulus, const std::string& exponent) {
  if (modulus.empty() || exponent.empty()) return nullptr;
  const Owned<BIGNUM, BN_free> n(BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr));
  const Owned<BIGNUM, BN_free> e(BN_bin2bn(bytes_of(exponent), static_cast<int>(exponent.size()), nullptr));
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || !OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) ||
      !OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()))
    return nullptr;
  return from_parameters("RSA", builder.get());
}

EVP_PKEY* ec_of(const std::string& curve, const std::string& x, const std::string& y) {
  constexpr char kUncompressed = 4;  // SEC 1 2.3.3
  const std::string point = kUncompressed + x + y;
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      !OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0) ||
      !OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()))
    return nullptr;
  return from_parameters("EC", builder.get());
}

// A member of a JWK that is base64url (RFC 7518 6); "" where there is none.
std::string decoded_member(std::string_view jwk, std::string_view pointer) {
  return decode_base64(json::string_at(jwk, pointer).value_or("")).value_or("");
}

EVP_PKEY* from_jwk(std::string_view jwk) {
  const std::string type = json::string_at(jwk, "/kty").value_or("");
  const std::string curve = json::string_at(jwk, "/crv").value_or("");
  const std::string x = decoded_member(jwk, "/x");
  if (type == "RSA") return rsa_of(decoded_member(jwk, "/n"), decoded_member(jwk, "/e"));
  if (type == "EC") return ec_of(curve, x, decoded_member(jwk, "/y"));
  if (type == "OKP" && curve == "Ed25519")
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size());
  return nullptr;
}

EVP_PKEY* from_certificate(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  const Owned<X509, X509_free> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  return certificate ? X509_get_pubkey(certificate.get()) : nullptr;
}

EVP_PKEY* from_pem(const PemBlock& block) {
  if (!block.der) return nullptr;
  const unsigned char* at = bytes_of(*block.der);
  const long size = static_cast<long>(block.der->size());
  if (block.label == "CERTIFICATE") return from_certificate(*block.der);
  if (block.label == "RSA PUBLIC KEY") return d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size);
  return d2i_PUBKEY(nullptr, &at, size);
}

}  // namespace

struct PublicKeyReader {
  std::vector<PublicKey> keys;

  void add(EVP_PKEY* owned, std::string id) {
    ERR_clear_error();
    if (owned) keys.push_back({AsymmetricKey(owned), std::move(id)});
  }

  void read(std::string_view text) {
    for (const std::string_view kind : {"PUBLIC KEY", "CERTIFICATE"})
      if (const auto block = find_pem(text, kind)) return add(from_pem(*block), "");
    if (json::at(text, "/keys").lookup != json::Lookup::found) return read_jwk(text);
    for (std::size_t i = 0; i < kMaxKeys; ++i) {
      const json::Found jwk = json::at(text, fmt::format("/keys/{}", i));
      if (jwk.lookup != json::Lookup::found) break;
      read_jwk(jwk.text);
    }
  }

  void read_jwk(std::string_view jwk) { add(from_jwk(jwk), json::string_at(jwk, "/kid").value_or("")); }
};

Result<std::vector<PublicKey>> read_public_keys(std::string_view text) {
  PublicKeyReader reader;
  reader.read(text);
  if (reader.keys.empty()) return failure("no public key, expected PEM, a JWK or a JWKS");
  return std::move(reader.keys);
}

AsymmetricKey::AsymmetricKey(evp_pkey_st* owned) : key_(owned, &EVP_PKEY_free) {}

Result<AsymmetricKey> AsymmetricKey::read_private(std::string_view pem) {
  const std::optional<PemBlock> block = find_pem(pem, "PRIVATE KEY");
  if (!block) return failure("no private key, expected PEM");
  if (block->encrypted) return failure("an encrypted private key, expected one without a passphrase");
  const std::string der = block->der.value_or("");
  const unsigned char* at = bytes_of(der);
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size()));
  ERR_clear_error();
  if (!key) return failure("a private key that cannot be read, expected PKCS #8, PKCS #1 or SEC 1 in PEM");
  return AsymmetricKey(key);
}

AsymmetricKey AsymmetricKey::generate(Kind kind) {
  EVP_PKEY* key = nullptr;
  switch (kind) {
    case Kind::rsa:
      key = EVP_RSA_gen(kRsaBits);
      break;
    case Kind::p256:
      key = EVP_EC_gen("P-256");
      break;
    case Kind::p384:
      key = EVP_EC_gen("P-384");
      break;
    case Kind::ed25519:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
      break;
    case Kind::other:
      break;
  }
  if (!key) broken("a key pair");
  return AsymmetricKey(key);
}

Kind AsymmetricKey::kind() const {
  switch (EVP_PKEY_get_base_id(key_.get())) {
    case EVP_PKEY_RSA:
      return Kind::rsa;
    case EVP_PKEY_ED25519:
      return Kind::ed25519;
    case EVP_PKEY_EC:
      break;
    default:
      return Kind::other;
  }
  std::array<char, 64> group{};
  if (!EVP_PKEY_get_group_name(key_.get(), group.data(), group.size(), nullptr)) return Kind::other;
  const std::string_view name = group.data();
  return name == SN_X9_62_prime256v1 ? Kind::p256 : name == SN_secp384r1 ? Kind::p384 : Kind::other;
}

std::string AsymmetricKey::sign(Digest digest, Padding padding, std::string_view message) const {
  const Kind of = kind();
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;                                   // owned by the context
  const char* md = of == Kind::ed25519 ? nullptr : name_of(digest);  // it has its own (RFC 8032)
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), &options, md, nullptr, nullptr, key_.get(), nullptr) <= 0)
    broken("a signature");
  if (of == Kind::rsa && padding == Padding::pss &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) <= 0 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) <= 0))
    broken("RSA-PSS");
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, bytes_of(message), message.size()) <= 0)
    broken("a signature");
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(message), message.size()) <= 0)
    broken("a signature");
  signature.resize(size);
  return of == Kind::p256 || of == Kind::p384 ? joined_signature(signature, coordinate_bytes(of)) : signature;
}

std::string AsymmetricKey::encrypt(std::string_view text) const {
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  std::size_t size = 0;
  if (!context || EVP_PKEY_encrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) <= 0 ||
      EVP_PKEY_encrypt(context.get(), nullptr, &size, bytes_of(text), text.size()) <= 0)
    broken("RSA-OAEP");
  std::string encrypted(size, '\0');
  if (EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(encrypted.data()), &size,
                       bytes_of(text), text.size()) <= 0)
    broken("RSA-OAEP");
  encrypted.resize(size);
  return encrypted;
}

std::string AsymmetricKey::spki() const { return der_of<EVP_PKEY>(i2d_PUBKEY, key_.get()); }

std::string AsymmetricKey::pkcs1() const { return der_of<EVP_PKEY>(i2d_PublicKey, key_.get()); }

std::string AsymmetricKey::jwk() const {
  const auto coordinate = [&](const char* name) {
    return base64url(parameter(key_.get(), name, coordinate_bytes(kind())));
  };
  switch (kind()) {
    case Kind::rsa:
      return fmt::format(R"({{"e":"{}","kty":"RSA","n":"{}"}})",
                         base64url(parameter(key_.get(), OSSL_PKEY_PARAM_RSA_E)),
                         base64url(parameter(key_.get(), OSSL_PKEY_PARAM_RSA_N)));
    case Kind::p256:
    case Kind::p384:
      return fmt::format(R"({{"crv":"{}","kty":"EC","x":"{}","y":"{}"}})",
                         kind() == Kind::p256 ? "P-256" : "P-384", coordinate(OSSL_PKEY_PARAM_EC_PUB_X),
                         coordinate(OSSL_PKEY_PARAM_EC_PUB_Y));
    case Kind::ed25519: {
      constexpr std::size_t kBytes = 32;  // RFC 8032 5.1
      std::string raw(kBytes, '\0');
      std::size_t size = raw.size();
      if (!EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size))
        broken("a raw key");
      return fmt::format(R"({{"crv":"Ed25519","kty":"OKP","x":"{}"}})", base64url(raw));
    }
    case Kind::other:
      break;
  }
  return "";
}

std::string AsymmetricKey::self_signed_certificate() const {
  constexpr long kDay = 86400;
  const Owned<X509, X509_free> certificate(X509_new());
  if (!certificate) broken("a certificate");
  X509* x509 = certificate.get();
  X509_NAME* name = X509_get_subject_name(x509);
  const bool filled =
      X509_set_version(x509, X509_VERSION_3) && ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) &&
      X509_gmtime_adj(X509_getm_notBefore(x509), -kDay) && X509_gmtime_adj(X509_getm_notAfter(x509), kDay) &&
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, bytes_of(std::string_view("holdshort.invalid")),
                                 -1, -1, 0) &&
      X509_set_issuer_name(x509, name) && X509_set_pubkey(x509, key_.get());
  const EVP_MD* md = kind() == Kind::ed25519 ? nullptr : EVP_sha256();
  if (!filled || !X509_sign(x509, key_.get(), md)) broken("a certificate");
  return der_of<X509>(i2d_X509, x509);
}

}  // namespace holdshort::crypto
