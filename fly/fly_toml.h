// What flyctl reads in a fly.toml, and how: the keys it knows (it drops all others without a word), its
// durations, and the limits that the platform enforces. Facts alone; agent/lint judges by them.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>

namespace holdshort::fly {

struct KnownKey;

struct KnownTable {
  std::span<const KnownKey> keys;
};

struct KnownKey {
  enum class Shape {
    value,      // a string, number, boolean or list of them
    free,       // a table of the user's own names
    table,      // [key]
    tables,     // [[key]]; flyctl takes a single [key] for a list of one
    list_only,  // [[key]]; a single [key] does not deploy
    named,      // [key.NAME]
  };
  std::string_view name;
  Shape shape = Shape::value;
  const KnownTable* table = nullptr;  // of table, tables, list_only and named
};

const KnownTable& top_level();
// Null where flyctl does not know it.
const KnownKey* find(const KnownTable& table, std::string_view name);

// As Go's time.ParseDuration reads it: "1h15m30.5s", "-3s", "0". nullopt where flyctl refuses it: "15", "1d".
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text);

// Of a service check; the platform raises or lowers what is outside.
inline constexpr std::chrono::seconds kShortestCheckDuration{1};
inline constexpr std::chrono::seconds kLongestCheckDuration{60};
// Of a check in [checks]; flyctl refuses what is outside.
inline constexpr std::chrono::seconds kShortestTopLevelInterval{2};
inline constexpr std::chrono::seconds kLongestTopLevelTimeout{60};
inline constexpr std::chrono::seconds kDefaultKillTimeout{5};
inline constexpr std::chrono::seconds kLongestKillTimeout{300};

// The process group where [processes] is missing.
inline constexpr std::string_view kDefaultGroup = "app";

}  // namespace holdshort::fly
