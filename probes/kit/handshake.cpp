#include "probes/kit/handshake.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

#include "probes/kit/dial.h"
#include "probes/kit/text.h"
#include "probes/kit/trust_store.h"

namespace holdshort {
namespace {

using boost::system::error_code;

constexpr std::size_t kMaxNames = 100, kMaxNameBytes = 128;

int number_of(TlsVersion version) {
  switch (version) {
    case TlsVersion::v1_0:
      return TLS1_VERSION;
    case TlsVersion::v1_1:
      return TLS1_1_VERSION;
    case TlsVersion::v1_2:
      return TLS1_2_VERSION;
    case TlsVersion::v1_3:
      return TLS1_3_VERSION;
  }
  return TLS1_3_VERSION;
}

std::optional<TlsVersion> version_of(int number) {
  for (const TlsVersion version : {TlsVersion::v1_0, TlsVersion::v1_1, TlsVersion::v1_2, TlsVersion::v1_3})
    if (number_of(version) == number) return version;
  return std::nullopt;
}

// Folders of a store are looked into when a certificate is wanted: files named by hash.
bool has_certificates(const char* folders) {
  std::string_view rest = folders;
  while (!rest.empty()) {
    const std::string folder(rest.substr(0, rest.find(':')));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    std::error_code failed;
    const std::filesystem::directory_iterator files(folder, failed);
    if (!failed && files != std::filesystem::directory_iterator()) return true;
  }
  return false;
}

bool has_store(SSL_CTX* context) {
  const STACK_OF(X509_OBJECT)* const loaded = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  if (sk_X509_OBJECT_num(loaded) > 0) return true;
  const char* const folders = std::getenv(X509_get_default_cert_dir_env());
  return has_certificates(folders ? folders : X509_get_default_cert_dir());
}

Wall wall_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? std::chrono::system_clock::from_time_t(::timegm(&parts))
                                            : Wall();
}

std::string subject_of(const X509* certificate) {
  std::array<char, 256> name{};
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  if (X509_NAME_get_text_by_NID(const_cast<X509_NAME*>(subject), NID_commonName, name.data(),
                                static_cast<int>(name.size())) <= 0)
    X509_NAME_oneline(subject, name.data(), static_cast<int>(name.size()));
  return shown(name.data(), kMaxNameBytes);
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> names;
  auto* const list =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(list) && names.size() < kMaxNames; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(list, i);
    if (name->type != GEN_DNS) continue;
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                                static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    names.push_back(shown(text, kMaxNameBytes));
  }
  GENERAL_NAMES_free(list);
  return names;
}

bool is_address(const std::string& host) {
  error_code is_name;
  boost::asio::ip::make_address(host, is_name);
  return !is_name;
}

// The subject's common name does not count: clients have stopped reading it (RFC 9525 2).
bool is_for(X509* certificate, const std::string& host) {
  if (is_address(host)) return X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
  return X509_check_host(certificate, host.data(), host.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                         nullptr) == 1;
}

bool is_about_time(int error) {
  return error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
}

TlsSeen::End end_of(const error_code& failed) {
  using End = TlsSeen::End;
  if (failed == boost::asio::error::eof || failed == boost::asio::error::connection_reset ||
      failed == boost::asio::error::broken_pipe || failed == boost::asio::ssl::error::stream_truncated)
    return End::closed;
  if (failed.category() != boost::asio::error::get_ssl_category()) return End::closed;
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(failed.value()));
  if (reason >= SSL_AD_REASON_OFFSET) return End::alert;
  switch (reason) {
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_NO_CIPHERS_AVAILABLE:
    case ERR_R_MALLOC_FAILURE:
    case ERR_R_INTERNAL_ERROR:
      return End::not_made;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return End::not_tls;
    default:
      return End::broken;
  }
}

int index_of_handshake() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

