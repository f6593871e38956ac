// How a probe acts as a legitimate caller: [identities.NAME].
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "probes/kit/http.h"
#include "probes/kit/jose.h"
#include "probes/kit/secret.h"

namespace holdshort {

struct BearerIdentity {
  Secret token;
};
struct BasicIdentity {
  std::string user;
  Secret password;
};
struct ApiKeyIdentity {
  std::string header;
  Secret value;
};
struct CookieIdentity {
  std::string name;
  Secret value;
};
struct JwtIdentity {  // minted anew for every run, or given
  jose::TokenSource token;
};
struct LoginIdentity {  // POST path; the token it answers is sent as Bearer
  std::string path;
  Secret body;                    // with ${VARIABLES} already put in
  std::vector<Secret> variables;  // their values: no text may show one, with or without the rest of the body
  bool body_is_json = false;
  std::string token_pointer;  // JSON pointer into the answer
};

using Identity =
    std::variant<BearerIdentity, BasicIdentity, ApiKeyIdentity, CookieIdentity, JwtIdentity, LoginIdentity>;

// Logins are costly and often limited: their token is kept here until it is refused. Loop thread only.
struct Identities {
  std::map<std::string, Identity, std::less<>> by_name;
  std::map<std::string, Secret, std::less<>> login_tokens;

  std::vector<Secret> found_tokens() const {
    std::vector<Secret> tokens;
    for (const auto& [name, token] : login_tokens) tokens.push_back(token);
    return tokens;
  }
};

}  // namespace holdshort
