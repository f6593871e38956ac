#include "probes/kit/spellings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <fmt/format.h>

namespace holdshort {

namespace {

struct Path {
  std::vector<std::string> segments;
  bool slash_at_end = false;
  std::string query;  // with its "?"
};

Path split(std::string_view target) {
  Path path;
  const std::size_t mark = target.find('?');
  if (mark != std::string_view::npos) path.query = target.substr(mark);
  std::string_view rest = target.substr(0, mark);
  path.slash_at_end = rest.size() > 1 && rest.ends_with('/');
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the slash
    const std::size_t end = std::min(rest.find('/'), rest.size());
    if (end > 0) path.segments.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return path;
}

std::string join(const std::vector<std::string>& segments, std::string_view between = "/") {
  std::string out;
  for (const std::string& segment : segments) out += (out.empty() ? "" : std::string(between)) + segment;
  return out;
}

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// The other case of the first letter.
std::string other_case(std::string text) {
  const auto it = std::find_if(text.begin(), text.end(), is_letter);
  if (it == text.end()) return text;
  const auto c = static_cast<unsigned char>(*it);
  *it = static_cast<char>(std::isupper(c) ? std::tolower(c) : std::toupper(c));
  return text;
}

// The first letter percent-encoded `times` times over.
std::string encoded(const std::string& text, int times = 1) {
  const auto it = std::find_if(text.begin(), text.end(), is_letter);
  if (it == text.end()) return text;
  std::string escape = fmt::format("%{:02x}", static_cast<unsigned char>(*it));
  for (int i = 1; i < times; ++i) escape = "%25" + escape.substr(1);
  return std::string(text.begin(), it) + escape + std::string(it + 1, text.end());
}

template <class Change>
std::vector<std::string> each(std::vector<std::string> segments, Change change) {
  for (std::string& segment : segments) segment = change(segment);
  return segments;
}

template <class Change>
std::vector<std::string> last(std::vector<std::string> segments, Change change) {
  segments.back() = change(segments.back());
  return segments;
}

class Speller {
 public:
  Speller(std::string_view path, std::string_view host) : original_(path), host_(host), path_(split(path)) {}

  std::vector<Spelling> standard() {
    const auto& s = path_.segments;
    if (s.empty()) {
      root();
      return std::move(list_);
    }
    const bool deep = s.size() > 1;
    const auto encode = [](const std::string& t) { return encoded(t); };
    add("case", "/" + join(each(s, upper)));
    add("case_first", "/" + join(each(s, other_case)));
    add("authority", "//hs.invalid/" + join(s));
    add("encoded_letter", "/" + join(each(s, encode)));
    add("trailing_slash", path_.slash_at_end ? "/" + join(s) : "/" + join(s) + "/", Slash::as_given);
    add("double_slash", "//" + join(s));
    add("absolute_form", fmt::format("http://{}/{}", host_, join(s)));
    add("dot_segment", "/./" + join(s));
    add("parent_segment", "/hs/../" + join(s));
    add("encoded_dot", "/%2e/" + join(s));
    add("encoded_leading_slash", "/%2f" + join(s));
    add("encoded_slash", deep ? "/" + join(s, "%2f") : "/" + s[0] + "%2f", Slash::as_given);
    add("backslash", deep ? "/" + join(s, "\\") : "\\" + s[0]);
    add("tail_dot", "/" + join(s) + "/.", Slash::as_given);
    add("empty_query", "/" + join(s) + "?", Slash::as_given);
    add("query", "/" + join(s) + "?hs=1", Slash::as_given);
    add("fragment", "/" + join(s) + "#hs", Slash::as_given);
    if (deep) {
      add("case_tail", "/" + join(last(s, other_case)));
      add("encoded_letter_tail", "/" + join(last(s, encode)));
      add("inner_double_slash", "/" + join(s, "//"));
    }
    return std::move(list_);
  }

