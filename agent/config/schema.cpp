// A row becomes a property, a table an object that takes no other keys, a probe type a branch that its `type`
// chooses.
#include "agent/config/schema.h"

#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/config/sections.h"
#include "probes/kit/field_values.h"
#include "probes/kit/toml_literal.h"
#include "probes/registry.h"

namespace holdshort {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNoMaximum = 1e15;  // Field's own default

// What a string of each kind looks like: no stricter than the parser, and written so that ECMAScript, Python,
// Rust and RE2 read it alike.
constexpr std::string_view kNamePattern = "^[A-Za-z0-9_.-]{1,63}$";
constexpr std::string_view kPathPattern = "^/[!-~]*$";
constexpr std::string_view kTokenPattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";  // RFC 9110 5.6.2
constexpr std::string_view kDurationPattern =
    R"(^([0-9]+(\.[0-9]+)?h)?([0-9]+(\.[0-9]+)?m)?([0-9]+(\.[0-9]+)?s)?([0-9]+(\.0+)?ms)?$)";
constexpr std::string_view kUrlPattern =
    R"(^([Hh][Tt][Tt][Pp][Ss]?://[!-.0->A-~]+(/[!-"$->@-~]*)?|[Uu][Nn][Ii][Xx]:/[!-~]+)$)";
constexpr std::string_view kListenPattern = R"(^[!-~]+:[0-9]+$)";
constexpr std::string_view kStatusPattern = "^[1-5]([0-9][0-9]|xx|XX)$";
constexpr std::string_view kPointerPattern = "^(/([^~]|~[01])*)?$";
constexpr std::string_view kBytesPattern = "^[0-9]{1,12}([Bb]|[Kk][Bb]|[Mm][Bb])$";
constexpr std::string_view kVariablePattern = "^[A-Za-z_][A-Za-z0-9_]*$";
constexpr std::string_view kHeaderValuePattern = R"(^[^\x00-\x08\x0A-\x1F\x7F]*$)";
constexpr int kShortestDuration = 2;  // "1s": the pattern's parts are all optional

Json text() { return {{"type", "string"}}; }
Json text(std::string_view pattern) { return {{"type", "string"}, {"pattern", pattern}}; }
Json not_empty_text() { return {{"type", "string"}, {"minLength", 1}}; }

Json list(Json items, int least = 1) {
  Json schema{{"type", "array"}, {"items", std::move(items)}};
  if (least > 0) schema["minItems"] = least;
  return schema;
}

// { key = value }, every key of which looks like `pattern`.
Json entries(std::string_view pattern, Json value, int least = 0) {
  Json schema{{"type", "object"},
              {"patternProperties", {{std::string(pattern), std::move(value)}}},
              {"additionalProperties", false}};
  if (least > 0) schema["minProperties"] = least;
  return schema;
}

Json any_of(std::initializer_list<Json> schemas) { return {{"anyOf", Json(std::vector<Json>(schemas))}}; }
Json reference_to(const std::string& pointer) { return {{"$ref", "#/$defs/" + pointer}}; }

Json number(std::string_view type, const Field& field) {
  Json schema{{"type", type}};
  const auto bound = [&](double value) {
    return type == "integer" ? Json(static_cast<std::int64_t>(value)) : Json(value);
  };
  schema["minimum"] = bound(field.min);
  if (field.max < kNoMaximum) schema["maximum"] = bound(field.max);
  return schema;
}

Json choice(const Field& field) {
  Json words = Json::array();
  for (const std::string_view word : field.choices) words.push_back(word);
  return {{"type", "string"}, {"enum", std::move(words)}};
}

Json status_list() {
  return list(any_of({{{"type", "integer"}, {"minimum", 100}, {"maximum", 599}}, text(kStatusPattern)}));
}

Json marker() {
  return any_of(
      {not_empty_text(),
       {{"type", "object"},
        {"properties", {{"json", {{"type", "string"}, {"minLength", 1}, {"pattern", kPointerPattern}}}}},
        {"required", {"json"}},
        {"additionalProperties", false}}});
}

Json duration() {
  Json schema = text(kDurationPattern);
  schema["minLength"] = kShortestDuration;
  return schema;
}

