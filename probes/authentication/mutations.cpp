#include "probes/authentication/mutations.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "probes/kit/crypto.h"
#include "probes/kit/exchange.h"

namespace holdshort::authentication {

namespace {

std::vector<Header> addresses(const std::string& value, const std::string& client, bool behind_proxy) {
  const bool v6 = value.find(':') != std::string::npos;
  std::vector<Header> headers{
      {"X-Forwarded-For", behind_proxy ? Exchange::forwarded_for(client, value) : value},
      {"X-Real-IP", value},
      {"True-Client-IP", value},
      {"CF-Connecting-IP", value},
      {"X-Client-IP", value},
      {"Client-IP", value},
      {"X-Cluster-Client-IP", value},
      {"X-Originating-IP", value},
      {"X-Remote-IP", value},
      {"X-Remote-Addr", value},
      {"X-ProxyUser-Ip", value},
      {"X_Forwarded_For", value},
      {"Fly_Client_IP", value},
      {"Forwarded", v6 ? fmt::format("for=\"[{}]\"", value) : "for=" + value},
  };
  if (!behind_proxy) headers.push_back({"Fly-Client-IP", value});  // only Fly's proxy overwrites it
  return headers;
}

// Middle rather than end: the last base64 character of a signature has bits that nobody reads.
std::string altered(std::string text) {
  if (text.empty()) return "x";
  char& c = text[text.size() / 2];
  c = c == 'x' ? 'y' : 'x';
  return text;
}

void break_value(const std::string& name, const std::string& before, const std::string& value,
                 std::vector<Malformed>& list) {
  list.push_back(
      {"altered", "its credentials with one character changed", {{name, before + altered(value)}}});
  if (value.size() >= 16)
    list.push_back({"truncated",
                    "the first half of its credentials",
                    {{name, before + value.substr(0, value.size() / 2)}}});
}

void break_basic(const std::string& encoded, std::vector<Malformed>& list) {
  const std::string pair = crypto::decode_base64(encoded).value_or("");
  const std::size_t colon = pair.find(':');
  if (colon == std::string::npos) return;
  const std::string user = pair.substr(0, colon), password = pair.substr(colon + 1);
  const auto header = [&](const std::string& with) {
    return std::vector<Header>{{"Authorization", "Basic " + crypto::base64(user + ":" + with)}};
  };
  list.push_back({"wrong_password", "its user name and a wrong password", header(altered(password))});
  list.push_back({"empty_password", "its user name and no password", header("")});
}

}  // namespace

std::vector<HeaderGroup> spoofed_headers(const std::string& client, Bypasses bypasses) {
  std::vector<HeaderGroup> groups;
  if (bypasses == Bypasses::none) return groups;
  for (const auto& [id, value] : {std::pair{"loopback", "127.0.0.1"},
                                  {"private_10", "10.0.0.1"},
                                  {"private_192", "192.168.0.1"},
                                  {"private_172", "172.16.0.1"},
                                  {"loopback_6", "::1"},
                                  {"private_6pn", "fdaa::3"}}) {
    groups.push_back({fmt::format("address.{}", id), addresses(value, client, true)});
    groups.push_back({fmt::format("address.{}_direct", id), addresses(value, client, false)});
  }
  groups.push_back({"identity",
                    {{"X-User", "admin"},
                     {"X-User-Id", "1"},
                     {"X-Username", "admin"},
                     {"X-Remote-User", "admin"},
                     {"Remote-User", "admin"},
                     {"REMOTE_USER", "admin"},
                     {"X-Forwarded-User", "admin"},
                     {"X-Forwarded-Email", "admin@holdshort.invalid"},
                     {"X-Forwarded-Groups", "admin"},
                     {"X-Forwarded-Preferred-Username", "admin"},
                     {"X-Auth-Request-User", "admin"},
                     {"X-Auth-Request-Email", "admin@holdshort.invalid"},
                     {"X-Auth-User", "admin"},
                     {"X-Authenticated-User", "admin"},
                     {"X-WEBAUTH-USER", "admin"},
                     {"X-Authentik-Username", "admin"},
                     {"X-Token-User-Email", "admin@holdshort.invalid"},
                     {"Cf-Access-Authenticated-User-Email", "admin@holdshort.invalid"},
                     {"X-Amzn-Oidc-Identity", "admin"},
                     {"X-MS-CLIENT-PRINCIPAL-NAME", "admin"},
                     {"Tailscale-User-Login", "admin"},
                     {"X-Consumer-Username", "admin"},
                     {"X-Role", "admin"},
                     {"X-Roles", "admin"},
                     {"X-User-Role", "admin"},
                     {"X-Admin", "1"},
                     {"X-Is-Admin", "true"},
                     {"X-Authenticated", "true"}}});
  groups.push_back({"internal",
                    {{"X-Internal", "1"},
                     {"X-Internal-Request", "true"},
                     {"X-Debug", "1"},
                     {"X-Test", "1"},
                     {"X-From-Fly", "1"},
                     {"fly-src", "holdshort"},
                     {"X-Requested-With", "XMLHttpRequest"},
                     {"X-Middleware-Subrequest", "middleware:middleware:middleware:middleware:middleware"}}});
  if (bypasses != Bypasses::thorough) return groups;
  groups.push_back({"middleware_src",
                    {{"X-Middleware-Subrequest",
                      "src/middleware:src/middleware:src/middleware:src/middleware:src/middleware"}}});
  groups.push_back({"middleware_pages", {{"X-Middleware-Subrequest", "pages/_middleware"}}});
  groups.push_back({"host.localhost", {{"Host", "localhost"}}});
  groups.push_back({"host.loopback", {{"Host", "127.0.0.1"}}});
  groups.push_back(
      {"hop_by_hop",
       {{"Connection", "close, Fly-Client-IP, X-Forwarded-For, X-Real-IP, Authorization, Cookie"}}});
  return groups;
}

std::vector<Malformed> malformed_credentials(Bypasses bypasses) {
  const auto authorization = [](const char* id, std::string value) {
    std::string what = value.empty() ? "an empty Authorization" : "Authorization: " + value.substr(0, 24);
    return Malformed{id, std::move(what), {{"Authorization", std::move(value)}}};
  };
  std::vector<Malformed> list{
      authorization("empty", ""),
      authorization("bearer", "Bearer"),
      authorization("bearer_null", "Bearer null"),
      authorization("bearer_undefined", "Bearer undefined"),
      authorization("bearer_garbage", "Bearer x.y.z"),
      authorization("basic_empty", "Basic Og=="),
      authorization("basic_garbage", "Basic !!!"),
      {"session_cookie", "Cookie: session=x", {{"Cookie", "session=x"}}},
      {"role_cookie", "Cookie: admin=true", {{"Cookie", "admin=true; role=admin; isAdmin=1"}}}};
  if (bypasses != Bypasses::thorough) return list;
  list.push_back(authorization("bearer_space", "Bearer "));
  list.push_back(authorization("bearer_object", "Bearer [object Object]"));
  list.push_back(authorization("bearer_letter", "Bearer x"));
  list.push_back(authorization("digest", "Digest x"));
  list.push_back(authorization("scheme_unknown", "Holdshort x"));
  list.push_back(authorization("bearer_8k", "Bearer " + std::string(8192, 'a')));
  list.push_back({"api_key_null", "X-API-Key: null", {{"X-API-Key", "null"}}});
  list.push_back({"api_key_empty", "an empty X-API-Key", {{"X-API-Key", ""}}});
  list.push_back(
      {"proxy_authorization", "Proxy-Authorization: Basic Og==", {{"Proxy-Authorization", "Basic Og=="}}});
  return list;
}

std::vector<Malformed> broken_credentials(const std::vector<Header>& genuine) {
  std::vector<Malformed> list;
  for (const Header& header : genuine) {
    const std::string& value = header.value;
    if (same_name(header.name, "Authorization") && value.starts_with("Basic ")) {
      break_basic(value.substr(6), list);
    } else if (same_name(header.name, "Cookie")) {
      const std::size_t equals = std::min(value.find('='), value.size() - 1);
      break_value(header.name, value.substr(0, equals + 1), value.substr(equals + 1), list);
    } else {
      const std::size_t space = value.find(' ');
      const std::size_t start = space == std::string::npos ? 0 : space + 1;
      break_value(header.name, value.substr(0, start), value.substr(start), list);
    }
  }
  return list;
}

std::vector<Malformed> default_accounts() {
  std::vector<Malformed> list;
  for (const char* pair :
       {"admin:admin", "admin:password", "root:root", "test:test", "guest:guest", "admin:changeme"})
    list.push_back(
        {std::string(pair).substr(0, std::string_view(pair).find(':')) + fmt::format("_{}", list.size() + 1),
         fmt::format("the default account {}", pair),
         {{"Authorization", "Basic " + crypto::base64(pair)}}});
  return list;
}

}  // namespace holdshort::authentication
