#include "probes/kit/toml_literal.h"

#include <charconv>
#include <stdexcept>

namespace holdshort {
namespace {

class LiteralParser {
 public:
  explicit LiteralParser(std::string_view text) : all_(text), rest_(text) {}

  Node parse() {
    Node node = value();
    if (!rest_.empty()) fail();
    return node;
  }

 private:
  [[noreturn]] void fail() const {
    throw std::logic_error("a default is no TOML literal: " + std::string(all_));
  }

  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  void skip_spaces() {
    while (take(" ")) continue;
  }

  Node value() {
    if (take("\"")) return Node{up_to_quote(), {}};
    if (take("[")) return Node{list(), {}};
    if (take("{")) return Node{table(), {}};
    if (take("true")) return Node{true, {}};
    if (take("false")) return Node{false, {}};
    return number();
  }

  std::string up_to_quote() {
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos || rest_.substr(0, end).find('\\') != std::string_view::npos) fail();
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }

  Node::Array list() {
    Node::Array items;
    skip_spaces();
    while (!take("]")) {
      if (!items.empty() && !take(",")) fail();
      skip_spaces();
      items.push_back(value());
      skip_spaces();
    }
    return items;
  }

  // Of one key: a reference to a secret.
  Node::Table table() {
    skip_spaces();
    std::string key(rest_.substr(0, rest_.find_first_of(" =")));
    rest_.remove_prefix(key.size());
    if (key.empty() || !take(" = ")) fail();
    Node::Table entries;
    entries.push_back({std::move(key), {}, value()});
    skip_spaces();
    if (!take("}")) fail();
    return entries;
  }

  Node number() {
    const std::string_view text = rest_.substr(0, rest_.find_first_of(",]} "));
    const char* const end = text.data() + text.size();
    rest_.remove_prefix(text.size());
    std::int64_t integer = 0;
    if (const auto read = std::from_chars(text.data(), end, integer);
        read.ec == std::errc() && read.ptr == end)
      return Node{integer, {}};
    double real = 0;
    if (const auto read = std::from_chars(text.data(), end, real); read.ec == std::errc() && read.ptr == end)
      return Node{real, {}};
    fail();
  }

  std::string_view all_, rest_;
};

}  // namespace

Node parse_toml_literal(std::string_view text) { return LiteralParser(text).parse(); }

}  // namespace holdshort
