// A value of the configuration file with its place in it. What the TOML parser leaves behind: no other file
// knows it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace holdshort {

struct Place {
  int line = 0;  // from 1; 0: not in the file
  int column = 0;
};

struct Node {
  struct Entry;
  using Table = std::vector<Entry>;  // in the file's order; keys are unique (TOML)
  using Array = std::vector<Node>;
  struct Other {  // a date or time: no key of ours takes one
    std::string kind;
  };
  std::variant<std::string, std::int64_t, double, bool, Array, Table, Other> value;
  Place place;

  const Table* table() const;
  const Node* find(std::string_view key) const;  // null where this is no table or has no such key
  // "a string", "an integer", "a table": for messages.
  std::string_view kind() const;
};

struct Node::Entry {
  std::string key;
  Place place;  // of the key
  Node node;
};

}  // namespace holdshort
