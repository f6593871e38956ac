#include "probes/kit/field_values.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/json.h"

namespace holdshort {
namespace {

using Value = Values::Value;

// Of a value that is shown in a message.
constexpr std::size_t kMaxShown = 32;
constexpr double kNoMaximum = 1e15;
constexpr std::size_t kMaxName = 63;

using ascii::has_control;
using ascii::is_digit;
using ascii::is_letter;
using ascii::is_made_of;
using ascii::is_token;

bool is_name(std::string_view text) {
  return text.size() <= kMaxName && is_made_of(text, [](char c) {
           return is_digit(c) || is_letter(c) || c == '_' || c == '.' || c == '-';
         });
}

bool is_path(std::string_view text) { return text.starts_with('/') && is_made_of(text, ascii::is_visible); }

// Whether a string in this place is a word of ours, which may be repeated to its writer. Others may be
// secret.
bool may_be_shown(Kind kind) {
  switch (kind) {
    case Kind::method:
    case Kind::method_list:
    case Kind::duration:
    case Kind::status_list:
    case Kind::choice:
    case Kind::choice_or_table:
    case Kind::bytes:
      return true;
    default:
      return false;
  }
}

std::string shown(Kind kind, const Node& node) {
  if (const auto* number = std::get_if<std::int64_t>(&node.value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&node.value)) return fmt::format("{}", *number);
  if (const auto* boolean = std::get_if<bool>(&node.value)) return *boolean ? "true" : "false";
  if (const auto* list = std::get_if<Node::Array>(&node.value); list && list->empty()) return "an empty list";
  if (const auto* table = node.table(); table && table->empty()) return "an empty table";
  const auto* text = std::get_if<std::string>(&node.value);
  if (!text) return std::string(node.kind());
  if (text->empty()) return "empty";
  const bool is_printable = !has_control(*text);
  return may_be_shown(kind) && is_printable && text->size() <= kMaxShown ? in_quotes(*text) : "a string";
}

std::string range(const Field& field, std::string (*text)(double)) {
  if (field.max < kNoMaximum) return fmt::format(" from {} to {}", text(field.min), text(field.max));
  return field.min > 0 ? fmt::format(" of at least {}", text(field.min)) : "";
}

std::string number_text(double number) { return fmt::format("{}", number); }

std::string duration_text(double milliseconds) {
  return Duration(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds))).text();
}

std::string expected_of_kind(const Field& field) {
  switch (field.kind) {
    case Kind::string:
      return field.min > 0 ? "a string that is not empty" : "a string";
    case Kind::name:
      return R"(1 to 63 letters, digits, "_", "." or "-")";
    case Kind::path:
      return R"(a path that begins with "/", without white space)";
    case Kind::path_list:
      return R"(a list of paths such as ["/admin"])";
    case Kind::method:
      return R"(a method such as "GET")";
    case Kind::method_list:
      return R"(a list of methods such as ["GET"])";
    case Kind::boolean:
      return "true or false";
    case Kind::integer:
      return "an integer" + range(field, number_text);
    case Kind::number:
      return "a number" + range(field, number_text);
    case Kind::duration:
      return "a duration with a unit";
    case Kind::url:
      return "a URL";
    case Kind::listen:
      return R"(an address and port such as "[::]:9090")";
    case Kind::status_list:
      return R"(a list of statuses such as [200, "2xx"])";
    case Kind::pattern:
      return "a pattern (RE2)";
    case Kind::pattern_list:
      return "a pattern (RE2) or a list of them";
    case Kind::string_list:
      return "a list of strings";
    case Kind::choice:
      return one_of({field.choices.begin(), field.choices.end()});
    case Kind::choice_or_table:
      return one_of({field.choices.begin(), field.choices.end()}) + ", or a table";
    case Kind::headers:
      return R"(a table such as { Accept = "text/html" })";
    case Kind::header_patterns:
      return R"(a table such as { Content-Type = "^text/html" })";
    case Kind::header_names:
      return R"(a list of names such as ["Server"])";
    case Kind::json_values:
      return R"(a table such as { "/status" = "ok" })";
    case Kind::marker:
      return R"(a pattern (RE2) or { json = "/pointer" })";
    case Kind::secret:
      return "a reference";
    case Kind::secret_list:
      return "a list of references";
    case Kind::bytes:
      return "a size with a unit (B, KB, MB)" + range(field, number_text);
    case Kind::claims:
      return R"(a table such as { sub = "probe" })";
    case Kind::table:
      return "a table";
    case Kind::table_list:
      return "a list of tables";
  }
  return "";
}

