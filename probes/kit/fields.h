// A table of the configuration, declared once as data. Parsing, diagnostics, `explain`, the docs page and the
// JSON Schema all read the same rows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "probes/kit/diagnostics.h"
#include "probes/kit/duration.h"
#include "probes/kit/environment.h"
#include "probes/kit/http.h"
#include "probes/kit/node.h"
#include "probes/kit/pattern.h"
#include "probes/kit/secret.h"
#include "probes/kit/status_set.h"
#include "probes/kit/url.h"

namespace holdshort {

struct Marker;

enum class Kind {
  string,
  name,         // [A-Za-z0-9_.-]{1,63}
  path,         // begins with "/", no white space, no control character
  path_list,    // not empty
  method,       // an HTTP token in upper case
  method_list,  // not empty
  boolean,
  integer,   // within [min, max]
  number,    // within [min, max]
  duration,  // within [min, max] milliseconds
  url,
  listen,
  status_list,  // [401, "403", "2xx"], not empty
  pattern,
  pattern_list,     // one pattern or a list that is not empty
  string_list,      // may be empty only where `min` is 0
  choice,           // one of `choices`
  choice_or_table,  // one of `choices`, or a table of `fields`
  headers,          // { Name = "value" }; no CR or LF
  header_patterns,  // { Name = "pattern" }
  header_names,     // ["Name"]
  json_values,      // { "/pointer" = value }
  marker,           // a pattern or { json = "/pointer" }
  secret,           // { env = "NAME" } or { file = "PATH" }
  secret_list,
  bytes,       // "1MB", "64KB", "512B"
  claims,      // a table of JSON values
  table,       // of `fields`
  table_list,  // [[...]] or [{...}], of `fields`
};

// Keys of one table of which a certain number must be written. Whoever makes something of the table reports
// it; the schema and the docs say it.
struct Alternatives {
  enum class Count { exactly_one, at_least_one, at_most_one } count = Count::exactly_one;
  std::span<const std::string_view> keys;
};

struct Field {
  std::string_view name;
  Kind kind = Kind::string;
  std::string_view fallback = {};  // the default as TOML text; empty: none
  std::string_view doc = {};       // one line
  double min = 0, max = 1e15;
  std::span<const std::string_view> choices = {};
  std::span<const Field> fields = {};
  bool required = false;
  std::string_view expected = {};  // what a message adds to what the kind expects: "below interval"
  std::span<const Alternatives> alternatives = {};  // among `fields`
};

// One leaf of { "/pointer" = value }: the value as JSON text.
struct JsonExpectation {
  std::string pointer;
  std::string value_json;
};

// What only a served caller sees: a pattern in the body, or a JSON pointer that exists in it and is not null.
struct Marker {
  std::optional<Pattern> pattern;
  std::string json_pointer;
  bool found_in(std::string_view body) const;
};

// A resolved secret and where it came from. `found` is false where `validate` only warned about a missing
// one.
struct SecretValue {
  SecretRef ref;
  Secret value;
  bool found = false;
};

// The values of one table after parsing: typed, complete with defaults, nothing left to check. A getter's
// name must be a declared field of that kind; asking for another is a bug (it throws std::logic_error).
// Optional getters return nullopt or an empty container where the key is absent and has no default.
class Values {
 public:
  bool has(std::string_view name) const;     // written in the file (or in [defaults]), not merely defaulted
  Place place(std::string_view name) const;  // of the key; of the table where it is absent
  Place table_place() const { return table_place_; }
  // False where a value was wrong, missing or perhaps misspelt: what stands in its place was not meant.
  bool complete() const { return complete_; }
  // The same text for the same values, in whatever order and spelling they were written. Of secrets it has
  // digests: not for logs.
  std::string canonical() const;
  // Adds every secret that was found, of inner tables too.
  void collect_secrets(std::vector<Secret>& secrets) const;

  const std::string& string(std::string_view name) const;  // also name, path, method, choice; "" where absent
  bool boolean(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;  // also bytes
  std::optional<std::int64_t> maybe_integer(std::string_view name) const;
  double number(std::string_view name) const;
  std::chrono::milliseconds duration(std::string_view name) const;
  std::optional<std::chrono::milliseconds> maybe_duration(std::string_view name) const;
  std::optional<Url> url(std::string_view name) const;
  ListenAddress listen(std::string_view name) const;
  const StatusSet& statuses(std::string_view name) const;
  std::optional<Pattern> pattern(std::string_view name) const;
  const std::vector<Pattern>& patterns(std::string_view name) const;
  const std::vector<std::string>& strings(
      std::string_view name) const;  // also path_list, method_list, header_names
  const std::vector<Header>& headers(std::string_view name) const;
  const std::vector<std::pair<std::string, Pattern>>& header_patterns(std::string_view name) const;
  const std::vector<JsonExpectation>& json_values(std::string_view name) const;
  std::optional<Marker> marker(std::string_view name) const;
  std::optional<SecretValue> secret(std::string_view name) const;
  const std::vector<SecretValue>& secrets(std::string_view name) const;
  const std::string& claims_json(std::string_view name) const;  // "{}" where absent
  bool is_table(std::string_view name) const;                   // of a choice_or_table
  const Values* table(std::string_view name) const;             // null where absent
  const std::vector<Values>& tables(std::string_view name) const;

  using Value = std::variant<std::monostate, std::string, bool, std::int64_t, double,
                             std::chrono::milliseconds, Url, ListenAddress, StatusSet, Pattern,
                             std::vector<Pattern>, std::vector<std::string>, std::vector<Header>,
                             std::vector<std::pair<std::string, Pattern>>, std::vector<JsonExpectation>,
                             Marker, SecretValue, std::vector<SecretValue>, std::vector<Values>>;
  struct Slot {
    Value value;
    bool written = false;
    Place place;
  };

 private:
  friend class FieldReader;
  template <class T>
  const T* get(std::string_view name) const;
  std::map<std::string, Slot, std::less<>> slots_;
  Place table_place_;
  bool complete_ = true;
};

// How references to secrets are looked up while reading.
enum class MissingSecret { is_error, is_warning };

class FieldReader {
 public:
  FieldReader(const Environment& environment, MissingSecret missing, Diagnostics& diagnostics)
      : environment_(environment), missing_(missing), diagnostics_(diagnostics) {}
  // Reads `table` by `fields` (the groups are read as one; later groups win over earlier ones of the same
  // name). `defaults`, where given, stands in for keys that `table` lacks; what is wrong in it is reported
  // when it is read as a table of its own. `title` names the table in messages: "[probes.admin_locked]". What
  // is wrong is added to the diagnostics; the result then has defaults in its place.
  Values read(const Node& table, std::string_view title, std::span<const std::span<const Field>> groups,
              const Node* defaults = nullptr);

 private:
  Values::Value read_any(const Field& field, const Node& node, std::string_view title,
                         Diagnostics& diagnostics) const;
  std::vector<Values> read_tables(const Field& field, const Node& node, std::string_view title,
                                  Diagnostics& diagnostics) const;
  Values::Value default_of(const Field& field) const;
  const Environment& environment_;
  MissingSecret missing_;
  Diagnostics& diagnostics_;
};

}  // namespace holdshort
