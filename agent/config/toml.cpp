// toml++ behind its door: its tables become Nodes in the file's order, its errors become ours. Its messages
// quote what they stumble over, which may be a secret, so only their kind is kept.
#include "agent/config/toml.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

// toml++ takes some of what it has not checked for impossible: "[=]" is undefined behaviour where NDEBUG is
// set, and abort() where it is not. Here it is an exception, which leaves nothing behind. No other file
// includes toml++, so there is no second definition of anything.
namespace {
struct BrokenAssumption {};
[[noreturn]] void broken_assumption() { throw BrokenAssumption(); }
}  // namespace
#undef NDEBUG
#define TOML_ASSERT(expression) ((expression) ? void() : broken_assumption())
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace holdshort {
namespace {

// Of tables and lists in each other, and of a dotted key: nothing in a configuration is deeper, and toml++
// takes a dotted key of any length, which costs a stack frame a part when it is destroyed.
constexpr std::size_t kMaxNesting = 32;
constexpr int kMaxKeyParts = 16;

constexpr std::string_view kBom = "\xEF\xBB\xBF";

Place place_of(const toml::source_position& position) {
  return {static_cast<int>(position.line), static_cast<int>(position.column)};
}

bool comes_before(const Place& a, const Place& b) {
  return a.line != b.line ? a.line < b.line : a.column < b.column;
}

// --- what toml++ must not see

constexpr std::string_view kNoTableName = "a table's name is wrong; write [name] on a line of its own";

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_key_character(char c) { return is_bare(c) || c == '.'; }

// Skims the text outside strings and comments for depth, tables without a name and brackets that do not
// match. Where the text is no TOML it may be lost, but not before the place at which toml++ gives up.
class Skim {
 public:
  explicit Skim(std::string_view text) : text_(text) {}

  std::optional<Diagnostic> fault() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (c == '[' && open_.empty() && begins_line() && !has_name())
        return at_here(std::string(kNoTableName));
      if (c == '}' && open_.ends_with('[')) return at_here(R"(a list is not closed; write "]")");
      count(c);
      if (open_.size() > kMaxNesting || dots_ >= kMaxKeyParts)
        return at_here(fmt::format("nested deeper than {} levels, or a key of more than {} parts",
                                   kMaxNesting, kMaxKeyParts));
      ++at_;
    }
    return std::nullopt;
  }

  // Where fault() was found.
  std::size_t end() const { return at_; }

 private:
  void count(char c) {
    if (c == '[' || c == '{') open_ += c;
    if ((c == ']' || c == '}') && !open_.empty()) open_.pop_back();
    if (c == '.') ++dots_;
    if (std::string_view("[]{}=,\n").find(c) != std::string_view::npos) dots_ = 0;
  }

  bool begins_line() const {
    const std::size_t before = text_.substr(0, at_).find_last_not_of(" \t");
    return before == std::string_view::npos || text_[before] == '\n' || at_ == kBom.size();
  }

  // [name], [[name]], ["name"]; toml++ reports [] itself.
  bool has_name() const {
    const std::size_t name =
        text_.find_first_not_of(" \t", at_ + (text_.substr(at_).starts_with("[[") ? 2 : 1));
    return name == std::string_view::npos || is_bare(text_[name]) ||
           std::string_view("\"']").find(text_[name]) != std::string_view::npos;
  }

  void skip_string(char quote) {
    const std::string triple(3, quote);
    const bool is_long = text_.substr(at_).starts_with(triple);
    const std::string_view end = is_long ? std::string_view(triple) : std::string_view(triple).substr(0, 1);
    at_ += end.size();
    while (at_ < text_.size() && !text_.substr(at_).starts_with(end)) {
      if (!is_long && text_[at_] == '\n') return;
      at_ += quote == '"' && text_[at_] == '\\' ? 2 : 1;
    }
    at_ = std::min(at_ + end.size(), text_.size());
  }

  Diagnostic at_here(std::string message) const {
    const std::string_view before = text_.substr(0, at_);
    const std::size_t line_start = before.rfind('\n') + 1;  // 0 on the first line
    const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; };
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const auto characters =
        std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start), before.end(), is_first_byte);
    const Place place{static_cast<int>(lines) + 1, static_cast<int>(characters) + 1};
    return {Diagnostic::Level::error, place, std::move(message)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;  // brackets, innermost last
  int dots_ = 0;
};

