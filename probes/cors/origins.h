// Origins as browsers write them, and those that resemble a trusted one to a careless comparison.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/result.h"

namespace holdshort::cors {

// scheme://host[:port], in lower case, without path (RFC 6454 6.1). As a rule of the configuration the host
// may begin with "*.", for every name below it.
struct Origin {
  [[nodiscard]] static Result<Origin> parse(std::string_view text);
  std::string scheme;
  std::string host;  // IPv6 in brackets
  std::string port;  // ":8443"; "" for the scheme's own
  std::string text() const { return scheme + "://" + host + port; }
  bool is_rule() const { return host.starts_with("*."); }
  // Whether this origin, or rule, covers the origin `other`.
  bool covers(const Origin& other) const;
  bool is_address() const;
};

struct Hostile {
  std::string id;      // "suffix"
  std::string origin;  // as the Origin header has it
  std::string what;    // "ends like the trusted https://app.example.com"
};

// Strangers whom nobody trusts, whatever is trusted: another site, and a page without an origin.
std::vector<Hostile> strangers();
// Strangers who resemble `trusted`; `word` (letters, digits) makes a name below it that nobody has.
std::vector<Hostile> impostors_of(const Origin& trusted, std::string_view word);
// An origin that `rule` covers: itself, or a name below it.
std::string example_of(const Origin& rule, std::string_view word);

}  // namespace holdshort::cors
