#include "agent/log.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/terminal.h"
#include "agent/timestamp.h"

namespace holdshort {

namespace {

using Json = nlohmann::ordered_json;

// When a JSON line is too long each of its texts is cut to so many bytes, and each list to so many texts:
// that fits.
constexpr std::size_t kCutText = 512;
constexpr std::size_t kCutList = 16;
constexpr std::string_view kCutMark = "...";
constexpr int kPatience = 1000;  // milliseconds for a reader of standard output that does not read

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "";
}

// Never inside a UTF-8 sequence.
std::string cut(std::string text, std::size_t max) {
  if (text.size() <= max) return text;
  std::size_t end = max - kCutMark.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text += kCutMark;
}

struct Line {
  Wall time;
  LogLevel level;
  std::string_view event;
  std::string message;
  std::vector<Log::Attribute> attributes;
};

void cut_texts(Line& line) {
  line.message = cut(std::move(line.message), kCutText);
  for (auto& [key, value] : line.attributes) {
    if (auto* text = std::get_if<std::string>(&value)) *text = cut(std::move(*text), kCutText);
    auto* list = std::get_if<std::vector<std::string>>(&value);
    if (!list) continue;
    if (list->size() > kCutList) list->resize(kCutList);
    for (std::string& text : *list) text = cut(std::move(text), kCutText);
  }
}

std::string as_json(const Line& line) {
  Json json{{"time", timestamp(line.time)},
            {"level", name_of(line.level)},
            {"event", line.event},
            {"message", line.message}};
  for (const auto& [key, value] : line.attributes)
    std::visit([&json, name = std::string(key)](const auto& of_its_type) { json[name] = of_its_type; },
               value);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_line(Line line) {
  std::string text = as_json(line);
  if (text.size() < Log::kMaxLine) return text;
  cut_texts(line);
  while ((text = as_json(line)).size() >= Log::kMaxLine) line.attributes.pop_back();
  return text;
}

std::string painted_name(LogLevel level, Log::Paint paint) {
  std::string name(name_of(level));
  for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
  name = fmt::format("{:<5}", name);
  if (paint == Log::Paint::plain) return name;
  constexpr int kColours[] = {90, 32, 33, 31};  // grey, green, yellow, red
  return fmt::format("\033[{}m{}\033[0m", kColours[static_cast<int>(level)], name);
}

const std::string* find(const Line& line, std::string_view key) {
  for (const auto& [name, value] : line.attributes)
    if (name == key) return std::get_if<std::string>(&value);
  return nullptr;
}

std::string text_line(const Line& line, Log::Paint paint) {
  std::string text = fmt::format("{} {}  {}  {}", timestamp(line.time).substr(11, 12),
                                 painted_name(line.level, paint), line.event, printable(line.message));
  if (const std::string* id = find(line, "run_id")) text += fmt::format(" (run {})", printable(*id));
  if (const std::string* remedy = find(line, "remedy")) text += fmt::format("; do: {}", printable(*remedy));
  if (const std::string* runbook = find(line, "runbook"))
    text += fmt::format("; see {}", printable(*runbook));
  return cut(std::move(text), Log::kMaxLine - 1);
}

void clean(Log::Value& value, const Redactor& redactor) {
  if (auto* text = std::get_if<std::string>(&value)) *text = redactor.clean(std::move(*text));
  if (auto* list = std::get_if<std::vector<std::string>>(&value))
    for (std::string& text : *list) text = redactor.clean(std::move(text));
}

// Whole, or until the reader is gone. Others may have made the pipe non-blocking: a full one is waited for.
void write_all(std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, line.data(), line.size());
    if (written > 0) line.remove_prefix(static_cast<std::size_t>(written));
    if (written >= 0 || errno == EINTR) continue;
    pollfd writable{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
    if (errno != EAGAIN || ::poll(&writable, 1, kPatience) <= 0) return;
  }
}

}  // namespace

Log::Log(LogLevel level, LogFormat format, Sink sink, WallClock wall, Paint paint)
    : level_(level), format_(format), sink_(std::move(sink)), wall_(std::move(wall)), paint_(paint) {}

Log Log::to_stdout(LogLevel level, LogFormat format) { return to_stdout(level, format, write_all); }

Log Log::to_stdout(LogLevel level, LogFormat format, Sink sink) {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  if (format == LogFormat::automatic) format = terminal ? LogFormat::text : LogFormat::json;
  const Paint paint = terminal && !std::getenv("NO_COLOR") ? Paint::coloured : Paint::plain;
  return Log(level, format, std::move(sink), std::chrono::system_clock::now, paint);
}

void Log::write(LogLevel level, std::string_view event, std::string_view message,
                std::initializer_list<Attribute> attributes) {
  write(level, event, message, std::span<const Attribute>(attributes.begin(), attributes.size()));
}

void Log::write(LogLevel level, std::string_view event, std::string_view message,
                std::span<const Attribute> attributes) {
  const std::lock_guard lock(mutex_);
  if (level < level_) return;
  Line line{
      wall_(), level, event, redactor_.clean(std::string(message)), {attributes.begin(), attributes.end()}};
  for (auto& [key, value] : line.attributes) clean(value, redactor_);
  sink_((format_ == LogFormat::text ? text_line(line, paint_) : json_line(std::move(line))) + "\n");
}

bool Log::writes(LogLevel level) const {
  const std::lock_guard lock(mutex_);
  return level >= level_;
}

void Log::set_level(LogLevel level) {
  const std::lock_guard lock(mutex_);
  level_ = level;
}

void Log::set_secrets(const std::vector<Secret>& secrets) {
  const std::lock_guard lock(mutex_);
  redactor_ = Redactor(secrets);
}

std::string Log::redact(std::string text) const {
  const std::lock_guard lock(mutex_);
  return redactor_.clean(std::move(text));
}

}  // namespace holdshort
