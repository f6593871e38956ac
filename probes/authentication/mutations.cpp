#include "probes/authentication/mutations.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "probes/kit/exchange.h"
#include "probes/kit/identity_headers.h"

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
      {"X-Host", value},
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

// Another character of the same alphabet, be it hex, base64 or whatever.
char other(char c) {
  if (ascii::is_digit(c)) return c == '0' ? '1' : '0';
  if (c >= 'A' && c <= 'Z') return c == 'A' ? 'B' : 'A';
  return c == 'a' ? 'b' : 'a';
}

std::string upper_case(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

// What only a key has: apps look it up by a prefix, ignore its case, or build a query of it.
void break_key(const std::string& name, const std::string& key, Bypasses bypasses,
               std::vector<Malformed>& list) {
  constexpr std::size_t kPrefix = 8;  // what apps show of a key, and some look it up by
  const auto add = [&](const char* id, const char* what, std::string value) {
    if (value != key) list.push_back({id, what, {{name, std::move(value)}}});
  };
  if (key.empty()) return;
  add("last_character", "its key with the last character changed",
      key.substr(0, key.size() - 1) + other(key.back()));
  if (key.size() > kPrefix) add("prefix", "the first 8 characters of its key", key.substr(0, kPrefix));
  add("extended", "its key and one more character", key + "0");
  const bool is_hex =
      key.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;  // the same number
  if (!is_hex) add("lower_case", "its key in lower case", ascii::lowered(key));
  if (!is_hex) add("upper_case", "its key in upper case", upper_case(key));
  add("empty", "an empty key", "");
  if (bypasses != Bypasses::thorough) return;
  add("wildcard", "the key *", "*");
  add("sql_wildcard", "the key %", "%");
  add("sql", "a key that ends an SQL string", "' OR '1'='1");
  add("null", "the key null", "null");
  if (const std::size_t live = key.find("_live_"); live != std::string::npos)
    add("test_key", "its key made a test key", std::string(key).replace(live, 6, "_test_"));
}

// Where the signature begins: express and Flask sign "VALUE.SIGNATURE", Rails "VALUE--SIGNATURE". npos: none.
std::size_t signature_of(const std::string& value) {
  const std::size_t dashes = value.rfind("--");
  if (dashes != std::string::npos && dashes > 0 && dashes + 2 < value.size()) return dashes + 2;
  const std::size_t dot = value.rfind('.');
  return dot == std::string::npos || dot == 0 || dot + 1 == value.size() ? std::string::npos : dot + 1;
}

// What only a session cookie has. The first character of a signature counts in full, unlike its last in
// base64.
void break_session(const std::string& header, const std::string& before, const std::string& value,
                   std::vector<Malformed>& list) {
  const auto add = [&](const char* id, const char* what, std::string changed) {
    list.push_back({id, what, {{header, before + std::move(changed)}}});
  };
  if (value.size() > 1)
    add("cut_short", "its cookie without the last character", value.substr(0, value.size() - 1));
  const std::size_t signature = signature_of(value);
  if (signature == std::string::npos) return;
  std::string flipped = value;
  std::size_t at = signature;
  while (at + 2 < flipped.size() && flipped[at] == '%') at += 3;
  flipped[at] = other(flipped[at]);
  add("signature", "its cookie with another signature", std::move(flipped));
  const std::size_t mark = value[signature - 1] == '-' ? 2 : 1;
  add("unsigned", "its cookie without the signature", value.substr(0, signature - mark));
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

std::vector<HeaderGroup> spoofed_headers(const std::string& client, const std::string& host,
                                         Bypasses bypasses) {
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
  groups.push_back({"identity", identity_headers()});
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
  // WSGI joins lines of one name, others take the first.
  groups.push_back({"address.repeated",
                    {{"Fly-Client-IP", "127.0.0.1"},
                     {"Fly-Client-IP", client},
                     {"X-Forwarded-For", "127.0.0.1"},
                     {"X-Forwarded-For", Exchange::forwarded_for(client)}}});
  groups.push_back(
      {"prefetch",  // CVE-2026-44575 and others: routes of a framework that its middleware lets by
       {{"RSC", "1"}, {"Next-Router-Prefetch", "1"}, {"X-Nextjs-Data", "1"}}});
  groups.push_back({"origin",
                    {{"Referer", "https://" + host + "/admin"},
                     {"Origin", "https://" + host},
                     {"Sec-Fetch-Site", "same-origin"}}});
  groups.push_back({"host.localhost", {{"Host", "localhost"}}});
  groups.push_back({"host.loopback", {{"Host", "127.0.0.1"}}});
  groups.push_back({"host.forwarded", {{"X-Forwarded-Host", "localhost"}}});
  groups.push_back(
      {"hop_by_hop",
       {{"Connection", "close, Fly-Client-IP, X-Forwarded-For, X-Real-IP, Authorization, Cookie"}}});
  return groups;
}

std::vector<HeaderGroup> rewriting_headers(const std::string& path, Bypasses bypasses) {
  std::vector<HeaderGroup> groups;
  if (bypasses == Bypasses::none) return groups;
  groups.push_back({"original_url", {{"X-Original-URL", path}}});
  groups.push_back({"rewrite_url", {{"X-Rewrite-URL", path}}});
  if (bypasses != Bypasses::thorough) return groups;
  groups.push_back({"other_names",
                    {{"X-Original-URI", path},
                     {"X-Forwarded-Uri", path},
                     {"X-Forwarded-Path", path},
                     {"X-Forwarded-Prefix", path},
                     {"X-Envoy-Original-Path", path},
                     {"X-Override-URL", path}}});
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
  list.push_back({"bearer_twice",
                  "two lines of Authorization",
                  {{"Authorization", "Bearer x"}, {"Authorization", "Bearer null"}}});
  list.push_back(authorization("bearer_8k", "Bearer " + std::string(8192, 'a')));
  list.push_back({"api_key_null", "X-API-Key: null", {{"X-API-Key", "null"}}});
  list.push_back({"api_key_empty", "an empty X-API-Key", {{"X-API-Key", ""}}});
  list.push_back(
      {"proxy_authorization", "Proxy-Authorization: Basic Og==", {{"Proxy-Authorization", "Basic Og=="}}});
  return list;
}

std::vector<Malformed> broken_credentials(const std::vector<Header>& genuine, Credential kind,
                                          Bypasses bypasses) {
  std::vector<Malformed> list;
  for (const Header& header : genuine) {
    const std::string& value = header.value;
    if (same_name(header.name, "Authorization") && value.starts_with("Basic ")) {
      break_basic(value.substr(6), list);
    } else if (same_name(header.name, "Cookie")) {
      const std::size_t equals = std::min(value.find('='), value.size() - 1);
      const std::string before = value.substr(0, equals + 1), session = value.substr(equals + 1);
      break_value(header.name, before, session, list);
      if (kind == Credential::cookie) break_session(header.name, before, session, list);
    } else {
      const std::size_t space = value.find(' ');
      const std::size_t start = space == std::string::npos ? 0 : space + 1;
      break_value(header.name, value.substr(0, start), value.substr(start), list);
      if (kind == Credential::api_key) break_key(header.name, value, bypasses, list);
    }
  }
  return list;
}

std::string key_in_query(const std::string& key, const std::string& header) {
  const std::string value = ascii::percent_encoded(key);
  std::string query;
  for (const std::string& name :
       {std::string("api_key"), std::string("apikey"), std::string("api-key"), std::string("key"),
        std::string("token"), std::string("access_token"), ascii::lowered(header)})
    query += (query.empty() ? "" : "&") + name + "=" + value;
  return query;
}

// As qs (Express), PHP and Rack read them: {"$ne": "hs"} is true of every key in a document store.
std::string operators_in_query(const std::string& header) {
  std::string query;
  for (const std::string& name :
       {std::string("api_key"), std::string("key"), std::string("token"), ascii::lowered(header)})
    query += fmt::format("{}{}[$ne]=hs", query.empty() ? "" : "&", name);
  return query;
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
