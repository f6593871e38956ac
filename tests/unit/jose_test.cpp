// Keys and tokens against the RFCs' own examples, and against OpenSSL where signatures are random.
#include "probes/kit/jose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/kit/json.h"
#include "tests/support/token_verifier.h"

namespace holdshort::jose {
namespace {

using crypto::AsymmetricKey;
using testing_support::key_of;

// A PKCS #8 Ed25519 key is this and the 32 bytes (RFC 8410 7).
std::string ed25519_of(const std::string& raw) {
  return crypto::pem("PRIVATE KEY", crypto::decode_hex("302e020100300506032b657004220420").value() + raw);
}

TEST(Jose, SignsAsTheExampleOfRfc8037) {
  const auto key = AsymmetricKey::read_private(
      ed25519_of(crypto::decode_base64("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").value()));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->jwk(), R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
  const Token token =
      mint(*find_algorithm("EdDSA"), *key, R"({"alg":"EdDSA"})", "Example of Ed25519 signing");
  EXPECT_EQ(
      token.text(),
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6"
      "dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}

TEST(Jose, SignsAsTheExampleOfRfc7515) {
  const Secret key(
      crypto::decode_base64(
          "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
          .value());
  const Token token =
      mint(*find_algorithm("HS256"), key, "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
           "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
  EXPECT_EQ(crypto::base64url(token.signature), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  EXPECT_EQ(Token::parse(token.text())->claims, token.claims);
}

TEST(Jose, TakesApartWhatHasThreePartsAndAnAlgorithm) {
  EXPECT_TRUE(Token::parse("eyJhbGciOiJIUzI1NiJ9.e30.AA"));
  for (const char* text : {"", "x", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30.", "eyJhbGciOiJIUzI1NiJ9.e30",
                           "eyJhbGciOiJIUzI1NiJ9.e30.AA.AA", "e30.e30.AA", "eyJhbGciOiJIUzI1NiJ9.!.AA"})
    EXPECT_FALSE(Token::parse(text)) << text;
}

TEST(Jose, AKeyFitsItsOwnAlgorithms) {
  const auto fitting = [](const SigningKey& key) {
    std::string names;
    for (const char* name :
         {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"})
      if (fits(*find_algorithm(name), key)) names += std::string(name) + " ";
    return names;
  };
  EXPECT_EQ(fitting(Secret("k")), "HS256 HS384 HS512 ");
  EXPECT_EQ(fitting(AsymmetricKey::generate(AsymmetricKey::Kind::rsa)), "RS256 RS384 RS512 PS256 ");
  EXPECT_EQ(fitting(AsymmetricKey::generate(AsymmetricKey::Kind::p256)), "ES256 ");
  EXPECT_EQ(fitting(AsymmetricKey::generate(AsymmetricKey::Kind::p384)), "ES384 ");
  EXPECT_EQ(fitting(AsymmetricKey::generate(AsymmetricKey::Kind::ed25519)), "EdDSA ");
  EXPECT_EQ(find_algorithm("none"), nullptr);
}

TEST(Keys, ArePublishedSoThatOthersReadThemBack) {
  for (const auto kind : {AsymmetricKey::Kind::rsa, AsymmetricKey::Kind::p256, AsymmetricKey::Kind::p384,
                          AsymmetricKey::Kind::ed25519}) {
    const AsymmetricKey key = AsymmetricKey::generate(kind);
    const std::string spki = crypto::pem("PUBLIC KEY", key.spki());
    EXPECT_EQ(testing_support::public_pem_of(key_of(spki).get()), spki);
    for (const std::string& text : {spki, key.jwk(), "{\"keys\":[" + key.jwk() + "]}",
                                    crypto::pem("CERTIFICATE", key.self_signed_certificate())}) {
      const auto keys = crypto::read_public_keys(text);
      ASSERT_TRUE(keys) << text;
      ASSERT_EQ(keys->size(), 1u);
      EXPECT_EQ(keys->at(0).key.spki(), key.spki());
      EXPECT_EQ(keys->at(0).key.kind(), kind);
    }
  }
  const AsymmetricKey rsa = AsymmetricKey::generate(AsymmetricKey::Kind::rsa);
  EXPECT_EQ(crypto::read_public_keys(crypto::pem("RSA PUBLIC KEY", rsa.pkcs1())).value().at(0).key.spki(),
            rsa.spki());
}

TEST(Keys, OfAJwksAreThoseThatCanBeRead) {
  const AsymmetricKey key = AsymmetricKey::generate(AsymmetricKey::Kind::p256);
  const std::string jwk = json::with_member(key.jwk(), "kid", "\"a\"");
  const auto keys = crypto::read_public_keys(R"({"keys":[{"kty":"oct","k":"AA"},{},)" + jwk + "]}");
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ(keys->at(0).id, "a");
  for (const char* text :
       {"", "{", "{}", "[]", R"({"keys":[]})", R"({"kty":"RSA"})", R"({"kty":"EC","crv":"P-256"})",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"})
    EXPECT_FALSE(crypto::read_public_keys(text)) << text;
  std::string many = jwk;
  for (int i = 0; i < 40; ++i) many.append(",").append(jwk);
  EXPECT_EQ(crypto::read_public_keys("{\"keys\":[" + many + "]}").value().size(), 32u);
}

TEST(Keys, ThatAreNoPrivateKeysSaySo) {
  const auto said = [](const std::string& pem) {
    const auto key = AsymmetricKey::read_private(pem);
    return key ? std::string("read") : key.error().message;
  };
  const std::string pem = testing_support::ec_pem();
  EXPECT_EQ(said(pem), "read");
  std::string one_line = pem;
  for (std::size_t at = 0; (at = one_line.find('\n', at)) != std::string::npos;)
    one_line.replace(at, 1, "\\n");
  EXPECT_EQ(said(one_line), "read");
  EXPECT_EQ(said("secret"), "no private key, expected PEM");
  EXPECT_THAT(said(testing_support::rsa_pem(1024, "passphrase")), testing::HasSubstr("encrypted"));
  EXPECT_THAT(said(pem.substr(0, 60)), testing::HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace holdshort::jose
