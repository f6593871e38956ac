#include "probes/headers/rules.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/text.h"

namespace holdshort::headers_probe {

namespace {

std::vector<std::string> split(std::string_view text, char mark) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(mark), text.size());
    const std::string_view part = ascii::trim(text.substr(0, end));
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// Sources of one directive, in lower case; nullopt where the policy lacks it. The first of a name counts
// (CSP 3, 2.2.1).
using Policy = std::vector<std::string>;
std::optional<std::vector<std::string>> directive(const Policy& policy, std::string_view name) {
  for (const std::string& text : policy) {
    std::vector<std::string> words = split(ascii::lowered(text), ' ');
    if (words.empty() || words[0] != name) continue;
    words.erase(words.begin());
    return words;
  }
  return std::nullopt;
}

std::vector<Policy> policies(const std::vector<Header>& headers) {
  std::vector<Policy> list;
  for (const std::string& text : field_items(headers, "Content-Security-Policy"))
    list.push_back(split(text, ';'));
  return list;
}

bool is_hash_or_nonce(std::string_view source) {
  return source.starts_with("'nonce-") || source.starts_with("'sha256-") || source.starts_with("'sha384-") ||
         source.starts_with("'sha512-");
}

// The first source that lets any script in; "" where there is none.
std::string open_source(const std::vector<std::string>& sources) {
  const bool keyed = std::any_of(sources.begin(), sources.end(), is_hash_or_nonce);
  const bool dynamic = std::find(sources.begin(), sources.end(), "'strict-dynamic'") != sources.end();
  for (const std::string& source : sources) {
    if (source == "'unsafe-inline'" && !keyed && !dynamic) return source;
    if ((source == "*" || source == "data:" || source == "http:") && !dynamic) return source;
  }
  return "";
}

bool allows_everybody(const std::vector<std::string>& ancestors) {
  return std::any_of(ancestors.begin(), ancestors.end(), [](const std::string& source) {
    return source == "*" || source == "http:" || source == "https:" || source == "http://*" ||
           source == "https://*";
  });
}

// A number behind a slash, or one with a dot in it: "nginx/1.22.1", "Phusion Passenger 6.0.1", "PHP/8".
bool has_version(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const bool begins = ascii::is_digit(text[i]) && (i == 0 || !ascii::is_digit(text[i - 1]));
    if (!begins) continue;
    std::size_t end = i;
    while (end < text.size() && ascii::is_digit(text[end])) ++end;
    if (end + 1 < text.size() && text[end] == '.' && ascii::is_digit(text[end + 1])) return true;
  }
  for (std::size_t slash = text.find('/'); slash != std::string_view::npos;
       slash = text.find('/', slash + 1)) {
    std::size_t i = slash + 1;
    if (i < text.size() && ascii::to_lower(text[i]) == 'v') ++i;
    const std::size_t digits = i;
    while (i < text.size() && ascii::is_digit(text[i])) ++i;
    if (i > digits && (i == text.size() || !(ascii::is_letter(text[i]) || text[i] == '_'))) return true;
  }
  return false;
}

bool all_same(const std::vector<std::string>& values) {
  return std::all_of(values.begin(), values.end(),
                     [&](const std::string& value) { return same_name(value, values.front()); });
}

// max-age in seconds; nullopt where the field is not valid (RFC 6797 6.1: once, a number, perhaps quoted).
std::optional<std::int64_t> max_age(std::string_view field) {
  std::optional<std::int64_t> age;
  for (const std::string& text : split(field, ';')) {
    const std::size_t equals = std::min(text.find('='), text.size());
    if (!same_name(ascii::trim(std::string_view(text).substr(0, equals)), "max-age")) continue;
    std::string_view value = ascii::trim(std::string_view(text).substr(std::min(equals + 1, text.size())));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (age || error != std::errc() || end != value.data() + value.size() || number < 0) return std::nullopt;
    age = number;
  }
  return age;
}

}  // namespace

