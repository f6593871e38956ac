#include "agent/config/probe_tables.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/config/names.h"
#include "agent/config/sections.h"
#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "probes/kit/duration.h"

namespace holdshort {
namespace {

using Groups = std::vector<std::span<const Field>>;

const std::string* string_at(const Node* table, std::string_view key) {
  const Node* node = table ? table->find(key) : nullptr;
  return node ? std::get_if<std::string>(&node->value) : nullptr;
}

// One probe's table, with [defaults] behind it.
class ProbeReader {
 public:
  ProbeReader(const Node::Entry& entry, const Node* defaults, const ProbeSurroundings& surroundings,
              Diagnostics& diagnostics)
      : name_(entry.key),
        table_(entry.node),
        defaults_(defaults),
        surroundings_(surroundings),
        diagnostics_(diagnostics),
        title_(table_title("probes", entry.key)) {}

  // Nothing where it is disabled or wrong.
  std::optional<ProbeConfig> read() {
    if (is_split_name()) return std::nullopt;
    const std::string* type_name = string_at(table_.find("type") ? &table_ : defaults_, "type");
    const ProbeType* type = type_name ? find_probe_type(*type_name) : nullptr;
    if (!type) {
      read_common_keys();
      return std::nullopt;
    }
    Groups groups = {common_fields()};
    if (type->talks == ProbeType::Talks::http) groups.push_back(http_fields());
    groups.push_back(type->fields);
    const auto values = std::make_shared<const Values>(reader().read(table_, title_, groups, defaults_));
    check_timing();
    check_runbook();
    check_identities(table_, groups);
    if (type->talks == ProbeType::Talks::http) check_http_keys(*values);
    if (!values->complete()) return std::nullopt;
    if (!type->make({name_, *values}, diagnostics_) || !is_enabled()) return std::nullopt;
    return to_config(*type, values);
  }

 private:
  // What a disabled probe needs may be missing: that may be why it is disabled.
  FieldReader reader() const {
    return FieldReader(surroundings_.environment,
                       is_enabled() ? surroundings_.missing : MissingSecret::is_warning, diagnostics_);
  }

  const Node* find(std::string_view key) const {
    const Node* own = table_.find(key);
    return own || !defaults_ ? own : defaults_->find(key);
  }

  bool is_enabled() const {
    const Node* enabled = find("enabled");
    const bool* value = enabled ? std::get_if<bool>(&enabled->value) : nullptr;
    return !value || *value;
  }

  // [probes.a.b] is the table b in the probe a; the probe "a.b" was meant.
  bool is_split_name() {
    const Node::Table* entries = table_.table();
    if (!entries || entries->empty() || table_.find("type")) return false;
    const Node::Entry& first = entries->front();
    if (!first.node.find("type")) return false;
    diagnostics_.error(
        first.place, fmt::format("{} has a table {}; a name with a dot is written [probes.\"{}.{}\"]", title_,
                                 in_quotes(first.key), name_, first.key));
    return true;
  }

  // Which other keys an unknown type has is not known.
  void read_common_keys() {
    Node::Table known;
    if (const Node::Table* entries = table_.table()) {
      for (const Node::Entry& entry : *entries) {
        const auto is_it = [&](const Field& field) { return field.name == entry.key; };
        const bool is_common = std::any_of(common_fields().begin(), common_fields().end(), is_it);
        if (is_common || !suggestion(entry.key, {"type"}).empty()) known.push_back(entry);
      }
      const Groups groups = {common_fields()};
      reader().read({std::move(known), table_.place}, title_, groups, defaults_);
      check_timing();
    } else {
      diagnostics_.error(table_.place, fmt::format("{} is {}, expected a table", title_, table_.kind()));
    }
  }

  // The duration that counts for `key`; nothing where it is wrong, which is reported already.
  std::optional<Duration> duration(std::string_view key) const {
    const Node* written = find(key);
    const std::string* text = written ? std::get_if<std::string>(&written->value) : nullptr;
    if (written && !text) return std::nullopt;
    const auto row = std::find_if(common_fields().begin(), common_fields().end(),
                                  [&](const Field& f) { return f.name == key; });
    const Result<Duration> parsed = Duration::parse(text ? std::string_view(*text) : unquoted(row->fallback));
    if (!parsed) return std::nullopt;
    return *parsed;
  }

  static std::string_view unquoted(std::string_view literal) { return literal.substr(1, literal.size() - 2); }

  // A run must be over before the next begins. Reported where the probe says something of it, else in
  // [defaults].
  void check_timing() {
    const std::optional<Duration> interval = duration("interval"), timeout = duration("timeout");
    if (!interval || !timeout || *timeout < *interval) return;
    for (const Node* where : {&table_, defaults_}) {
      const Node* own_timeout = where ? where->find("timeout") : nullptr;
      const Node* own_interval = where ? where->find("interval") : nullptr;
      if (own_timeout) {
        diagnostics_.error(
            own_timeout->place,
            fmt::format("\"timeout\" is {}, expected a duration below \"interval\", which is {}",
                        timeout->text(), interval->text()));
      } else if (own_interval) {
        diagnostics_.error(
            own_interval->place,
            fmt::format("\"interval\" is {}, expected a duration above \"timeout\", which is {}",
                        interval->text(), timeout->text()));
      }
      if (own_timeout || own_interval) return;
    }
  }

  // It is shown as a link.
  void check_runbook() {
    const Node* node = find("runbook");
    const std::string* text = node ? std::get_if<std::string>(&node->value) : nullptr;
    if (!text) return;
    const bool is_url = text->starts_with("https://") || text->starts_with("http://");
    if (!is_url || !ascii::is_made_of(*text, ascii::is_visible))
      diagnostics_.error(node->place, "\"runbook\" is no URL, expected one that begins with https://");
  }

