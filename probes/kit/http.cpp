// Questions about one exchange that several probes ask.
#include "probes/kit/http.h"

#include <algorithm>

#include "probes/kit/ascii.h"

namespace holdshort {
namespace {

// For humans; name_of() is for machines.
std::string_view phrase(Ended ended) {
  switch (ended) {
    case Ended::complete:
      return "complete";
    case Ended::capped:
      return "cut by a cap";
    case Ended::cut_short:
      return "cut short";
    case Ended::reset:
      return "connection reset";
    case Ended::timeout:
      return "timed out";
    case Ended::refused:
      return "no connection";
    case Ended::tls_failed:
      return "TLS failed";
    case Ended::not_http:
      return "not HTTP";
  }
  return "";
}

// True where every coding that the fields of that name list is one of `plain`.
bool only_codings(const std::vector<Header>& headers, std::string_view name,
                  std::initializer_list<std::string_view> plain) {
  for (const Header& header : headers) {
    if (!same_name(header.name, name)) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view coding = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      coding.remove_prefix(std::min(coding.find_first_not_of(" \t"), coding.size()));
      coding = coding.substr(0, coding.find_last_not_of(" \t") + 1);
      if (coding.empty()) continue;
      if (std::none_of(plain.begin(), plain.end(), [&](auto word) { return same_name(coding, word); })) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ascii::to_lower(x) == ascii::to_lower(y); });
}

const std::string* find_header(const std::vector<Header>& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (same_name(header.name, name)) return &header.value;
  }
  return nullptr;
}

std::string_view name_of(Ended ended) {
  switch (ended) {
    case Ended::complete:
      return "complete";
    case Ended::capped:
      return "capped";
    case Ended::cut_short:
      return "cut_short";
    case Ended::reset:
      return "reset";
    case Ended::timeout:
      return "timeout";
    case Ended::refused:
      return "refused";
    case Ended::tls_failed:
      return "tls_failed";
    case Ended::not_http:
      return "not_http";
  }
  return "";
}

bool Response::shows_all() const {
  return ended == Ended::complete && only_codings(headers, "Content-Encoding", {"identity"}) &&
         only_codings(headers, "Transfer-Encoding", {"chunked", "identity"});
}

std::string Response::text() const {
  if (status == 0) return "no answer: " + (error.empty() ? std::string(phrase(ended)) : error);
  std::string text = std::to_string(status);
  if (ended != Ended::complete) text.append(", ").append(phrase(ended));
  return text;
}

std::string Response::sentence() const { return (status == 0 ? "gave " : "answered ") + text(); }

}  // namespace holdshort
