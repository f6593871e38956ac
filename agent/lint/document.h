// A fly.toml as the rules look at it: Nodes with flyctl's readings of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/node.h"

namespace holdshort::lint {

// Of [[key]], or of a single [key]; tables alone.
std::vector<const Node*> tables_of(const Node& node, std::string_view key);
const Node::Entry* entry_of(const Node& node, std::string_view key);
std::optional<std::string> text_of(const Node& node, std::string_view key);
// Of an integer, or of a string of digits, which flyctl takes too.
std::optional<std::int64_t> number_of(const Node& node, std::string_view key);
bool is_true(const Node& node, std::string_view key);
std::vector<std::string> texts_of(const Node& node, std::string_view key);
// Of a listen address, a URL's authority: what follows the last ":".
std::optional<std::int64_t> port_in(std::string_view address);

// [http_service] or one of [[services]].
struct Service {
  const Node* node = nullptr;
  std::string title;  // "[http_service]"
  bool is_http_service = false;
  bool is_udp = false;
  std::optional<std::int64_t> port;  // internal_port
  std::vector<std::string> groups;   // processes; the default group where it names none
  std::vector<const Node*> http_checks, tcp_checks;
  std::string http_checks_title;  // "[[http_service.checks]]"
  bool force_https = false;

  bool has_checks() const { return !http_checks.empty() || !tcp_checks.empty(); }
};

struct Document {
  explicit Document(const Node& root);
  const Node& root;
  std::vector<std::string> groups;  // of [processes]; the default group where there are none
  bool has_processes = false;
  std::vector<Service> services;

  // Of a section that may name `processes`; the default group where it names none.
  std::vector<std::string> groups_of(const Node& section) const;
};

bool overlap(const std::vector<std::string>& a, const std::vector<std::string>& b);

}  // namespace holdshort::lint
