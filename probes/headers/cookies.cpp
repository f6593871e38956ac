#include "probes/headers/cookies.h"

#include <algorithm>
#include <ctime>

#include "probes/kit/ascii.h"
#include "probes/kit/http.h"

namespace holdshort::headers_probe {

namespace {

bool is_past(const std::string& date, Wall now) {
  for (const char* form : {"%a, %d %b %Y %H:%M:%S", "%a, %d-%b-%Y %H:%M:%S", "%A, %d-%b-%y %H:%M:%S"}) {
    std::tm parts{};
    if (!strptime(date.c_str(), form, &parts)) continue;
    return Wall(std::chrono::seconds(timegm(&parts))) <= now;
  }
  return false;
}

// Where `word` stands in `text` with `fits` true of what stands before and behind it.
template <class Fits>
bool has_word(std::string_view text, std::string_view word, Fits fits) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
    if (fits(text.substr(0, at), text.substr(at + word.size()))) return true;
  return false;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

}  // namespace

std::optional<SetCookie> SetCookie::parse(std::string_view line, Wall now) {
  SetCookie cookie;
  bool first = true;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(';'), line.size());
    const std::string_view part = ascii::trim(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
    const std::size_t equals = part.find('=');
    const std::string_view name = ascii::trim(part.substr(0, std::min(equals, part.size())));
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : ascii::trim(part.substr(equals + 1));
    if (first) {
      if (equals == std::string_view::npos || name.empty()) return std::nullopt;
      cookie.name = name;
      cookie.deletes = value.empty() || value == "\"\"";
      first = false;
    } else if (same_name(name, "Secure")) {
      cookie.secure = true;
    } else if (same_name(name, "HttpOnly")) {
      cookie.http_only = true;
    } else if (same_name(name, "SameSite")) {
      cookie.same_site = ascii::lowered(value);
    } else if (same_name(name, "Path")) {
      cookie.path = value;
    } else if (same_name(name, "Domain")) {
      cookie.has_domain = !value.empty();
    } else if (same_name(name, "Max-Age")) {
      cookie.deletes = cookie.deletes || value == "0" || value.starts_with('-');
    } else if (same_name(name, "Expires")) {
      cookie.deletes = cookie.deletes || is_past(std::string(value), now);
    }
  }
  return first ? std::nullopt : std::optional(cookie);
}

bool SetCookie::is_for_scripts() const { return has_any(ascii::lowered(name), {"csrf", "xsrf"}); }

// No session: "sidebar_state", "author", "assessment".
bool SetCookie::is_session() const {
  const std::string low = ascii::lowered(name);
  if (is_for_scripts()) return false;
  return has_any(low, {"token", "jwt", "remember"}) ||
         has_word(low, "sid",
                  [](std::string_view, std::string_view behind) {
                    return behind.empty() || !ascii::is_letter(behind.front());
                  }) ||
         has_word(low, "auth",
                  [](std::string_view, std::string_view behind) {
                    return !behind.starts_with("or") || behind.starts_with("oriz");
                  }) ||
         has_word(low, "sess",
                  [](std::string_view before, std::string_view) { return !before.ends_with('s'); });
}

std::vector<Fault> faults_of(const SetCookie& cookie, Transport transport) {
  std::vector<Fault> faults;
  if (cookie.deletes) return faults;
  const bool host_prefix = ascii::lowered(cookie.name).starts_with("__host-");
  const bool secure_prefix = ascii::lowered(cookie.name).starts_with("__secure-");
  if ((host_prefix || secure_prefix) && !cookie.secure)
    faults.push_back({"prefix", "has a prefix that wants Secure, and browsers drop it without"});
  if (host_prefix && (cookie.path != "/" || cookie.has_domain))
    faults.push_back({"prefix", "has the prefix __Host-, which wants Path=/ and no Domain"});
  if (cookie.same_site == "none" && !cookie.secure)
    faults.push_back({"same_site", "has SameSite=None without Secure"});
  if (!cookie.is_session()) return faults;
  if (transport == Transport::https && !cookie.secure) faults.push_back({"secure", "has no Secure"});
  if (!cookie.http_only) faults.push_back({"http_only", "has no HttpOnly"});
  return faults;
}

}  // namespace holdshort::headers_probe
