// Certificates made for one test, self-signed or by an authority of its own, and a store that trusts some.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace holdshort::testing_support {

template <class T, auto Free>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<T, Free>>;

struct Issued {
  Owned<EVP_PKEY, EVP_PKEY_free> key;
  Owned<X509, X509_free> certificate;
};

struct Wanted {
  std::string common_name = "test";
  std::string names = "DNS:app.test,IP:127.0.0.1";  // "": none
  std::chrono::system_clock::time_point begins = std::chrono::system_clock::now() - std::chrono::hours(1);
  std::chrono::system_clock::time_point ends = std::chrono::system_clock::now() + std::chrono::hours(1);
  const Issued* by = nullptr;  // null: self-signed
  bool is_authority = false;
};

inline void add_extension(X509* certificate, int what, const std::string& value) {
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str()));
  X509_add_ext(certificate, extension.get(), -1);
}

inline Issued issue(const Wanted& wanted) {
  Issued issued;
  issued.key.reset(EVP_EC_gen("P-256"));
  issued.certificate.reset(X509_new());
  X509* const certificate = issued.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), wanted.by ? 2 : 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate), std::chrono::system_clock::to_time_t(wanted.begins));
  ASN1_TIME_set(X509_getm_notAfter(certificate), std::chrono::system_clock::to_time_t(wanted.ends));
  X509_set_pubkey(certificate, issued.key.get());
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, wanted.by ? X509_get_subject_name(wanted.by->certificate.get()) : name);
  if (!wanted.names.empty()) add_extension(certificate, NID_subject_alt_name, wanted.names);
  if (wanted.is_authority) add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate, wanted.by ? wanted.by->key.get() : issued.key.get(), EVP_sha256());
  return issued;
}

inline void use(SSL_CTX* context, const Issued& issued) {
  SSL_CTX_use_certificate(context, issued.certificate.get());
  SSL_CTX_use_PrivateKey(context, issued.key.get());
}

// Trusts that certificate, and no other, for as long as it lives.
class Trusted {
 public:
  explicit Trusted(const Issued& issued) {
    const Owned<BIO, BIO_free> file(BIO_new_file(path_.c_str(), "w"));
    PEM_write_bio_X509(file.get(), issued.certificate.get());
    ::setenv("SSL_CERT_FILE", path_.c_str(), 1);
  }
  ~Trusted() {
    ::unsetenv("SSL_CERT_FILE");
    ::unlink(path_.c_str());
  }
  Trusted(const Trusted&) = delete;
  Trusted& operator=(const Trusted&) = delete;

 private:
  const std::string path_ = "/tmp/holdshort-test-" + std::to_string(::getpid()) + ".pem";
};

}  // namespace holdshort::testing_support
