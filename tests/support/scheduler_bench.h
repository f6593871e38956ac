// A scheduler whose probes say what a test wants, with time that is moved by hand.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/scheduler.h"
#include "tests/support/fake_environment.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_probe.h"

namespace holdshort::testing_support {

using namespace std::chrono_literals;

// A probe whose outcome the test sets, and which may hang.
struct Control {
  Outcome outcome = Outcome::pass;
  bool hangs = false;
  std::chrono::milliseconds takes{0};
  int bursts = 0;  // requests sent at once, first of all
  std::string says;
  int runs = 0;
  std::vector<Pace> paces;
  std::vector<std::string> failed_before, run_ids;
};

inline std::map<std::string, Control>& controls() {
  static std::map<std::string, Control> all;
  return all;
}

class Scripted final : public Probe {
 public:
  explicit Scripted(std::string name) : name_(std::move(name)) {}
  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Control& control = controls()[name_];
    ++control.runs;
    control.paces.push_back(context.pace);
    control.failed_before.push_back(context.failed_before);
    control.run_ids.push_back(context.run_id);
    if (control.bursts > 0) {
      std::vector<Request> requests(static_cast<std::size_t>(control.bursts));
      co_await context.client.burst(Endpoint(), std::move(requests), Limits());
    }
    if (control.hangs) co_await context.clock.sleep_until(Monotonic::max());
    if (control.takes.count() > 0) {
      const Monotonic end = context.clock.now() + control.takes;
      co_await context.clock.sleep_until(end);
    }
    ProbeOutcome outcome;
    outcome.add(
        {.id = name_ + ".check", .outcome = control.outcome, .summary = name_ + " says so" + control.says});
    co_return outcome;
  }

 private:
  std::string name_;
};

inline std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics&) {
  return std::make_unique<Scripted>(settings.name);
}
inline const Explanation kNothing{};
inline const ProbeType kScripted{"scripted", ProbeType::Talks::nothing, {}, kNothing, make, {}};

inline ProbeConfig probe(std::string name, Severity severity = Severity::required) {
  ProbeConfig config;
  config.name = std::move(name);
  config.type = &kScripted;
  config.severity = severity;
  config.interval = 15s;
  config.timeout = 5s;
  config.startup_interval = 250ms;
  config.definition = config.name;
  config.values = std::make_shared<const Values>();
  return config;
}

inline Config config_of(std::vector<std::string> names) {
  Config config;
  for (std::string& name : names) config.probes.push_back(probe(std::move(name)));
  return config;
}

struct Bench {
  // `app` answers the probes that send HTTP; `gate_connections` is the World's.
  explicit Bench(
      Config config, ScriptedClient::Script app = [](const Sent&) { return Response{}; },
      std::function<std::optional<std::uint64_t>()> gate_connections = {})
      : client(std::move(app)) {
    scheduler = std::make_unique<Scheduler>(
        World{client, clock, environment, offload, log, board, 1, std::move(gate_connections)},
        std::move(config));
    boost::asio::co_spawn(loop, scheduler->run(), [this](std::exception_ptr) { ended = true; });
    clock.settle();
  }
  ~Bench() { controls().clear(); }
  bool ready() const { return board.load(Instant::of(clock))->ready; }
  State state(std::size_t n = 0) const { return board.load(Instant::of(clock))->probes.at(n)->state; }
  std::vector<std::string> lines_with(std::string_view event) const {
    std::vector<std::string> found;
    for (const std::string& line : lines)
      if (line.find("\"event\":\"" + std::string(event) + "\"") != std::string::npos) found.push_back(line);
    return found;
  }
  int logged(std::string_view event) const { return static_cast<int>(lines_with(event).size()); }

  boost::asio::io_context loop{1};
  ManualClock clock{loop};
  ScriptedClient client;
  FakeEnvironment environment;
  InlineOffload offload;
  StatusBoard board;
  std::vector<std::string> lines;
  Log log{LogLevel::debug, LogFormat::json, [this](std::string_view line) { lines.emplace_back(line); },
          [this] { return clock.wall_now(); }};
  std::unique_ptr<Scheduler> scheduler;
  bool ended = false;
};

}  // namespace holdshort::testing_support
