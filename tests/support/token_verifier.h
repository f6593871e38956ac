// A small verifier of JSON Web Tokens with OpenSSL and nlohmann's parser alone, so that it shares no mistake
// with what mints and forges them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <nlohmann/json.hpp>

#include "tests/support/private_keys.h"

namespace holdshort::testing_support {

inline std::optional<std::string> from_base64url(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const std::size_t padding = (4 - text.size() % 4) % 4;
  if (padding == 3) return std::nullopt;
  text.append(padding, '=');
  std::string bytes(text.size() / 4 * 3 + 1, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

// A token as a verifier sees it: nothing is trusted yet.
struct SeenToken {
  std::string text;
  std::vector<std::string> parts;  // as they stand between the dots
  nlohmann::json header, claims;   // discarded where a part is no JSON
  std::string signature;           // bytes; "" where there is no third part
  std::string signed_text;

  std::string algorithm() const {
    return header.is_object() && header.contains("alg") && header["alg"].is_string() ? header["alg"] : "";
  }
};

inline SeenToken take_apart(const std::string& text) {
  SeenToken token{.text = text, .parts = {}, .header = {}, .claims = {}, .signature = {}, .signed_text = {}};
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('.', start), text.size());
    token.parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  if (text.ends_with('.')) token.parts.resize(std::max<std::size_t>(token.parts.size(), 3));
  const auto json_of = [&](std::size_t i) {
    const auto bytes = i < token.parts.size() ? from_base64url(token.parts[i]) : std::nullopt;
    return nlohmann::json::parse(bytes.value_or(""), nullptr, false);
  };
  token.header = json_of(0);
  token.claims = json_of(1);
  if (token.parts.size() > 2) token.signature = from_base64url(token.parts[2]).value_or("");
  if (token.parts.size() > 1) token.signed_text = token.parts[0] + "." + token.parts[1];
  return token;
}

inline const EVP_MD* digest_of(std::string_view algorithm) {
  return algorithm.ends_with("384") ? EVP_sha384() : algorithm.ends_with("512") ? EVP_sha512() : EVP_sha256();
}

inline bool hmac_verifies(const SeenToken& token, std::string_view key) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(digest_of(token.algorithm()), key.empty() ? "" : key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(token.signed_text.data()), token.signed_text.size(), mac,
       &size);
  return token.signature == std::string(reinterpret_cast<const char*>(mac), size);
}

// `signature` as JOSE has it: for EC r and s side by side.
inline bool key_verifies(EVP_PKEY* key, std::string_view algorithm, std::string_view message,
                         std::string signature) {
  if (algorithm.starts_with("ES")) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
    const int half = static_cast<int>(signature.size() / 2);
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(), &ECDSA_SIG_free);
    ECDSA_SIG_set0(pair.get(), BN_bin2bn(bytes, half, nullptr), BN_bin2bn(bytes + half, half, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &der);
    signature.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_PKEY_CTX* options = nullptr;
  if (EVP_DigestVerifyInit(context.get(), &options, algorithm == "EdDSA" ? nullptr : digest_of(algorithm),
                           nullptr, key) != 1)
    return false;
  if (algorithm.starts_with("PS")) {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
  }
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(message.data()),
                          message.size()) == 1;
}

// The key of a PEM, pair or public.
inline KeyPointer key_of(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  EVP_PKEY* key = pem.find("PRIVATE") != std::string::npos
                      ? PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr)
                      : PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr);
  return {key, &EVP_PKEY_free};
}
// Of kind RSA, or EC on P-256.
inline KeyPointer key_of_jwk(const nlohmann::json& jwk) {
  const auto bytes = [&](const char* name) { return from_base64url(jwk.value(name, "")).value_or(""); };
  const auto number = [&](const char* name) {
    const std::string text = bytes(name);
    return std::unique_ptr<BIGNUM, decltype(&BN_free)>(
        BN_bin2bn(reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()),
                  nullptr),
        &BN_free);
  };
  const bool is_rsa = jwk.value("kty", "") == "RSA";
  const auto n = number("n"), e = number("e");
  const std::string point = "\x04" + bytes("x") + bytes("y");
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(OSSL_PARAM_BLD_new(),
                                                                                &OSSL_PARAM_BLD_free);
  if (is_rsa) {
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  } else {
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  }
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(
      OSSL_PARAM_BLD_to_param(builder.get()), &OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, is_rsa ? "RSA" : "EC", nullptr), &EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context.get());
  EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  return {key, &EVP_PKEY_free};
}
inline std::string public_pem_of(EVP_PKEY* key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PUBKEY(out.get(), key);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}
// What a JWE in five parts has inside; "" where it does not open with `key` (A256GCM).
inline std::string unsealed(const SeenToken& token, const std::string& key) {
  if (token.parts.size() != 5 || key.size() != 32) return "";
  const auto part = [&](std::size_t i) { return from_base64url(token.parts[i]).value_or(""); };
  const auto bytes = [](const std::string& s) { return reinterpret_cast<const unsigned char*>(s.data()); };
  const std::string nonce = part(2), sealed = part(3);
  std::string tag = part(4), inside(sealed.size(), '\0');
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  auto* out = reinterpret_cast<unsigned char*>(inside.data());
  int size = 0;
  const bool opens =
      nonce.size() == 12 && tag.size() == 16 &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key), bytes(nonce)) &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, bytes(token.parts[0]),
                        static_cast<int>(token.parts[0].size())) &&
      EVP_DecryptUpdate(context.get(), out, &size, bytes(sealed), static_cast<int>(sealed.size())) &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, 16, tag.data()) &&
      EVP_DecryptFinal_ex(context.get(), out + size, &size) > 0;
  return opens ? inside : "";
}
// What the public half has encrypted by RSA-OAEP.
inline std::string decrypted(EVP_PKEY* pair, const std::string& text) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, pair, nullptr), &EVP_PKEY_CTX_free);
  std::string plain(512, '\0');
  std::size_t size = plain.size();
  if (EVP_PKEY_decrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) <= 0 ||
      EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(plain.data()), &size,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) <= 0)
    return "";
  return plain.substr(0, size);
}
inline std::string ed25519_pem() {
  return pem_of(KeyPointer(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free).get());
}

}  // namespace holdshort::testing_support
