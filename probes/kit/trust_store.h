// Whom TLS trusts: the system's certificates, wherever this system keeps them.
//
// OpenSSL looks where its builder said. A static binary is carried from Debian into images that keep them
// elsewhere (Alpine, Fedora), where it would trust nobody.
#pragma once

struct ssl_ctx_st;

namespace holdshort {

// Adds OpenSSL's default store; SSL_CERT_FILE and SSL_CERT_DIR rule where they are set. Where there is no
// such store, the first of the usual bundles that exists. Reads files: milliseconds.
void trust_system_store(ssl_ctx_st* context);

}  // namespace holdshort
