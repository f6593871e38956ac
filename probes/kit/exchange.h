// How a probe talks to the app: composes each request as Fly's proxy would deliver it, counts it, sends it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "probes/kit/fields.h"
#include "probes/probe.h"

namespace holdshort {

// What one request asks for.
struct Operation {
  std::string method, path;
  std::string name() const { return method + " " + path; }
};

// The keys of every probe that sends HTTP.
struct HttpKeys {
  static HttpKeys from(const Values& values);
  // Each path with each method; never empty. The one of that name first, where there is one: what failed in
  // the run before is asked first.
  std::vector<Operation> operations(const std::string& first = "") const;
  std::optional<Url> url;
  std::vector<std::string> paths;    // never empty; from `path` and `paths`
  std::vector<std::string> methods;  // never empty
  std::vector<Header> headers;
  std::string body;
  std::string as;  // "" : nobody
  std::optional<Marker> marker;
  std::chrono::milliseconds timeout{5000};
  bool through_private_ip = false;  // via = "private"
  std::string tls_server_name;
  bool tls_skip_verify = false;
};

// One request before it has its envelope.
struct Call {
  std::string method = "GET";
  std::string target = "/";  // byte for byte; the url's own path is put before it where it begins with "/"
  std::string body;
  std::string client;               // synthetic address; "": a fresh one
  std::vector<Header> credentials;  // as credentials() gives them
  std::vector<Header> headers;      // win over the envelope's and the probe's of the same name; may repeat
  std::size_t max_body_bytes = Limits{}.max_body_bytes;  // of the answer; of a burst the largest counts
};

// The last entry of X-Forwarded-For as Fly's proxy writes it: the app's own anycast address (a TEST-NET one
// here).
extern const char* const kProxyAddress;

class Exchange {
 public:
  Exchange(ProbeContext& context, const HttpKeys& keys) : context_(context), keys_(keys) {}
  Awaitable<Response> send(Call call);
  // As `identity` ("" : nobody). A login whose token is refused (401) is repeated once. Without credentials
  // nothing is sent: the response then has no status and says why.
  Awaitable<Response> send_as(std::string identity, Call call);
  Awaitable<std::vector<Response>> burst(std::vector<Call> calls);
  // The url's own path, which stands before every origin-form target on the wire.
  std::string prefix() const;
  // Whether the app must take our requests for ones that came by https: then cookies need Secure, and HSTS
  // counts.
  bool claims_https() const;
  int requests() const { return requests_; }
  // "GET /admin": for reports. Control characters are escaped.
  static std::string describe(const Call& call);
  // The X-Forwarded-For value for a client, as the proxy makes it; `sent` is what the client itself had sent.
  static std::string forwarded_for(const std::string& client, const std::string& sent = "");
  // Headers that make `identity` a legitimate caller, none for "", a stranger; logs in where needed. Fails
  // where it cannot (no such login).
  Awaitable<Result<std::vector<Header>>> credentials(const std::string& identity);
  // Forgets a login's token because it was refused. True where there was one, so that trying again makes
  // sense.
  bool forget_login(const std::string& identity);

  // What a run says where credentials() failed.
  static Check no_credentials(std::string id, const std::string& identity, Error why);

 private:
  Awaitable<Result<std::string>> log_in(std::string identity, LoginIdentity login);
  Request compose(const Call& call);
  Endpoint endpoint() const;
  Limits limits(std::size_t max_body_bytes) const;
  ProbeContext& context_;
  const HttpKeys& keys_;
  int requests_ = 0;
};

}  // namespace holdshort
