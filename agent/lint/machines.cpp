// What holds for a Machine as a whole: its process groups, its one metrics endpoint, when it stops, how a
// deploy replaces it.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "agent/lint/rules.h"
#include "fly/fly_toml.h"

namespace holdshort::lint {

namespace {

constexpr std::string_view kStrategies[] = {"rolling", "canary", "bluegreen", "immediate"};
constexpr std::string_view kTestAddress = "FLY_TEST_MACHINE_IP";

void judge_groups(const Document& document, Diagnostics& findings) {
  for (const Service& service : document.services) {
    const Node::Entry* processes = entry_of(*service.node, "processes");
    if (!processes && document.has_processes)
      findings.error(
          service.node->place,
          fmt::format("flyctl refuses a service without \"processes\" where there is [processes]; write "
                      "processes = [\"{}\"]",
                      service.groups.front()));
    if (!processes) continue;
    for (const std::string& group : service.groups)
      if (std::find(document.groups.begin(), document.groups.end(), group) == document.groups.end())
        findings.error(processes->node.place,
                       fmt::format("there is no process group {} in [processes]{}", in_quotes(group),
                                   suggestion(group, {document.groups.begin(), document.groups.end()})));
  }
}

void judge_metrics(const Document& document, Diagnostics& findings) {
  std::vector<std::pair<std::vector<std::string>, int>> seen;
  for (const char* key : {"metrics", "metric"})
    for (const Node* metrics : tables_of(document.root, key)) {
      const std::vector<std::string> groups = document.groups_of(*metrics);
      for (const auto& [before, line] : seen) {
        if (!overlap(before, groups)) continue;
        findings.error(
            metrics->place,
            fmt::format("Fly reads one metrics endpoint of a Machine, the first (line {}): this one is "
                        "never scraped; let one page carry both, or give them different \"processes\"",
                        line));
        break;
      }
      seen.emplace_back(groups, metrics->place.line);
    }
}

// As flyctl reads it: a boolean, or "off", "stop", "suspend"; without it Machines are not stopped.
std::string autostop_of(const Service& service) {
  const Node* value = service.node->find("auto_stop_machines");
  if (!value) return "off";
  if (const auto* boolean = std::get_if<bool>(&value->value)) return *boolean ? "stop" : "off";
  return text_of(*service.node, "auto_stop_machines").value_or("off");
}

void judge_autostop(const Document& document, Diagnostics& findings) {
  for (std::size_t i = 1; i < document.services.size(); ++i) {
    const Service& service = document.services[i];
    const auto other = std::find_if(
        document.services.begin(), document.services.begin() + static_cast<std::ptrdiff_t>(i),
        [&](const Service& before) {
          return overlap(before.groups, service.groups) && autostop_of(before) != autostop_of(service);
        });
    if (other == document.services.begin() + static_cast<std::ptrdiff_t>(i)) continue;
    const Node::Entry* entry = entry_of(*service.node, "auto_stop_machines");
    findings.warning(
        entry ? entry->place : service.node->place,
        fmt::format("auto_stop_machines is \"{}\" here and \"{}\" in {} of the same Machine: Fly uses the "
                    "most restrictive for all; write the same in both",
                    autostop_of(service), autostop_of(*other), other->title));
  }
}

void judge_suspend(const Document& document, Diagnostics& findings) {
  const Node::Entry* swap = entry_of(document.root, "swap_size_mb");
  if (!swap || number_of(document.root, "swap_size_mb").value_or(0) == 0) return;
  for (const Service& service : document.services)
    if (autostop_of(service) == "suspend")
      return findings.warning(
          swap->place,
          "a Machine with swap is stopped instead of suspended; remove swap_size_mb, or write "
          "auto_stop_machines = \"stop\"");
}

std::vector<const Node*> machine_checks(const Document& document) {
  std::vector<const Node*> all = tables_of(document.root, "machine_checks");
  for (const Service& service : document.services)
    for (const Node* check : tables_of(*service.node, "machine_checks")) all.push_back(check);
  return all;
}

void judge_machine_checks(const Document& document, std::string_view strategy, Diagnostics& findings) {
  for (const Node* check : machine_checks(document)) {
    if (strategy == "bluegreen" || strategy == "immediate")
      findings.error(check->place,
                     fmt::format("machine checks do not run with strategy = \"{}\"; write \"rolling\" or "
                                 "\"canary\"",
                                 strategy));
    const Node::Entry* command = entry_of(*check, "command");
    if (!command)
      findings.error(check->place, "a machine check wants a \"command\"");
    else if (!std::holds_alternative<Node::Array>(command->node.value))
      findings.error(command->node.place,
                     "\"command\" of a machine check is a list: [\"holdshort\", \"check\", ...]");
    for (const std::string& word : texts_of(*check, "command")) {
      const std::size_t at = word.find(kTestAddress);
      const std::size_t url = word.find("://");
      if (at == std::string::npos || url == std::string::npos || url > at) continue;
      if (word.substr(url + 3, at - url - 3).find('[') == std::string::npos)
        findings.error(command->node.place,
                       "FLY_TEST_MACHINE_IP is an IPv6 address: in a URL write [$FLY_TEST_MACHINE_IP]");
    }
  }
}

bool has_gating_check(const Document& document) {
  const Node* checks = document.root.find("checks");
  return (checks && checks->table() && !checks->table()->empty()) ||
         std::any_of(document.services.begin(), document.services.end(),
                     [](const Service& service) { return service.has_checks(); });
}

void judge_deploy(const Document& document, Diagnostics& findings) {
  const Node* deploy = document.root.find("deploy");
  const Node::Entry* entry = deploy ? entry_of(*deploy, "strategy") : nullptr;
  const std::string strategy = deploy ? text_of(*deploy, "strategy").value_or("") : "";
  judge_machine_checks(document, strategy, findings);
  if (strategy.empty()) return;
  if (std::find(std::begin(kStrategies), std::end(kStrategies), strategy) == std::end(kStrategies))
    findings.error(entry->node.place,
                   fmt::format("there is no strategy {}{}", in_quotes(strategy),
                               suggestion(strategy, {std::begin(kStrategies), std::end(kStrategies)})));
  if (strategy == "bluegreen" && !has_gating_check(document))
    findings.error(entry->node.place, "\"bluegreen\" wants a check to go by; add one to the service");
  const bool has_volume =
      !tables_of(document.root, "mounts").empty() || !tables_of(document.root, "mount").empty();
  if ((strategy == "canary" || strategy == "bluegreen") && has_volume)
    findings.error(entry->node.place,
                   fmt::format("\"{}\" does not work with [mounts]; write \"rolling\"", strategy));
}

void judge_names(const Document& document, Diagnostics& findings) {
  if (const Node* env = document.root.find("env"); env && env->table())
    for (const Node::Entry& entry : *env->table())
      if (entry.key.starts_with("FLY_"))
        findings.warning(entry.place, fmt::format("{} in [env]: names that begin with FLY_ are Fly's own",
                                                  in_quotes(entry.key)));
  const Node* experimental = document.root.find("experimental");
  if (experimental && is_true(*experimental, "auto_rollback"))
    findings.warning(
        entry_of(*experimental, "auto_rollback")->place,
        "flyctl does nothing with auto_rollback: a deploy whose checks fail stops, and is not rolled back");
}

}  // namespace

void judge_machines(const Document& document, Diagnostics& findings) {
  judge_groups(document, findings);
  judge_metrics(document, findings);
  judge_autostop(document, findings);
  judge_suspend(document, findings);
  judge_deploy(document, findings);
  judge_names(document, findings);
}

}  // namespace holdshort::lint
