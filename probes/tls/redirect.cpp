#include "probes/tls/redirect.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/text.h"

namespace holdshort::tls_probe {
namespace {

constexpr std::size_t kMaxLocationBytes = 200;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string host_of(std::string_view authority) {
  authority.remove_prefix(authority.rfind('@') == authority.npos ? 0 : authority.rfind('@') + 1);
  if (authority.starts_with('[')) return std::string(authority.substr(0, authority.find(']') + 1));
  std::string host(authority.substr(0, authority.find(':')));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

Check check(std::string id, const std::string& request, std::string expected, const Response& response) {
  Check check{.id = std::move(id),
              .outcome = Outcome::inconclusive,
              .request = request,
              .expected = std::move(expected),
              .observed = response.text(),
              .references = {"OWASP API8:2023", "ASVS 12.2.1", "CWE-319"},
              .summary = fmt::format("{} {}", request, response.sentence())};
  if (const std::string* location = response.header("Location"); location && is_redirect(response.status)) {
    check.observed += " to " + shown(*location, kMaxLocationBytes);
    check.summary += " to " + shown(*location, kMaxLocationBytes);
  }
  return check;
}

}  // namespace

Destination destination_of(std::string_view location) {
  std::string text = ascii::lowered(ascii::trim(location, ascii::kSpace));
  std::replace(text.begin(), text.end(), '\\', '/');
  std::string_view rest = text;
  const std::size_t colon = rest.find(':');
  const bool is_absolute = colon != rest.npos && colon > 0 &&
                           std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                                       [](char c) { return ascii::is_letter(c); });
  if (!is_absolute && !rest.starts_with("//")) return {};
  Destination destination;
  if (is_absolute) destination.scheme = text.substr(0, colon);
  rest.remove_prefix(is_absolute ? colon + 1 : 0);
  rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
  destination.host = host_of(rest.substr(0, rest.find_first_of("/?#")));
  return destination;
}

Check judge_redirect(const std::string& request, const Response& response, std::string_view host) {
  Check result = check("tls.redirect", request, fmt::format("a redirect to https://{}", host), response);
  const int status = response.status;
  const std::string* location = response.header("Location");
  if (is_redirect(status) && location) {
    const Destination destination = destination_of(*location);
    const bool is_right = destination.scheme == "https" && destination.host == host;
    result.outcome = is_right ? Outcome::pass : Outcome::fail;
    if (!is_right && destination.scheme == "https") result.summary += ", which is another host";
    if (destination.scheme != "https") result.summary += ", which is not https";
  } else if (status >= 200 && status < 300) {
    result.outcome = Outcome::fail;
    result.summary += " without TLS, expected a redirect to https";
  } else {
    result.summary += ", expected a redirect to https";
  }
  return result;
}

Check judge_foreign_host(const std::string& request, const Response& response, std::string_view foreign) {
  Check result = check("tls.redirect_host", request + ", X-Forwarded-Host: " + std::string(foreign),
                       "a redirect that ignores the header", response);
  result.references = {"OWASP API8:2023", "ASVS 4.1.3", "CWE-601", "CWE-644"};
  const std::string* location = response.header("Location");
  const bool follows = location && is_redirect(response.status) && destination_of(*location).host == foreign;
  if (follows) {
    result.outcome = Outcome::fail;
    result.summary += ": it goes where X-Forwarded-Host says, which any client can send";
  } else if (response.status > 0 && response.status < 500) {
    result.outcome = Outcome::pass;
  }
  return result;
}

}  // namespace holdshort::tls_probe
