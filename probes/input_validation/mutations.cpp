#include "probes/input_validation/mutations.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "probes/input_validation/multipart.h"
#include "probes/kit/ascii.h"
#include "probes/kit/json.h"

namespace holdshort::input_validation {

namespace {

// The text of a JSON string with `raw` before its closing quote.
std::string with_tail(std::string_view json_string, std::string_view raw) {
  return std::string(json_string.substr(0, json_string.size() - 1)) + std::string(raw) + "\"";
}

std::string named(std::string_view pointer) { return "\"" + name_of_field(pointer) + "\""; }

// One is inside the other, or is it.
bool are_related(std::string_view a, std::string_view b) {
  const std::string_view shorter = a.size() < b.size() ? a : b, longer = a.size() < b.size() ? b : a;
  return longer.starts_with(shorter) && (longer.size() == shorter.size() || longer[shorter.size()] == '/');
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

// A form as it stands, name by name, nothing decoded.
struct Pair {
  std::string name, value;
};

std::vector<Pair> pairs_of(std::string_view form) {
  std::vector<Pair> pairs;
  while (!form.empty()) {
    const std::string_view pair = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(pair.size() + 1, form.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty())
      pairs.push_back(
          {std::string(pair.substr(0, equals)), std::string(pair.substr(std::min(equals + 1, pair.size())))});
  }
  return pairs;
}

std::string form_of(const std::vector<Pair>& pairs) {
  std::string form;
  for (const Pair& pair : pairs) form += (form.empty() ? "" : "&") + pair.name + "=" + pair.value;
  return form;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Collects mutations of one body.
class Catalogue {
 public:
  Catalogue(const Declared& declared, std::string body) : declared_(declared), body_(std::move(body)) {}

  void impossible() {
    if (declared_.format == Format::json) impossible_json();
    if (declared_.format == Format::form) impossible_form();
    if (declared_.format == Format::multipart) impossible_parts();
    for (const auto& [id, type] :
         {std::pair{"text_plain", "text/plain"}, {"application_xml", "application/xml"}})
      if (!ascii::lowered(declared_.content_type).starts_with(type))
        list_.push_back({id, fmt::format("called {}", type), body_, type, {}});
    list_.push_back({"too_large",
                     fmt::format("of {} bytes", declared_.max_body + 1),
                     padded(),
                     declared_.content_type,
                     {}});
  }

  // `is_open`: whether a field may be changed; the others are left as they are.
  template <class IsOpen>
  void doubtful(IsOpen is_open) {
    if (declared_.format == Format::json) doubtful_json(is_open);
    if (declared_.format == Format::form) doubtful_form(is_open);
    if (declared_.format == Format::multipart) doubtful_parts(is_open);
  }

  void doubtful_types() {
    const std::string& type = declared_.content_type;
    list_.push_back({"no_content_type", "without Content-Type", body_, {}, {}});
    list_.push_back({"odd_content_type", fmt::format("called {} ;x", type), body_, type + " ;x", {}});
    std::string capitals = type;  // parameters may be told apart by case
    for (char& c : std::span(capitals).first(std::min(type.find(';'), type.size())))
      c = ascii::is_letter(c) ? static_cast<char>(c & ~0x20) : c;
    if (capitals != type)
      list_.push_back({"upper_case_content_type", "called " + capitals, body_, capitals, {}});
    if (declared_.format == Format::json)
      list_.push_back({"other_charset", "said to be UTF-16", body_, "application/json;charset=utf-16", {}});
  }

  std::vector<Mutation> take() { return std::move(list_); }

 private:
  using Type = json::Type;

  void add(std::string id, std::string what, std::optional<std::string> body, std::string field = {}) {
    if (body)
      list_.push_back(
          {std::move(id), std::move(what), std::move(*body), declared_.content_type, std::move(field)});
  }

  bool is_optional(const std::string& field) const {
    return std::find(declared_.optional.begin(), declared_.optional.end(), field) != declared_.optional.end();
  }

  // --- JSON

  std::vector<json::Member> members() const { return json::members(body_, kMaxFields); }

  void impossible_json() {
    const bool is_structure = body_.find_first_of("{[") == body_.find_first_not_of(" \t\r\n");
    if (is_structure) add("truncated", "cut in the middle", body_.substr(0, body_.size() / 2));
    add("malformed", "that is no JSON", "{" + body_ + "}");
    for (const json::Member& member : members()) impossible_member(member);
    const auto all = members();
    const std::string first = all.empty() ? "" : all.front().pointer;
    add("deep_nesting", fmt::format("nested {} deep", kDepth),
        first.empty() ? nested(kDepth) : json::replaced(body_, first, nested(kDepth)), first);
  }

  void impossible_member(const json::Member& member) {
    const std::string& field = member.pointer;
    const std::string name = named(field);
    const auto put = [&](const char* id, std::string what, std::string_view raw) {
      add(id, std::move(what), json::replaced(body_, field, raw), field);
    };
    if (!is_optional(field) && member.type != Type::null) {
      if (member.in_object) add("missing_field", "without " + name, json::removed(body_, field), field);
      put("null_field", fmt::format("where {} is null", name), "null");
    }
    switch (member.type) {
      case Type::null:
        return;
      case Type::number:
      case Type::object:
        return put("wrong_type", fmt::format("where {} is a word", name), R"("hs")");
      case Type::boolean:
      case Type::array:
        return put("wrong_type", fmt::format("where {} is an object", name), R"({"hs":1})");
      case Type::string:
        put("wrong_type", fmt::format("where {} is an object", name), R"({"hs":1})");
        put("nul", fmt::format("where {} has a NUL", name), with_tail(member.text, "\\u0000"));
        put("long_text", fmt::format("where {} has 100 KB", name), json::quote(std::string(kLongText, 'a')));
    }
  }

  template <class IsOpen>
  void doubtful_json(IsOpen is_open) {
    add("unknown_property", "with an unknown property", json::appended(body_, "", "hs_probe", "\"x\""));
    add("proto", "with __proto__", json::appended(body_, "", "__proto__", R"({"hs":1})"));
    add("constructor", "with constructor.prototype",
        json::appended(body_, "", "constructor", R"({"prototype":{"hs":1}})"));
    bool repeated = false;
    for (const json::Member& member : members()) {
      if (!is_open(member.pointer)) continue;
      if (member.in_object && !repeated) {
        const std::string& field = member.pointer;
        add("repeated_key", fmt::format("with {} twice", named(field)),
            json::appended(body_, field.substr(0, field.rfind('/')), name_of_field(field), member.text),
            field);
        repeated = true;
      }
      doubtful_member(member);
    }
  }

  void doubtful_member(const json::Member& member) {
    const std::string& field = member.pointer;
    const std::string name = named(field);
    const auto put = [&](const char* id, std::string what, std::string_view raw) {
      add(id, std::move(what), json::replaced(body_, field, raw), field);
    };
    if (member.type == Type::number || member.type == Type::string)
      put("boolean", fmt::format("where {} is true", name), "true");
    if (member.type == Type::string)
      put("lone_surrogate", fmt::format("where {} has a lone surrogate", name),
          with_tail(member.text, "\\ud800"));
    if (member.type != Type::number) return;
    put("quoted_number", fmt::format("where {} is in quotes", name), "\"" + member.text + "\"");
    put("negative_zero", fmt::format("where {} is -0", name), "-0");
    put("huge_number", fmt::format("where {} is 1e309", name), "1e309");
    put("long_number", fmt::format("where {} has 400 digits", name), std::string(400, '9'));
  }

  // --- forms

  void impossible_form() {
    const std::vector<Pair> pairs = pairs_of(body_);
    for (std::size_t i = 0; i < pairs.size() && i < kMaxFields; ++i) {
      const std::string field = "/" + pairs[i].name, name = "\"" + pairs[i].name + "\"";
      const auto put = [&](const char* id, std::string what, std::string value) {
        std::vector<Pair> changed = pairs;
        changed[i].value = std::move(value);
        add(id, std::move(what), form_of(changed), field);
      };
      if (!is_optional(field)) {
        std::vector<Pair> fewer = pairs;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        add("missing_field", "without " + name, form_of(fewer), field);
        std::vector<Pair> nested_names = pairs;
        nested_names[i].name += "[hs]";  // an object, or another name: the field is missing either way
        add("wrong_type", fmt::format("where {} is an object", name), form_of(nested_names), field);
      }
      if (is_number(pairs[i].value)) put("wrong_type", fmt::format("where {} is a word", name), "hs");
      put("nul", fmt::format("where {} has a NUL", name), pairs[i].value + "%00");
      put("long_text", fmt::format("where {} has 100 KB", name), std::string(kLongText, 'a'));
    }
  }

  template <class IsOpen>
  void doubtful_form(IsOpen is_open) {
    const auto with = [&](std::string_view more) {
      return body_.empty() ? std::string(more) : body_ + "&" + std::string(more);
    };
    add("unknown_property", "with an unknown field", with("hs_probe=x"));
    add("proto", "with __proto__", with("__proto__[hs]=1"));
    add("bad_escape", "with a broken escape", with("hs_probe=%zz"));
    add("deep_brackets", fmt::format("with a name of {} brackets", kDepth), with([] {
          std::string name = "hs_probe";
          for (std::size_t i = 0; i < kDepth; ++i) name += "[a]";
          return name + "=1";
        }()));
    for (const Pair& pair : pairs_of(body_)) {
      if (!is_open("/" + pair.name)) continue;
      add("repeated_key", fmt::format("with \"{}\" twice", pair.name), with(pair.name + "=" + pair.value),
          "/" + pair.name);
      break;
    }
    doubtful_values(is_open);
  }

  template <class IsOpen>
  void doubtful_values(IsOpen is_open) {
    const std::vector<Pair> pairs = pairs_of(body_);
    for (std::size_t i = 0; i < pairs.size() && i < kMaxFields; ++i) {
      const std::string field = "/" + pairs[i].name, name = "\"" + pairs[i].name + "\"";
      if (!is_open(field)) continue;
      const auto put = [&](const char* id, std::string_view what, std::string value) {
        std::vector<Pair> changed = pairs;
        changed[i].value = std::move(value);
        add(id, fmt::format("where {} {}", name, what), form_of(changed), field);
      };
      if (!is_number(pairs[i].value)) {
        put("lone_surrogate", "has a lone surrogate", pairs[i].value + "%ed%a0%80");
        continue;
      }
      put("negative_zero", "is -0", "-0");
      put("huge_number", "is 1e309", "1e309");
      put("long_number", "has 400 digits", std::string(400, '9'));
    }
  }

  // --- forms in parts

  std::vector<Part> parts() const { return parts_of(body_, boundary()).value_or(std::vector<Part>{}); }
  std::string boundary() const { return boundary_of(declared_.content_type); }

  void add_parts(std::string id, std::string what, const std::vector<Part>& parts, std::string field = {}) {
    add(std::move(id), std::move(what), multipart_of(parts, boundary()), std::move(field));
  }

  void impossible_parts() {
    const std::vector<Part> all = parts();
    const auto required =
        std::find_if(all.begin(), all.end(), [&](const Part& part) { return !is_optional("/" + part.name); });
    if (required != all.end()) {
      // In the head of a part that is needed: what comes before is whole, and the part is not there.
      const std::vector<Part> before(all.begin(), required);
      std::string cut = before.empty() ? "" : multipart_of(before, boundary());
      if (!cut.empty()) cut.resize(cut.size() - std::string_view("--\r\n").size());
      cut += fmt::format("{}\r\nContent-Disposition: form-da", before.empty() ? "--" + boundary() : "");
      add("truncated", "cut in the middle", std::move(cut));
      const std::string type = declared_.content_type.substr(0, declared_.content_type.find(';'));
      list_.push_back({"no_boundary", "whose type names no boundary", body_, type, {}});
      list_.push_back({"other_boundary",
                       "with another boundary than its type names",
                       body_,
                       type + "; boundary=holdshort-" + boundary().substr(0, 8),
                       {}});
    }
    for (std::size_t i = 0; i < all.size() && i < kMaxFields; ++i) impossible_part(all, i);
  }

  void impossible_part(const std::vector<Part>& all, std::size_t i) {
    const std::string field = "/" + all[i].name, name = "\"" + all[i].name + "\"";
    if (!is_optional(field)) {
      std::vector<Part> fewer = all;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      add_parts("missing_field", "without " + name, fewer, field);
    }
    if (all[i].is_file()) return;
    const auto put = [&](const char* id, std::string_view what, std::string content) {
      std::vector<Part> changed = all;
      changed[i].content = std::move(content);
      add_parts(id, fmt::format("where {} {}", name, what), changed, field);
    };
    if (is_number(all[i].content)) put("wrong_type", "is a word", "hs");
    put("nul", "has a NUL", all[i].content + '\0');
    put("long_text", "has 100 KB", std::string(kLongText, 'a'));
  }

  template <class IsOpen>
  void doubtful_parts(IsOpen is_open) {
    const std::vector<Part> all = parts();
    const auto with = [&](const char* id, const char* what, Part part) {
      std::vector<Part> more = all;
      more.push_back(std::move(part));
      add_parts(id, what, more);
    };
    with("unknown_property", "with an unknown part", {"hs_probe", {}, {}, "x"});
    with("proto", "with __proto__", {"__proto__", {}, {}, "x"});
    with("unknown_file", "with a file that nobody asked for", {"hs_probe", "hs.txt", {}, "x"});
    with("unknown_charset", "with a part of another charset",
         {"hs_probe", {}, "Content-Type: text/plain; charset=utf-7\r\n", "x"});
    bool repeated = false;
    for (std::size_t i = 0; i < all.size() && i < kMaxFields; ++i) {
      if (!is_open("/" + all[i].name)) continue;
      if (!repeated) {
        std::vector<Part> twice = all;
        twice.push_back(all[i]);
        add_parts("repeated_key", fmt::format("with \"{}\" twice", all[i].name), twice, "/" + all[i].name);
        repeated = true;
      }
      doubtful_part(all, i);
    }
  }

  void doubtful_part(const std::vector<Part>& all, std::size_t i) {
    const auto put = [&](const char* id, std::string_view what, auto change) {
      std::vector<Part> changed = all;
      change(changed[i]);
      add_parts(id, fmt::format("where \"{}\" {}", all[i].name, what), changed, "/" + all[i].name);
    };
    if (!all[i].is_file()) {
      put("text_as_file", "is a file", [](Part& part) { part.filename = "hs.txt"; });
      put("lone_surrogate", "has a lone surrogate", [](Part& part) { part.content += "\xed\xa0\x80"; });
      return;
    }
    const std::string& name = *all[i].filename;
    const std::string ending = name.find('.') == std::string::npos ? "" : name.substr(name.rfind('.'));
    put("file_as_text", "is a text", [](Part& part) { part.filename.reset(); });
    put("empty_file", "is an empty file", [](Part& part) { part.content.clear(); });
    put("wrong_part_type", "is a script", [](Part& part) {
      part.headers = "Content-Type: application/x-sh\r\n";
      part.content = "#!/bin/sh\n";
    });
    const auto called = [&](const char* id, std::string_view what, std::string filename) {
      put(id, what, [&](Part& part) { part.filename = std::move(filename); });
    };
    called("filename_path", "has a path for a name", "../../hs" + ending);
    called("filename_nul", "has a name with a NUL", std::string("hs.txt\0", 7) + ending);
    called("filename_long", "has a name of 4 KB", std::string(kLongName, 'a') + ending);
    called("filename_empty", "has no name", "");
  }

  // One byte more than allowed, of what every parser skips: nothing but its size is wrong with it. In JSON
  // behind the first character, because some readers stop where the value ends.
  std::string padded() const {
    const std::size_t missing = declared_.max_body + 1 - std::min(body_.size(), declared_.max_body);
    if (declared_.format == Format::form) return body_ + std::string(missing, '&');
    if (declared_.format == Format::multipart) return padded_part(missing);
    std::string body = body_;
    const std::size_t start = body.find_first_of("{[");
    const bool is_structure = declared_.format == Format::json &&
                              start == body.find_first_not_of(" \t\r\n") && start != std::string::npos;
    return is_structure ? body.insert(start + 1, missing, ' ') : body.append(missing, ' ');
  }

  // In a file where there is one: the upload that is too large.
  std::string padded_part(std::size_t missing) const {
    std::vector<Part> all = parts();
    if (all.empty()) return body_ + std::string(missing, ' ');
    const auto file = std::find_if(all.begin(), all.end(), [](const Part& part) { return part.is_file(); });
    (file == all.end() ? all.back() : *file).content.append(missing, ' ');
    return multipart_of(all, boundary());
  }

  const Declared& declared_;
  const std::string body_;
  std::vector<Mutation> list_;
};

std::optional<std::string> without(const Declared& declared, const std::string& field) {
  if (declared.format == Format::json) return json::removed(declared.body, field);
  if (declared.format == Format::multipart) {
    const std::string boundary = boundary_of(declared.content_type);
    std::vector<Part> parts = parts_of(declared.body, boundary).value_or(std::vector<Part>{});
    std::erase_if(parts, [&](const Part& part) { return "/" + part.name == field; });
    return multipart_of(parts, boundary);
  }
  std::vector<Pair> pairs = pairs_of(declared.body);
  std::erase_if(pairs, [&](const Pair& pair) { return "/" + pair.name == field; });
  return form_of(pairs);
}

}  // namespace

Format format_of(std::string_view content_type) {
  const std::string type = ascii::lowered(content_type.substr(0, content_type.find(';')));
  if (type.find("json") != std::string::npos) return Format::json;
  if (type.find("multipart/form-data") != std::string::npos) return Format::multipart;
  return type.find("x-www-form-urlencoded") != std::string::npos ? Format::form : Format::other;
}

std::vector<std::string> fields_of(const Declared& declared) {
  std::vector<std::string> fields;
  if (declared.format == Format::json)
    for (const json::Member& member : json::members(declared.body, declared.body.size()))
      fields.push_back(member.pointer);
  if (declared.format == Format::form)
    for (const Pair& pair : pairs_of(declared.body)) fields.push_back("/" + pair.name);
  if (declared.format == Format::multipart)
    for (const Part& part :
         parts_of(declared.body, boundary_of(declared.content_type)).value_or(std::vector<Part>{}))
      fields.push_back("/" + part.name);
  return fields;
}

std::string name_of_field(std::string_view pointer) {
  std::string name;
  const std::string_view step = pointer.substr(pointer.rfind('/') + 1);
  for (std::size_t i = 0; i < step.size(); ++i) {
    const bool is_escape = step[i] == '~' && i + 1 < step.size();
    name += is_escape ? (step[++i] == '1' ? '/' : '~') : step[i];
  }
  return name;
}

std::vector<Mutation> impossible(const Declared& declared) {
  Catalogue catalogue(declared, declared.body);
  catalogue.impossible();
  return catalogue.take();
}

std::vector<Mutation> doubtful(const Declared& declared) {
  Catalogue catalogue(declared, declared.body);
  catalogue.doubtful([](const std::string&) { return true; });
  catalogue.doubtful_types();
  std::vector<Mutation> list = catalogue.take();
  std::erase_if(list, [](const Mutation& mutation) { return is_lawful(mutation.id); });
  return list;
}

// Most validators ask for the fields in the order in which people write them: where the last one is missing,
// the change is looked at first. A change of the last one itself takes the one before.
std::vector<Mutation> doubtful_without(const Declared& declared, const std::vector<std::string>& required) {
  std::vector<Mutation> list;
  if (required.empty()) return list;
  const std::string& last = required.back();
  const auto add = [&](const std::string& left_out, auto is_open, bool fields_alone) {
    std::optional<std::string> body = without(declared, left_out);
    if (!body) return;
    Catalogue catalogue(declared, std::move(*body));
    catalogue.doubtful(is_open);
    if (!fields_alone) catalogue.doubtful_types();
    for (Mutation& mutation : catalogue.take()) {
      if (fields_alone && (mutation.field.empty() || mutation.id == "repeated_key")) continue;
      mutation.what += fmt::format(", without \"{}\"", name_of_field(left_out));
      list.push_back(std::move(mutation));
    }
  };
  add(
      last, [](const std::string&) { return true; }, false);
  const auto other = std::find_if(required.rbegin(), required.rend(),
                                  [&](const std::string& field) { return !are_related(field, last); });
  if (other != required.rend())
    add(
        *other, [&](const std::string& field) { return are_related(field, last); }, true);
  return list;
}

bool is_lawful(std::string_view id) {
  return id == "upper_case_content_type" || id == "other_charset" || id.starts_with("filename_");
}

}  // namespace holdshort::input_validation
