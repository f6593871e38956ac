#include "probes/kit/identity_headers.h"

namespace holdshort {

std::vector<Header> identity_headers() {
  return {{"X-User", "admin"},
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
          {"X-Authenticated", "true"}};
}

}  // namespace holdshort
