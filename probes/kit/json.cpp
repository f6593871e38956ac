// JSON as probes need it: read into a small tree that keeps what nlohmann's own would lose (repeated keys,
// the digits of every number), by its SAX parser, which does not recurse and lets us bound the depth.
#include "probes/kit/json.h"

#include <algorithm>
#include <cstdint>
#include <unordered_set>

#include <nlohmann/json.hpp>

namespace holdshort::json {
namespace {

struct Value {
  using Type = json::Type;
  Type type = Type::null;
  std::string text;          // of a string: what it says; of other scalars: as JSON
  std::string key;           // in an object
  std::vector<Value> items;  // of an array or object
};

class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Value take() { return std::move(root_); }

  bool null() override { return add({Value::Type::null, "null", {}, {}}); }
  bool boolean(bool value) override { return add({Value::Type::boolean, value ? "true" : "false", {}, {}}); }
  bool number_integer(number_integer_t value) override { return add_number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add_number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& digits) override { return add_number(digits); }
  bool string(string_t& value) override { return add({Value::Type::string, std::move(value), {}, {}}); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Value::Type::object); }
  bool start_array(std::size_t) override { return open(Value::Type::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    key_ = std::move(value);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool add_number(std::string digits) { return add({Value::Type::number, std::move(digits), {}, {}}); }

  bool add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return true;
    }
    value.key = std::move(key_);
    key_.clear();
    open_.back().items.push_back(std::move(value));
    return true;
  }

  bool open(Value::Type type) {
    if (open_.size() >= static_cast<std::size_t>(kMaxDepth)) return false;
    Value value{type, {}, std::move(key_), {}};
    key_.clear();
    open_.push_back(std::move(value));
    return true;
  }

  bool close() {
    Value value = std::move(open_.back());
    open_.pop_back();
    key_ = std::move(value.key);
    return add(std::move(value));
  }

  Value root_;
  std::vector<Value> open_;
  std::string key_;
};

