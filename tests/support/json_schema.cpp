#include "tests/support/json_schema.h"

#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "agent/config/schema.h"
#include "agent/config/toml.h"
#include "probes/kit/pattern.h"

namespace holdshort::testing_support {
namespace {

using Json = nlohmann::json;

bool matches(const std::string& pattern, const std::string& text) {
  const auto compiled = Pattern::compile(pattern);
  if (!compiled) throw std::logic_error("no pattern: " + pattern);
  return compiled->found_in(text);
}

bool is_of_type(const std::string& type, const Json& value) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "null") return value.is_null();
  throw std::logic_error("unknown type: " + type);
}

class Judge {
 public:
  explicit Judge(const Json& root) : root_(root) {}

  std::string misfit(const Json& schema, const Json& value, const std::string& place) const {
    if (schema.is_boolean()) return schema.get<bool>() ? "" : place + ": false";
    for (const auto& [word, says] : schema.items()) {
      const auto rule = rules().find(word);
      if (rule == rules().end()) throw std::logic_error("unknown word: " + word);
      const std::string found = (this->*rule->second)(schema, says, value, place);
      if (!found.empty()) return found == kHere ? place + ": " + word : found;
    }
    return "";
  }

 private:
  // A rule answers "", kHere where its word itself is broken, or what a schema within it answered.
  using Rule = std::string (Judge::*)(const Json& schema, const Json& says, const Json& value,
                                      const std::string& place) const;
  static constexpr std::string_view kHere = "here";
  static std::string here_unless(bool fits) { return fits ? "" : std::string(kHere); }
  bool fits(const Json& schema, const Json& value) const { return misfit(schema, value, "").empty(); }
  std::ptrdiff_t fitting(const Json& schemas, const Json& value) const {
    return std::count_if(schemas.begin(), schemas.end(), [&](const Json& each) { return fits(each, value); });
  }

  std::string nothing(const Json&, const Json&, const Json&, const std::string&) const { return ""; }
  std::string type(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(is_of_type(says, value));
  }
  std::string one_word(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(value == says);
  }
  std::string words(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(std::find(says.begin(), says.end(), value) != says.end());
  }
  std::string pattern(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(!value.is_string() || matches(says, value.get<std::string>()));
  }
  std::string min_length(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(!value.is_string() || value.get<std::string>().size() >= says.get<std::size_t>());
  }
  std::string minimum(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(!value.is_number() || value.get<double>() >= says.get<double>());
  }
  std::string maximum(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(!value.is_number() || value.get<double>() <= says.get<double>());
  }
  std::string min_items(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(!value.is_array() || value.size() >= says.get<std::size_t>());
  }
  std::string max_items(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(!value.is_array() || value.size() <= says.get<std::size_t>());
  }
  std::string property_names(const Json&, const Json& says, const Json& value, const std::string&) const {
    if (!value.is_object()) return "";
    for (const auto& [key, unused] : value.items())
      if (!fits(says, Json(key))) return std::string(kHere);
    return "";
  }
  std::string min_properties(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(!value.is_object() || value.size() >= says.get<std::size_t>());
  }
  std::string max_properties(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(!value.is_object() || value.size() <= says.get<std::size_t>());
  }
  std::string required(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(!value.is_object() || std::all_of(says.begin(), says.end(), [&](const Json& key) {
      return value.contains(key.get<std::string>());
    }));
  }
  std::string items(const Json&, const Json& says, const Json& value, const std::string& place) const {
    if (!value.is_array()) return "";
    for (std::size_t i = 0; i < value.size(); ++i)
      if (const std::string found = misfit(says, value[i], place + "/" + std::to_string(i)); !found.empty())
        return found;
    return "";
  }
  std::string properties(const Json&, const Json& says, const Json& value, const std::string& place) const {
    if (!value.is_object()) return "";
    for (const auto& [key, schema] : says.items()) {
      if (!value.contains(key)) continue;
      if (const std::string found = misfit(schema, value[key], place + "/" + key); !found.empty())
        return found;
    }
    return "";
  }
  std::string pattern_properties(const Json&, const Json& says, const Json& value,
                                 const std::string& place) const {
    if (!value.is_object()) return "";
    for (const auto& [pattern, schema] : says.items()) {
      for (const auto& [key, item] : value.items()) {
        if (!matches(pattern, key)) continue;
        if (const std::string found = misfit(schema, item, place + "/" + key); !found.empty()) return found;
      }
    }
    return "";
  }
  std::string additional_properties(const Json& schema, const Json& says, const Json& value,
                                    const std::string& place) const {
    if (!value.is_object()) return "";
    const Json properties = schema.value("properties", Json::object());
    const Json patterns = schema.value("patternProperties", Json::object());
    for (const auto& [key, item] : value.items()) {
      bool is_known = properties.contains(key);
      for (const auto& [pattern, unused] : patterns.items()) is_known = is_known || matches(pattern, key);
      if (is_known) continue;
      if (const std::string found = misfit(says, item, place + "/" + key); !found.empty()) return found;
    }
    return "";
  }
  std::string all_of(const Json&, const Json& says, const Json& value, const std::string& place) const {
    for (const Json& each : says)
      if (const std::string found = misfit(each, value, place); !found.empty()) return found;
    return "";
  }
  std::string any_of(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(fitting(says, value) > 0);
  }
  std::string one_of(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(fitting(says, value) == 1);
  }
  std::string negation(const Json&, const Json& says, const Json& value, const std::string&) const {
    return here_unless(!fits(says, value));
  }
  std::string condition(const Json& schema, const Json& says, const Json& value,
                        const std::string& place) const {
    const char* const branch = fits(says, value) ? "then" : "else";
    return schema.contains(branch) ? misfit(schema[branch], value, place) : "";
  }
  std::string reference(const Json&, const Json& says, const Json& value, const std::string& place) const {
    return misfit(root_.at(Json::json_pointer(says.get<std::string>().substr(1))), value, place);
  }