  std::vector<Spelling> thorough() {
    list_ = standard();
    const auto& s = path_.segments;
    if (s.empty()) return std::move(list_);
    const std::string path = "/" + join(s);
    add("absolute_form_foreign", "http://hs.invalid" + path);
    add("encoded_parent", "/hs/%2e%2e" + path);
    add("double_encoding", "/" + join(each(s, [](const std::string& t) { return encoded(t, 2); })));
    add("parameter", path + ";x=1", Slash::as_given);
    add("parameter_segment", "/;" + path);
    add("parameter_parent", "/hs/..;" + path);
    add("encoded_parameter", path + "%3b", Slash::as_given);
    add("no_leading_slash", join(s));
    add("at_sign", "@" + path);
    add("tail_encoded_dot", path + "/%2e", Slash::as_given);
    add("proxy_sibling", "/api" + join(s));
    add("proxy_parent", "/api.." + path);
    add("proxy_prefix", "/api" + path);
    add("locale_prefix", "/en" + path);
    for (const auto& [id, tail] : kTails)
      add(std::string("tail_") + id, path + std::string(tail), Slash::as_given);
    add("full_width", "/" + join(each(s, [](const std::string& t) { return "%EF%BD%81" + t.substr(1); })));
    add("overlong_letter", "/" + join(each(s, [](const std::string& t) { return "%c1%a1" + t.substr(1); })));
    add("overlong_slash", "/%c0%af" + join(s));
    for (const int byte : {0x09, 0x0b, 0x0c, 0x1c, 0x1d, 0x1e, 0x1f, 0x85, 0xa0})
      add(fmt::format("tail_byte_{:02x}", byte), path + static_cast<char>(byte), Slash::as_given);
    return std::move(list_);
  }

 private:
  static constexpr std::array<std::pair<const char*, std::string_view>, 13> kTails{{{"space", "%20"},
                                                                                    {"tab", "%09"},
                                                                                    {"nul", "%00"},
                                                                                    {"line_feed", "%0a"},
                                                                                    {"crlf", "%0d%0a"},
                                                                                    {"question_mark", "%3f"},
                                                                                    {"hash", "%23"},
                                                                                    {"json", ".json"},
                                                                                    {"html", ".html"},
                                                                                    {"css", ".css"},
                                                                                    {"static", "/hs.css"},
                                                                                    {"rsc", "?_rsc=hs"},
                                                                                    {"rsc_suffix", ".rsc"}}};
  enum class Slash { kept, as_given };

  void root() {
    add("double_slash", "//");
    add("dot_segment", "/.");
    add("absolute_form", fmt::format("http://{}/", host_));
    add("empty_query", "/?");
  }

  void add(std::string id, std::string target, Slash slash = Slash::kept) {
    if (slash == Slash::kept && path_.slash_at_end) target += '/';
    const bool has_query = target.find_first_of("?#") != std::string::npos;
    if (!has_query) {
      target += path_.query;
    } else if (!path_.query.empty()) {
      if (id != "query") return;  // a second query would be another request, not another spelling
      target = original_ + "&hs=1";
    }
    if (target != original_) list_.push_back({std::move(id), std::move(target)});
  }

  std::string original_, host_;
  Path path_;
  std::vector<Spelling> list_;
};

}  // namespace

std::vector<Spelling> spellings(std::string_view path, std::string_view host, Extent extent) {
  Speller speller(path, host);
  return extent == Extent::thorough ? speller.thorough() : speller.standard();
}

std::string same_shape(std::string_view path, std::string_view word) {
  const Path parts = split(path);
  std::string out;
  for (std::size_t i = 0; i < parts.segments.size(); ++i)
    out += fmt::format("/hs{}{}", word, static_cast<char>('a' + i % 26));
  if (out.empty()) out = fmt::format("/hs{}", word);
  return out + (parts.slash_at_end ? "/" : "") + parts.query;
}

}  // namespace holdshort