Verdict content_type_options(const std::vector<Header>& headers) {
  const std::vector<std::string> items = field_items(headers, "X-Content-Type-Options");
  if (items.empty()) return {false, "absent"};
  const bool holds = same_name(items.front(), "nosniff");
  return {holds, holds ? "nosniff" : shown(items.front(), kMaxShown)};
}

Verdict content_security_policy(const std::vector<Header>& headers) {
  const std::vector<Policy> list = policies(headers);
  if (list.empty())
    return {false, find_header(headers, "Content-Security-Policy-Report-Only") ? "only reported, not enforced"
                                                                               : "absent"};
  std::string why = "restricts no scripts";
  for (const Policy& policy : list) {
    std::optional<std::vector<std::string>> sources;
    for (const char* name : {"script-src-elem", "script-src", "default-src"})
      if (!sources) sources = directive(policy, name);
    if (!sources) continue;
    const std::string open = open_source(*sources);
    if (open.empty()) return {true, "restricts scripts"};
    why = "allows scripts from " + open;
  }
  return {false, why};
}

Verdict framing(const std::vector<Header>& headers) {
  bool everybody = false;
  for (const Policy& policy : policies(headers)) {
    const auto ancestors = directive(policy, "frame-ancestors");
    if (!ancestors) continue;
    if (!allows_everybody(*ancestors)) return {true, "frame-ancestors"};
    everybody = true;
  }
  // Browsers that know frame-ancestors read X-Frame-Options only where there is none (CSP 3, 6.4.2.2).
  if (everybody) return {false, "frame-ancestors allows everybody"};
  const std::vector<std::string> items = field_items(headers, "X-Frame-Options");
  if (items.empty()) return {false, "neither frame-ancestors nor X-Frame-Options"};
  if (!all_same(items)) return {false, "X-Frame-Options with conflicting values"};
  const bool holds = same_name(items.front(), "DENY") || same_name(items.front(), "SAMEORIGIN");
  return {holds, "X-Frame-Options " + shown(items.front(), kMaxShown)};
}

Verdict referrer_policy(const std::vector<Header>& headers) {
  constexpr std::string_view kKnown[] = {"no-referrer",
                                         "no-referrer-when-downgrade",
                                         "same-origin",
                                         "origin",
                                         "strict-origin",
                                         "origin-when-cross-origin",
                                         "strict-origin-when-cross-origin",
                                         "unsafe-url"};
  std::string last;
  for (const std::string& item : field_items(headers, "Referrer-Policy")) {
    const std::string low = ascii::lowered(item);
    if (std::find(std::begin(kKnown), std::end(kKnown), low) != std::end(kKnown)) last = low;
  }
  return {last != "unsafe-url", last.empty() ? "absent" : last};
}

Verdict transport_security(const std::vector<Header>& headers, std::chrono::seconds min_age) {
  const std::vector<std::string> lines = field_lines(headers, "Strict-Transport-Security");
  if (lines.empty()) return {false, "absent"};
  if (!all_same(lines)) return {false, "two that differ"};
  const std::optional<std::int64_t> age = max_age(lines.front());
  if (!age) return {false, "no valid max-age"};
  return {*age >= min_age.count() && *age > 0, fmt::format("max-age={}", *age)};
}

Verdict cache_control(const std::vector<Header>& headers) {
  bool kept_private = false;
  const std::vector<std::string> items = field_items(headers, "Cache-Control");
  for (const std::string& item : items) {
    const std::string name = ascii::lowered(ascii::trim(item.substr(0, item.find('='))));
    if (name == "no-store") return {true, "no-store"};
    if (name == "public" || name == "s-maxage") return {false, name};
    kept_private = kept_private || name == "private";
  }
  return {kept_private, kept_private ? "private" : items.empty() ? "absent" : "neither no-store nor private"};
}

Verdict no_version(const std::vector<Header>& headers) {
  for (const char* name : {"Server", "X-Powered-By", "X-AspNet-Version", "X-AspNetMvc-Version"})
    for (const std::string& line : field_lines(headers, name))
      if (has_version(line)) return {false, fmt::format("{}: {}", name, shown(line, kMaxShown))};
  return {true, "none"};
}

}  // namespace holdshort::headers_probe
