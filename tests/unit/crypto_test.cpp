#include "probes/kit/crypto.h"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/private_keys.h"

namespace holdshort {
namespace {

using crypto::Digest;
using crypto::PrivateKey;
using testing_support::ec_pem;
using testing_support::rsa_pem;

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

PrivateKey::State state_of(const std::string& pem) {
  const auto key = crypto::inspect_private_key(pem);
  if (!key) throw std::runtime_error("no private key was found");
  return key->state;
}

TEST(Crypto, Sha256IsThatOfFips180) {
  EXPECT_EQ(crypto::hex(crypto::sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(crypto::hex(crypto::sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// RFC 4231 4.3 and 4.7: a short key, and one longer than a block.
TEST(Crypto, HmacIsThatOfRfc4231) {
  const std::string message = "what do ya want for nothing?";
  EXPECT_EQ(crypto::hex(crypto::hmac(Digest::sha256, "Jefe", message)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      crypto::hex(crypto::hmac(Digest::sha384, "Jefe", message)),
      "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
  EXPECT_EQ(crypto::hex(crypto::hmac(Digest::sha512, "Jefe", message)),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
            "caeab1a34d4a6b4b636e070a38bce737");
  EXPECT_EQ(crypto::hex(crypto::hmac(Digest::sha256, std::string(131, '\xaa'),
                                     "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Crypto, AnEmptyKeySignsToo) {
  const std::string expected = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  crypto::hmac(Digest::sha256, "the key of before", "");
  EXPECT_EQ(crypto::hex(crypto::hmac(Digest::sha256, "", "")), expected);
  EXPECT_EQ(crypto::hex(crypto::hmac(Digest::sha256, std::string_view(), "")), expected);
}

struct Encoded {
  std::string bytes, base64, base64url, hex;
};
const Encoded kEncoded[] = {
    // RFC 4648 10.
    {"", "", "", ""},
    {"f", "Zg==", "Zg", "66"},
    {"fo", "Zm8=", "Zm8", "666f"},
    {"foo", "Zm9v", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "Zm9vYg", "666f6f62"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"},
    {"\xfb\xff\xfe", "+//+", "-__-", "fbfffe"},
    {std::string("\0\0", 2), "AAA=", "AAA", "0000"},
};

TEST(Crypto, EncodingsAreThoseOfRfc4648) {
  for (const Encoded& row : kEncoded) {
    EXPECT_EQ(crypto::base64(row.bytes), row.base64);
    EXPECT_EQ(crypto::base64url(row.bytes), row.base64url);
    EXPECT_EQ(crypto::hex(row.bytes), row.hex);
  }
}

TEST(Crypto, DecodingReversesEncodingWithAndWithoutPadding) {
  for (const Encoded& row : kEncoded) {
    EXPECT_EQ(crypto::decode_base64(row.base64), row.bytes) << row.base64;
    EXPECT_EQ(crypto::decode_base64(row.base64url), row.bytes) << row.base64url;
    EXPECT_EQ(crypto::decode_base64(row.base64.substr(0, row.base64.find('='))), row.bytes) << row.base64;
    EXPECT_EQ(crypto::decode_hex(row.hex), row.bytes) << row.hex;
  }
  EXPECT_EQ(crypto::decode_hex("FBFFfe"), "\xfb\xff\xfe");
}

TEST(Crypto, WhatIsNoBase64IsRefused) {
  for (const std::string text :
       {"A", "AAAAA", "Zg=", "Zg===", "Z===", "Zm9v=", "Zm9v====", "Zg==Zg==", "=", "====", "Zm 9v", "Zm9v\n",
        "Zm9v*", "+_AA", "Zh==", "Zm9=", "Zg=A", "\xc3\xa9zz"})
    EXPECT_EQ(crypto::decode_base64(text), std::nullopt) << text;
}

TEST(Crypto, WhatIsNoHexIsRefused) {
  for (const std::string text : {"6", "666", "6g", "0x66", "66 6", "-1"})
    EXPECT_EQ(crypto::decode_hex(text), std::nullopt) << text;
}

TEST(Crypto, APrivateKeysStrengthIsSeen) {
  const auto rsa = crypto::inspect_private_key(rsa_pem(2048));
  ASSERT_TRUE(rsa);
  EXPECT_EQ(rsa->state, PrivateKey::State::readable);
  EXPECT_EQ(rsa->bits, 2048);
  EXPECT_EQ(rsa->security_bits, 112);
  EXPECT_EQ(crypto::inspect_private_key(rsa_pem(1024))->security_bits, 80);
  EXPECT_EQ(crypto::inspect_private_key(ec_pem())->security_bits, 128);
}

TEST(Crypto, APrivateKeyIsReadHoweverItsLinesAreBroken) {
  const std::string pem = ec_pem();
  for (const std::string breaks : {"\n", "\\n", "\r\n", " ", ""})
    EXPECT_EQ(state_of(replace_all(pem, "\n", breaks)), PrivateKey::State::readable) << '"' << breaks << '"';
}

TEST(Crypto, ACutOrMangledPrivateKeyIsDamaged) {
  const std::string pem = ec_pem();
  const std::string end = pem.substr(pem.find("-----END"));
  EXPECT_EQ(state_of(pem.substr(0, pem.size() / 2)), PrivateKey::State::damaged);
  EXPECT_EQ(state_of(pem.substr(0, 80) + "\n" + end), PrivateKey::State::damaged);
  EXPECT_EQ(state_of("-----BEGIN PRIVATE KEY-----\nchange me\n-----END PRIVATE KEY-----"),
            PrivateKey::State::damaged);
  EXPECT_EQ(state_of("-----BEGIN PRIVATE KEY-----" + end), PrivateKey::State::damaged);
  EXPECT_EQ(state_of("-----BEGIN PRIVATE KEY"), PrivateKey::State::damaged);
}

TEST(Crypto, AnEncryptedPrivateKeyIsSealed) {
  EXPECT_EQ(state_of(rsa_pem(1024, "a passphrase")), PrivateKey::State::sealed);
  EXPECT_EQ(
      state_of("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n"
               "-----END RSA PRIVATE KEY-----"),
      PrivateKey::State::sealed);
}

TEST(Crypto, WhatIsNoPemPrivateKeyIsNone) {
  for (const std::string text : {"", "t2Zq8mVb4Xw9Lk3R", "-----BEGIN ",
                                 "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"})
    EXPECT_FALSE(crypto::inspect_private_key(text)) << text;
}

// The test cases 13 and 14 of "The Galois/Counter Mode of Operation" (McGrew and Viega).
TEST(Crypto, AesGcmIsAsItsAuthorsHaveIt) {
  const std::string key(32, '\0'), nonce(12, '\0');
  EXPECT_EQ(crypto::hex(crypto::aes_gcm(key, nonce, "", "").tag), "530f8afbc74536b9a963b4f1c4cb738b");
  const crypto::Sealed sealed = crypto::aes_gcm(key, nonce, "", std::string(16, '\0'));
  EXPECT_EQ(crypto::hex(sealed.text), "cea7403d4d606b6e074ec5d3baf39d18");
  EXPECT_EQ(crypto::hex(sealed.tag), "d0d1c8a799996bf0265b98b5d48ab919");
}

}  // namespace
}  // namespace holdshort
