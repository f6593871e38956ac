#include "probes/kit/trust_store.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <cstdlib>

namespace holdshort {

namespace {

constexpr const char* kBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Arch; Alpine and scratch with a bundle added
    "/etc/ssl/cert.pem",                   // Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL
    "/etc/ssl/ca-bundle.pem",                             // SUSE
};

bool is_there(const char* path) { return ::access(path, R_OK) == 0; }

bool is_chosen() {
  return std::getenv(X509_get_default_cert_file_env()) || std::getenv(X509_get_default_cert_dir_env());
}

}  // namespace

void trust_system_store(ssl_ctx_st* context) {
  SSL_CTX_set_default_verify_paths(context);
  if (is_chosen() || is_there(X509_get_default_cert_file()) || is_there(X509_get_default_cert_dir())) return;
  for (const char* bundle : kBundles)
    if (is_there(bundle) && SSL_CTX_load_verify_locations(context, bundle, nullptr) == 1) return;
}

}  // namespace holdshort
