#include "probes/kit/classify.h"

#include <algorithm>
#include <array>

#include "probes/kit/ascii.h"
#include "probes/kit/json.h"

namespace holdshort {

namespace {

constexpr std::size_t kMaxParts = 4000;   // of one body: beyond, more parts would not change a verdict
constexpr std::size_t kShortPage = 2048;  // a longer text that holds "access denied" is about something else
constexpr double kGrantedShare = 0.5;     // more of what only the served caller got: the same content
constexpr double kGrantedKeys = 0.9;      // live data: the same keys with other values
constexpr std::size_t kGrantedKeysAtLeast = 3;
constexpr double kGrantedText = 0.6;
constexpr double kLeakedJson = 0.8, kLeakedText = 0.95;  // a refusal in the site's own layout is no leak
constexpr std::size_t kLeakedPartsAtLeast = 4;
constexpr std::size_t kTellingValue = 4;  // characters; a shorter one stands in any text
constexpr std::size_t kLeakedValuesAtLeast = 3;
constexpr double kUnroutedShare = 0.9;  // both ways: nothing more, nothing less, a reflected path aside

bool is_word_character(char c) {
  return ascii::is_digit(c) || ascii::is_letter(c) || static_cast<unsigned char>(c) >= 0x80;
}

// Tags, and what stands between <script> or <style> and its end, are no text.
std::string without_tags(std::string_view body) {
  const std::string low = ascii::lowered(body);
  std::string text;
  for (std::size_t i = 0; i < body.size();) {
    if (body[i] != '<') {
      text += body[i++];
      continue;
    }
    std::size_t end = low.find('>', i);
    for (const std::string_view block : {"script", "style"}) {
      if (low.compare(i + 1, block.size(), block) != 0) continue;
      const std::size_t close = low.find("</" + std::string(block), i);
      end = close == std::string::npos ? close : low.find('>', close);
    }
    if (end == std::string::npos) break;
    text += ' ';
    i = end + 1;
  }
  return text;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && ascii::hex_digit(text[i + 1]) >= 0 &&
                        ascii::hex_digit(text[i + 2]) >= 0;
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(ascii::hex_digit(text[i + 1]) * 16 + ascii::hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

// The one spelling that all spellings of a path share: decoded, lower case, no empty or dot segments, no
// slash at the end.
std::string normal_path(std::string_view target) {
  std::string path = ascii::lowered(decoded(target.substr(0, target.find_first_of("?#"))));
  std::replace(path.begin(), path.end(), '\\', '/');
  std::vector<std::string> segments;
  for (std::size_t i = 0; i <= path.size();) {
    const std::size_t end = std::min(path.find('/', i), path.size());
    const std::string segment = path.substr(i, end - i);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    i = end + 1;
  }
  std::string normal;
  for (const std::string& segment : segments) normal += "/" + segment;
  return normal.empty() ? "/" : normal;
}

struct Location {
  std::string authority;  // "" : the app's own
  std::string target;     // path and query
};

Location parse_location(std::string_view text, std::string_view target) {
  Location location;
  std::string_view rest = text.substr(0, text.find('#'));
  const std::size_t scheme = rest.find("://");
  const bool absolute = scheme != std::string_view::npos && rest.find_first_of("/?") > scheme;
  if (absolute) rest.remove_prefix(scheme + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    location.authority = ascii::lowered(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  if (rest.starts_with('/') || rest.empty()) {
    location.target = rest.empty() ? "/" : rest;
  } else if (rest.starts_with('?')) {
    location.target = std::string(target.substr(0, target.find('?'))) + std::string(rest);
  } else {
    const std::string_view path = target.substr(0, target.find('?'));
    location.target = std::string(path.substr(0, path.rfind('/') + 1)) + std::string(rest);
  }
  return location;
}

std::string without_default_port(std::string authority) {
  for (const std::string_view port : {":80", ":443"})
    if (authority.ends_with(port)) authority.resize(authority.size() - port.size());
  return authority;
}

bool is_falsy(const json::Found& found) {
  return found.lookup == json::Lookup::found && (found.text == "false" || found.text == "0");
}

bool is_said(const json::Found& found) {
  return found.lookup == json::Lookup::found && found.text != "null" && found.text != "false" &&
         found.text != "\"\"" && found.text != "[]" && found.text != "{}" && found.text != "0";
}

bool is_refusing_code(const json::Found& found) {
  if (found.lookup != json::Lookup::found) return false;
  std::string text = found.text;
  std::erase(text, '"');
  return text.size() == 3 && (text[0] == '4' || text[0] == '5') &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool json_says_no(std::string_view body) {
  for (const char* pointer : {"/success", "/ok", "/authenticated", "/authorized"})
    if (is_falsy(json::at(body, pointer))) return true;
  for (const char* pointer : {"/error", "/errors", "/0/error"})
    if (is_said(json::at(body, pointer))) return true;
  for (const char* pointer : {"/code", "/status", "/statusCode", "/status_code"})
    if (is_refusing_code(json::at(body, pointer))) return true;
  const std::string status = ascii::lowered(json::string_at(body, "/status").value_or(""));
  for (const std::string_view word :
       {"error", "fail", "failed", "denied", "forbidden", "unauthorized", "unauthenticated"})
    if (status == word) return true;
  return false;
}

}  // namespace

std::string_view name_of(Seen seen) {
  switch (seen) {
    case Seen::no_response:
      return "no response";
    case Seen::server_error:
      return "server error";
    case Seen::limited:
      return "rate limited";
    case Seen::unauthenticated:
      return "unauthenticated";
    case Seen::forbidden:
      return "forbidden";
    case Seen::not_found:
      return "not found";
    case Seen::to_login:
      return "redirect to login";
    case Seen::to_same:
      return "redirect to another spelling";
    case Seen::elsewhere:
      return "redirect elsewhere";
    case Seen::wrong_method:
      return "method not allowed";
    case Seen::client_error:
      return "client error";
    case Seen::soft_denial:
      return "denied in a 2xx";
    case Seen::fallback:
      return "what any unknown path gets";
    case Seen::granted:
      return "granted";
    case Seen::unknown:
      return "unknown content";
  }
  return "";
}

Likeness Likeness::of(std::string_view body) {
  Likeness likeness;
  likeness.json_ = json::is_json(body);
  if (likeness.json_) {
    for (const std::string& leaf : json::leaves(body, kMaxParts)) {
      const bool has_value = leaf.find('=') != std::string::npos;
      likeness.parts_.insert((has_value ? "v" : "k") + leaf);
    }
    return likeness;
  }
  const std::string text = without_tags(body);
  std::string before;
  for (std::size_t i = 0; i < text.size() && likeness.parts_.size() < kMaxParts;) {
    if (!is_word_character(text[i])) {
      ++i;
      continue;
    }
    std::string word;
    while (i < text.size() && is_word_character(text[i])) word += ascii::to_lower(text[i++]);
    if (!before.empty()) likeness.parts_.insert(before + " " + word);
    likeness.parts_.insert(word);
    before = std::move(word);
  }
  return likeness;
}

Likeness::Share Likeness::share_of(const Likeness& whole, const std::vector<const Likeness*>& common) const {
  Share share;
  std::size_t here = 0, keys_here = 0;
  for (const std::string& part : whole.parts_) {
    const bool shared = std::any_of(common.begin(), common.end(),
                                    [&](const Likeness* c) { return c->parts_.contains(part); });
    if (shared) continue;
    const bool found = parts_.contains(part);
    ++share.beyond;
    here += found;
    if (whole.json_ && part.starts_with('k')) {
      ++share.keys_beyond;
      keys_here += found;
    }
  }
  if (share.beyond) share.all = static_cast<double>(here) / static_cast<double>(share.beyond);
  if (share.keys_beyond) share.keys = static_cast<double>(keys_here) / static_cast<double>(share.keys_beyond);
  return share;
}

std::set<std::string> Likeness::values() const {
  std::set<std::string> values;
  for (const std::string& part : parts_) {
    const std::size_t equals = json_ && part.starts_with('v') ? part.find('=') : std::string::npos;
    if (equals == std::string::npos) continue;
    std::string value = part.substr(equals + 1);
    if (value == "true" || value == "false" || value == "null") continue;
    if (value.size() > 1 && value.starts_with('"')) value = value.substr(1, value.size() - 2);
    values.insert(std::move(value));
  }
  return values;
}

void Likeness::keep_common(const Likeness& other) {
  std::erase_if(parts_, [&](const std::string& part) { return !other.parts_.contains(part); });
}

Judge::Judge(std::optional<Marker> marker, std::vector<std::string> own_hosts) : marker_(std::move(marker)) {
  for (std::string& host : own_hosts) own_hosts_.push_back(without_default_port(ascii::lowered(host)));
}

Judge::Known Judge::know(const Response& response) {
  Known known;
  known.status = response.status;
  const std::string* type = response.header("Content-Type");
  known.type = type ? *type : "";
  known.body = response.body;
  known.likeness = Likeness::of(response.body);
  return known;
}

void Judge::learn_unrouted(const Response& response) { unrouted_.push_back(know(response)); }

void Judge::learn_served(const Response& response) {
  if (served_) {
    served_->likeness.keep_common(Likeness::of(response.body));
  } else {
    served_ = know(response);
  }
}

std::vector<const Likeness*> Judge::common() const {
  std::vector<const Likeness*> common;
  for (const Known& known : unrouted_) common.push_back(&known.likeness);
  return common;
}

bool Judge::like_served(const Response& response) const {
  if (!served_) return false;
  if (served_->body.empty() || response.body.empty()) {
    const std::string* type = response.header("Content-Type");
    return served_->body == response.body && served_->status == response.status &&
           served_->type == (type ? *type : "");
  }
  if (served_->body == response.body) return true;
  const auto share = Likeness::of(response.body).share_of(served_->likeness, common());
  if (!served_->likeness.is_json()) return share.all >= kGrantedText;
  return share.all > kGrantedShare ||
         (share.keys_beyond >= kGrantedKeysAtLeast && share.keys >= kGrantedKeys);
}

bool Judge::like_unrouted(const Response& response) const {
  const Likeness likeness = Likeness::of(response.body);
  return std::any_of(unrouted_.begin(), unrouted_.end(), [&](const Known& known) {
    if (known.status != response.status) return false;
    if (known.body == response.body) return true;
    return likeness.share_of(known.likeness, {}).all >= kUnroutedShare &&
           known.likeness.share_of(likeness, {}).all >= kUnroutedShare;
  });
}

bool Judge::served_differs() const {
  if (!served_) return false;
  return std::none_of(unrouted_.begin(), unrouted_.end(), [&](const Known& known) {
    if (known.status != served_->status) return false;
    if (known.body == served_->body) return true;
    return known.likeness.share_of(served_->likeness, {}).all >= kUnroutedShare &&
           served_->likeness.share_of(known.likeness, {}).all >= kUnroutedShare;
  });
}

bool Judge::leaks(const Response& response) const {
  if (marker_ && marker_->found_in(response.body)) {
    return std::none_of(unrouted_.begin(), unrouted_.end(),
                        [&](const Known& k) { return marker_->found_in(k.body); });
  }
  if (!served_ || response.body.empty()) return false;
  const auto share = Likeness::of(response.body).share_of(served_->likeness, common());
  if (share.beyond >= kLeakedPartsAtLeast &&
      share.all >= (served_->likeness.is_json() ? kLeakedJson : kLeakedText))
    return true;
  return leaks_values(response.body);
}

std::optional<std::string> Judge::own_location(const Response& response, std::string_view target) const {
  const std::string* text = response.header("Location");
  if (response.status < 300 || response.status > 399 || !text || text->empty()) return std::nullopt;
  const Location location = parse_location(*text, target);
  const bool own =
      location.authority.empty() || std::find(own_hosts_.begin(), own_hosts_.end(),
                                              without_default_port(location.authority)) != own_hosts_.end();
  return own && same_path(location.target, target) ? std::optional(location.target) : std::nullopt;
}

// The content of a JSON document inside another one, in a page or in a message.
bool Judge::leaks_values(std::string_view body) const {
  std::size_t telling = 0, found = 0;
  for (const std::string& value : served_->likeness.values()) {
    const bool known = std::any_of(unrouted_.begin(), unrouted_.end(),
                                   [&](const Known& k) { return k.body.find(value) != std::string::npos; });
    if (value.size() < kTellingValue || known) continue;
    ++telling;
    found += body.find(value) != std::string_view::npos;
  }
  return telling >= kLeakedValuesAtLeast &&
         static_cast<double>(found) >= kLeakedJson * static_cast<double>(telling);
}

std::string Judge::same_target(const Response& response, std::string_view target) const {
  const std::optional<std::string> location = own_location(response, target);
  return location && *location != target ? *location : "";
}

bool Judge::redirects_to_itself(const Response& response, std::string_view target) const {
  return own_location(response, target) == target;
}

Seen Judge::see(const Response& response, std::string_view target) const {
  const int status = response.status;
  const bool whole = response.ended == Ended::complete;
  if (status == 0 || (!whole && response.ended != Ended::capped)) return Seen::no_response;
  if (status == 501 || status == 405) return Seen::wrong_method;
  if (status >= 500) return Seen::server_error;
  if (status == 429) return Seen::limited;
  if (status == 401) return Seen::unauthenticated;
  if (status == 403) return Seen::forbidden;
  if (status == 404 || status == 410) return Seen::not_found;
  if (status >= 400) return Seen::client_error;
  if (status >= 300) {
    const std::string* location = response.header("Location");
    if (!location) return Seen::elsewhere;
    if (!same_target(response, target).empty()) return Seen::to_same;
    return is_login_location(*location) ? Seen::to_login : Seen::elsewhere;
  }
  if (status < 200) return Seen::unknown;
  if (marker_) {
    if (marker_->found_in(response.body)) return Seen::granted;
    if (!response.shows_all()) return Seen::unknown;
    return like_unrouted(response) ? Seen::fallback : Seen::soft_denial;
  }
  if (like_unrouted(response)) return Seen::fallback;
  if (says_no(response.body)) return Seen::soft_denial;
  return like_served(response) ? Seen::granted : Seen::unknown;
}

bool says_no(std::string_view body) {
  if (json::is_json(body)) return json_says_no(body);
  const std::string low = ascii::lowered(body);
  if (low.find("<input") != std::string::npos &&
      (low.find("type=\"password\"") != std::string::npos ||
       low.find("type='password'") != std::string::npos || low.find("type=password") != std::string::npos))
    return true;
  if (low.size() > kShortPage) return false;
  for (const std::string_view words :
       {"unauthorized", "unauthorised", "unauthenticated", "not authenticated", "access denied",
        "permission denied", "forbidden", "please log in", "please sign in", "login required",
        "authentication required", "not authorized"})
    if (low.find(words) != std::string::npos) return true;
  return false;
}

bool is_login_location(std::string_view location) {
  const std::string path = normal_path(parse_location(location, "/").target);
  for (const std::string_view word :
       {"/login", "/log-in", "/signin", "/sign-in", "/sign_in", "/auth", "/sso", "/oauth", "/oauth2",
        "/session/new", "/sessions/new", "/authorize", "/saml"}) {
    const std::size_t at = path.find(word);
    if (at == std::string::npos) continue;
    const std::size_t end = at + word.size();
    if (end == path.size() || path[end] == '/' || path[end] == '.') return true;
  }
  return false;
}

bool same_path(std::string_view a, std::string_view b) { return normal_path(a) == normal_path(b); }

}  // namespace holdshort