// A default as JSON; TOML has no more than JSON in our rows.
Json json_of(const Node& node) {
  if (const auto* text = std::get_if<std::string>(&node.value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&node.value)) return *number;
  if (const auto* number = std::get_if<double>(&node.value)) return *number;
  if (const auto* boolean = std::get_if<bool>(&node.value)) return *boolean;
  Json json = Json::array();
  if (const auto* items = std::get_if<Node::Array>(&node.value))
    for (const Node& item : *items) json.push_back(json_of(item));
  if (const Node::Table* table = node.table()) {
    json = Json::object();
    for (const Node::Entry& entry : *table) json[entry.key] = json_of(entry.node);
  }
  return json;
}

Json table_of(std::span<const Field> fields, std::span<const Alternatives> alternatives);

Json shape(const Field& field) {
  switch (field.kind) {
    case Kind::string:
      return field.min > 0 ? not_empty_text() : text();
    case Kind::name:
      return text(kNamePattern);
    case Kind::path:
      return text(kPathPattern);
    case Kind::path_list:
      return list(text(kPathPattern));
    case Kind::method:
      return text(kTokenPattern);
    case Kind::method_list:
    case Kind::header_names:
      return list(text(kTokenPattern));
    case Kind::boolean:
      return {{"type", "boolean"}};
    case Kind::integer:
      return number("integer", field);
    case Kind::number:
      return number("number", field);
    case Kind::duration:
      return duration();
    case Kind::url:
      return text(kUrlPattern);
    case Kind::listen:
      return text(kListenPattern);
    case Kind::status_list:
      return status_list();
    case Kind::pattern:
      return not_empty_text();
    case Kind::pattern_list:
      return any_of({not_empty_text(), list(not_empty_text())});
    case Kind::string_list:
      return list(text(), field.min > 0 ? 1 : 0);
    case Kind::choice:
      return choice(field);
    case Kind::choice_or_table:
      return any_of({choice(field), table_of(field.fields, field.alternatives)});
    case Kind::headers:
      return entries(kTokenPattern, text(kHeaderValuePattern));
    case Kind::header_patterns:
      return entries(kTokenPattern, not_empty_text(), 1);
    case Kind::json_values:
      return entries(kPointerPattern, true, 1);
    case Kind::marker:
      return marker();
    case Kind::secret:
      return reference_to("reference");
    case Kind::secret_list:
      return list(reference_to("reference"));
    case Kind::bytes:
      return text(kBytesPattern);
    case Kind::claims:
      return {{"type", "object"}};
    case Kind::table:
      return table_of(field.fields, field.alternatives);
    case Kind::table_list:
      return list(table_of(field.fields, field.alternatives));
  }
  return true;
}

// What a person reads on hovering over the key.
std::string description(const Field& field) {
  std::string text = fmt::format("{}\n\nTakes {}.", field.doc, takes(field));
  if (field.required) text += " Required.";
  if (!field.fallback.empty()) text += fmt::format(" Default: {}", field.fallback);
  return text;
}

Json property(const Field& field) {
  Json schema{{"description", description(field)}};
  Json looks = shape(field);
  // Beside $ref older readers see nothing else.
  if (looks.contains("$ref")) looks = {{"allOf", Json::array({std::move(looks)})}};
  schema.update(looks);
  if (!field.fallback.empty()) schema["default"] = json_of(parse_toml_literal(field.fallback));
  return schema;
}

Json properties(std::span<const Field> fields) {
  Json schema = Json::object();
  for (const Field& field : fields) schema[std::string(field.name)] = property(field);
  return schema;
}

Json is_written(std::string_view key) { return {{"required", {key}}}; }

// Each rule as one schema that holds where it is kept.
Json rule(const Alternatives& alternatives) {
  Json each = Json::array();
  for (const std::string_view key : alternatives.keys) each.push_back(is_written(key));
  switch (alternatives.count) {
    case Alternatives::Count::exactly_one:
      return {{"oneOf", std::move(each)}};
    case Alternatives::Count::at_least_one:
      return {{"anyOf", std::move(each)}};
    case Alternatives::Count::at_most_one:
      break;
  }
  Json none{{"not", {{"anyOf", each}}}};
  each.push_back(std::move(none));
  return {{"oneOf", std::move(each)}};
}

void require(Json& schema, std::span<const Field> fields, std::span<const Alternatives> alternatives) {
  for (const Field& field : fields)
    if (field.required) schema["required"].push_back(field.name);
  for (const Alternatives& each : alternatives) schema["allOf"].push_back(rule(each));
}

