// Keys that flyctl does not know, and so drops: `fly deploy` says nothing, and even `fly config validate
// --strict` looks into no [[services]], [[vm]], [[mounts]] or [[metrics]].
#include <fmt/format.h>

#include "agent/lint/rules.h"
#include "fly/fly_toml.h"

namespace holdshort::lint {

namespace {

using Shape = fly::KnownKey::Shape;

std::vector<std::string_view> names_of(const fly::KnownTable& table) {
  std::vector<std::string_view> names;
  for (const fly::KnownKey& key : table.keys) names.push_back(key.name);
  return names;
}

// What old files carry along: it sets nothing, so nothing is lost.
bool is_empty(const Node& node) {
  const auto* list = std::get_if<Node::Array>(&node.value);
  return (list && list->empty()) || (node.table() && node.table()->empty());
}

struct Advice {
  std::string_view table, key, remedy;
};
// `table` as it is titled below.
constexpr Advice kAdvice[] = {
    {"[[http_service.checks]]", "port",
     "a service check has no port: it always asks the service's internal_port, so a check of another port "
     "never "
     "gates routing; let what answers the check listen on internal_port"},
    {"[[services.http_checks]]", "port",
     "a service check has no port: it always asks the service's internal_port, so a check of another port "
     "never "
     "gates routing; let what answers the check listen on internal_port"},
    {"[[services.tcp_checks]]", "port",
     "a service check has no port: it always asks the service's internal_port"},
    {"[[http_service.machine_checks]]", "interval", "a machine check runs once a deploy; remove it"},
    {"[[http_service.machine_checks]]", "timeout", "a machine check has no time of its own; remove it"},
    {"[[services.machine_checks]]", "interval", "a machine check runs once a deploy; remove it"},
    {"[[services.machine_checks]]", "timeout", "a machine check has no time of its own; remove it"},
    {"[http_service]", "tcp_checks", "[http_service] takes HTTP checks alone; write [[http_service.checks]]"},
    {"[http_service]", "http_checks", "write [[http_service.checks]]"},
    {"[[services]]", "checks", "write [[services.http_checks]] or [[services.tcp_checks]]"},
};

class Keys {
 public:
  explicit Keys(Diagnostics& findings) : findings_(findings) {}

  void look(const Node& node, const fly::KnownTable& known, const std::string& title,
            const std::string& path) {
    for (const Node::Entry& entry : *node.table()) {
      const fly::KnownKey* key = fly::find(known, entry.key);
      if (!key)
        unknown(entry, known, title);
      else if (key->table)
        descend(entry, *key, path.empty() ? entry.key : path + "." + entry.key);
    }
  }

 private:
  void descend(const Node::Entry& entry, const fly::KnownKey& key, const std::string& path) {
    const bool is_list = key.shape == Shape::tables || key.shape == Shape::list_only;
    if (key.shape == Shape::list_only && entry.node.table())
      findings_.error(entry.place,
                      fmt::format("[{}] in single brackets does not deploy (\"App configuration is not "
                                  "valid\"); write [[{}]]",
                                  path, path));
    if (key.shape == Shape::named && entry.node.table()) {
      for (const Node::Entry& named : *entry.node.table())
        if (named.node.table()) look(named.node, *key.table, "[" + path + "." + named.key + "]", path);
      return;
    }
    const std::string title = is_list ? "[[" + path + "]]" : "[" + path + "]";
    if (entry.node.table()) look(entry.node, *key.table, title, path);
    if (const auto* list = std::get_if<Node::Array>(&entry.node.value))
      for (const Node& item : *list)
        if (item.table()) look(item, *key.table, title, path);
  }

  void unknown(const Node::Entry& entry, const fly::KnownTable& known, const std::string& title) {
    if (is_empty(entry.node)) return;
    const std::string where = title.empty() ? "" : " in " + title;
    const std::string dropped = fmt::format("flyctl drops {}{}", in_quotes(entry.key), where);
    for (const Advice& advice : kAdvice) {
      if (advice.table != title || advice.key != entry.key) continue;
      return findings_.error(entry.place, fmt::format("{}: {}", dropped, advice.remedy));
    }
    if (const std::string typo = suggestion(entry.key, names_of(known)); !typo.empty())
      return findings_.error(entry.place, dropped + ", which it does not know" + typo);
    const fly::KnownKey* above = title.empty() ? nullptr : fly::find(fly::top_level(), entry.key);
    if (above && above->shape == Shape::value)
      return findings_.error(entry.place, dropped + ": it belongs above the first [table] of the file");
    findings_.warning(entry.place, dropped + ", which it does not know: it does nothing; remove it");
  }

  Diagnostics& findings_;
};

}  // namespace

void judge_keys(const Document& document, Diagnostics& findings) {
  Keys(findings).look(document.root, fly::top_level(), "", "");
}

}  // namespace holdshort::lint
