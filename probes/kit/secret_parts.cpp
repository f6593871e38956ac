#include "probes/kit/secret_parts.h"

#include <algorithm>
#include <array>

#include "probes/kit/ascii.h"
#include "probes/kit/pattern.h"
#include "probes/kit/text.h"

namespace holdshort {
namespace {

// Of services that let anybody in who brings the password.
constexpr std::array<std::string_view, 17> kWithPassword{
    "postgres", "postgresql", "mysql",      "mariadb",     "redis", "rediss", "mongodb", "amqp",  "amqps",
    "mssql",    "sqlserver",  "clickhouse", "cockroachdb", "smtp",  "smtps",  "ldap",    "ldaps",
};

const Pattern& query_password() {
  static const Pattern pattern =
      Pattern::compile(R"((?i)[?&](?:password|passwd|pass|auth)=([^&#]+))").value();
  return pattern;
}
const Pattern& paired_password() {
  static const Pattern pattern =
      Pattern::compile(R"((?i)(?:^|[;\s])(?:password|pwd|accountkey|sharedaccesskey)\s*=\s*'?([^;'\s]+))")
          .value();
  return pattern;
}

std::string first_group(const Pattern& pattern, std::string_view text) {
  const std::vector<std::string> groups = pattern.match(text);
  return groups.size() > 1 ? groups[1] : "";
}

// "postgresql" of "postgresql+psycopg2", "mongodb" of "mongodb+srv".
std::string_view service_of(std::string_view scheme) { return scheme.substr(0, scheme.find('+')); }

Parts parts_of_url(std::string_view scheme, std::string_view rest) {
  const std::size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end), path = rest.substr(authority_end);
  const std::size_t at = authority.rfind('@');
  const std::string_view login = at == authority.npos ? "" : authority.substr(0, at);
  const std::size_t colon = login.find(':');
  Parts parts{Parts::Shape::password, {}, {}};
  if (colon != login.npos) {
    parts.secret = percent_decode(login.substr(colon + 1));
    parts.login = percent_decode(login);
  }
  if (parts.secret.empty()) parts.secret = percent_decode(first_group(query_password(), path));
  const bool wants_password =
      std::find(kWithPassword.begin(), kWithPassword.end(), service_of(scheme)) != kWithPassword.end();
  if (!parts.secret.empty() || wants_password) return parts;
  parts.shape = Parts::Shape::address;
  parts.secret = std::string(login);
  if (path.size() > 1) parts.secret += path.substr(login.empty() ? 1 : 0);
  return parts;
}

}  // namespace

Parts parts_of(std::string_view value) {
  std::string_view url = value;
  constexpr std::string_view kJdbc = "jdbc:";
  if (url.starts_with(kJdbc)) url.remove_prefix(kJdbc.size());
  const std::size_t colon = url.find("://");
  const std::string_view scheme = url.substr(0, std::min(colon, url.size()));
  const auto is_scheme_character = [](char c) {
    return ascii::is_letter(c) || ascii::is_digit(c) || c == '+' || c == '.' || c == '-';
  };
  if (colon != url.npos && ascii::is_made_of(scheme, is_scheme_character))
    return parts_of_url(scheme, url.substr(colon + 3));
  if (std::string password = first_group(paired_password(), value); !password.empty())
    return {Parts::Shape::password, std::move(password), {}};
  return {Parts::Shape::whole, std::string(value), {}};
}

}  // namespace holdshort