  static const std::map<std::string, Rule>& rules() {
    static const std::map<std::string, Rule> all = {
        {"$schema", &Judge::nothing},
        {"$defs", &Judge::nothing},
        {"$id", &Judge::nothing},
        {"format", &Judge::nothing},
        {"title", &Judge::nothing},
        {"description", &Judge::nothing},
        {"default", &Judge::nothing},
        {"then", &Judge::nothing},
        {"else", &Judge::nothing},
        {"type", &Judge::type},
        {"const", &Judge::one_word},
        {"enum", &Judge::words},
        {"pattern", &Judge::pattern},
        {"minLength", &Judge::min_length},
        {"minimum", &Judge::minimum},
        {"maximum", &Judge::maximum},
        {"minItems", &Judge::min_items},
        {"maxItems", &Judge::max_items},
        {"propertyNames", &Judge::property_names},
        {"minProperties", &Judge::min_properties},
        {"maxProperties", &Judge::max_properties},
        {"required", &Judge::required},
        {"items", &Judge::items},
        {"properties", &Judge::properties},
        {"patternProperties", &Judge::pattern_properties},
        {"additionalProperties", &Judge::additional_properties},
        {"allOf", &Judge::all_of},
        {"anyOf", &Judge::any_of},
        {"oneOf", &Judge::one_of},
        {"not", &Judge::negation},
        {"if", &Judge::condition},
        {"$ref", &Judge::reference},
    };
    return all;
  }

  const Json& root_;
};

Json json_of(const Node& node) {
  if (const auto* text = std::get_if<std::string>(&node.value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&node.value)) return *number;
  if (const auto* number = std::get_if<double>(&node.value)) return *number;
  if (const auto* boolean = std::get_if<bool>(&node.value)) return *boolean;
  if (const auto* items = std::get_if<Node::Array>(&node.value)) {
    Json list = Json::array();
    for (const Node& item : *items) list.push_back(json_of(item));
    return list;
  }
  if (!node.table()) return nullptr;
  Json object = Json::object();
  for (const Node::Entry& entry : *node.table()) object[entry.key] = json_of(entry.node);
  return object;
}

}  // namespace

std::string misfit(std::string_view schema, std::string_view document) {
  const Json root = Json::parse(schema);
  return Judge(root).misfit(root, Json::parse(document), "");
}

std::string schema_misfit(std::string_view toml) {
  static const Json root = Json::parse(config_schema());
  Diagnostics diagnostics;
  const Node document = parse_toml(toml, diagnostics);
  if (diagnostics.has_errors()) throw std::runtime_error(diagnostics.sorted().front().message);
  return Judge(root).misfit(root, json_of(document), "");
}

}  // namespace holdshort::testing_support
