// One line an event, as JSON or text. The last exit: what passes here has no secret in it.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agent/config/config.h"
#include "probes/kit/redactor.h"

namespace holdshort {

class Log {
 public:
  using Value = std::variant<std::string, bool, std::int64_t, double, std::vector<std::string>>;
  using Attribute = std::pair<std::string_view, Value>;
  using Sink =
      std::function<void(std::string_view line)>;  // gets a whole line with its line break; must not throw
  using WallClock = std::function<Wall()>;
  enum class Paint { plain, coloured };  // of the level, as text

  // `automatic` is JSON here.
  Log(LogLevel level, LogFormat format, Sink sink, WallClock wall, Paint paint = Paint::plain);
  // To standard output, each line in one write; `automatic` is text where that is a terminal, else JSON.
  static Log to_stdout(LogLevel level, LogFormat format);
  // The same by way of `sink`.
  static Log to_stdout(LogLevel level, LogFormat format, Sink sink);

  // `event` is one of the contract's names; the message can be understood without the attributes, which only
  // JSON shows (as text: run_id, remedy and runbook alone). Any thread.
  void write(LogLevel level, std::string_view event, std::string_view message,
             std::initializer_list<Attribute> attributes = {});
  void write(LogLevel level, std::string_view event, std::string_view message,
             std::span<const Attribute> attributes);
  void set_level(LogLevel level);
  bool writes(LogLevel level) const;  // for callers whose message costs something to make
  // Values that must never be written: each is replaced by "***" wherever it stands in a line. Those shorter
  // than kShortestRedacted are left out: they would blank ordinary words.
  void set_secrets(const std::vector<Secret>& secrets);
  // `text` as it may be shown elsewhere. Any thread.
  std::string redact(std::string text) const;

  static constexpr std::size_t kShortestRedacted = Redactor::kShortest;
  static constexpr std::size_t kMaxLine =
      16 * 1024;  // bytes; a longer one is cut, as JSON so that it remains valid

 private:
  mutable std::mutex mutex_;
  LogLevel level_;
  LogFormat format_;
  Sink sink_;
  WallClock wall_;
  Paint paint_;
  Redactor redactor_;
};

}  // namespace holdshort
