// Whether the fly.toml sends its traffic through the gate that the holdshort.toml beside it declares.
#include <algorithm>

#include <fmt/format.h>

#include "agent/lint/rules.h"

namespace holdshort::lint {

namespace {

// A path that was meant for holdshort.
bool looks_like_ours(std::string_view path) {
  return path.find("holdshort") != std::string_view::npos || path == "/readyz" || path == "/livez";
}

Place place_of_port(const Service& service) {
  const Node::Entry* port = entry_of(*service.node, "internal_port");
  return port ? port->node.place : service.node->place;
}

void judge_health_checks(const Service& service, const Companion& companion, Diagnostics& findings) {
  const auto asks_the_gate = [&](const Node* check) {
    return text_of(*check, "path") == companion.health_path;
  };
  if (std::any_of(service.http_checks.begin(), service.http_checks.end(), asks_the_gate)) return;
  const std::string remedy =
      fmt::format("{} with path = \"{}\"", service.http_checks_title, companion.health_path);
  if (service.http_checks.empty())
    return findings.error(
        service.node->place,
        fmt::format(
            "{} has no HTTP check: the gate's port is open whether the Machine is ready or not, so Fly "
            "routes to it; add {}",
            service.title, remedy));
  for (const Node* check : service.http_checks) {
    const Node::Entry* path = entry_of(*check, "path");
    const Place place = path ? path->node.place : check->place;
    const std::string said = text_of(*check, "path").value_or("/");
    if (looks_like_ours(said))
      findings.error(place, fmt::format("the gate answers \"{}\"; {} goes to the app", companion.health_path,
                                        in_quotes(said)));
    else
      findings.warning(
          place, fmt::format("{} asks the app through the gate; the gate itself answers \"{}\", at once and "
                             "whatever the app does: add {}",
                             in_quotes(said), companion.health_path, remedy));
  }
}

void judge_ports(const Document& document, const Companion& companion, Diagnostics& findings) {
  for (const Service& service : document.services) {
    if (service.is_udp || !service.port) continue;
    if (*service.port == companion.agent_port)
      findings.error(
          place_of_port(service),
          fmt::format("internal_port {} is [agent].listen of holdshort.toml: the public would reach the "
                      "agent instead of the app",
                      *service.port));
    else if (companion.gate_port && *service.port != *companion.gate_port &&
             (service.is_http_service || service.port == companion.app_port))
      findings.error(place_of_port(service),
                     fmt::format("internal_port {} skips the gate, which listens on {} ([gate].listen of "
                                 "holdshort.toml); write internal_port = {}",
                                 *service.port, *companion.gate_port, *companion.gate_port));
  }
}

bool runs_machine_check(const Document& document) {
  return std::any_of(document.services.begin(), document.services.end(), [](const Service& service) {
    return !tables_of(*service.node, "machine_checks").empty();
  });
}

// `run` stops at these alone; others it passes on to the app, and SIGKILL nobody sees.
void judge_kill_signal(const Document& document, Diagnostics& findings) {
  constexpr std::string_view kStopping[] = {"SIGTERM", "SIGINT", "SIGQUIT"};
  const Node::Entry* entry = entry_of(document.root, "kill_signal");
  const std::string said = text_of(document.root, "kill_signal").value_or("");
  if (said.empty() || std::find(std::begin(kStopping), std::end(kStopping), said) != std::end(kStopping))
    return;
  findings.error(
      entry->node.place,
      fmt::format("at {} holdshort neither closes the gate nor drains it; write \"SIGTERM\", \"SIGINT\" or "
                  "\"SIGQUIT\", which the app gets too",
                  in_quotes(said)));
}

}  // namespace

void judge_gate(const Document& document, const Companion& companion, Diagnostics& findings) {
  judge_kill_signal(document, findings);
  judge_ports(document, companion, findings);
  const auto carries_requests = [](const Service& service) { return !service.is_udp; };
  const auto first = std::find_if(document.services.begin(), document.services.end(), carries_requests);
  if (first == document.services.end()) return;

  bool has_gate = false, has_checks = false;
  for (const Service& service : document.services) {
    has_checks = has_checks || service.has_checks();
    if (service.is_udp || !companion.gate_port || service.port != companion.gate_port) continue;
    has_gate = true;
    judge_health_checks(service, companion, findings);
  }
  if (companion.gate_port && !has_gate && !first->is_http_service && first->port != companion.app_port)
    findings.error(first->node->place, fmt::format("no service has internal_port = {}, on which the gate of "
                                                   "holdshort.toml listens: nothing passes it",
                                                   *companion.gate_port));
  if (!companion.gate_port && !has_checks && !runs_machine_check(document))
    findings.error(
        first->node->place,
        fmt::format("{} has no check: whatever holdshort sees, Fly routes to this Machine; declare [gate] in "
                    "holdshort.toml and add {}",
                    first->title, first->http_checks_title));

  for (const Node* statics : tables_of(document.root, "statics")) {
    const std::string prefix = text_of(*statics, "url_prefix").value_or("");
    const auto guarded = std::find_if(companion.guarded.begin(), companion.guarded.end(),
                                      [&](const std::string& path) { return path.starts_with(prefix); });
    if (prefix.empty() || guarded == companion.guarded.end()) continue;
    findings.error(
        statics->place,
        fmt::format(
            "Fly serves \"{}\" itself, before the app: its authentication, which holdshort verifies on "
            "{}, does not protect it; serve it from the app",
            prefix, in_quotes(*guarded)));
  }
}

}  // namespace holdshort::lint
