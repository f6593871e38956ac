#include "probes/kit/crypto.h"

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>

#include "probes/kit/ascii.h"

namespace holdshort::crypto {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  unsigned buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = (buffer << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) text += alphabet[(buffer >> (bits - 6)) & 63];
  }
  if (bits > 0) text += alphabet[(buffer << (6 - bits)) & 63];
  return text;
}

// 0..63, or -1.
int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

// One ASN.1 SEQUENCE that ends where its length says (X.690 8.1.3): nothing was cut off.
bool is_whole_sequence(std::string_view der) {
  constexpr unsigned char kSequence = 0x30, kLong = 0x80;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(der[i]); };
  if (der.size() < 2 || byte(0) != kSequence) return false;
  if (byte(1) < kLong) return der.size() == 2u + byte(1);
  const std::size_t length_bytes = byte(1) - kLong;
  if (length_bytes == 0 || length_bytes > 4 || der.size() < 2 + length_bytes) return false;
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | byte(2 + i);
  return der.size() == 2 + length_bytes + length;
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

PrivateKey inspect_der(std::string_view der) {
  if (!is_whole_sequence(der)) return {};
  const unsigned char* at = bytes_of(der);
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!key) return {.state = PrivateKey::State::sealed};
  return {PrivateKey::State::readable, EVP_PKEY_get_bits(key.get()), EVP_PKEY_get_security_bits(key.get())};
}

// Without white space and without "\n" and "\r" written out.
std::string joined(std::string_view lines) {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view escape = lines.substr(i, 2);
    if (escape == "\\n" || escape == "\\r")
      ++i;
    else if (ascii::is_visible(lines[i]))
      text += lines[i];
  }
  return text;
}

}  // namespace

const char* name_of(Digest digest) {
  switch (digest) {
    case Digest::sha1:
      return "SHA1";
    case Digest::sha256:
      return "SHA256";
    case Digest::sha384:
      return "SHA384";
    case Digest::sha512:
      return "SHA512";
  }
  return "";
}

std::string hmac(Digest digest, std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  // OpenSSL takes a null key for "the one of before".
  const void* key_data = key.empty() ? "" : key.data();
  if (!HMAC(EVP_get_digestbyname(name_of(digest)), key_data, static_cast<int>(key.size()), bytes_of(message),
            message.size(), mac.data(), &size))
    throw std::runtime_error("HMAC failed");
  return {mac.begin(), mac.begin() + size};
}

std::string sha256(std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (!EVP_Digest(message.data(), message.size(), digest.data(), &size, EVP_sha256(), nullptr))
    throw std::runtime_error("SHA-256 failed");
  return {digest.begin(), digest.begin() + size};
}

Sealed aes_gcm(std::string_view key, std::string_view nonce, std::string_view associated,
               std::string_view text) {
  constexpr int kTagBytes = 16;
  Sealed sealed{std::string(text.size(), '\0'), std::string(kTagBytes, '\0')};
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(EVP_CIPHER_CTX_new());
  auto* out = reinterpret_cast<unsigned char*>(sealed.text.data());
  int size = 0;
  if (!context ||
      !EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) ||
      !EVP_EncryptUpdate(context.get(), nullptr, &size, bytes_of(associated),
                         static_cast<int>(associated.size())) ||
      !EVP_EncryptUpdate(context.get(), out, &size, bytes_of(text), static_cast<int>(text.size())) ||
      !EVP_EncryptFinal_ex(context.get(), out + size, &size) ||
      !EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, sealed.tag.data()))
    throw std::runtime_error("AES-GCM failed");
  return sealed;
}

std::string base64(std::string_view bytes) {
  std::string text = encode(bytes, kBase64);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::string base64url(std::string_view bytes) { return encode(bytes, kBase64Url); }

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.find_first_of("+/") != text.npos && text.find_first_of("-_") != text.npos) return std::nullopt;
  const std::size_t digits = std::min(text.find('='), text.size());
  const std::size_t padding = text.size() - digits;
  const bool padded_right = padding <= 2 && text.size() % 4 == 0 &&
                            text.substr(digits) == std::string_view("==").substr(0, padding);
  if ((padding > 0 && !padded_right) || digits % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(digits / 4 * 3 + 2);
  unsigned buffer = 0;
  int bits = 0;
  for (const char c : text.substr(0, digits)) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    buffer = (buffer << 6) | static_cast<unsigned>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>((buffer >> bits) & 0xFF);
  }
  if ((buffer & ((1u << bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<std::string> decode_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = ascii::hex_digit(text[i]), low = ascii::hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::optional<PemBlock> find_pem(std::string_view text, std::string_view kind) {
  constexpr std::string_view kBegin = "-----BEGIN ", kDashes = "-----", kEnd = "-----END ";
  const std::size_t begin = text.find(kBegin);
  if (begin == text.npos) return std::nullopt;
  text.remove_prefix(begin + kBegin.size());
  const std::size_t label_end = text.find(kDashes);
  const std::string_view label = text.substr(0, std::min(label_end, text.size()));
  if (!label.ends_with(kind)) return std::nullopt;
  text.remove_prefix(std::min(label.size() + kDashes.size(), text.size()));
  PemBlock block{.label = std::string(label), .der = {}};
  const std::size_t end = text.find(kEnd);
  if (end == text.npos) return block;
  const std::string body = joined(text.substr(0, end));
  // RFC 7468 11, and the older "Proc-Type: 4,ENCRYPTED" of RFC 1421 4.6.1.1.
  block.encrypted = label.starts_with("ENCRYPTED") || body.find("ENCRYPTED") != body.npos;
  if (!block.encrypted && !body.empty()) block.der = decode_base64(body);
  return block;
}

std::string pem(std::string_view label, std::string_view der) {
  constexpr std::size_t kLine = 64;
  const std::string digits = base64(der);
  std::string text = "-----BEGIN " + std::string(label) + "-----\n";
  for (std::size_t i = 0; i < digits.size(); i += kLine) text += digits.substr(i, kLine) + "\n";
  return text + "-----END " + std::string(label) + "-----\n";
}

std::optional<PrivateKey> inspect_private_key(std::string_view pem) {
  const std::optional<PemBlock> block = find_pem(pem, "PRIVATE KEY");
  if (!block) return std::nullopt;
  if (block->encrypted) return PrivateKey{.state = PrivateKey::State::sealed};
  if (!block->der || block->der->empty()) return PrivateKey{};
  // OpenSSH's own format is no ASN.1.
  if (block->label.starts_with("OPENSSH")) return PrivateKey{.state = PrivateKey::State::sealed};
  return inspect_der(*block->der);
}

}  // namespace holdshort::crypto
