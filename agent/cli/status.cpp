#include "agent/cli/status.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/cli/agent_client.h"
#include "agent/terminal.h"
#include "agent/timestamp.h"

namespace holdshort {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kReady = 0, kNotReady = 1, kNobody = 2;
constexpr std::chrono::seconds kWatchEvery{2};
constexpr std::size_t kStrip = 20;  // of the history, in runs
constexpr std::string_view kNameCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
constexpr std::string_view kClear = "\033[H\033[2J";

std::string text_at(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? printable(it->get<std::string>()) : "";
}

class StatusRenderer {
 public:
  StatusRenderer(Wall now, Colour colour) : now_(now), colour_(colour) {}

  std::string render(const Json& status) {
    const bool ready = status.at("ready").get<bool>();
    text_ = painted(ready ? kGreen : kRed, ready ? "READY" : "NOT READY");
    for (const char* key : {"app", "region", "machine"})
      if (const std::string word = text_at(status, key); !word.empty()) text_ += "  " + word;
    text_ +=
        fmt::format("  for {}, holdshort {}\n", age(text_at(status, "since")), text_at(status, "version"));
    add_override(status);
    for (const std::string_view state : {"failing", "stale", "pending", "passing"})
      for (const auto& [name, checks] : status.at("checks").items())
        if (text_at(checks.at(0), "state") == state) add(printable(name), checks.at(0));
    return std::move(text_);
  }

 private:
  static constexpr std::string_view kRed = "31", kGreen = "32", kYellow = "33", kGrey = "90";

  std::string painted(std::string_view code, std::string_view text) const {
    return colour_ == Colour::yes ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
  }

  void add_override(const Json& status) {
    const auto it = status.find("override");
    if (it == status.end() || !it->is_object()) return;
    text_ += painted(kYellow, fmt::format("BY HAND  {} until {}: {}",
                                          it->at("ready").get<bool>() ? "ready" : "not ready",
                                          text_at(*it, "until"), text_at(*it, "reason"))) +
             "\n";
  }

  void add(const std::string& name, const Json& probe) {
    const std::string state = text_at(probe, "state");
    const bool advisory = text_at(probe, "severity") == "advisory";
    text_ +=
        fmt::format("\n{}  {} ({}{})  {} for {}{}\n", painted(colour_of(state), fmt::format("{:<8}", state)),
                    name, text_at(probe, "componentType"), advisory ? ", advisory" : "", strip(probe),
                    age(text_at(probe, "since")), next(probe));
    if (const std::string output = text_at(probe, "output"); !output.empty()) line(output);
    if (state == "passing") return;
    const std::string remedy = text_at(probe, "remedy");
    labelled("do:      ", remedy);
    for (const Json& check : probe.at("observed")) {
      const std::string outcome = text_at(check, "outcome");
      if (outcome == "fail" || outcome == "inconclusive") add_check(check, outcome, remedy);
    }
    labelled("runbook: ", text_at(probe, "runbook"));
    labelled("run:     ", text_at(probe, "run_id"));
  }

  // Without its remedy where that is the probe's already.
  void add_check(const Json& check, const std::string& outcome, const std::string& said) {
    line(painted(outcome == "fail" ? kRed : kYellow, outcome == "fail" ? "x" : "?") + " " +
         text_at(check, "id"));
    labelled("  sent:     ", text_at(check, "request"));
    labelled("  expected: ", text_at(check, "expected"));
    labelled("  observed: ", text_at(check, "observed"));
    if (const std::string remedy = text_at(check, "remedy"); remedy != said) labelled("  do:       ", remedy);
    std::vector<std::string> references;
    for (const Json& reference : check.at("references"))
      references.push_back(printable(reference.get<std::string>()));
    if (!references.empty()) line("  " + painted(kGrey, fmt::format("{}", fmt::join(references, ", "))));
  }

  void line(std::string_view text) { text_ += fmt::format("          {}\n", text); }
  void labelled(std::string_view label, const std::string& value) {
    if (!value.empty()) line(std::string(label) + value);
  }

