// Durations as Go's time.ParseDuration reads them in flyctl, without what a configuration never needs: signs
// and anything finer than a millisecond.
#include "probes/kit/duration.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "probes/kit/ascii.h"

namespace holdshort {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 4> kUnits = {{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t kLongest = 366LL * 24 * 3'600'000;  // milliseconds
constexpr std::size_t kLongestText = 32;
constexpr std::string_view kUnreadable =
    "write a number and a unit (ms, s, m, h): \"250ms\", \"15s\", \"1h30m\"";

using ascii::is_digit;

std::string_view take(std::string_view& text, bool (*wanted)(char)) {
  std::size_t length = 0;
  while (length < text.size() && wanted(text[length])) ++length;
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

// Digits of a text of at most kLongestText characters, capped far above kLongest.
std::int64_t to_number(std::string_view digits) {
  std::int64_t number = 0;
  for (const char c : digits) number = std::min<std::int64_t>(number * 10 + (c - '0'), 100 * kLongest);
  return number;
}

// "1.5" of a unit; negative where it is no whole number of milliseconds.
std::int64_t in_milliseconds(std::string_view whole, std::string_view fraction, std::int64_t unit) {
  std::int64_t total = to_number(whole) > kLongest ? kLongest + 1 : to_number(whole) * unit;
  for (const char c : fraction) {
    if (c == '0' && unit % 10 != 0) continue;
    if (unit % 10 != 0) return -1;
    unit /= 10;
    total += (c - '0') * unit;
  }
  return total;
}

}  // namespace

Result<Duration> Duration::parse(std::string_view text) {
  if (text.empty() || text.size() > kLongestText) return failure(std::string(kUnreadable));
  if (std::all_of(text.begin(), text.end(), is_digit)) return failure("write \"" + std::string(text) + "s\"");
  std::int64_t total = 0;
  const Unit* next = kUnits.data();  // units come in falling order, each once
  while (!text.empty()) {
    const std::string_view whole = take(text, is_digit);
    std::string_view fraction;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      fraction = take(text, is_digit);
      if (fraction.empty()) return failure(std::string(kUnreadable));
    }
    const std::string_view name = take(text, [](char c) { return !is_digit(c) && c != '.'; });
    const Unit* const end = kUnits.data() + kUnits.size();
    while (next != end && next->name != name) ++next;
    if (whole.empty() || next == end) return failure(std::string(kUnreadable));
    const std::int64_t part = in_milliseconds(whole, fraction, next->milliseconds);
    if (part < 0) return failure("it is finer than a millisecond");
    total += part;
    if (total > kLongest) return failure("it is longer than a year");
    ++next;
  }
  return Duration(std::chrono::milliseconds(total));
}

std::string Duration::text() const {
  std::int64_t rest = value_.count();
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : kUnits) {
    if (rest >= unit.milliseconds) text += std::to_string(rest / unit.milliseconds) + std::string(unit.name);
    rest %= unit.milliseconds;
  }
  return text;
}

}  // namespace holdshort