// --- Nodes

Node to_node(const toml::node& source);

Node::Table to_table(const toml::table& source) {
  Node::Table table;
  for (auto&& [key, node] : source)
    table.push_back({std::string(key.str()), place_of(key.source().begin), to_node(node)});
  std::sort(table.begin(), table.end(),
            [](const Node::Entry& a, const Node::Entry& b) { return comes_before(a.place, b.place); });
  return table;
}

Node to_node(const toml::node& source) {
  Node node;
  node.place = place_of(source.source().begin);
  if (const auto* table = source.as_table()) {
    node.value = to_table(*table);
  } else if (const auto* array = source.as_array()) {
    Node::Array items;
    for (auto&& item : *array) items.push_back(to_node(item));
    node.value = std::move(items);
  } else if (const auto* text = source.as_string()) {
    node.value = text->get();
  } else if (const auto* integer = source.as_integer()) {
    node.value = integer->get();
  } else if (const auto* real = source.as_floating_point()) {
    node.value = real->get();
  } else if (const auto* boolean = source.as_boolean()) {
    node.value = boolean->get();
  } else {
    node.value = Node::Other{source.is_time() ? "a time" : "a date"};
  }
  return node;
}

// --- errors

struct Cause {
  std::string_view theirs;  // a part of toml++'s description
  std::string_view ours;
};
// The first that matches counts.
constexpr std::array kCauses = {
    Cause{"parsing string: encountered end-of-file", "a string is not closed; write the quote that ends it"},
    Cause{"parsing literal string: encountered end-of-file",
          "a string is not closed; write the quote that ends it"},
    Cause{"parsing array: encountered end-of-file", "a list is not closed; write \"]\""},
    Cause{"parsing inline table: encountered end-of-file",
          "a table is not closed; write \"}\" on the same line"},
    Cause{"parsing table header: encountered end-of-file", "a table's name is not closed; write \"]\""},
    Cause{"end-of-file", "the file ends too early"},
    Cause{"utf-8", "the file is no valid UTF-8 here"},
    Cause{"UTF-8", "the file is no valid UTF-8 here"},
    Cause{"parsing string: unescaped control",
          "a string is not closed on its line; write the quote that ends it"},
    Cause{"parsing string: control characters",
          "a string is not closed on its line; write the quote that ends it"},
    Cause{"parsing literal string: control characters",
          "a string is not closed on its line; write the quote that ends it"},
    Cause{"control character", "a control character does not belong here"},
    Cause{"escape sequence", R"(unknown escape in a string; write "\\" for a backslash, or use '...')"},
    Cause{"unicode scalar sequence", R"(a \u in a string wants the digits of a character)"},
    Cause{"into existing inline table",
          "a table written in { } cannot be added to; write all its keys there"},
    Cause{"dangling comma", "a table in { } does not end with a comma; remove it"},
    Cause{"parsing inline table", "expected a key, \",\" or \"}\" on the same line"},
    Cause{"parsing array", "expected a value, \",\" or \"]\""},
    Cause{"parsing table header", kNoTableName},
    Cause{"expected '='", "expected \"=\" after the key"},
    Cause{"expected value, saw", "expected a value after \"=\""},
    Cause{"could not determine value type", "this is no TOML value; write text in quotes"},
    Cause{"may not begin with underscores", "this is no TOML value; write text in quotes"},
    Cause{"too long to identify type", "this is no TOML value; write text in quotes"},
    Cause{"parsing boolean", "this is no TOML value; write text in quotes"},
    Cause{"not representable", "the number is too large"},
    Cause{"leading zeroes", "a number does not begin with 0; write text in quotes"},
    Cause{"parsing key-value pair: expected a comment", "expected a line break after the value"},
    Cause{"parsing key",
          "this is no key; write it in quotes if it has other characters than letters, digits, _ and -"},
    Cause{"expected keys", "expected a key, [table] or comment"},
    Cause{"parsing date", "this is no date"},
    Cause{"parsing time", "this is no time"},
    Cause{"parsing", "this is no TOML value; write text in quotes"},
};