std::string_view name_of(TlsVersion version) {
  switch (version) {
    case TlsVersion::v1_0:
      return "TLS 1.0";
    case TlsVersion::v1_1:
      return "TLS 1.1";
    case TlsVersion::v1_2:
      return "TLS 1.2";
    case TlsVersion::v1_3:
      return "TLS 1.3";
  }
  return "";
}

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::make(const TlsOffer& offer) {
  try {
    auto impl = std::make_unique<Impl>();
    impl->offer = offer;
    SSL_CTX* const context = impl->context.native_handle();
    const bool is_look = offer.purpose == TlsOffer::Purpose::look;
    // Security level 0 allows what TLS 1.0 and 1.1 are made of: SHA-1, small keys
    // (SSL_CTX_set_security_level(3)).
    if (!is_look) SSL_CTX_set_security_level(context, 0);
    const bool is_set = SSL_CTX_set_min_proto_version(context, number_of(offer.oldest)) == 1 &&
                        SSL_CTX_set_max_proto_version(context, number_of(offer.newest)) == 1 &&
                        (is_look || SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0") == 1);
    if (!is_set) return failure("OpenSSL could not be set up");
    if (is_look) {
      trust_system_store(context);
      impl->has_store = holdshort::has_store(context);
    }
    ERR_clear_error();
    return std::shared_ptr<TlsContext>(new TlsContext(std::move(impl)));
  } catch (const boost::system::system_error& error) {
    return failure("OpenSSL could not be set up: " + words_of(error.code()));
  }
}

bool Handshake::begin(ssl_st* ssl, std::string host, Wall now) {
  host_ = std::move(host);
  const bool is_look = context_->impl_->offer.purpose == TlsOffer::Purpose::look;
  SSL_set_ex_data(ssl, index_of_handshake(), this);
  SSL_set_verify(ssl, is_look ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, is_look ? &on_certificate : nullptr);
  SSL_set_msg_callback(ssl, &on_message);
  SSL_set_msg_callback_arg(ssl, this);
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl), std::chrono::system_clock::to_time_t(now));
  // SNI carries names only (RFC 6066 3).
  return is_address(host_) || SSL_set_tlsext_host_name(ssl, host_.c_str()) == 1;
}

// Notes what is wrong and goes on: everything is wanted that can be seen.
int Handshake::on_certificate(int is_right, x509_store_ctx_st* store) {
  const auto* ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const self = static_cast<Handshake*>(SSL_get_ex_data(ssl, index_of_handshake()));
  const int error = X509_STORE_CTX_get_error(store);
  if (is_right == 0 && self->chain_error_.empty() && !is_about_time(error))
    self->chain_error_ = X509_verify_cert_error_string(error);
  return 1;
}

// A ServerHello says which version the peer takes (RFC 5246 7.4.1.3), whatever comes of the rest.
void Handshake::on_message(int written, int, int type, const void* bytes, std::size_t size, ssl_st*,
                           void* self) {
  constexpr std::size_t kVersionAt = 4;
  const auto* const message = static_cast<const unsigned char*>(bytes);
  if (written != 0 || type != SSL3_RT_HANDSHAKE || size < kVersionAt + 2 ||
      message[0] != SSL3_MT_SERVER_HELLO)
    return;
  static_cast<Handshake*>(self)->chosen_ = version_of(message[kVersionAt] << 8 | message[kVersionAt + 1]);
}

TlsSeen Handshake::end(ssl_st* ssl, const error_code& failed) {
  TlsSeen seen;
  seen.end = failed ? end_of(failed) : TlsSeen::End::established;
  if (failed) seen.error = words_of(failed);
  if (seen.end == TlsSeen::End::not_tls) seen.error = "what answers speaks no TLS";
  if (seen.end == TlsSeen::End::closed) seen.error = "closed during the handshake";
  seen.version = failed ? chosen_ : version_of(SSL_version(ssl));
  if (context_->impl_->offer.purpose == TlsOffer::Purpose::look) look_at_certificate(ssl, seen);
  return seen;
}

void Handshake::look_at_certificate(ssl_st* ssl, TlsSeen& seen) const {
  X509* const own = SSL_get0_peer_certificate(ssl);
  if (!own) return;
  seen.has_store = context_->impl_->has_store;
  seen.chain_error = chain_error_;
  seen.names = names_of(own);
  seen.is_for_host = is_for(own, host_);
  const STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
  if (!chain) chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* const certificate = sk_X509_value(chain, i);
    seen.chain.push_back({subject_of(certificate), wall_of(X509_get0_notBefore(certificate)),
                          wall_of(X509_get0_notAfter(certificate))});
  }
}

}  // namespace holdshort
