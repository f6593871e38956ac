#include "probes/kit/fields.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "probes/kit/crypto.h"
#include "probes/kit/field_values.h"
#include "probes/kit/json.h"
#include "probes/kit/toml_literal.h"

namespace holdshort {

bool Marker::found_in(std::string_view body) const {
  if (pattern) return pattern->found_in(body);
  const json::Found found = json::at(body, json_pointer);
  return found.lookup == json::Lookup::found && found.text != "null";
}

// --- Values

namespace {

template <class T>
const T& or_empty(const T* value) {
  static const T empty{};
  return value ? *value : empty;
}

template <class T>
std::optional<T> or_nothing(const T* value) {
  if (!value) return std::nullopt;
  return *value;
}

}  // namespace

template <class T>
const T* Values::get(std::string_view name) const {
  const auto slot = slots_.find(name);
  if (slot == slots_.end()) throw std::logic_error("no field is declared as " + std::string(name));
  const Value& value = slot->second.value;
  if (std::holds_alternative<std::monostate>(value)) return nullptr;
  const T* typed = std::get_if<T>(&value);
  if (!typed) throw std::logic_error("the field is of another kind: " + std::string(name));
  return typed;
}

bool Values::has(std::string_view name) const {
  const auto slot = slots_.find(name);
  return slot != slots_.end() && slot->second.written;
}

Place Values::place(std::string_view name) const {
  return has(name) ? slots_.find(name)->second.place : table_place_;
}

const std::string& Values::string(std::string_view name) const { return or_empty(get<std::string>(name)); }
bool Values::boolean(std::string_view name) const { return or_empty(get<bool>(name)); }
std::int64_t Values::integer(std::string_view name) const { return or_empty(get<std::int64_t>(name)); }
std::optional<std::int64_t> Values::maybe_integer(std::string_view name) const {
  return or_nothing(get<std::int64_t>(name));
}
double Values::number(std::string_view name) const { return or_empty(get<double>(name)); }
std::chrono::milliseconds Values::duration(std::string_view name) const {
  return or_empty(get<std::chrono::milliseconds>(name));
}
std::optional<std::chrono::milliseconds> Values::maybe_duration(std::string_view name) const {
  return or_nothing(get<std::chrono::milliseconds>(name));
}
std::optional<Url> Values::url(std::string_view name) const { return or_nothing(get<Url>(name)); }
ListenAddress Values::listen(std::string_view name) const { return or_empty(get<ListenAddress>(name)); }
const StatusSet& Values::statuses(std::string_view name) const { return or_empty(get<StatusSet>(name)); }
std::optional<Pattern> Values::pattern(std::string_view name) const { return or_nothing(get<Pattern>(name)); }
const std::vector<Pattern>& Values::patterns(std::string_view name) const {
  return or_empty(get<std::vector<Pattern>>(name));
}
const std::vector<std::string>& Values::strings(std::string_view name) const {
  return or_empty(get<std::vector<std::string>>(name));
}
const std::vector<Header>& Values::headers(std::string_view name) const {
  return or_empty(get<std::vector<Header>>(name));
}
const std::vector<std::pair<std::string, Pattern>>& Values::header_patterns(std::string_view name) const {
  return or_empty(get<std::vector<std::pair<std::string, Pattern>>>(name));
}
const std::vector<JsonExpectation>& Values::json_values(std::string_view name) const {
  return or_empty(get<std::vector<JsonExpectation>>(name));
}
std::optional<Marker> Values::marker(std::string_view name) const { return or_nothing(get<Marker>(name)); }
std::optional<SecretValue> Values::secret(std::string_view name) const {
  return or_nothing(get<SecretValue>(name));
}
const std::vector<SecretValue>& Values::secrets(std::string_view name) const {
  return or_empty(get<std::vector<SecretValue>>(name));
}
const std::string& Values::claims_json(std::string_view name) const {
  static const std::string none = "{}";
  const std::string* claims = get<std::string>(name);
  return claims ? *claims : none;
}
bool Values::is_table(std::string_view name) const {
  const auto slot = slots_.find(name);
  return slot != slots_.end() && std::holds_alternative<std::vector<Values>>(slot->second.value);
}
const Values* Values::table(std::string_view name) const {
  const auto* tables = get<std::vector<Values>>(name);
  return tables && !tables->empty() ? &tables->front() : nullptr;
}
const std::vector<Values>& Values::tables(std::string_view name) const {
  return or_empty(get<std::vector<Values>>(name));
}

// --- canonical text

namespace {

// Every part is quoted or a number, so that no two different values share a text.
struct CanonicalText {
  std::string operator()(std::monostate) const { return "-"; }
  std::string operator()(const std::string& text) const { return json::quote(text); }
  std::string operator()(bool boolean) const { return boolean ? "true" : "false"; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return fmt::format("{}", number); }
  std::string operator()(std::chrono::milliseconds time) const { return Duration(time).text(); }
  std::string operator()(const Url& url) const { return json::quote(url.text()); }
  std::string operator()(const ListenAddress& address) const { return json::quote(address.text()); }
  std::string operator()(const StatusSet& statuses) const { return json::quote(statuses.text()); }
  std::string operator()(const Pattern& pattern) const { return json::quote(pattern.source()); }
  std::string operator()(const Header& header) const {
    return json::quote(header.name) + ":" + json::quote(header.value);
  }
  std::string operator()(const std::pair<std::string, Pattern>& named) const {
    return json::quote(named.first) + ":" + (*this)(named.second);
  }
  std::string operator()(const JsonExpectation& expected) const {
    return json::quote(expected.pointer) + ":" + expected.value_json;
  }
  std::string operator()(const Marker& marker) const {
    return marker.pattern ? "pattern " + (*this)(*marker.pattern)
                          : "json " + json::quote(marker.json_pointer);
  }
  std::string operator()(const SecretValue& secret) const {
    return json::quote(secret.ref.text()) + " " + crypto::hex(crypto::sha256(secret.value.reveal()));
  }
  std::string operator()(const Values& values) const { return values.canonical(); }
  template <class T>
  std::string operator()(const std::vector<T>& items) const {
    std::string text = "[";
    for (const T& item : items) text += (*this)(item) + ",";
    return text + "]";
  }
};

}  // namespace

void Values::collect_secrets(std::vector<Secret>& secrets) const {
  const auto add = [&](const SecretValue& secret) {
    if (secret.found) secrets.push_back(secret.value);
  };
  for (const auto& [name, slot] : slots_) {
    if (const auto* secret = std::get_if<SecretValue>(&slot.value)) add(*secret);
    if (const auto* list = std::get_if<std::vector<SecretValue>>(&slot.value))
      std::for_each(list->begin(), list->end(), add);
    if (const auto* tables = std::get_if<std::vector<Values>>(&slot.value))
      for (const Values& table : *tables) table.collect_secrets(secrets);
  }
}

std::string Values::canonical() const {
  std::string text = "{";
  for (const auto& [name, slot] : slots_) text += name + "=" + std::visit(CanonicalText{}, slot.value) + "\n";
  return text + "}";
}

// --- FieldReader

namespace {

std::vector<const Field*> merged(std::span<const std::span<const Field>> groups) {
  std::vector<const Field*> rows;
  for (const std::span<const Field> group : groups) {
    for (const Field& field : group) {
      const auto same =
          std::find_if(rows.begin(), rows.end(), [&](const Field* row) { return row->name == field.name; });
      if (same != rows.end()) {
        *same = &field;
      } else {
        rows.push_back(&field);
      }
    }
  }
  return rows;
}

const Node::Entry* find_entry(const Node* table, std::string_view key) {
  const Node::Table* entries = table ? table->table() : nullptr;
  if (!entries) return nullptr;
  for (const Node::Entry& entry : *entries)
    if (entry.key == key) return &entry;
  return nullptr;
}

// Reports keys that no row knows; what they were probably meant to be, as suggestion() writes it.
std::string report_unknown_keys(const Node& table, std::string_view title,
                                const std::vector<const Field*>& rows, Diagnostics& diagnostics) {
  std::vector<std::string_view> known;
  for (const Field* row : rows) known.push_back(row->name);
  std::string meant;
  for (const Node::Entry& entry : *table.table()) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const std::string hint = suggestion(entry.key, known);
    diagnostics.error(entry.place, fmt::format("unknown key {} in {}{}", in_quotes(entry.key), title, hint));
    meant += hint;
  }
  return meant;
}

// `literal`, as if it stood at `place`.
Node placed(Node literal, Place place) {
  literal.place = place;
  if (auto* table = std::get_if<Node::Table>(&literal.value)) {
    for (Node::Entry& entry : *table) {
      entry.place = place;
      entry.node = placed(std::move(entry.node), place);
    }
  }
  return literal;
}

bool is_complete(const Values::Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return false;
  const auto* tables = std::get_if<std::vector<Values>>(&value);
  return !tables ||
         std::all_of(tables->begin(), tables->end(), [](const Values& table) { return table.complete(); });
}

}  // namespace

