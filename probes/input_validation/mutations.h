// What is wrong with a body: data, made from the one body that is right.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdshort::input_validation {

enum class Format { json, form, multipart, other };
Format format_of(std::string_view content_type);

// The body that the endpoint accepts.
struct Declared {
  Format format = Format::json;
  std::string content_type;
  std::string body;
  std::vector<std::string> optional;  // pointers of fields that may be missing or null
  std::size_t max_body = 0;           // bytes
};

struct Mutation {
  std::string id;    // "missing_field"
  std::string what;  // for people: "without \"sku\""
  std::string body;
  std::string content_type;  // "" : none is sent
  std::string field;         // pointer of the field that it is about, "" : of none
};

// Fields beyond it are left as they are.
inline constexpr std::size_t kMaxFields = 16;
inline constexpr std::size_t kLongText = 100 * 1024;
inline constexpr std::size_t kDepth = 1000;
inline constexpr std::size_t kLongName = 4 * 1024;  // of a file

// Pointers of the fields; those of forms, in parts or not, are "/name".
std::vector<std::string> fields_of(const Declared& declared);
// The last step of a pointer, as it stands in a message of the app: "sku".
std::string name_of_field(std::string_view pointer);

// What no correct API accepts.
std::vector<Mutation> impossible(const Declared& declared);

// What some correct APIs accept, made from the whole body: for who has declared that the app refuses it.
std::vector<Mutation> doubtful(const Declared& declared);
// The same, each in a body that lacks one of `required` (fields whose absence is refused), so that it cannot
// succeed. What stays possible only with the whole body is left out.
std::vector<Mutation> doubtful_without(const Declared& declared, const std::vector<std::string>& required);
// What the standards allow or careful apps put right, as the name of a file: never asked to be refused.
bool is_lawful(std::string_view id);

}  // namespace holdshort::input_validation
