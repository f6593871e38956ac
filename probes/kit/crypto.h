// OpenSSL behind one door: digests, MACs, base64, hex, and what a private key is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdshort::crypto {

enum class Digest { sha1, sha256, sha384, sha512 };  // sha1: old webhook schemes only
const char* name_of(Digest digest);                  // as OpenSSL knows it: "SHA256"
std::string hmac(Digest digest, std::string_view key, std::string_view message);  // raw bytes
std::string sha256(std::string_view message);                                     // raw bytes
// AES-256-GCM (NIST SP 800-38D): the ciphertext and its tag of 16 bytes. `key` has 32 bytes, `nonce` 12.
struct Sealed {
  std::string text, tag;
};
Sealed aes_gcm(std::string_view key, std::string_view nonce, std::string_view associated,
               std::string_view text);
std::string base64(std::string_view bytes);     // with padding
std::string base64url(std::string_view bytes);  // without padding
// Either alphabet, padding optional, no white space; nullopt where it is none. Strict: bits left over are
// zero.
std::optional<std::string> decode_base64(std::string_view text);
std::string hex(std::string_view bytes);                       // lower case
std::optional<std::string> decode_hex(std::string_view text);  // either case

// What stands between "-----BEGIN label-----" and its end (RFC 7468).
struct PemBlock {
  std::string label;               // "RSA PRIVATE KEY"
  std::optional<std::string> der;  // nullopt: cut, or not base64
  bool encrypted = false;
};
// The first block, where its label ends with `kind`. Line breaks may be lost, or written as "\n", as
// variables often have them.
std::optional<PemBlock> find_pem(std::string_view text, std::string_view kind);
// `der` as OpenSSL writes it: lines of 64, a line break at the end.
std::string pem(std::string_view label, std::string_view der);

// What stands between "-----BEGIN ... PRIVATE KEY-----" and its end.
struct PrivateKey {
  enum class State {
    readable,
    sealed,   // encrypted, or of a kind that OpenSSL does not know: whole as far as can be seen
    damaged,  // cut, or not base64
  };
  State state = State::damaged;
  int bits = 0;           // as its kind counts them: RSA 2048, EC 256. 0 unless readable
  int security_bits = 0;  // NIST SP 800-57: 112 for RSA 2048. 0 unless readable
};
// nullopt where there is no PEM private key; find_pem() tells how lines may be broken.
std::optional<PrivateKey> inspect_private_key(std::string_view pem);

}  // namespace holdshort::crypto
