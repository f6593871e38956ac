// What a stranger may send to get past a guard: data, in the order of what it found on real servers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/http.h"

namespace holdshort::authentication {

enum class Bypasses { none, standard, thorough };

// Headers that are sent together and taken apart only where they were granted something.
struct HeaderGroup {
  std::string id;
  std::vector<Header> headers;
};
// Spoofed source addresses, as a client behind Fly's proxy can send them and as a neighbour on 6PN can;
// spoofed identities. `host`: the app's public one.
std::vector<HeaderGroup> spoofed_headers(const std::string& client, const std::string& host,
                                         Bypasses bypasses);
// Headers that name another path than the request does, for `path`: sent with a request of "/".
std::vector<HeaderGroup> rewriting_headers(const std::string& path, Bypasses bypasses);

// Credentials that are broken by themselves.
struct Malformed {
  std::string id;
  std::string what;  // for people; shows no secret
  std::vector<Header> headers;
};
std::vector<Malformed> malformed_credentials(Bypasses bypasses);
// The legitimate caller's own credentials, each broken in one place. An API key and a session cookie have
// more places than others.
enum class Credential { api_key, cookie, other };
std::vector<Malformed> broken_credentials(const std::vector<Header>& genuine, Credential kind,
                                          Bypasses bypasses);
// A query with the key under the names that apps read it from: "api_key=...&...". Secret.
std::string key_in_query(const std::string& key, const std::string& header);
// A query that asks for any key but one (CWE-943).
std::string operators_in_query(const std::string& header);
// Accounts that come with products; six at most, so that no lockout is provoked.
std::vector<Malformed> default_accounts();

}  // namespace holdshort::authentication
