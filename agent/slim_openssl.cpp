// Stands in for parts of a static OpenSSL that we do not want in the binary; docs/decisions/0004. Linked as
// an object before the archive, so that its members of these names are never taken from it.
//
// Where OpenSSL changes what these members hold, the link fails: HOLDSHORT_SLIM_OPENSSL leaves this file out.
#include <cstdlib>

struct comp_method_st;
struct bio_method_st;

extern "C" {

// As in a build without zlib and zstd: no compressed certificate is offered or taken, and neither library is
// linked. (OpenSSL's declarations.)
comp_method_st* COMP_zlib() { return nullptr; }
comp_method_st* COMP_zlib_oneshot() { return nullptr; }
const bio_method_st* BIO_f_zlib() { return nullptr; }
void ossl_comp_zlib_cleanup() {}
comp_method_st* COMP_zstd() { return nullptr; }
comp_method_st* COMP_zstd_oneshot() { return nullptr; }
const bio_method_st* BIO_f_zstd() { return nullptr; }
void ossl_comp_zstd_cleanup() {}

// AES-GCM with AVX-512 takes 681 KB, for gigabytes a second that we do not send. Where it says that the
// processor cannot, OpenSSL takes the AES-NI way and never calls the rest.
int ossl_vaes_vpclmulqdq_capable() { return 0; }
void ossl_aes_gcm_init_avx512() { std::abort(); }
void ossl_aes_gcm_setiv_avx512() { std::abort(); }
void ossl_aes_gcm_update_aad_avx512() { std::abort(); }
void ossl_aes_gcm_encrypt_avx512() { std::abort(); }
void ossl_aes_gcm_decrypt_avx512() { std::abort(); }
void ossl_aes_gcm_finalize_avx512() { std::abort(); }
void ossl_gcm_gmult_avx512() { std::abort(); }

}  // extern "C"