  // Whatever is called "as", in the table or in one of its own, names an identity.
  void check_identities(const Node& table, std::span<const std::span<const Field>> groups) {
    for (const std::span<const Field> group : groups) {
      for (const Field& field : group) {
        const Node* node = table.find(field.name);
        if (!node) continue;
        const auto* list = std::get_if<Node::Array>(&node->value);
        const std::span<const Field> nested[] = {field.fields};
        if (field.kind == Kind::name && field.name == "as") check_identity(*node);
        if (field.kind == Kind::table) check_identities(*node, nested);
        if (field.kind == Kind::table_list && list)
          for (const Node& item : *list) check_identities(item, nested);
      }
    }
  }

  void check_identity(const Node& node) {
    const std::string* name = std::get_if<std::string>(&node.value);
    if (!name) return;
    const auto declared = surroundings_.identities.find(*name);
    if (declared != surroundings_.identities.end()) {
      identities_ += declared->first + "=" + declared->second.canonical + "\n";
      return;
    }
    std::vector<std::string_view> known;
    for (const auto& [known_name, unused] : surroundings_.identities) known.push_back(known_name);
    const std::string hint = suggestion(*name, known);
    const std::string remedy = hint.empty() ? "; declare it as [identities.NAME]" : hint;
    diagnostics_.error(node.place, fmt::format("\"as\" names an identity that is not declared: {}{}",
                                               in_quotes(*name), remedy));
  }

  void check_http_keys(const Values& values) {
    if (values.has("method") && values.has("methods")) {
      const std::vector<std::string>& methods = values.strings("methods");
      if (std::find(methods.begin(), methods.end(), values.string("method")) == methods.end())
        diagnostics_.warning(values.place("method"),
                             "\"method\" has no effect beside \"methods\"; add it to them");
    }
    const Url url = values.url("url").value_or(surroundings_.app.url);
    if (values.string("via") == "private" && url.scheme == Url::Scheme::unix_socket)
      diagnostics_.error(
          values.place("via"),
          "\"via\" is \"private\", but neighbours cannot reach a unix socket; write a url of http");
  }

  std::string definition(const Values& values) const {
    const App& app = surroundings_.app;
    const std::string text = fmt::format("{}\n{}\n{}\n{}\n{}", values.canonical(), app.url.text(), app.host,
                                         app.forwarded, identities_);
    return crypto::hex(
        crypto::sha256(text));  // a digest, because the text's digests of weak secrets could be guessed
  }

  ProbeConfig to_config(const ProbeType& type, std::shared_ptr<const Values> values) const {
    ProbeConfig config;
    config.name = name_;
    config.type = &type;
    config.severity = values->string("severity") == "advisory" ? Severity::advisory : Severity::required;
    config.interval = values->duration("interval");
    config.timeout = values->duration("timeout");
    config.grace_period = values->duration("grace_period");
    config.startup_interval = values->duration("startup_interval");
    config.failure_threshold = static_cast<int>(values->integer("failure_threshold"));
    config.success_threshold = static_cast<int>(values->integer("success_threshold"));
    config.inconclusive_threshold = static_cast<int>(values->integer("inconclusive_threshold"));
    config.confirm = values->boolean("confirm");
    config.description = values->string("description");
    config.runbook = values->string("runbook");
    config.definition = definition(*values);
    config.values = std::move(values);
    return config;
  }

  const std::string& name_;
  const Node& table_;
  const Node* defaults_;
  const ProbeSurroundings& surroundings_;
  Diagnostics& diagnostics_;
  const std::string title_;
  std::string identities_;  // canonical texts of those the probe names
};

// Only its own faults: what it means for a probe is judged there. Null where there is nothing to fall back
// on.
const Node* read_defaults(const Node* node, const ProbeSurroundings& surroundings, Diagnostics& diagnostics) {
  if (!node) return nullptr;
  const std::span<const Field> groups[] = {defaults_fields()};
  FieldReader(surroundings.environment, surroundings.missing, diagnostics).read(*node, "[defaults]", groups);
  return node->table() ? node : nullptr;
}

bool holds_readiness(const ProbeConfig& probe) { return probe.severity == Severity::required; }

}  // namespace

std::vector<ProbeConfig> read_probes(const Node* probes, const Node* defaults,
                                     const ProbeSurroundings& surroundings, Diagnostics& diagnostics) {
  std::vector<ProbeConfig> configs;
  const Node* shared = read_defaults(defaults, surroundings, diagnostics);
  const Place place = probes ? probes->place : Place{1, 1};
  if (probes && !probes->table()) {
    diagnostics.error(place, fmt::format("\"probes\" is {}, expected tables [probes.NAME]", probes->kind()));
    return configs;
  }
  if (!probes || probes->table()->empty()) {
    diagnostics.error(place, "no probe is declared, expected at least one [probes.NAME]");
    return configs;
  }
  for (const Node::Entry& entry : *probes->table()) {
    check_name(entry, "a probe", diagnostics);
    if (std::optional<ProbeConfig> config = ProbeReader(entry, shared, surroundings, diagnostics).read())
      configs.push_back(std::move(*config));
  }
  if (!diagnostics.has_errors() && std::none_of(configs.begin(), configs.end(), holds_readiness))
    diagnostics.warning(place, "no required probe is enabled: nothing holds readiness");
  return configs;
}

std::unique_ptr<Probe> ProbeConfig::make() const {
  Diagnostics none;
  return type->make({name, *values}, none);
}

}  // namespace holdshort