class ValueReader {
 public:
  ValueReader(const Field& field, const ValueContext& context)
      : field_(field), context_(context), name_(in_quotes(field.name)) {}

  std::optional<Value> read(const Node& node) {
    switch (field_.kind) {
      case Kind::string:
        return read_string(node);
      case Kind::name:
        return checked(node, is_name);
      case Kind::path:
        return checked(node, is_path);
      case Kind::path_list:
        return texts(node, is_path);
      case Kind::method:
        return read_method(node);
      case Kind::method_list:
        return read_methods(node);
      case Kind::boolean:
        return read_boolean(node);
      case Kind::integer:
        return read_integer(node);
      case Kind::number:
        return read_number(node);
      case Kind::duration:
        return read_duration(node);
      case Kind::url:
        return parsed<Url>(node, "is no URL that probes can use");
      case Kind::listen:
        return parsed<ListenAddress>(node, "is no address to listen on");
      case Kind::status_list:
        return read_statuses(node);
      case Kind::pattern:
        return as_value(read_pattern(node, name_));
      case Kind::pattern_list:
        return read_patterns(node);
      case Kind::string_list:
        return texts(node, [](std::string_view) { return true; });
      case Kind::choice:
      case Kind::choice_or_table:
        return read_choice(node);
      case Kind::headers:
        return read_headers(node);
      case Kind::header_patterns:
        return read_header_patterns(node);
      case Kind::header_names:
        return texts(node, is_token);
      case Kind::json_values:
        return read_json_values(node);
      case Kind::marker:
        return read_marker(node);
      case Kind::secret:
        return as_value(read_secret(node, name_));
      case Kind::secret_list:
        return read_secrets(node);
      case Kind::bytes:
        return read_bytes(node);
      case Kind::claims:
        return read_claims(node);
      case Kind::table:
      case Kind::table_list:
        break;  // FieldReader's own
    }
    return std::nullopt;
  }

 private:
  template <class T>
  static std::optional<Value> as_value(std::optional<T> value) {
    if (!value) return std::nullopt;
    return Value(std::move(*value));
  }

  std::nullopt_t report(const Node& node, const std::string& message) {
    context_.diagnostics.error(node.place, message);
    return std::nullopt;
  }

  // "timeout" is 5, expected a duration with a unit; write "5s"
  std::nullopt_t wrong(const Node& node, const std::string& remedy = "") {
    return report(node, fmt::format("{} is {}, expected {}{}{}", name_, shown(field_.kind, node),
                                    expected_of(field_), remedy.empty() ? "" : "; ", remedy));
  }

  std::nullopt_t wrong_item(const Node& item, std::size_t index) {
    return report(item, fmt::format("item {} of {} is {}, expected {}", index + 1, name_,
                                    shown(field_.kind, item), expected_of(field_)));
  }

  const std::string* text_of(const Node& node) const { return std::get_if<std::string>(&node.value); }

  std::optional<Value> read_string(const Node& node) {
    const std::string* text = text_of(node);
    if (!text || static_cast<double>(text->size()) < field_.min) return wrong(node);
    return Value(*text);
  }

  std::optional<Value> checked(const Node& node, bool (*is_right)(std::string_view)) {
    const std::string* text = text_of(node);
    if (!text || !is_right(*text)) return wrong(node);
    return Value(*text);
  }

  template <class T>
  std::optional<Value> parsed(const Node& node, std::string_view complaint) {
    const std::string* text = text_of(node);
    if (!text) return wrong(node);
    Result<T> result = T::parse(*text);
    if (!result) return report(node, fmt::format("{} {}: {}", name_, complaint, result.error().message));
    return Value(std::move(*result));
  }

  // A list that is not empty unless `min` is 0 for a list of strings.
  const Node::Array* list_of(const Node& node) {
    const auto* list = std::get_if<Node::Array>(&node.value);
    const bool may_be_empty = field_.kind == Kind::string_list && field_.min <= 0;
    if (list && (may_be_empty || !list->empty())) return list;
    wrong(node);
    return nullptr;
  }

