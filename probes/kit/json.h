// The few things probes want from JSON, without its library in their headers. Never throws.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdshort::json {

// Depth beyond which a document is taken for an attack and for no JSON.
inline constexpr int kMaxDepth = 64;

enum class Lookup { found, absent, not_json, ambiguous /* an object on the way repeats a key */ };
struct Found {
  Lookup lookup = Lookup::not_json;
  std::string text;  // the value as compact JSON text, where found
};
// RFC 6901 pointer into `document`. Trailing bytes, too deep nesting and invalid UTF-8 make it not_json.
Found at(std::string_view document, std::string_view pointer);
// The unquoted text of a JSON string found by at(); nullopt where it is no string.
std::optional<std::string> string_at(std::string_view document, std::string_view pointer);
// Strictly equal: 1 equals 1 and 1.0, not "1" nor true.
bool equal(std::string_view a_json, std::string_view b_json);
// "" or "/..." with "~" only as "~0" and "~1" (RFC 6901 3).
bool is_pointer(std::string_view text);
bool is_json(std::string_view document);
// "pointer" and "pointer=value" of each leaf, array indices written "*".
std::vector<std::string> leaves(std::string_view document, std::size_t max);
// `object` with "iat" = now and "exp" = now + kTokenLife where it has none; seconds since the epoch.
std::string with_times(std::string_view object, long long now);
inline constexpr int kTokenLife = 300;
// `object` where `key` says `value_json`, in its old place or at the end; what is no object stays as it is.
std::string with_member(std::string_view object, std::string_view key, std::string_view value_json);
std::string without_member(std::string_view object, std::string_view key);
std::string quote(std::string_view text);

// --- mutations: `raw` is written byte for byte and need be no JSON at all

enum class Type { null, boolean, number, string, array, object };
struct Member {
  std::string pointer;
  Type type = Type::null;
  std::string text;        // compact JSON
  bool in_object = false;  // not an element of an array
};
// What stands inside `document`, in its order, an object before its members; of an array the first element
// alone.
std::vector<Member> members(std::string_view document, std::size_t max);
// Compact, and the same but for the value at `pointer`; nullopt where there is none, and for the whole
// document.
std::optional<std::string> replaced(std::string_view document, std::string_view pointer,
                                    std::string_view raw);
std::optional<std::string> removed(std::string_view document, std::string_view pointer);
// With one more member behind the others of the object at `pointer`; `key` may be there already.
std::optional<std::string> appended(std::string_view document, std::string_view pointer, std::string_view key,
                                    std::string_view raw);

}  // namespace holdshort::json
