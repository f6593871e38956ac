// Private keys made for one test: none stands in the tree, where scanners would find it.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace holdshort::testing_support {

using KeyPointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

// PKCS #8; encrypted where there is a passphrase.
inline std::string pem_of(EVP_PKEY* key, const std::string& passphrase = "") {
  if (!key) throw std::runtime_error("no key was made");
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  const EVP_CIPHER* cipher = passphrase.empty() ? nullptr : EVP_aes_128_cbc();
  PEM_write_bio_PKCS8PrivateKey(out.get(), key, cipher, passphrase.data(),
                                static_cast<int>(passphrase.size()), nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}
inline std::string rsa_pem(unsigned bits, const std::string& passphrase = "") {
  return pem_of(KeyPointer(EVP_RSA_gen(bits), &EVP_PKEY_free).get(), passphrase);
}
inline std::string ec_pem(const char* curve = "P-256") {
  return pem_of(KeyPointer(EVP_EC_gen(curve), &EVP_PKEY_free).get());
}

}  // namespace holdshort::testing_support