  std::optional<Value> texts(const Node& node, bool (*is_right)(std::string_view)) {
    const Node::Array* list = list_of(node);
    if (!list) return std::nullopt;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string* text = text_of((*list)[i]);
      if (text && is_right(*text)) {
        texts.push_back(*text);
      } else {
        wrong_item((*list)[i], i);
      }
    }
    if (texts.size() < list->size()) return std::nullopt;
    return Value(std::move(texts));
  }

  // fly.toml writes "get" as well as "GET".
  static std::string upper_case(std::string_view text) {
    std::string upper(text);
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return upper;
  }

  std::optional<Value> read_method(const Node& node) {
    std::optional<Value> value = checked(node, is_token);
    if (value) value = upper_case(std::get<std::string>(*value));
    return value;
  }

  std::optional<Value> read_methods(const Node& node) {
    std::optional<Value> value = texts(node, is_token);
    if (!value) return std::nullopt;
    for (std::string& method : std::get<std::vector<std::string>>(*value)) method = upper_case(method);
    return value;
  }

  std::optional<Value> read_boolean(const Node& node) {
    if (const bool* boolean = std::get_if<bool>(&node.value)) return Value(*boolean);
    const std::string* text = text_of(node);
    return wrong(node, text && (*text == "true" || *text == "false") ? "write it without quotes" : "");
  }

  bool in_range(double number) const { return number >= field_.min && number <= field_.max; }

  std::optional<Value> read_integer(const Node& node) {
    const auto* number = std::get_if<std::int64_t>(&node.value);
    if (number && in_range(static_cast<double>(*number))) return Value(*number);
    const std::string* text = text_of(node);
    return wrong(node, text && is_made_of(*text, is_digit) ? "write it without quotes" : "");
  }

  std::optional<Value> read_number(const Node& node) {
    const auto* integer = std::get_if<std::int64_t>(&node.value);
    const auto* real = std::get_if<double>(&node.value);
    if (!integer && !real) return wrong(node);
    const double number = integer ? static_cast<double>(*integer) : *real;
    if (!in_range(number)) return wrong(node);  // nor is "nan" in any range
    return Value(number);
  }

  std::optional<Value> read_duration(const Node& node) {
    if (const auto* number = std::get_if<std::int64_t>(&node.value)) return wrong(node, with_units(*number));
    const std::string* text = text_of(node);
    if (!text) return wrong(node);
    const Result<Duration> duration = Duration::parse(*text);
    if (!duration) return wrong(node, duration.error().message);
    if (!in_range(static_cast<double>(duration->value().count())))
      return report(node, fmt::format("{} is {}, expected a duration{}", name_, duration->text(),
                                      range(field_, duration_text)));
    return Value(duration->value());
  }

  // A large number was meant as milliseconds, or as nanoseconds.
  static std::string with_units(std::int64_t number) {
    if (number < 0) return "";
    if (number < 1000) return fmt::format("write \"{}s\"", number);
    return fmt::format("write \"{}ms\" if milliseconds are meant", number);
  }

  std::optional<Value> read_statuses(const Node& node) {
    const Node::Array* list = std::get_if<Node::Array>(&node.value);
    if (!list && (std::holds_alternative<std::int64_t>(node.value) || text_of(node)))
      return wrong(node, fmt::format("write [{}]", shown(field_.kind, node)));
    list = list_of(node);
    if (!list) return std::nullopt;
    StatusSet statuses;
    bool all_right = true;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Node& item = (*list)[i];
      const auto* number = std::get_if<std::int64_t>(&item.value);
      const std::string* text = text_of(item);
      const Result<void> added =
          number ? statuses.add(std::to_string(*number)) : statuses.add(text ? *text : "");
      if (added) continue;
      all_right = false;
      report(item, fmt::format("item {} of {} is {}, {}", i + 1, name_, shown(field_.kind, item),
                               added.error().message));
    }
    if (!all_right) return std::nullopt;
    return Value(statuses);
  }

  // Empty is refused: it is found everywhere and so says nothing.
  std::optional<Pattern> read_pattern(const Node& node, const std::string& name) {
    const std::string* text = text_of(node);
    if (!text || text->empty())
      return report(
          node, fmt::format("{} is {}, expected {}", name, shown(field_.kind, node), expected_of(field_)));
    Result<Pattern> pattern = Pattern::compile(*text);
    if (!pattern) return report(node, fmt::format("{} is no RE2 pattern: {}", name, pattern.error().message));
    return std::move(*pattern);
  }

  std::optional<Value> read_patterns(const Node& node) {
    std::vector<Pattern> patterns;
    if (!std::holds_alternative<Node::Array>(node.value)) {
      std::optional<Pattern> pattern = read_pattern(node, name_);
      if (!pattern) return std::nullopt;
      patterns.push_back(std::move(*pattern));
      return Value(std::move(patterns));
    }
    const Node::Array* list = list_of(node);
    if (!list) return std::nullopt;
    for (std::size_t i = 0; i < list->size(); ++i) {
      std::optional<Pattern> pattern = read_pattern((*list)[i], fmt::format("item {} of {}", i + 1, name_));
      if (pattern) patterns.push_back(std::move(*pattern));
    }
    if (patterns.size() < list->size()) return std::nullopt;
    return Value(std::move(patterns));
  }

  std::optional<Value> read_choice(const Node& node) {
    const std::string* text = text_of(node);
    if (text && std::find(field_.choices.begin(), field_.choices.end(), *text) != field_.choices.end())
      return Value(*text);
    std::string hint = text ? suggestion(*text, {field_.choices.begin(), field_.choices.end()}) : "";
    if (!hint.empty()) hint.erase(0, 2);  // wrong() puts "; " before it
    return wrong(node, hint);
  }

  // The entries of a table; expectations are not empty.
  const Node::Table* table_of(const Node& node, std::size_t least) {
    const Node::Table* table = node.table();
    if (table && table->size() >= least) return table;
    wrong(node);
    return nullptr;
  }

  bool is_field_name(const Node::Entry& entry) {
    if (is_token(entry.key)) return true;
    context_.diagnostics.error(entry.place,
                               fmt::format("{} in {} is no name of a header", in_quotes(entry.key), name_));
    return false;
  }

  std::optional<Value> read_headers(const Node& node) {
    const Node::Table* table = table_of(node, 0);
    if (!table) return std::nullopt;
    std::vector<Header> headers;
    for (const Node::Entry& entry : *table) {
      const std::string* text = text_of(entry.node);
      const std::string name = fmt::format("{} in {}", in_quotes(entry.key), name_);
      if (!is_field_name(entry)) continue;
      if (!text) {
        const bool is_reference = entry.node.find("env") || entry.node.find("file");
        report(entry.node,
               fmt::format("{} is {}, expected a string{}", name, shown(field_.kind, entry.node),
                           is_reference ? "; a secret goes into an identity: as = \"NAME\"" : ""));
      } else if (text->find_first_of("\r\n") != std::string::npos) {
        report(entry.node, name + " holds CR or LF, expected one line");
      } else if (std::any_of(text->begin(), text->end(),
                             [](char c) { return ascii::is_control(c) && c != '\t'; })) {
        report(entry.node, name + " holds a control character, expected one line of text");
      } else {
        headers.push_back({entry.key, *text});
      }
    }
    if (headers.size() < table->size()) return std::nullopt;
    return Value(std::move(headers));
  }

  std::optional<Value> read_header_patterns(const Node& node) {
    const Node::Table* table = table_of(node, 1);
    if (!table) return std::nullopt;
    std::vector<std::pair<std::string, Pattern>> patterns;
    for (const Node::Entry& entry : *table) {
      if (!is_field_name(entry)) continue;
      const std::string name = fmt::format("{} in {}", in_quotes(entry.key), name_);
      const std::string* text = text_of(entry.node);
      if (!text || text->empty()) {
        report(entry.node,
               fmt::format("{} is {}, expected a pattern (RE2)", name, shown(field_.kind, entry.node)));
      } else if (std::optional<Pattern> pattern = read_pattern(entry.node, name)) {
        patterns.emplace_back(entry.key, std::move(*pattern));
      }
    }
    if (patterns.size() < table->size()) return std::nullopt;
    return Value(std::move(patterns));
  }

  // nullopt: what JSON has no word for was reported.
  std::optional<std::string> json_text(const Node& node) {
    if (const auto* text = text_of(node)) return json::quote(*text);
    if (const auto* number = std::get_if<std::int64_t>(&node.value)) return std::to_string(*number);
    if (const auto* boolean = std::get_if<bool>(&node.value)) return *boolean ? "true" : "false";
    if (const auto* number = std::get_if<double>(&node.value); number && std::isfinite(*number))
      return fmt::format("{}", *number);
    if (const auto* list = std::get_if<Node::Array>(&node.value)) return json_list(*list);
    if (const auto* table = node.table()) return json_object(*table);
    const bool is_time = std::holds_alternative<Node::Other>(node.value);
    return report(node, fmt::format("{} has {}, which JSON does not know{}", name_, shown(field_.kind, node),
                                    is_time ? "; write seconds since 1970, or a string" : ""));
  }

  std::optional<std::string> json_list(const Node::Array& list) {
    std::string json = "[";
    for (const Node& item : list) {
      const std::optional<std::string> text = json_text(item);
      if (!text) return std::nullopt;
      if (json.size() > 1) json += ',';
      json += *text;
    }
    return json + "]";
  }

  std::optional<std::string> json_object(const Node::Table& table) {
    std::string json = "{";
    for (const Node::Entry& entry : table) {
      const std::optional<std::string> text = json_text(entry.node);
      if (!text) return std::nullopt;
      if (json.size() > 1) json += ',';
      json += json::quote(entry.key) + ':' + *text;
    }
    return json + "}";
  }

  std::optional<Value> read_json_values(const Node& node) {
    const Node::Table* table = table_of(node, 1);
    if (!table) return std::nullopt;
    std::vector<JsonExpectation> expectations;
    for (const Node::Entry& entry : *table) {
      if (!json::is_pointer(entry.key)) {
        context_.diagnostics.error(
            entry.place, fmt::format("{} in {} is no JSON pointer, expected one such as \"/status\"",
                                     in_quotes(entry.key), name_));
      } else if (std::optional<std::string> text = json_text(entry.node)) {
        expectations.push_back({entry.key, std::move(*text)});
      }
    }
    if (expectations.size() < table->size()) return std::nullopt;
    return Value(std::move(expectations));
  }

  std::optional<Value> read_claims(const Node& node) {
    const Node::Table* table = table_of(node, 0);
    return table ? as_value(json_object(*table)) : std::nullopt;
  }

  // A marker that even an empty body has would tell a grant from nothing.
  std::optional<Value> read_marker(const Node& node) {
    if (node.table()) return read_pointer_marker(node);
    std::optional<Pattern> pattern = read_pattern(node, name_);
    if (!pattern) return std::nullopt;
    if (pattern->found_in(""))
      return report(node, name_ + " matches an empty body, expected what only a served caller sees");
    Marker marker;
    marker.pattern = std::move(pattern);
    return Value(std::move(marker));
  }

  std::optional<Value> read_pointer_marker(const Node& node) {
    if (!only_keys(node, {"json"}, name_)) return std::nullopt;
    const Node* pointer = node.find("json");
    if (!pointer) return wrong(node);
    const std::string* text = text_of(*pointer);
    if (!text || text->empty() || !json::is_pointer(*text))
      return report(*pointer,
                    fmt::format("\"json\" in {} is {}, expected a JSON pointer such as \"/user/id\"", name_,
                                shown(field_.kind, *pointer)));
    Marker marker;
    marker.json_pointer = *text;
    return Value(std::move(marker));
  }

  bool only_keys(const Node& node, const std::vector<std::string_view>& known, const std::string& name) {
    bool all_known = true;
    for (const Node::Entry& entry : *node.table()) {
      if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
      context_.diagnostics.error(entry.place, fmt::format("unknown key {} in {}{}", in_quotes(entry.key),
                                                          name, suggestion(entry.key, known)));
      all_known = false;
    }
    return all_known;
  }

  std::optional<SecretValue> read_secret(const Node& node, const std::string& name) {
    if (!node.table())
      return report(node, name + R"( holds a literal, expected a reference; write { env = "NAME" })");
    if (!only_keys(node, {"env", "file"}, name)) return std::nullopt;
    const Node* variable = node.find("env");
    const Node* file = node.find("file");
    if (variable && file) return report(node, name + R"( has "env" and "file", expected one of them)");
    if (variable) return read_variable(*variable, name);
    if (file) return read_secret_file(*file, name);
    return report(node, name + R"( is an empty table, expected a reference; write { env = "NAME" })");
  }

  // People put the value itself where the name belongs: it is repeated only where it looks like a name.
  static std::string variable_text(const std::string& name) {
    const bool has_lower_case =
        std::any_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    return has_lower_case ? "the variable named here" : "the variable " + in_quotes(name);
  }

  static std::string file_text(const std::string& path) {
    const bool looks_like_path = path.starts_with('/') || path.starts_with("./") || path.starts_with("../");
    return looks_like_path ? "the file " + in_quotes(path) : "the file named here";
  }

  std::optional<SecretValue> read_variable(const Node& node, const std::string& name) {
    const std::string* variable = text_of(node);
    if (!variable || !ascii::is_variable_name(*variable))
      return report(
          node,
          fmt::format("\"env\" in {} is no name of a variable, expected letters, digits and \"_\"", name));
    const SecretRef ref{SecretRef::Source::env, *variable};
    std::optional<std::string> value = context_.environment.variable(*variable);
    if (!value || value->empty())
      return missing(node, ref,
                     fmt::format("{} refers to {}, which is {}", name, variable_text(*variable),
                                 value ? "empty" : "not set"));
    return SecretValue{ref, Secret(std::move(*value)), true};
  }

  std::optional<SecretValue> read_secret_file(const Node& node, const std::string& name) {
    const std::string* path = text_of(node);
    if (!path || path->empty() || has_control(*path))
      return report(node,
                    fmt::format("\"file\" in {} is {}, expected a path", name, shown(field_.kind, node)));
    const SecretRef ref{SecretRef::Source::file, *path};
    Result<std::string> contents = context_.environment.read_file(*path, kMaxSecretBytes);
    if (!contents)
      return missing(node, ref,
                     fmt::format("{} refers to {}, which cannot be read: {}", name, file_text(*path),
                                 contents.error().message));
    strip_final_newline(*contents);
    if (contents->empty())
      return missing(node, ref, fmt::format("{} refers to {}, which is empty", name, file_text(*path)));
    return SecretValue{ref, Secret(std::move(*contents)), true};
  }

  static void strip_final_newline(std::string& text) {
    if (!text.ends_with('\n')) return;
    text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
  }

  std::optional<SecretValue> missing(const Node& node, const SecretRef& ref, const std::string& message) {
    if (context_.missing == MissingSecret::is_error) return report(node, message);
    context_.diagnostics.warning(node.place, message);
    return SecretValue{ref, Secret(), false};
  }

  std::optional<Value> read_secrets(const Node& node) {
    const Node::Array* list = list_of(node);
    if (!list) return std::nullopt;
    std::vector<SecretValue> secrets;
    for (std::size_t i = 0; i < list->size(); ++i) {
      std::optional<SecretValue> secret = read_secret((*list)[i], fmt::format("item {} of {}", i + 1, name_));
      if (secret) secrets.push_back(std::move(*secret));
    }
    if (secrets.size() < list->size()) return std::nullopt;
    return Value(std::move(secrets));
  }

  // Units are the binary ones, as nginx and Express read them.
  std::optional<Value> read_bytes(const Node& node) {
    if (const auto* number = std::get_if<std::int64_t>(&node.value))
      return wrong(node, *number >= 0 ? fmt::format("write \"{}B\"", *number) : "");
    const std::string* text = text_of(node);
    if (!text) return wrong(node);
    const std::size_t digits = std::min(text->find_first_not_of("0123456789"), text->size());
    const std::string unit = upper_case(std::string_view(*text).substr(digits));
    const std::int64_t factor = unit == "B" ? 1 : unit == "KB" ? 1024 : unit == "MB" ? 1024 * 1024 : 0;
    constexpr std::size_t kMaxDigits = 12;  // no overflow below
    if (digits == 0 || digits > kMaxDigits || factor == 0) return wrong(node);
    const std::int64_t bytes = std::stoll(text->substr(0, digits)) * factor;
    if (!in_range(static_cast<double>(bytes))) return wrong(node);
    return Value(bytes);
  }

  const Field& field_;
  const ValueContext& context_;
  const std::string name_;
};

}  // namespace

std::optional<Value> read_value(const Field& field, const Node& node, const ValueContext& context) {
  return ValueReader(field, context).read(node);
}

std::string expected_of(const Field& field) {
  return expected_of_kind(field) + (field.expected.empty() ? "" : ", " + std::string(field.expected));
}

std::string takes(const Field& field) {
  const std::string text = expected_of(field);
  if (field.kind != Kind::duration) return text;
  if (field.max < kNoMaximum)
    return text + fmt::format(", {} to {}", duration_text(field.min), duration_text(field.max));
  return field.min > 0 ? text + fmt::format(", at least {}", duration_text(field.min)) : text;
}

}  // namespace holdshort
