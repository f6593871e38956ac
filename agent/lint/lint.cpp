#include "agent/lint/lint.h"

#include "agent/config/toml.h"
#include "agent/lint/rules.h"

namespace holdshort::lint {

namespace {

constexpr std::int64_t kAgentPort = 9090;
constexpr std::string_view kHealthPath = "/.holdshort/readyz";

bool is_loopback(std::string_view url) {
  return url.find("://127.") != std::string_view::npos ||
         url.find("://localhost") != std::string_view::npos || url.find("://[::1]") != std::string_view::npos;
}

std::vector<std::string> guarded_paths(const Node& root) {
  std::vector<std::string> paths;
  const Node* probes = root.find("probes");
  if (!probes || !probes->table()) return paths;
  for (const Node::Entry& probe : *probes->table()) {
    if (text_of(probe.node, "type") != "authentication") continue;
    for (const char* key : {"path", "paths"})
      for (std::string& path : texts_of(probe.node, key)) paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace

std::optional<Companion> read_companion(std::string_view text) {
  Diagnostics faults;
  const Node root = parse_toml(text, faults);
  if (faults.has_errors()) return std::nullopt;
  Companion companion{.gate_port = std::nullopt,
                      .health_path = std::string(kHealthPath),
                      .agent_port = kAgentPort,
                      .app_port = std::nullopt,
                      .guarded = guarded_paths(root)};
  if (const Node* agent = root.find("agent"))
    companion.agent_port = port_in(text_of(*agent, "listen").value_or("")).value_or(kAgentPort);
  if (const Node* gate = root.find("gate")) {
    companion.gate_port = port_in(text_of(*gate, "listen").value_or(""));
    companion.health_path = text_of(*gate, "health_path").value_or(companion.health_path);
  }
  if (const Node* app = root.find("app")) {
    const std::string url = text_of(*app, "url").value_or("");
    const std::string authority = url.substr(0, url.find('/', url.find("://") + 3));
    if (is_loopback(url)) companion.app_port = port_in(authority);
  }
  return companion;
}

Diagnostics judge(std::string_view text, const std::optional<Companion>& companion) {
  Diagnostics findings;
  const Node root = parse_toml(text, findings);
  if (findings.has_errors()) return findings;
  const Document document(root);
  judge_keys(document, findings);
  judge_durations(document, companion, findings);
  judge_checks(document, companion, findings);
  if (companion) judge_gate(document, *companion, findings);
  judge_secrets(document, findings);
  judge_machines(document, findings);
  return findings;
}

}  // namespace holdshort::lint