std::vector<Values> FieldReader::read_tables(const Field& field, const Node& node, std::string_view title,
                                             Diagnostics& diagnostics) const {
  const auto* list = std::get_if<Node::Array>(&node.value);
  const bool is_right = field.kind == Kind::table_list ? list && !list->empty() : node.table() != nullptr;
  if (!is_right) {
    diagnostics.error(node.place,
                      fmt::format("{} is {}, expected {}", in_quotes(field.name),
                                  list && list->empty() ? "an empty list" : node.kind(), expected_of(field)));
    return {};
  }
  FieldReader nested(environment_, missing_, diagnostics);
  const std::span<const Field> groups[] = {field.fields};
  const std::string nested_title = fmt::format("{} of {}", in_quotes(field.name), title);
  std::vector<Values> tables;
  if (field.kind != Kind::table_list) {
    tables.push_back(nested.read(node, nested_title, groups));
  } else {
    for (const Node& item : *list) tables.push_back(nested.read(item, nested_title, groups));
  }
  return tables;
}

// monostate: what is wrong was reported.
Values::Value FieldReader::read_any(const Field& field, const Node& node, std::string_view title,
                                    Diagnostics& diagnostics) const {
  const bool is_chosen_table = field.kind == Kind::choice_or_table && node.table();
  if (field.kind == Kind::table || field.kind == Kind::table_list || is_chosen_table) {
    std::vector<Values> tables = read_tables(field, node, title, diagnostics);
    return tables.empty() ? Values::Value() : Values::Value(std::move(tables));
  }
  return read_value(field, node, {environment_, missing_, diagnostics}).value_or(Values::Value());
}

