// How flyctl reads durations, and what the platform makes of them. A bare number is milliseconds in one
// table, seconds or nanoseconds in another.
#include <fmt/format.h>

#include "agent/lint/rules.h"
#include "fly/fly_toml.h"

namespace holdshort::lint {

namespace {

// What a bare number is counted in.
enum class Bare { milliseconds, nanoseconds, seconds };

constexpr std::string_view kFields[] = {"interval", "timeout", "grace_period"};
// A bare number below it was hardly meant in milliseconds.
constexpr std::int64_t kFewMilliseconds = 1000;
// From the signal to the end of `run` (docs/commands.md).
constexpr std::chrono::milliseconds kStopTakes{4500};

std::string in_seconds(std::int64_t count) { return fmt::format("\"{}s\"", count); }

// A number of nanoseconds, or of milliseconds, as the writer will have meant it.
std::string meant(std::int64_t count) {
  if (count < kFewMilliseconds) return in_seconds(count);
  return count % 1000 == 0 ? in_seconds(count / 1000) : fmt::format("\"{}ms\"", count);
}

class Durations {
 public:
  explicit Durations(Diagnostics& findings) : findings_(findings) {}

  // nullopt where there is none or it is wrong, which has been told.
  std::optional<std::chrono::nanoseconds> read(const Node& table, std::string_view name, Bare bare) {
    const Node::Entry* entry = entry_of(table, name);
    if (!entry) return std::nullopt;
    if (const auto* number = std::get_if<std::int64_t>(&entry->node.value))
      return bare_number(*entry, *number, bare);
    const auto* text = std::get_if<std::string>(&entry->node.value);
    if (!text || text->empty()) return std::nullopt;
    const auto length = fly::parse_go_duration(*text);
    if (!length)
      findings_.error(
          entry->node.place,
          fmt::format("{} is no duration to flyctl; write a number and a unit (ms, s, m, h): \"15s\"",
                      in_quotes(name)));
    return length;
  }

  void service_check(const Node& check, Bare bare) {
    for (const std::string_view name : kFields) {
      const auto length = read(check, name, bare);
      if (!length) continue;
      const Node::Entry& entry = *entry_of(check, name);
      if (*length > fly::kLongestCheckDuration)
        findings_.error(
            entry.place,
            fmt::format("Fly lowers {} of a service check to 1m; {}", in_quotes(name),
                        name == "grace_period"
                            ? "an app that needs longer to start is out of the routing until it is up; "
                              "write \"60s\""
                            : "write at most \"60s\""));
      if (*length < fly::kShortestCheckDuration && !(name == "grace_period" && length->count() == 0))
        findings_.error(
            entry.place,
            fmt::format("Fly raises {} of a service check to 1s; write \"1s\" or more", in_quotes(name)));
    }
  }

  void top_level_check(const Node& check) {
    const auto interval = read(check, "interval", Bare::milliseconds);
    const auto timeout = read(check, "timeout", Bare::milliseconds);
    read(check, "grace_period", Bare::milliseconds);
    if (interval && *interval < fly::kShortestTopLevelInterval)
      findings_.error(entry_of(check, "interval")->place,
                      "flyctl refuses an \"interval\" below 2s in [checks]; write \"2s\" or more");
    if (timeout && *timeout > fly::kLongestTopLevelTimeout)
      findings_.error(entry_of(check, "timeout")->place,
                      "flyctl refuses a \"timeout\" above 60s in [checks]; write \"60s\" or less");
  }

  void kill_timeout(const Node& root, const std::optional<Companion>& companion) {
    const auto length = read(root, "kill_timeout", Bare::seconds);
    if (!length) return;
    const Place place = entry_of(root, "kill_timeout")->place;
    if (*length > fly::kLongestKillTimeout)
      findings_.error(place, "\"kill_timeout\" is at most 300s on Fly; write \"5m\"");
    if (companion && *length < kStopTakes)
      findings_.warning(place,
                        "holdshort takes up to 4.5s to stop: requests under way end, then the app gets the "
                        "signal; Fly cuts that short, leave \"kill_timeout\" out or write \"5s\"");
  }

 private:
  std::optional<std::chrono::nanoseconds> bare_number(const Node::Entry& entry, std::int64_t number,
                                                      Bare bare) {
    if (number == 0) return std::chrono::nanoseconds(0);
    const std::string name = in_quotes(entry.key);
    if (bare == Bare::nanoseconds) {
      findings_.error(
          entry.node.place,
          fmt::format("flyctl reads {} without a unit as nanoseconds here; write {}", name, meant(number)));
      return std::nullopt;
    }
    if (bare == Bare::seconds) return std::chrono::seconds(number);
    if (number < kFewMilliseconds) {
      findings_.error(entry.node.place,
                      fmt::format("flyctl reads {} without a unit as milliseconds here; write {}", name,
                                  in_seconds(number)));
      return std::nullopt;
    }
    findings_.warning(
        entry.node.place,
        fmt::format("flyctl reads {} without a unit as milliseconds here, and as nanoseconds in "
                    "[[http_service.checks]]; write {}",
                    name, meant(number)));
    return std::chrono::milliseconds(number);
  }

  Diagnostics& findings_;
};

}  // namespace

void judge_durations(const Document& document, const std::optional<Companion>& companion,
                     Diagnostics& findings) {
  Durations durations(findings);
  for (const Service& service : document.services) {
    for (const Node* check : service.http_checks)
      durations.service_check(*check, service.is_http_service ? Bare::nanoseconds : Bare::milliseconds);
    for (const Node* check : service.tcp_checks) durations.service_check(*check, Bare::milliseconds);
    for (const Node* check : tables_of(*service.node, "machine_checks"))
      durations.read(*check, "kill_timeout", Bare::nanoseconds);
  }
  if (const Node* checks = document.root.find("checks"); checks && checks->table())
    for (const Node::Entry& check : *checks->table())
      if (check.node.table()) durations.top_level_check(check.node);
  if (const Node* deploy = document.root.find("deploy"); deploy && deploy->table())
    for (const char* name : {"wait_timeout", "release_command_timeout"})
      durations.read(*deploy, name, Bare::nanoseconds);
  durations.kill_timeout(document.root, companion);
}

}  // namespace holdshort::lint