std::optional<Value> parse(std::string_view document) {
  // nlohmann takes a NUL for the end of its input, and what follows would go unread.
  if (document.find('\0') != std::string_view::npos) return std::nullopt;
  try {
    TreeBuilder builder;
    const bool whole = nlohmann::json::sax_parse(document.begin(), document.end(), &builder);
    if (!whole) return std::nullopt;
    return builder.take();
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void write(const Value& value, std::string& out) {
  const bool is_object = value.type == Value::Type::object;
  switch (value.type) {
    case Value::Type::null:
    case Value::Type::boolean:
    case Value::Type::number:
      out += value.text;
      return;
    case Value::Type::string:
      out += quote(value.text);
      return;
    case Value::Type::array:
    case Value::Type::object:
      out += is_object ? '{' : '[';
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out += ',';
        if (is_object) out += quote(value.items[i].key) + ":";
        write(value.items[i], out);
      }
      out += is_object ? '}' : ']';
      return;
  }
}

std::string text_of(const Value& value) {
  std::string text;
  write(value, text);
  return text;
}

// One step of a pointer, "~1" and "~0" put back (RFC 6901 4).
std::string unescaped(std::string_view step) {
  std::string text;
  for (std::size_t i = 0; i < step.size(); ++i) {
    const bool is_escape =
        step[i] == '~' && i + 1 < step.size() && (step[i + 1] == '0' || step[i + 1] == '1');
    text += !is_escape ? step[i] : step[i + 1] == '0' ? '~' : '/';
    if (is_escape) ++i;
  }
  return text;
}

struct Step {
  Lookup lookup = Lookup::absent;
  const Value* value = nullptr;
};

Step member(const Value& object, const std::string& key) {
  Step step;
  for (const Value& item : object.items) {
    if (item.key != key) continue;
    if (step.value) return {Lookup::ambiguous, nullptr};
    step = {Lookup::found, &item};
  }
  return step;
}

// Digits without a leading zero; "-" names what is behind the last element (RFC 6901 4).
Step element(const Value& array, std::string_view index) {
  constexpr std::size_t kMaxDigits = 9;
  const bool is_index = !index.empty() && index.size() <= kMaxDigits &&
                        (index == "0" || index.front() != '0') &&
                        std::all_of(index.begin(), index.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_index) return {};
  std::size_t position = 0;
  for (const char c : index) position = position * 10 + static_cast<std::size_t>(c - '0');
  if (position >= array.items.size()) return {};
  return {Lookup::found, &array.items[position]};
}

Step walk(const Value& root, std::string_view pointer) {
  Step here{Lookup::found, &root};
  while (!pointer.empty()) {
    if (pointer.front() != '/') return {};
    pointer.remove_prefix(1);
    const std::string_view step = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(step.size());
    switch (here.value->type) {
      case Value::Type::object:
        here = member(*here.value, unescaped(step));
        break;
      case Value::Type::array:
        here = element(*here.value, step);
        break;
      default:
        here = {};
        break;
    }
    if (here.lookup != Lookup::found) return here;
  }
  return here;
}

std::string escaped(std::string_view key) {
  std::string text;
  for (const char c : key) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

// Where `pointer` leads; null where it leads nowhere, or where a key on the way is repeated.
Value* find(Value& root, std::string_view pointer) {
  return const_cast<Value*>(walk(root, pointer).value);  // `root` is not const
}

void collect_members(const Value& value, const std::string& pointer, std::size_t max,
                     std::vector<Member>& list) {
  const bool is_object = value.type == Type::object;
  const std::size_t count = is_object ? value.items.size() : std::min<std::size_t>(value.items.size(), 1);
  for (std::size_t i = 0; i < count && list.size() < max; ++i) {
    const Value& item = value.items[i];
    const std::string here = pointer + "/" + (is_object ? escaped(item.key) : "0");
    list.push_back({here, item.type, text_of(item), is_object});
    collect_members(item, here, max, list);
  }
}

// A number as its digits without zeros at either end, and how often to multiply by ten: 1, 1.0 and 10e-1 are
// alike, 9007199254740993 and 9007199254740992 are not.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
  bool operator==(const Decimal&) const = default;
};

std::int64_t exponent_of(std::string_view text) {
  constexpr std::int64_t kCap = 1'000'000'000;
  const bool negative = text.starts_with('-');
  std::int64_t exponent = 0;
  for (const char c : text)
    if (c >= '0' && c <= '9') exponent = std::min<std::int64_t>(exponent * 10 + (c - '0'), kCap);
  return negative ? -exponent : exponent;
}

Decimal decimal(std::string_view number) {
  Decimal result;
  result.negative = number.starts_with('-');
  if (result.negative) number.remove_prefix(1);
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  if (e < number.size()) result.exponent = exponent_of(number.substr(e + 1));
  bool in_fraction = false;
  for (const char c : number.substr(0, e)) {
    if (c == '.') {
      in_fraction = true;
    } else {
      result.digits += c;
      if (in_fraction) --result.exponent;
    }
  }
  result.digits.erase(0, std::min(result.digits.find_first_not_of('0'), result.digits.size()));
  while (result.digits.ends_with('0')) {
    result.digits.pop_back();
    ++result.exponent;
  }
  if (result.digits.empty()) return {};
  return result;
}

bool same(const Value& a, const Value& b);

// Whatever the order of the keys. An object that repeats a key equals none: readers differ on which one
// counts.
bool same_members(const Value& a, const Value& b) {
  if (a.items.size() != b.items.size()) return false;
  const auto by_key = [](const Value* left, const Value* right) { return left->key < right->key; };
  std::vector<const Value*> left, right;
  for (const Value& item : a.items) left.push_back(&item);
  for (const Value& item : b.items) right.push_back(&item);
  std::sort(left.begin(), left.end(), by_key);
  std::sort(right.begin(), right.end(), by_key);
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (i > 0 && left[i]->key == left[i - 1]->key) return false;
    if (left[i]->key != right[i]->key || !same(*left[i], *right[i])) return false;
  }
  return true;
}

bool same(const Value& a, const Value& b) {
  if (a.type != b.type) return false;
  switch (a.type) {
    case Value::Type::number:
      return decimal(a.text) == decimal(b.text);
    case Value::Type::object:
      return same_members(a, b);
    case Value::Type::array:
      return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same);
    default:
      return a.text == b.text;
  }
}

// Collects leaves in the document's order, each once.
class Leaves {
 public:
  explicit Leaves(std::size_t max) : max_(max) {}

  void collect(const Value& value, const std::string& pointer) {
    if (found_.size() >= max_) return;
    if (value.items.empty()) {
      add(pointer);
      add(pointer + "=" + text_of(value));
      return;
    }
    for (const Value& item : value.items)
      collect(item, pointer + "/" + (value.type == Value::Type::object ? escaped(item.key) : "*"));
  }

