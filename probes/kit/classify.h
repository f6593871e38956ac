// The one classifier of responses that every probe uses (docs/verdicts.md has the reasons).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/fields.h"
#include "probes/kit/http.h"

namespace holdshort {

// What a response says, seen beside what a served caller gets and what an unrouted path gets.
enum class Seen {
  no_response,      // refused, reset, late, not HTTP, TLS: no status line, or one that never became whole
  server_error,     // 5xx
  limited,          // 429, or a status declared as a limiter's
  unauthenticated,  // 401
  forbidden,        // 403
  not_found,        // 404, 410
  to_login,         // a redirect to a login page
  to_same,          // a redirect to another spelling of the same path on the app's own host
  elsewhere,        // any other redirect
  wrong_method,     // 405, 501
  client_error,     // any other 4xx
  soft_denial,      // 2xx whose body says no
  fallback,         // 2xx, the same as an unrouted path gets
  granted,          // 2xx with the marker, or alike to what a served caller got
  unknown,          // 2xx, none of these: proves nothing; also 1xx and anything else
};
std::string_view name_of(Seen);

// What a body is made of, for comparing bodies that differ in numbers, dates and tokens: the leaves of a JSON
// document, or words and pairs of words of text without tags. Bounded by the body's cap.
class Likeness {
 public:
  static Likeness of(std::string_view body);
  bool empty() const { return parts_.empty(); }
  bool is_json() const { return json_; }

  struct Share {
    double all = 0;          // of what `whole` has beyond `common`, how much stands in *this too: 0..1
    double keys = 0;         // the same of JSON keys alone, whatever their values
    std::size_t beyond = 0;  // how many parts that is about
    std::size_t keys_beyond = 0;
  };
  Share share_of(const Likeness& whole, const std::vector<const Likeness*>& common) const;
  // What a JSON document says, without its keys: its texts and numbers as JSON writes them, quotes left out.
  std::set<std::string> values() const;
  // Forgets what `other` lacks: of two answers to the same request, the parts that do not change.
  void keep_common(const Likeness& other);

 private:
  std::set<std::string, std::less<>>
      parts_;  // a JSON key is "k/pointer", a leaf with its value "v/pointer=value"
  bool json_ = false;
};

// Learns what served callers and unrouted paths get, then names what any other response is.
class Judge {
 public:
  // `own_hosts`: authorities that are the app itself, to tell a redirect on it from one off it.
  Judge(std::optional<Marker> marker, std::vector<std::string> own_hosts);

  void learn_unrouted(const Response& response);  // answer to a path that cannot exist, or to a public page:
                                                  // alike to it is no grant
  void learn_served(
      const Response& response);  // answer to a legitimate caller; a second one tells what is volatile

  // `target`: what was asked for, to judge redirects.
  Seen see(const Response& response, std::string_view target) const;
  // An answer other than 2xx that carries what the positive control was served, or the marker.
  bool leaks(const Response& response) const;
  // Whether a served caller gets anything but what an unrouted path gets; without that nothing can be told
  // apart.
  bool served_differs() const;
  bool has_marker() const { return marker_.has_value(); }
  // An origin-form target where `response` redirects to another spelling of `target` on the app itself; else
  // "".
  std::string same_target(const Response& response, std::string_view target) const;
  // A redirect to exactly `target` on the app itself: to https, though the request said that it came by
  // https.
  bool redirects_to_itself(const Response& response, std::string_view target) const;

 private:
  struct Known {
    int status = 0;
    std::string type, body;
    Likeness likeness;
  };
  static Known know(const Response& response);
  // Where a redirect on the app itself leads that leaves the path what it is, spelling aside.
  std::optional<std::string> own_location(const Response& response, std::string_view target) const;
  bool like_served(const Response& response) const;
  bool leaks_values(std::string_view body) const;
  bool like_unrouted(const Response& response) const;
  std::vector<const Likeness*> common() const;
  std::optional<Marker> marker_;
  std::vector<std::string> own_hosts_;
  std::optional<Known> served_;
  std::vector<Known> unrouted_;
};

// 2xx whose body says no: {"error": ...}, {"success": false}, a login form, "access denied".
bool says_no(std::string_view body);
// The path of a Location decides: /login, /signin, /sso, /oauth2, ...
bool is_login_location(std::string_view location);
// Whether two targets are spellings of one path: case, slashes, dots and percent-encoding aside; queries are
// left out.
bool same_path(std::string_view a, std::string_view b);

}  // namespace holdshort
