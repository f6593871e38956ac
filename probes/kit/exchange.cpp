#include "probes/kit/exchange.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "probes/kit/crypto.h"
#include "probes/kit/json.h"

namespace holdshort {

const char* const kProxyAddress = "192.0.2.1";

namespace {

// Replaces a field of that name, or adds it at the end.
void set(std::vector<Header>& headers, std::string_view name, std::string value) {
  for (Header& header : headers) {
    if (same_name(header.name, name)) {
      header.value = std::move(value);
      return;
    }
  }
  headers.push_back({std::string(name), std::move(value)});
}

void drop(std::vector<Header>& headers, std::string_view name) {
  std::erase_if(headers, [&](const Header& header) { return same_name(header.name, name); });
}

// Lines of one name stand together where the first of them replaced the envelope's; their order is kept.
void replace_all(std::vector<Header>& headers, const std::vector<Header>& with) {
  for (const Header& header : with) drop(headers, header.name);
  headers.insert(headers.end(), with.begin(), with.end());
}

// A caller's cookies go into one Cookie line with those that a mutation or the probe sends.
void add_credentials(std::vector<Header>& headers, const std::vector<Header>& credentials) {
  for (const Header& header : credentials) {
    const std::string* present = same_name(header.name, "Cookie") ? find_header(headers, "Cookie") : nullptr;
    set(headers, header.name, present ? *present + "; " + header.value : header.value);
  }
}

std::string basic(const BasicIdentity& identity) {
  return "Basic " + crypto::base64(identity.user + ":" + std::string(identity.password.reveal()));
}

}  // namespace

HttpKeys HttpKeys::from(const Values& values) {
  HttpKeys keys;
  keys.url = values.url("url");
  if (values.has("path") || values.strings("paths").empty()) keys.paths.push_back(values.string("path"));
  for (const std::string& path : values.strings("paths"))
    if (std::find(keys.paths.begin(), keys.paths.end(), path) == keys.paths.end()) keys.paths.push_back(path);
  keys.methods = values.strings("methods");
  if (keys.methods.empty()) keys.methods.push_back(values.string("method"));
  keys.headers = values.headers("headers");
  keys.body = values.string("body");
  keys.as = values.string("as");
  keys.marker = values.marker("marker");
  keys.timeout = values.duration("timeout");
  keys.through_private_ip = values.string("via") == "private";
  keys.tls_server_name = values.string("tls_server_name");
  keys.tls_skip_verify = values.boolean("tls_skip_verify");
  return keys;
}

std::vector<Operation> HttpKeys::operations(const std::string& first) const {
  std::vector<Operation> list;
  for (const std::string& path : paths)
    for (const std::string& method : methods) list.push_back({method, path});
  std::stable_partition(list.begin(), list.end(),
                        [&](const Operation& each) { return each.name() == first; });
  return list;
}

std::string Exchange::forwarded_for(const std::string& client, const std::string& sent) {
  return (sent.empty() ? "" : sent + ", ") + client + ", " + kProxyAddress;
}

std::string Exchange::describe(const Call& call) { return holdshort::describe(call.method, call.target); }

Check Exchange::no_credentials(std::string id, const std::string& identity, Error why) {
  return {.id = std::move(id),
          .outcome = Outcome::inconclusive,
          .expected = "credentials for " + identity,
          .observed = "none",
          .summary = std::move(why.message)};
}

std::string Exchange::prefix() const {
  const Url& url = keys_.url ? *keys_.url : context_.app.url;
  return url.scheme == Url::Scheme::unix_socket ? "" : url.path;
}

bool Exchange::claims_https() const {
  const Url& url = keys_.url ? *keys_.url : context_.app.url;
  if (url.scheme == Url::Scheme::https) return true;
  const std::string* declared = find_header(keys_.headers, "X-Forwarded-Proto");
  return declared ? *declared == "https" : context_.app.forwarded;
}

Endpoint Exchange::endpoint() const {
  Endpoint endpoint;
  endpoint.url = keys_.url.value_or(context_.app.url);
  endpoint.tls_server_name = keys_.tls_server_name;
  endpoint.tls_skip_verify = keys_.tls_skip_verify;
  if (keys_.through_private_ip && endpoint.url.scheme != Url::Scheme::unix_socket) {
    if (endpoint.tls_server_name.empty()) endpoint.tls_server_name = endpoint.url.host;
    endpoint.url.host = endpoint.source_address = context_.app.private_ip;
  }
  return endpoint;
}

Limits Exchange::limits(std::size_t max_body_bytes) const {
  Limits limits;
  limits.deadline = keys_.timeout;
  limits.max_body_bytes = max_body_bytes;
  return limits;
}

Request Exchange::compose(const Call& call) {
  const Url& url = keys_.url ? *keys_.url : context_.app.url;
  const std::string client = call.client.empty() ? context_.clients.any() : call.client;
  Request request;
  request.method = call.method;
  request.target = (call.target.starts_with('/') ? prefix() : "") + call.target;
  request.body = call.body;
  auto& headers = request.headers;
  headers.push_back({"Host", keys_.url ? url.authority() : context_.app.host});
  headers.push_back({"User-Agent", "holdshort/" HOLDSHORT_VERSION});
  headers.push_back({"Accept", "*/*"});
  headers.push_back({"Accept-Encoding", "identity"});  // what is compressed proves no absence
  headers.push_back({"X-Request-Id", context_.run_id});
  headers.push_back({"traceparent", fmt::format("00-{}-{:016x}-01", context_.run_id, context_.random() | 1)});
  if (context_.app.forwarded) {
    headers.push_back({"Fly-Client-IP", client});
    headers.push_back({"X-Forwarded-For", forwarded_for(client)});
    for (const char* name : {"X-Forwarded-Proto", "Fly-Forwarded-Proto"}) headers.push_back({name, "https"});
    for (const char* name : {"X-Forwarded-Port", "Fly-Forwarded-Port"}) headers.push_back({name, "443"});
    for (const char* name : {"X-Forwarded-Ssl", "Fly-Forwarded-Ssl"}) headers.push_back({name, "on"});
    if (!context_.app.region.empty()) headers.push_back({"Fly-Region", context_.app.region});
    headers.push_back({"Fly-Request-Id", "hs-" + context_.run_id});
    headers.push_back({"Via", "1.1 fly.io"});
  }
  replace_all(headers, keys_.headers);
  replace_all(headers, call.headers);
  add_credentials(headers, call.credentials);
  const bool may_have_body = call.method == "POST" || call.method == "PUT" || call.method == "PATCH";
  if ((may_have_body || !call.body.empty()) && !find_header(headers, "Content-Length") &&
      !find_header(headers, "Transfer-Encoding"))
    headers.push_back({"Content-Length", std::to_string(call.body.size())});
  if (!find_header(headers, "Connection")) headers.push_back({"Connection", "close"});
  return request;
}

Awaitable<Response> Exchange::send(Call call) {
  ++requests_;
  Request request = compose(call);
  Endpoint to = endpoint();
  const Limits bounds = limits(call.max_body_bytes);
  co_return co_await context_.client.send(std::move(to), std::move(request), bounds);
}

Awaitable<Response> Exchange::send_as(std::string identity, Call call) {
  Response response;
  for (int round = 0; round < 2; ++round) {
    auto found = co_await credentials(identity);
    if (!found) {
      response = Response();
      response.error = found.error().message;
      co_return response;
    }
    if (!identity.empty()) call.credentials = std::move(*found);
    Call sent = call;
    response = co_await send(std::move(sent));
    if (response.status != 401 || !forget_login(identity)) break;
  }
  co_return response;
}

Awaitable<std::vector<Response>> Exchange::burst(std::vector<Call> calls) {
  std::vector<Request> requests;
  std::size_t max_body_bytes = 0;
  for (const Call& call : calls) {
    requests.push_back(compose(call));
    max_body_bytes = std::max(max_body_bytes, call.max_body_bytes);
  }
  requests_ += static_cast<int>(requests.size());
  Endpoint to = endpoint();
  const Limits bounds = limits(max_body_bytes);
  co_return co_await context_.client.burst(std::move(to), std::move(requests), bounds);
}

bool Exchange::forget_login(const std::string& identity) {
  return context_.identities.login_tokens.erase(identity) > 0;
}

Awaitable<Result<std::vector<Header>>> Exchange::credentials(const std::string& identity) {
  std::vector<Header> headers;
  if (identity.empty()) co_return headers;
  const auto found = context_.identities.by_name.find(identity);
  if (found == context_.identities.by_name.end()) co_return failure("no identity \"" + identity + "\"");
  const Identity& who = found->second;
  if (const auto* bearer = std::get_if<BearerIdentity>(&who)) {
    headers.push_back({"Authorization", "Bearer " + std::string(bearer->token.reveal())});
  } else if (const auto* user = std::get_if<BasicIdentity>(&who)) {
    headers.push_back({"Authorization", basic(*user)});
  } else if (const auto* key = std::get_if<ApiKeyIdentity>(&who)) {
    headers.push_back({key->header, std::string(key->value.reveal())});
  } else if (const auto* cookie = std::get_if<CookieIdentity>(&who)) {
    headers.push_back({"Cookie", cookie->name + "=" + std::string(cookie->value.reveal())});
  } else if (const auto* jwt = std::get_if<JwtIdentity>(&who)) {
    headers.push_back(jwt->token.carry(jwt->token.token(context_.clock.wall_now())));
  } else if (const auto* login = std::get_if<LoginIdentity>(&who)) {
    auto token = co_await log_in(identity, *login);
    if (!token) co_return tl::unexpected(token.error());
    headers.push_back({"Authorization", "Bearer " + *token});
  }
  co_return headers;
}

Awaitable<Result<std::string>> Exchange::log_in(std::string identity, LoginIdentity login) {
  auto& tokens = context_.identities.login_tokens;
  if (const auto kept = tokens.find(identity); kept != tokens.end())
    co_return std::string(kept->second.reveal());
  Call call;
  call.method = "POST";
  call.target = login.path;
  call.body = login.body.reveal();
  call.headers.push_back(
      {"Content-Type", login.body_is_json ? "application/json" : "application/x-www-form-urlencoded"});
  const Response response = co_await send(std::move(call));
  if (response.status < 200 || response.status > 299)
    co_return failure(
        fmt::format("POST {} {} to the login of \"{}\"", login.path, response.sentence(), identity));
  auto token = json::string_at(response.body, login.token_pointer);
  if (!token || token->empty() || token->find_first_of("\r\n") != std::string::npos)
    co_return failure(fmt::format("the login of \"{}\" {} without a token at {}", identity,
                                  response.sentence(), login.token_pointer));
  tokens.insert_or_assign(identity, Secret(*token));
  co_return *token;
}

}  // namespace holdshort
