// A length of time as fly.toml writes it.
#pragma once

#include <chrono>
#include <compare>
#include <string>
#include <string_view>

#include "probes/kit/result.h"

namespace holdshort {

// "250ms", "15s", "10m", "1h30m". Never negative, at most a year.
class Duration {
 public:
  constexpr Duration() = default;
  constexpr explicit Duration(std::chrono::milliseconds value) : value_(value) {}
  // Fails on a bare number: fly.toml reads one as milliseconds in one table and as nanoseconds in another.
  [[nodiscard]] static Result<Duration> parse(std::string_view text);
  constexpr std::chrono::milliseconds value() const noexcept { return value_; }
  // The shortest spelling that parse() reads back: "1m30s".
  std::string text() const;
  constexpr auto operator<=>(const Duration&) const = default;

 private:
  std::chrono::milliseconds value_{};
};

}  // namespace holdshort
