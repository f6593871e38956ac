#include "probes/cors/origins.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/url.h"

namespace holdshort::cors {

namespace {

// Reserved (RFC 6761): nobody can own it, nobody should trust it.
constexpr std::string_view kForeign = "hostile.test";

}  // namespace

Result<Origin> Origin::parse(std::string_view text) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos) return failure("has no scheme");
  std::string_view rest = text.substr(end + 3);
  if (rest.find_first_of("/?#") != std::string_view::npos) return failure("has a path");
  const bool is_rule = rest.starts_with("*.");
  if (is_rule) rest.remove_prefix(2);
  if (rest.find('*') != std::string_view::npos)
    return failure("has a * that does not stand for a first label");
  const std::string_view scheme = text.substr(0, end);
  if (scheme != "http" && scheme != "https") return failure("is neither http nor https");
  const auto url = Url::parse(std::string(scheme) + "://" + std::string(rest));
  if (!url) return tl::unexpected(url.error());
  const bool is_ipv6 = url->host.find(':') != std::string::npos;
  Origin origin;
  origin.scheme = scheme;
  origin.host = (is_rule ? "*." : "") + (is_ipv6 ? "[" + url->host + "]" : url->host);
  const std::uint16_t own = scheme == "https" ? 443 : 80;
  if (url->port != own) origin.port = fmt::format(":{}", url->port);
  return origin;
}

bool Origin::covers(const Origin& other) const {
  if (scheme != other.scheme || port != other.port) return false;
  return is_rule() ? other.host.ends_with(host.substr(1)) : host == other.host;
}

bool Origin::is_address() const {
  return host.starts_with('[') ||
         ascii::is_made_of(host, [](char c) { return ascii::is_digit(c) || c == '.'; });
}

std::vector<Hostile> strangers() {
  return {{"foreign", fmt::format("https://{}", kForeign), "is another site"},
          {"null", "null", "is what a sandboxed frame or a local file sends"}};
}

std::vector<Hostile> impostors_of(const Origin& trusted, std::string_view word) {
  const std::string base = trusted.is_rule() ? trusted.host.substr(2) : trusted.host;
  const std::string name = trusted.scheme + "://" + base;
  std::vector<Hostile> list;
  const auto add = [&](std::string id, const std::string& scheme, const std::string& host,
                       std::string_view how) {
    list.push_back({std::move(id), scheme + "://" + host + trusted.port, fmt::format("{} {}", how, name)});
  };
  add("prefix", trusted.scheme, fmt::format("{}.{}", base, kForeign), "begins like");
  if (trusted.is_address()) return list;
  add("suffix", trusted.scheme, "hostile" + base, "ends like");
  const std::size_t first = base.find('.'), last = base.rfind('.');
  if (first != last)
    add("parent_suffix", trusted.scheme, "hostile" + base.substr(first + 1), "ends like the parent of");
  if (first != std::string::npos) {
    std::string unescaped = base;
    unescaped[first] = 'x';
    add("dot", trusted.scheme, unescaped, "has another letter for a dot of");
    if (first != last) {
      unescaped = base;
      unescaped[last] = 'x';
      add("last_dot", trusted.scheme, unescaped, "has another letter for the last dot of");
    }
  }
  if (trusted.scheme == "https") add("http", "http", base, "is the unencrypted form of");
  add("subdomain", trusted.scheme, fmt::format("hs-{}.{}", word, base), "is an undeclared name below");
  return list;
}

std::string example_of(const Origin& rule, std::string_view word) {
  if (!rule.is_rule()) return rule.text();
  return fmt::format("{}://hs-{}{}{}", rule.scheme, word, rule.host.substr(1), rule.port);
}

}  // namespace holdshort::cors
