// TLS as a probe looks at it: what to offer, and everything that was seen of the peer's answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/clock.h"
#include "probes/kit/result.h"

namespace holdshort {

enum class TlsVersion { v1_0, v1_1, v1_2, v1_3 };
std::string_view name_of(TlsVersion);  // "TLS 1.2"

struct TlsOffer {
  TlsVersion oldest = TlsVersion::v1_2, newest = TlsVersion::v1_3;
  enum class Purpose {
    look,   // at the certificate too, as a careful client would
    lower,  // see what is accepted: every cipher and key size, no certificate looked at
  } purpose = Purpose::look;
};

// OpenSSL's side of an offer. Good for any number of handshakes.
class TlsContext {
 public:
  // Blocks: reads the system's store of certificates, or SSL_CERT_FILE and SSL_CERT_DIR.
  static Result<std::shared_ptr<TlsContext>> make(const TlsOffer& offer);
  ~TlsContext();

 private:
  friend class Channel;
  friend class Handshake;
  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct Certificate {
  std::string subject;  // for humans: its common name, or all of it
  Wall not_before, not_after;
};

struct TlsSeen {
  enum class End {
    established,
    alert,   // the peer said no
    closed,  // by the peer, in good order or not
    timeout,
    not_tls,   // it speaks another protocol
    broken,    // what it sent is none that OpenSSL takes
    not_made,  // by us: OpenSSL could not even offer this
  };
  End end = End::not_made;
  std::string error;                  // for humans where it is not established
  std::optional<TlsVersion> version;  // that the peer has chosen; also where the handshake came to nothing

  // Of a look, where a certificate came.
  std::vector<Certificate> chain;  // the peer's own first; as far as it could be built
  std::string chain_error;         // why it does not verify, times aside; "": it does
  bool has_store = true;           // false: there is no certificate to trust, so nothing could verify
  std::vector<std::string> names;  // that the certificate is for: its subject alternative names
  bool is_for_host = false;
};

}  // namespace holdshort
