#include "agent/lint/document.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fly/fly_toml.h"

namespace holdshort::lint {

namespace {

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// flyctl's: "app", or the first in the alphabet.
std::string default_group(const std::vector<std::string>& groups) {
  if (groups.empty() || std::find(groups.begin(), groups.end(), fly::kDefaultGroup) != groups.end())
    return std::string(fly::kDefaultGroup);
  return *std::min_element(groups.begin(), groups.end());
}

bool has_force_https(const Node& service) {
  const std::vector<const Node*> ports = tables_of(service, "ports");
  return is_true(service, "force_https") || std::any_of(ports.begin(), ports.end(), [](const Node* port) {
           return is_true(*port, "force_https");
         });
}

}  // namespace

std::vector<const Node*> tables_of(const Node& node, std::string_view key) {
  std::vector<const Node*> tables;
  const Node* found = node.find(key);
  if (!found) return tables;
  if (found->table()) tables.push_back(found);
  if (const auto* list = std::get_if<Node::Array>(&found->value))
    for (const Node& item : *list)
      if (item.table()) tables.push_back(&item);
  return tables;
}

const Node::Entry* entry_of(const Node& node, std::string_view key) {
  const Node::Table* table = node.table();
  if (!table) return nullptr;
  const auto found =
      std::find_if(table->begin(), table->end(), [&](const Node::Entry& entry) { return entry.key == key; });
  return found == table->end() ? nullptr : &*found;
}

std::optional<std::string> text_of(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  const auto* text = found ? std::get_if<std::string>(&found->value) : nullptr;
  return text ? std::optional(*text) : std::nullopt;
}

std::optional<std::int64_t> number_of(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  if (!found) return std::nullopt;
  if (const auto* number = std::get_if<std::int64_t>(&found->value)) return *number;
  if (const auto* text = std::get_if<std::string>(&found->value)) return to_integer(*text);
  return std::nullopt;
}

bool is_true(const Node& node, std::string_view key) {
  const Node* found = node.find(key);
  const auto* boolean = found ? std::get_if<bool>(&found->value) : nullptr;
  return boolean && *boolean;
}

std::vector<std::string> texts_of(const Node& node, std::string_view key) {
  std::vector<std::string> texts;
  const Node* found = node.find(key);
  if (!found) return texts;
  if (const auto* text = std::get_if<std::string>(&found->value)) texts.push_back(*text);
  if (const auto* list = std::get_if<Node::Array>(&found->value))
    for (const Node& item : *list)
      if (const auto* text = std::get_if<std::string>(&item.value)) texts.push_back(*text);
  return texts;
}

std::optional<std::int64_t> port_in(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return to_integer(address.substr(colon + 1));
}

Document::Document(const Node& root_node) : root(root_node) {
  const Node* processes = root.find("processes");
  if (processes && processes->table())
    for (const Node::Entry& entry : *processes->table()) groups.push_back(entry.key);
  else  // [[processes]], of old
    for (const Node* group : tables_of(root, "processes"))
      if (auto name = text_of(*group, "name")) groups.push_back(std::move(*name));
  has_processes = !groups.empty();
  if (groups.empty()) groups.push_back(std::string(fly::kDefaultGroup));
  const auto add = [&](const Node& node, bool is_http_service) {
    services.push_back(
        {.node = &node,
         .title = is_http_service ? "[http_service]" : "[[services]]",
         .is_http_service = is_http_service,
         .is_udp = text_of(node, "protocol") == "udp",
         .port = number_of(node, "internal_port"),
         .groups = groups_of(node),
         .http_checks = tables_of(node, is_http_service ? "checks" : "http_checks"),
         .tcp_checks = tables_of(node, "tcp_checks"),
         .http_checks_title = is_http_service ? "[[http_service.checks]]" : "[[services.http_checks]]",
         .force_https = has_force_https(node)});
  };
  if (const Node* service = root.find("http_service"); service && service->table()) add(*service, true);
  for (const Node* service : tables_of(root, "services")) add(*service, false);
}

std::vector<std::string> Document::groups_of(const Node& section) const {
  std::vector<std::string> named = texts_of(section, "processes");
  if (named.empty()) named.push_back(default_group(groups));
  return named;
}

bool overlap(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](const std::string& one) { return std::find(b.begin(), b.end(), one) != b.end(); });
}

}  // namespace holdshort::lint
