// Which check keeps traffic away, and whether it can pass. Fly routes by service checks alone; [checks] only
// shows a state and stops a deploy.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "agent/lint/rules.h"
#include "probes/kit/ascii.h"

namespace holdshort::lint {

namespace {

// Of the agent, where no holdshort.toml tells.
constexpr std::int64_t kAgentPort = 9090;
constexpr std::string_view kAgentPaths[] = {"/readyz", "/livez", "/.holdshort/readyz"};
// Variables by which apps are told to send plain HTTP away themselves.
constexpr std::string_view kRedirectSwitches[] = {
    "FORCE_SSL",      "RAILS_FORCE_SSL",  "FORCE_HTTPS", "SECURE_SSL_REDIRECT", "DJANGO_SECURE_SSL_REDIRECT",
    "HTTPS_REDIRECT", "REDIRECT_TO_HTTPS"};
constexpr std::string_view kForwardedProto = "x-forwarded-proto";

bool asks_holdshort(const Node::Entry& check, const std::optional<Companion>& companion) {
  const auto port = number_of(check.node, "port");
  const std::string path = text_of(check.node, "path").value_or("");
  return ascii::lowered(check.key).find("holdshort") != std::string::npos ||
         port == (companion ? companion->agent_port : kAgentPort) ||
         std::find(std::begin(kAgentPaths), std::end(kAgentPaths), path) != std::end(kAgentPaths);
}

bool is_switched_on(const Node& root) {
  const Node* env = root.find("env");
  if (!env || !env->table()) return false;
  return std::any_of(env->table()->begin(), env->table()->end(), [&](const Node::Entry& entry) {
    if (std::find(std::begin(kRedirectSwitches), std::end(kRedirectSwitches), entry.key) ==
        std::end(kRedirectSwitches))
      return false;
    const auto* text = std::get_if<std::string>(&entry.node.value);
    if (!text) return is_true(*env, entry.key) || number_of(*env, entry.key).value_or(0) != 0;
    const std::string value = ascii::lowered(*text);
    return value == "true" || value == "1" || value == "yes" || value == "on";
  });
}

bool has_forwarded_proto(const Node& check) {
  const Node* headers = check.find("headers");
  if (!headers) return false;
  if (headers->table())
    return std::any_of(headers->table()->begin(), headers->table()->end(), [](const Node::Entry& header) {
      return ascii::lowered(header.key) == kForwardedProto;
    });
  const std::vector<const Node*> list = tables_of(check, "headers");
  return std::any_of(list.begin(), list.end(), [](const Node* header) {
    return ascii::lowered(text_of(*header, "name").value_or("")) == kForwardedProto;
  });
}

void judge_http_check(const Service& service, const Node& check, bool app_redirects, Diagnostics& findings) {
  const Node::Entry* path = entry_of(check, "path");
  const std::string text = text_of(check, "path").value_or("/");
  if (path && !text.starts_with('/'))
    findings.error(path->node.place,
                   "\"path\" of a check begins with \"/\"; write the path alone, without a host");
  if (const Node::Entry* headers = entry_of(check, "headers");
      headers && service.is_http_service && !headers->node.table())
    findings.error(
        headers->place,
        "\"headers\" as a list does not deploy here; write [http_service.checks.headers] with Name = "
        "\"value\"");
  if (app_redirects && service.force_https && !has_forwarded_proto(check) &&
      !text.starts_with("/.holdshort/"))
    findings.error(
        check.place,
        fmt::format("{} comes without Fly's proxy, so an app that sends plain HTTP to https answers it with "
                    "a redirect, which is a failed check; add headers = {{ X-Forwarded-Proto = \"https\" }}",
                    service.http_checks_title));
}

void judge_type(const Document& document, const Node::Entry& check, Diagnostics& findings) {
  const Node::Entry* type = entry_of(check.node, "type");
  const std::string text = text_of(check.node, "type").value_or("");
  if (text != "http" && text != "tcp")
    findings.error(
        type ? type->node.place : check.place,
        fmt::format("flyctl wants a \"type\" in [checks.{}]; write type = \"http\" or \"tcp\"", check.key));
  if (!check.node.find("port") && !document.root.find("http_service"))
    findings.error(check.place,
                   fmt::format("flyctl wants a \"port\" in [checks.{}]: there is no [http_service] "
                               "whose internal_port it could take",
                               check.key));
}

// The first service of the check's groups that carries requests and has no check; null: every one has.
const Service* unchecked_service(const Document& document, const Node& check) {
  const std::vector<std::string> groups = document.groups_of(check);
  const auto of_its_groups = [&](const Service& service) {
    return !service.is_udp && overlap(service.groups, groups);
  };
  const bool is_gated =
      std::any_of(document.services.begin(), document.services.end(),
                  [&](const Service& service) { return of_its_groups(service) && service.has_checks(); });
  const auto found = std::find_if(document.services.begin(), document.services.end(), of_its_groups);
  return is_gated || found == document.services.end() ? nullptr : &*found;
}

void judge_routing(const Document& document, const Node::Table& checks,
                   const std::optional<Companion>& companion, Diagnostics& findings) {
  bool has_warned = false;
  for (const Node::Entry& check : checks) {
    if (!check.node.table()) continue;
    const Service* service = unchecked_service(document, check.node);
    if (!service) continue;
    if (asks_holdshort(check, companion)) {
      findings.error(
          check.place,
          fmt::format("[checks.{}] never keeps traffic away: Fly routes by service checks alone, which ask "
                      "the service's own port; let holdshort's gate listen on internal_port and add {} with "
                      "path = \"/.holdshort/readyz\" (keep this one to stop a deploy)",
                      check.key, service->http_checks_title));
      continue;
    }
    if (std::exchange(has_warned, true)) continue;
    findings.warning(
        check.place,
        fmt::format("[checks.{}] never keeps traffic away, it only stops a deploy: Fly routes by service "
                    "checks alone, and {} has none; add {}",
                    check.key, service->title, service->http_checks_title));
  }
}

}  // namespace

void judge_checks(const Document& document, const std::optional<Companion>& companion,
                  Diagnostics& findings) {
  const bool app_redirects = is_switched_on(document.root);
  for (const Service& service : document.services)
    for (const Node* check : service.http_checks) judge_http_check(service, *check, app_redirects, findings);
  const Node* checks = document.root.find("checks");
  if (!checks || !checks->table()) return;
  for (const Node::Entry& check : *checks->table())
    if (check.node.table()) judge_type(document, check, findings);
  judge_routing(document, *checks->table(), companion, findings);
}

}  // namespace holdshort::lint
