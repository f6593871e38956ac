// Reads URLs and listen addresses strictly: what is accepted here is never judged again. Messages do not
// quote the text, which may hold a password.
#include "probes/kit/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "probes/kit/ascii.h"

namespace holdshort {
namespace {

constexpr std::size_t kMaxHost = 253;        // RFC 1035 2.3.4
constexpr std::size_t kMaxLabel = 63;        // RFC 1035 2.3.4
constexpr std::size_t kMaxSocketPath = 107;  // unix(7): sun_path less its NUL

constexpr std::string_view kUrlForm =
    "expected http://host[:port][/path], https://host[:port][/path] or unix:/path";
constexpr std::string_view kAddressForm =
    "expected host:port or unix:/path, such as \"127.0.0.1:5432\" or \"[fdaa::3]:5432\"";
constexpr std::string_view kListenForm = "expected host:port, such as \"[::]:9090\" or \"127.0.0.1:9090\"";

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool is_ipv6(const std::string& text) {
  in6_addr address;
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool is_ipv4(const std::string& text) {
  in_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel && std::all_of(label.begin(), label.end(), [](char c) {
    return ascii::is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
  });
}

// A name of labels, or four numbers. "127.1" and "1.2.3.400" are neither, though resolvers guess at them.
bool is_name_or_ipv4(const std::string& host) {
  if (host.size() > kMaxHost) return false;
  std::string_view rest = host;
  std::string_view label;
  do {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    label = rest.substr(0, dot);
    if (!is_label(label)) return false;
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  } while (!rest.empty());
  return host.back() != '.' && (!std::all_of(label.begin(), label.end(), ascii::is_digit) || is_ipv4(host));
}

struct HostPort {
  std::string host;       // lower case, without brackets
  std::string_view port;  // as written
  bool has_port = false;
};

// "host", "host:port", "[v6]", "[v6]:port".
Result<HostPort> split(std::string_view authority) {
  HostPort parts;
  std::string_view rest;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return failure("the IPv6 address has no closing bracket");
    parts.host = ascii::lowered(authority.substr(1, bracket - 1));
    if (!is_ipv6(parts.host)) return failure("expected an IPv6 address between the brackets");
    rest = authority.substr(bracket + 1);
    if (!rest.empty() && rest.front() != ':') return failure("expected \":\" and a port after the brackets");
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    parts.host = ascii::lowered(authority.substr(0, colon));
    rest = authority.substr(colon);
    if (rest.find(':', 1) != std::string_view::npos)
      return failure("an IPv6 address goes in brackets: [::1]");
    if (parts.host.empty()) return failure("the host is missing");
    if (!is_name_or_ipv4(parts.host)) return failure("the host is neither a name nor an address");
  }
  parts.has_port = !rest.empty();
  if (parts.has_port) parts.port = rest.substr(1);
  return parts;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

Result<Url> parse_unix(std::string_view path) {
  if (path.starts_with("//")) path.remove_prefix(2);  // "unix:///run/app.sock", as others write it
  if (!path.starts_with('/') || path.size() < 2) return failure(std::string(kUrlForm));
  if (path.size() > kMaxSocketPath) return failure("a socket's path has at most 107 bytes");
  Url url;
  url.scheme = Url::Scheme::unix_socket;
  url.port = 0;
  url.path = path;
  return url;
}

std::uint16_t own_port(Url::Scheme scheme) { return scheme == Url::Scheme::https ? 443 : 80; }

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), ascii::is_visible)) {
    return failure("white space, control characters and letters beyond ASCII do not belong in a URL");
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return failure(std::string(kUrlForm));
  const std::string scheme = ascii::lowered(text.substr(0, colon));
  std::string_view rest = text.substr(colon + 1);
  if (scheme == "unix") return parse_unix(rest);
  if ((scheme != "http" && scheme != "https") || !rest.starts_with("//"))
    return failure(std::string(kUrlForm));
  rest.remove_prefix(2);
  if (rest.find_first_of("?#") != std::string_view::npos)
    return failure("a query or fragment does not belong here");

  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    return failure("user information does not belong in a URL; declare an identity");
  }
  Result<HostPort> parts = split(authority);
  if (!parts) return tl::unexpected(parts.error());

  Url url;
  url.scheme = scheme == "https" ? Scheme::https : Scheme::http;
  url.host = std::move(parts->host);
  url.port = own_port(url.scheme);
  if (parts->has_port) {
    const std::optional<std::uint16_t> port = parse_port(parts->port);
    if (!port || *port == 0) return failure("expected a port within 1..65535");
    url.port = *port;
  }
  std::string_view path = rest.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  url.path = path;
  return url;
}

std::string Url::authority() const {
  if (scheme == Scheme::unix_socket) return "localhost";
  const std::string name = bracketed(host);
  return port == own_port(scheme) ? name : name + ":" + std::to_string(port);
}

std::string Url::text() const {
  switch (scheme) {
    case Scheme::http:
      return "http://" + authority() + path;
    case Scheme::https:
      return "https://" + authority() + path;
    case Scheme::unix_socket:
      return "unix:" + path;
  }
  return "";
}

Result<Address> Address::parse(std::string_view text) {
  Address address;
  if (text.starts_with("unix:")) {
    const Result<Url> socket = Url::parse(text);
    if (!socket) return tl::unexpected(socket.error());
    address.path = socket->path;
    return address;
  }
  Result<HostPort> parts = split(text);
  if (!parts) return failure(std::string(kAddressForm) + ": " + parts.error().message);
  if (!parts->has_port) return failure(std::string(kAddressForm));
  const std::optional<std::uint16_t> port = parse_port(parts->port);
  if (!port || *port == 0) return failure("expected a port within 1..65535");
  address.host = std::move(parts->host);
  address.port = *port;
  return address;
}

Address Address::of(const Url& url) {
  Address address;
  if (url.scheme == Url::Scheme::unix_socket) {
    address.path = url.path;
  } else {
    address.host = url.host;
    address.port = url.port;
  }
  return address;
}

std::string Address::text() const {
  return path.empty() ? bracketed(host) + ":" + std::to_string(port) : "unix:" + path;
}

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  Result<HostPort> parts = split(text);
  if (!parts) return failure(std::string(kListenForm) + ": " + parts.error().message);
  if (!parts->has_port) return failure(std::string(kListenForm));
  const std::optional<std::uint16_t> port = parse_port(parts->port);
  if (!port) return failure("expected a port within 0..65535");
  ListenAddress address;
  address.host = std::move(parts->host);
  address.port = *port;
  return address;
}

std::string ListenAddress::text() const { return bracketed(host) + ":" + std::to_string(port); }

}  // namespace holdshort