Json table_of(std::span<const Field> fields, std::span<const Alternatives> alternatives) {
  Json schema{{"type", "object"}, {"properties", properties(fields)}, {"additionalProperties", false}};
  require(schema, fields, alternatives);
  return schema;
}

Json reference() {
  return {
      {"description", "where a secret is found: { env = \"NAME\" } or { file = \"PATH\" }, never the value"},
      {"type", "object"},
      {"properties",
       {{"env",
         {{"description", "the variable that holds it"}, {"type", "string"}, {"pattern", kVariablePattern}}},
        {"file",
         {{"description", "the file that holds it; a final newline is not part of it"},
          {"type", "string"},
          {"minLength", 1}}}}},
      {"minProperties", 1},
      {"maxProperties", 1},
      {"additionalProperties", false}};
}

// --- probes

constexpr std::string_view kEveryProbe = "every_probe", kEveryHttpProbe = "every_http_probe";

std::string name_of_type(const ProbeType& type) { return fmt::format("probe_{}", type.name); }

void add_shared(Json& keys, std::string_view owner, std::span<const Field> fields) {
  for (const Field& field : fields)
    keys[std::string(field.name)] = reference_to(fmt::format("{}/properties/{}", owner, field.name));
}

// Its own keys win over the shared ones of the same name, as they do for the parser.
Json probe_of(const ProbeType& type) {
  Json keys = Json::object();
  add_shared(keys, kEveryProbe, common_fields());
  if (type.talks == ProbeType::Talks::http) add_shared(keys, kEveryHttpProbe, http_fields());
  keys["type"] = {{"description", type.explanation.control}, {"const", type.name}};
  keys.update(properties(type.fields));
  Json schema{{"description", type.explanation.control},
              {"type", "object"},
              {"properties", std::move(keys)},
              {"additionalProperties", false}};
  require(schema, type.fields, type.alternatives);
  return schema;
}

// `type` chooses what else is judged. The anyOf judges nothing: editors look for completions in it, and not
// behind `if`.
Json probe() {
  Json branches = Json::array(), hints = Json::array({true});
  for (const ProbeType& type : probe_types()) {
    branches.push_back({{"if", {{"properties", {{"type", {{"const", type.name}}}}}, {"required", {"type"}}}},
                        {"then", reference_to(name_of_type(type))}});
    hints.push_back(reference_to(name_of_type(type)));
  }
  return {{"description", "what to verify, how often, and what it means"},
          {"type", "object"},
          {"properties", {{"type", reference_to(fmt::format("{}/properties/type", kEveryProbe))}}},
          {"allOf", std::move(branches)},
          {"anyOf", std::move(hints)}};
}

// A `type` in [defaults] is that of every probe that writes none.
Json type_is_known() {
  return {{"if",
           {{"properties", {{"defaults", {{"type", "object"}, {"required", {"type"}}}}}},
            {"required", {"defaults"}}}},
          {"else", {{"properties", {{"probes", {{"additionalProperties", is_written("type")}}}}}}}};
}

Json definitions() {
  Json all{{"reference", reference()},
           {std::string(kEveryProbe), {{"properties", properties(common_fields())}}},
           {std::string(kEveryHttpProbe), {{"properties", properties(http_fields())}}},
           {"identity", table_of(identity_fields(), identity_alternatives())},
           {"probe", probe()}};
  for (const ProbeType& type : probe_types()) all[name_of_type(type)] = probe_of(type);
  return all;
}

}  // namespace

std::string config_schema() {
  Json tables = Json::object();
  for (const Section& section : sections())
    tables[std::string(section.name)] = table_of(section.fields, section.alternatives);
  tables["identities"] = entries(kNamePattern, reference_to("identity"));
  tables["probes"] = entries(kNamePattern, reference_to("probe"), 1);
  const Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                    {"title", "holdshort.toml"},
                    {"description", "what holdshort verifies before a Machine gets traffic"},
                    {"type", "object"},
                    {"properties", std::move(tables)},
                    {"required", {"app", "probes"}},
                    {"additionalProperties", false},
                    {"allOf", Json::array({type_is_known()})},
                    {"$defs", definitions()}};
  return schema.dump(2) + '\n';
}

}  // namespace holdshort
