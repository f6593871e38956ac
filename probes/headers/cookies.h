// What a Set-Cookie line is worth: the attributes that a browser would act on (RFC 6265bis).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/clock.h"

namespace holdshort::headers_probe {

// The value is not kept.
struct SetCookie {
  std::string name;
  bool secure = false, http_only = false, has_domain = false;
  bool deletes = false;   // empty value, Max-Age=0 or an Expires that is past
  std::string path;       // "" where there is none
  std::string same_site;  // lower case; "" where there is none
  // Nothing where the line sets no cookie.
  static std::optional<SetCookie> parse(std::string_view line, Wall now);
  // By its name: whoever holds it is taken for the user.
  bool is_session() const;
  // By its name: written for scripts to read, and sent back by them.
  bool is_for_scripts() const;
};

struct Fault {
  std::string_view rule;  // "secure", "http_only", "same_site", "prefix"
  std::string what;       // "has no HttpOnly"
};
enum class Transport { http, https };
// Over http browsers refuse Secure, so that its absence is no fault there.
std::vector<Fault> faults_of(const SetCookie& cookie, Transport transport);

}  // namespace holdshort::headers_probe
