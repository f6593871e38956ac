// OpenSSL's part of a handshake on a Channel: what is offered, and what is noted of the answer. Knows no
// socket.
#pragma once

#include <string>

#include "probes/kit/tls.h"

#include <boost/asio/ssl/context.hpp>

namespace holdshort {

struct TlsContext::Impl {
  TlsOffer offer;
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
  bool has_store = true;
};

// Watches one SSL from before its handshake on; outlives it.
class Handshake {
 public:
  explicit Handshake(std::shared_ptr<TlsContext> context) : context_(std::move(context)) {}
  boost::asio::ssl::context& context() { return context_->impl_->context; }
  // `host`: asked for by SNI, unless it is an address, and what the certificate must be for. `now`: when it
  // must be valid. False where OpenSSL refuses.
  bool begin(ssl_st* ssl, std::string host, Wall now);
  // After the handshake, however it ended.
  TlsSeen end(ssl_st* ssl, const boost::system::error_code& failed);

 private:
  static int on_certificate(int is_right, x509_store_ctx_st* store);
  static void on_message(int written, int version, int type, const void* bytes, std::size_t size, ssl_st* ssl,
                         void* self);
  void look_at_certificate(ssl_st* ssl, TlsSeen& seen) const;

  const std::shared_ptr<TlsContext> context_;
  std::string host_;
  std::string chain_error_;
  std::optional<TlsVersion> chosen_;
};

}  // namespace holdshort
