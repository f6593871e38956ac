// How senders of webhooks sign: what goes into the MAC, and how a request carries it. Data for the three that
// everybody knows, a template for the rest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/crypto.h"
#include "probes/kit/http.h"
#include "probes/kit/result.h"

namespace holdshort::webhook {

// In texts of a scheme {body}, {timestamp}, {id} and one of {hex}, {base64}, {base64url} stand for what a
// request has.
struct Scheme {
  std::string header;  // that carries the signature
  crypto::Digest digest = crypto::Digest::sha256;
  std::string format;            // of that header: "t={timestamp},v1={hex}"
  std::string signed_text;       // "{timestamp}.{body}"
  std::string timestamp_header;  // "": the time stands in `header`, or nowhere
  std::vector<Header> headers;   // of the no-op event
  std::string event;             // its body

  bool has_timestamp() const { return signed_text.find("{timestamp}") != std::string::npos; }
};

// nullptr where the name is not "github", "stripe" or "slack".
const Scheme* find_scheme(std::string_view name);
// Of a sender's own making. `algorithm`: sha1, sha256, sha384 or sha512, "hmac-" before it or not; `format`:
// hex, base64, base64url, or a template with one of them in braces. With {timestamp} in it
// "{timestamp}.{body}" is signed, else the body.
Result<Scheme> custom_scheme(const std::string& header, std::string_view algorithm, std::string_view format);

// What a signature says and what the request shows; they differ in forgeries alone.
struct Signing {
  std::string_view key;
  std::string_view body;
  std::int64_t signed_at = 0;  // seconds since 1970
  std::int64_t shown_at = 0;
};
// The header with the signature, and the one with the time where the scheme has one.
std::vector<Header> sign(const Scheme& scheme, const Signing& signing);
// The body of an event that nobody acts on.
std::string no_op(const Scheme& scheme, std::string_view id, std::int64_t now);
// `body` with one character of a value changed, as well-formed as before.
std::string changed(std::string body);

}  // namespace holdshort::webhook