// Where `place`, which counts characters, is in the text.
std::size_t offset_of(std::string_view text, Place place) {
  std::size_t at = 0;
  for (int line = 1; line < place.line; ++line) at = std::min(text.find('\n', at), text.size() - 1) + 1;
  if (at == 0 && text.starts_with(kBom)) at = kBom.size();
  for (int column = 1; column < place.column && at < text.size(); ++column) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u) ++at;
  }
  return std::min(at, text.size());
}

// toml++ points at the second table's "[", at the second key, or at the value behind it. Only what is surely
// a bare key is repeated.
Diagnostic duplicate(std::string_view text, Place place) {
  const auto bare_at = [&](std::size_t from) {
    std::size_t length = 0;
    while (from + length < text.size() && is_key_character(text[from + length])) ++length;
    return text.substr(from, length);
  };
  constexpr std::string_view kRemedy = "; remove one of the two";
  std::size_t at = offset_of(text, place);
  if (at < text.size() && text[at] == '[') {
    const std::size_t name = std::min(text.find_first_not_of("[ \t", at), text.size());
    return {Diagnostic::Level::error, place, fmt::format("duplicate table [{}]{}", bare_at(name), kRemedy)};
  }
  const std::size_t before = text.substr(0, at).find_last_not_of(" \t");
  if (before != std::string_view::npos && text[before] == '=') {
    std::size_t end = before;
    while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t')) --end;
    std::size_t start = end;
    while (start > 0 && is_key_character(text[start - 1])) --start;
    const bool is_quoted = start > 1 && start == end && (text[start - 1] == '"' || text[start - 1] == '\'');
    if (is_quoted) start = text.rfind(text[start - 1], start - 2);
    if (start == std::string_view::npos) start = end;
    place.column -= static_cast<int>(at - start);
    at = start;
  }
  const std::string_view key = bare_at(at);
  if (key.empty()) return {Diagnostic::Level::error, place, "duplicate key" + std::string(kRemedy)};
  return {Diagnostic::Level::error, place, fmt::format("duplicate key {}{}", in_quotes(key), kRemedy)};
}

Diagnostic diagnostic_of(std::string_view text, const toml::parse_error& error) {
  const std::string_view description = error.description();
  const Place place = place_of(error.source().begin);
  if (description.find("cannot redefine") != std::string_view::npos) return duplicate(text, place);
  for (const Cause& cause : kCauses)
    if (description.find(cause.theirs) != std::string_view::npos)
      return {Diagnostic::Level::error, place, std::string(cause.ours)};
  return {Diagnostic::Level::error, place, "this is no TOML"};
}

// The text's first fault; nothing where it is TOML, and then `root` holds it.
std::optional<Diagnostic> first_fault(std::string_view text, Node& root) {
  Skim skim(text);
  std::optional<Diagnostic> fault = skim.fault();
  const std::string_view safe = text.substr(0, fault ? skim.end() : text.size());
  const toml::parse_result result = toml::parse(safe);
  if (!result) {
    // Where the safe part ends early, that is for the fault's sake.
    const bool ends_early = result.error().description().find("end-of-file") != std::string_view::npos;
    return fault && ends_early ? *fault : diagnostic_of(safe, result.error());
  }
  if (!fault) root.value = to_table(result.table());
  return fault;
}

}  // namespace

Node parse_toml(std::string_view text, Diagnostics& diagnostics) {
  Node root{Node::Table(), {1, 1}};
  std::optional<Diagnostic> fault;
  try {
    fault = first_fault(text, root);
  } catch (const BrokenAssumption&) {
    fault = {Diagnostic::Level::error, {1, 1}, "this is no TOML"};
  }
  if (fault) diagnostics.error(fault->place, std::move(fault->message));
  return root;
}

}  // namespace holdshort