  static std::string_view colour_of(std::string_view state) {
    return state == "passing" ? kGreen : state == "failing" ? kRed : kYellow;
  }

  // The last runs, the newest at the right.
  std::string strip(const Json& probe) const {
    std::string marks;
    const Json& history = probe.at("history");
    for (std::size_t n = std::min(history.size(), kStrip); n > 0; --n) {
      const std::string outcome = text_at(history[n - 1], "outcome");
      marks += outcome == "pass" ? '.' : outcome == "fail" ? 'x' : outcome == "skipped" ? '-' : '?';
    }
    return painted(kGrey, fmt::format("[{}]", marks));
  }

  std::string age(const std::string& since) const {
    const auto time = parse_timestamp(since);
    return time ? span_text(now_ - *time) : "?";
  }

  std::string next(const Json& probe) const {
    const auto time = parse_timestamp(text_at(probe, "next_run"));
    return time ? fmt::format(", next run in {}", span_text(*time - now_)) : "";
  }

  Wall now_;
  Colour colour_;
  std::string text_;
};

Colour colour_of_terminal() {
  return isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR") ? Colour::yes : Colour::no;
}

int complain(std::string_view what) {
  fmt::print(stderr, "holdshort: {}\n", what);
  return kNobody;
}

std::string first_line(const std::string& body) { return printable(body.substr(0, body.find('\n'))); }

int show_once(const AgentAddress& agent, Watch watch) {
  const Response answer = ask_agent(agent, "GET", "/status");
  if (answer.status == 0) return complain(fmt::format("{}: {}", agent.url.text(), answer.error));
  if (answer.status != 200)
    return complain(fmt::format("{}: {}: {}", agent.url.text(), answer.text(), first_line(answer.body)));
  const auto shown = render_status_text(answer.body, std::chrono::system_clock::now(), colour_of_terminal());
  if (!shown) return complain(fmt::format("{}: what answers there is no holdshort agent", agent.url.text()));
  const bool redraw = watch == Watch::until_interrupted && isatty(STDOUT_FILENO);
  fmt::print("{}{}", redraw ? kClear : "", shown->text);
  std::fflush(stdout);
  return shown->ready ? kReady : kNotReady;
}

// Says what became of a POST.
int command(const AskOptions& options, const std::string& target, const std::string& body) {
  const auto agent = find_agent(options.url, options.config, SystemEnvironment());
  if (!agent) return complain(agent.error().message);
  if (!agent->token) return complain("a status token is needed; set HOLDSHORT_STATUS_TOKEN");
  const Response answer = ask_agent(*agent, "POST", target, body);
  if (answer.status == 0) return complain(fmt::format("{}: {}", agent->url.text(), answer.error));
  if (answer.status / 100 == 2) {
    for (std::string_view rest = answer.body; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      fmt::print("{}\n", printable(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return 0;
  }
  complain(fmt::format("{}: {}: {}", agent->url.text(), answer.text(), first_line(answer.body)));
  return 1;
}

}  // namespace

std::optional<StatusText> render_status_text(std::string_view json, Wall now, Colour colour) {
  try {
    const Json status = Json::parse(json);
    return StatusText{StatusRenderer(now, colour).render(status), status.at("ready").get<bool>()};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

int run_status(const AskOptions& options, Watch watch) {
  const auto agent = find_agent(options.url, options.config, SystemEnvironment());
  if (!agent) return complain(agent.error().message);
  while (true) {
    const int code = show_once(*agent, watch);
    if (watch == Watch::once) return code;
    std::this_thread::sleep_for(kWatchEvery);  // Ctrl-C ends it
  }
}

int run_recheck(const AskOptions& options, const std::string& probe) {
  if (probe.find_first_not_of(kNameCharacters) != std::string::npos)
    return complain("that is no probe's name");
  return command(options, probe.empty() ? "/recheck" : "/recheck?probe=" + probe, "");
}

int run_override(const AskOptions& options, const std::string& ready, const std::string& reason,
                 const std::string& ttl) {
  const Json body{{"ready", ready == "ready"}, {"reason", reason}, {"ttl", ttl}};
  return command(options, "/override", body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace holdshort