Values::Value FieldReader::default_of(const Field& field) const {
  if (field.fallback.empty()) return {};
  Diagnostics bugs;
  Values::Value value = read_any(field, parse_toml_literal(field.fallback), "", bugs);
  if (bugs.has_errors()) throw std::logic_error("a default is wrong: " + bugs.sorted().front().message);
  return value;
}

Values FieldReader::read(const Node& table, std::string_view title,
                         std::span<const std::span<const Field>> groups, const Node* defaults) {
  Values values;
  values.table_place_ = table.place;
  const std::vector<const Field*> rows = merged(groups);
  std::string meant;
  if (table.table()) {
    meant = report_unknown_keys(table, title, rows, diagnostics_);
  } else {
    diagnostics_.error(table.place, fmt::format("{} is {}, expected a table", title, table.kind()));
  }
  values.complete_ = table.table() && meant.empty();

  Diagnostics reported_elsewhere;
  for (const Field* row : rows) {
    const Node::Entry* own = find_entry(&table, row->name);
    const Node::Entry* entry = own ? own : find_entry(defaults, row->name);
    Values::Slot slot;
    if (entry) {
      slot = {read_any(*row, entry->node, title, own ? diagnostics_ : reported_elsewhere), true,
              entry->place};
      values.complete_ = values.complete_ && is_complete(slot.value);
    } else if (row->required) {
      values.complete_ = false;
      const bool is_misspelt = meant.find(in_quotes(row->name)) != std::string::npos;
      if (table.table() && !is_misspelt)
        diagnostics_.error(table.place, fmt::format("missing key {} in {}, expected {}", in_quotes(row->name),
                                                    title, expected_of(*row)));
    }
    const bool is_missing = std::holds_alternative<std::monostate>(slot.value);
    if (is_missing && row->kind == Kind::secret && !row->fallback.empty()) {
      // A default that may be missing, as a written reference may.
      if (!entry)
        slot.value =
            read_any(*row, placed(parse_toml_literal(row->fallback), table.place), title, diagnostics_);
      values.complete_ = values.complete_ && is_complete(slot.value);
    } else if (is_missing) {
      slot.value = default_of(*row);
    }
    values.slots_.emplace(row->name, std::move(slot));
  }
  return values;
}

}  // namespace holdshort
