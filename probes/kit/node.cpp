#include "probes/kit/node.h"

namespace holdshort {

const Node::Table* Node::table() const { return std::get_if<Table>(&value); }

const Node* Node::find(std::string_view key) const {
  const Table* entries = table();
  if (!entries) return nullptr;
  for (const Entry& entry : *entries)
    if (entry.key == key) return &entry.node;
  return nullptr;
}

std::string_view Node::kind() const {
  struct Names {
    std::string_view operator()(const std::string&) const { return "a string"; }
    std::string_view operator()(std::int64_t) const { return "an integer"; }
    std::string_view operator()(double) const { return "a number"; }
    std::string_view operator()(bool) const { return "a boolean"; }
    std::string_view operator()(const Array&) const { return "a list"; }
    std::string_view operator()(const Table&) const { return "a table"; }
    std::string_view operator()(const Other& other) const { return other.kind; }
  };
  return std::visit(Names{}, value);
}

}  // namespace holdshort