  std::vector<std::string> take() { return std::move(found_); }

 private:
  void add(std::string leaf) {
    if (found_.size() < max_ && seen_.insert(leaf).second) found_.push_back(std::move(leaf));
  }

  std::size_t max_;
  std::vector<std::string> found_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

Found at(std::string_view document, std::string_view pointer) {
  const std::optional<Value> root = parse(document);
  if (!root) return {Lookup::not_json, {}};
  const Step step = walk(*root, pointer);
  return {step.lookup, step.value ? text_of(*step.value) : std::string()};
}

std::optional<std::string> string_at(std::string_view document, std::string_view pointer) {
  const std::optional<Value> root = parse(document);
  if (!root) return std::nullopt;
  const Step step = walk(*root, pointer);
  if (!step.value || step.value->type != Value::Type::string) return std::nullopt;
  return step.value->text;
}

bool equal(std::string_view a_json, std::string_view b_json) {
  const std::optional<Value> a = parse(a_json);
  const std::optional<Value> b = parse(b_json);
  return a && b && same(*a, *b);
}

bool is_pointer(std::string_view text) {
  if (!text.empty() && text.front() != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  return true;
}

bool is_json(std::string_view document) { return parse(document).has_value(); }

std::vector<std::string> leaves(std::string_view document, std::size_t max) {
  Leaves leaves(max);
  if (const std::optional<Value> root = parse(document)) leaves.collect(*root, "");
  return leaves.take();
}

std::string with_times(std::string_view object, long long now) {
  std::optional<Value> root = parse(object);
  if (!root || root->type != Value::Type::object) return std::string(object);
  const auto add_missing = [&](const char* key, long long time) {
    if (member(*root, key).lookup == Lookup::absent)
      root->items.push_back({Value::Type::number, std::to_string(time), key, {}});
  };
  add_missing("iat", now);
  add_missing("exp", now + kTokenLife);
  return text_of(*root);
}

std::string with_member(std::string_view object, std::string_view key, std::string_view value_json) {
  std::optional<Value> root = parse(object), value = parse(value_json);
  if (!root || root->type != Value::Type::object || !value) return std::string(object);
  value->key = key;
  const auto old = std::find_if(root->items.begin(), root->items.end(),
                                [&](const Value& item) { return item.key == key; });
  if (old == root->items.end()) {
    root->items.push_back(std::move(*value));
  } else {
    *old = std::move(*value);
  }
  return text_of(*root);
}

std::string without_member(std::string_view object, std::string_view key) {
  std::optional<Value> root = parse(object);
  if (!root || root->type != Value::Type::object) return std::string(object);
  std::erase_if(root->items, [&](const Value& item) { return item.key == key; });
  return text_of(*root);
}

std::string quote(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<Member> members(std::string_view document, std::size_t max) {
  std::vector<Member> list;
  if (const std::optional<Value> root = parse(document)) collect_members(*root, "", max, list);
  return list;
}

std::optional<std::string> replaced(std::string_view document, std::string_view pointer,
                                    std::string_view raw) {
  std::optional<Value> root = parse(document);
  Value* const value = root && !pointer.empty() ? find(*root, pointer) : nullptr;
  if (!value) return std::nullopt;
  *value = {Type::number, std::string(raw), std::move(value->key), {}};  // a number is written as it is
  return text_of(*root);
}

std::optional<std::string> removed(std::string_view document, std::string_view pointer) {
  std::optional<Value> root = parse(document);
  Value* const value = root && !pointer.empty() ? find(*root, pointer) : nullptr;
  if (!value) return std::nullopt;
  std::vector<Value>& siblings = find(*root, pointer.substr(0, pointer.rfind('/')))->items;
  siblings.erase(siblings.begin() + (value - siblings.data()));
  return text_of(*root);
}

std::optional<std::string> appended(std::string_view document, std::string_view pointer, std::string_view key,
                                    std::string_view raw) {
  std::optional<Value> root = parse(document);
  Value* const object = root ? find(*root, pointer) : nullptr;
  if (!object || object->type != Type::object) return std::nullopt;
  object->items.push_back({Type::number, std::string(raw), std::string(key), {}});
  return text_of(*root);
}

}  // namespace holdshort::json
