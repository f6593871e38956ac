// Questions about one exchange that several probes ask.
#include "probes/kit/http.h"

#include <algorithm>

#include <fmt/format.h>

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
  const std::vector<std::string> codings = field_items(headers, name);
  return std::all_of(codings.begin(), codings.end(), [&](const std::string& coding) {
    return std::any_of(plain.begin(), plain.end(), [&](auto word) { return same_name(coding, word); });
  });
}

}  // namespace

std::string describe(std::string_view method, std::string_view target) {
  std::string text = std::string(method) + ' ';
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x20 || byte >= 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return text;
}

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

std::vector<std::string> field_lines(const std::vector<Header>& headers, std::string_view name) {
  std::vector<std::string> lines;
  for (const Header& header : headers)
    if (same_name(header.name, name)) lines.push_back(header.value);
  return lines;
}

std::vector<std::string> field_items(const std::vector<Header>& headers, std::string_view name) {
  std::vector<std::string> items;
  for (const std::string& line : field_lines(headers, name)) {
    std::string_view rest = line;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view item = ascii::trim(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      if (!item.empty()) items.emplace_back(item);
    }
  }
  return items;
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

bool Response::is_page() const {
  if (const std::string* type = header("Content-Type")) {
    const std::string essence =
        ascii::lowered(ascii::trim(std::string_view(*type).substr(0, type->find(';'))));
    return essence == "text/html" || essence == "application/xhtml+xml";
  }
  constexpr std::size_t kSniffed = 64;
  const std::string_view start = ascii::trim(std::string_view(body).substr(0, kSniffed), ascii::kSpace);
  const std::string begin = ascii::lowered(start);
  return begin.starts_with("<!doctype html") || begin.starts_with("<html");
}

bool Response::shows_headers() const {
  return status != 0 && (ended == Ended::complete || (ended == Ended::capped && !body.empty()));
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
