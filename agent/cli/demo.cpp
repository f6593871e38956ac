// The parts are the real ones (configuration, scheduler, probes, health endpoint); only the app's switches
// and the order of events are scripted. No line is printed before its event was seen, and every wait has a
// deadline, so that the demo is a test of the whole as well.
#include "agent/cli/demo.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "agent/cli/demo_app.h"
#include "agent/cli/narrator.h"
#include "agent/config/config.h"
#include "agent/scheduler.h"
#include "agent/status.h"
#include "agent/surface/health_server.h"
#include "agent/system_clock.h"
#include "agent/thread_offload.h"
#include "probes/remedy.h"

namespace holdshort {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kEventDeadline{
    8000};                         // for what the agent must see; on a fast machine it takes a tenth
constexpr milliseconds kPoll{10};  // how often the agent's status is looked at
constexpr milliseconds kLeastPause{
    300};  // between two steps, even where the machine is too slow for the plan
constexpr milliseconds kOpening{3000}, kStep{1400},
    kLastStep{2000};  // what a step is planned to take: 14.8 s in all
constexpr milliseconds kRequestDeadline{2000};
constexpr const char* kLoopback = "127.0.0.1";
constexpr const char* kPlaceholder = "changeme";

constexpr const char* kConfiguration = R"([app]
url = "http://127.0.0.1:{port}"

[agent]
listen = "127.0.0.1:0"        # /readyz is here
request_budget = 500          # the demo is in a hurry: default 50 a second

[defaults]
interval = "1s"               # and so is this: default 15s
timeout = "900ms"

[identities.admin]            # a caller who must be served
bearer = {{ env = "ADMIN_TOKEN" }}

[probes.alive]
type = "http"
path = "/healthz"

[probes.admin_locked]         # without the token nobody gets into /admin
type = "authentication"
path = "/admin"
as = "admin"

[probes.search_limited]       # 5 searches a minute for each client
type = "rate_limit"
path = "/search"
limit = {limit}
window = "1m"

[probes.signing_key]          # a strong secret, no placeholder
type = "secret"
env = "SIGNING_KEY"
)";

// 256 bits as hex digits.
std::string random_token() {
  std::random_device random;
  std::string token;
  for (int n = 0; n < 8; ++n) token += fmt::format("{:08x}", static_cast<std::uint32_t>(random()));
  return token;
}

// The demo's own Machine: a few variables, no files, no processes. Any thread.
class DemoEnvironment final : public Environment {
 public:
  std::optional<std::string> variable(std::string_view name) const override {
    const std::lock_guard lock(mutex_);
    const auto found = variables_.find(name);
    return found == variables_.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::string> read_file(const std::string&, std::size_t) const override {
    return failure(std::string(kNoSuchFile));
  }
  Result<std::string> read_start(const std::string&, std::size_t) const override {
    return failure(std::string(kNoSuchFile));
  }
  Result<std::vector<std::string>> list_files(const std::string&, std::size_t) const override {
    return failure(std::string(kNoSuchFile));
  }
  std::vector<Process> processes() const override { return {}; }
  Result<std::vector<std::string>> process_environment(int) const override {
    return failure("no such process");
  }
  Result<std::vector<std::uint64_t>> process_sockets(int) const override {
    return failure("no such process");
  }

  void set(const std::string& name, std::string value) {
    const std::lock_guard lock(mutex_);
    variables_[name] = std::move(value);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> variables_;
};

// The agent as `run` builds it, with a loop and thread of its own.
class Agent {
 public:
  Agent(Config config, const Environment& environment)
      : client_(make_http_client()),
        clock_(loop_.get_executor()),
        offload_(loop_.get_executor()),
        health_(HealthServer::start(config.agent.listen, board_, std::nullopt)),
        scheduler_({.client = *client_,
                    .clock = clock_,
                    .environment = environment,
                    .offload = offload_,
                    .log = log_,
                    .board = board_,
                    .seed = std::random_device{}()},
                   std::move(config)) {}
  ~Agent() {
    if (thread_.joinable()) boost::asio::post(loop_, [this] { scheduler_.stop(); });
  }
  Agent(const Agent&) = delete;

  void start() {
    boost::asio::co_spawn(loop_, scheduler_.run(), [this](std::exception_ptr) { loop_.stop(); });
    thread_ = std::jthread([this] { loop_.run(); });
  }
  const Result<std::unique_ptr<HealthServer>>& health() const { return health_; }
  std::shared_ptr<const Status> status() const { return board_.load(Instant::now()); }

 private:
  boost::asio::io_context loop_{1};
  std::unique_ptr<HttpClient> client_;
  SystemClock clock_;
  ThreadOffload offload_;
  Log log_{LogLevel::error, LogFormat::json, [](std::string_view) {},
           [] { return std::chrono::system_clock::now(); }};
  StatusBoard board_;
  Result<std::unique_ptr<HealthServer>> health_;
  Scheduler scheduler_;
  std::jthread thread_;  // joined first: ~Agent has asked the scheduler to stop
};

// Takes SIGINT and SIGTERM from the process: they end the waits of the one thread that waits here.
class Interrupts {
 public:
  // Before any thread is started: threads inherit the mask.
  Interrupts() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~Interrupts() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Interrupts(const Interrupts&) = delete;

  // True where one came by `when`.
  bool until(steady_clock::time_point when) {
    while (true) {
      const auto left = std::max(steady_clock::duration::zero(), when - steady_clock::now());
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      const timespec time{.tv_sec = seconds.count(),
                          .tv_nsec = std::chrono::nanoseconds(left - seconds).count()};
      const int signal = sigtimedwait(&signals_, nullptr, &time);
      if (signal > 0) number_ = signal;
      if (signal > 0 || left == steady_clock::duration::zero()) return signal > 0;
    }
  }
  int number() const { return number_; }  // 0: none came

 private:
  sigset_t signals_{}, before_{};
  int number_ = 0;
};

const ProbeStatus* find(const Status& status, std::string_view name) {
  for (const auto& probe : status.probes)
    if (probe->name == name) return probe.get();
  return nullptr;
}

bool passes(const Status& status, std::string_view name) {
  const ProbeStatus* probe = find(status, name);
  return probe && probe->state == State::passing;
}

// The check that a failing probe's last run failed at; null where it is not failing.
const Check* failed_check(const Status& status, std::string_view name) {
  const ProbeStatus* probe = find(status, name);
  if (!probe || probe->state != State::failing) return nullptr;
  const auto failed = std::find_if(probe->checks->begin(), probe->checks->end(),
                                   [](const Check& check) { return check.outcome == Outcome::fail; });
  return failed == probe->checks->end() ? nullptr : &*failed;
}

// Completed since the start.
std::uint64_t runs_of(const Status& status, std::string_view name) {
  const ProbeStatus* probe = find(status, name);
  return probe ? std::accumulate(std::begin(probe->runs), std::end(probe->runs), std::uint64_t{0}) : 0;
}

bool fails_at(const Status& status, std::string_view name, std::string_view check_id) {
  const Check* check = failed_check(status, name);
  return check && check->id.starts_with(check_id);
}

Style style_of(State state) {
  switch (state) {
    case State::passing:
      return Style::good;
    case State::failing:
      return Style::bad;
    case State::pending:
    case State::stale:
      return Style::unsure;
  }
  return Style::plain;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

// Each step prints what is done, waits until the agent has seen it, and says what Fly would see. A step
// returns false where the demo ends with it.
class Demo {
 public:
  Demo(DemoApp& app, Agent& agent, DemoEnvironment& environment, Interrupts& interrupts)
      : app_(app), agent_(agent), environment_(environment), interrupts_(interrupts) {}

  int play(const std::string& configuration) {
    const bool whole = opening(configuration) && nothing_listens() && app_starts() && guard_comes() &&
                       spoofable_limit_comes() && right_limit_comes() && secret_is_replaced() &&
                       traffic_flows() && deploy_breaks_the_guard();
    if (whole) closing();
    return whole ? 0 : interrupts_.number() > 0 ? 128 + interrupts_.number() : 1;
  }

 private:
  // --- the story

  bool opening(const std::string& configuration) {
    print(styled("holdshort demo", Style::strong, colour_) +
          ": an aircraft holds short of the runway until it is cleared. A\n"
          "Machine with holdshort holds short of traffic until its security controls have\n"
          "been seen to work. Here is an app, \"orders\", and the holdshort.toml beside it:\n\n");
    print_configuration(configuration);
    print(
        "\nBelow speak the app, holdshort beside it, and Fly, which asks /readyz before it\nsends users.\n");
    return rest(kOpening);
  }

  bool nothing_listens() {
    heading("The Machine boots: holdshort runs, the app does not yet");
    agent_.start();
    if (!seen("every control for the first time", [](const Status& status) {
          return !status.probes.empty() &&
                 std::all_of(status.probes.begin(), status.probes.end(),
                             [](const auto& probe) { return probe->outcome.has_value(); });
        }))
      return false;
    return fly_asks(503) && rest(kStep);
  }

  bool app_starts() {
    heading("The app starts: healthy, but not one control holds");
    if (const Result<void> started = app_.start(); !started) return give_up(started.error().message);
    app_says("listens; /admin is open, /search has no limit, SIGNING_KEY is a placeholder");
    plain_check_sees("a plain health check would send users here now");
    if (!seen("the app without its controls", [](const Status& status) {
          return passes(status, "alive") && fails_at(status, "admin_locked", "authentication.none") &&
                 fails_at(status, "search_limited", "rate_limit.limited") &&
                 fails_at(status, "signing_key", "");
        }))
      return false;
    return fly_asks(503) && rest(kStep);
  }

  bool guard_comes() {
    heading("A guard for /admin");
    app_says("asks for a token on /admin");
    app_.set(DemoApp::Guard::by_route);
    if (!seen("the guard", [](const Status& status) { return passes(status, "admin_locked"); })) return false;
    return fly_asks(503) && rest(kStep);
  }

  bool spoofable_limit_comes() {
    heading("A limit for /search, counted by a header that the client can write");
    app_says("counts searches by the first address in X-Forwarded-For");
    app_.set(DemoApp::Limiter::by_forwarded_for);
    if (!seen("that the limit can be reset",
              [](const Status& status) { return fails_at(status, "search_limited", "rate_limit.spoof."); }))
      return false;
    return fly_asks(503) && rest(kStep);
  }

  bool right_limit_comes() {
    heading("The same limit, counted by the address that Fly's proxy vouches for");
    app_says("counts searches by Fly-Client-IP");
    app_.set(DemoApp::Limiter::by_fly_client_ip);
    if (!seen("the limit", [](const Status& status) { return passes(status, "search_limited"); }))
      return false;
    return fly_asks(503) && rest(kStep);
  }

  bool secret_is_replaced() {
    heading("A real secret instead of the placeholder");
    app_says("fly secrets set SIGNING_KEY=$(openssl rand -hex 32)");
    environment_.set("SIGNING_KEY", random_token());
    if (!seen("the secret", [](const Status& status) { return status.ready; })) return false;
    say(Voice::holdshort, {{"cleared:", Style::good}, {"every control has been seen to work"}});
    return fly_asks(200) && rest(kStep);
  }

  bool traffic_flows() {
    heading("Traffic flows, and every interval the controls are verified anew");
    const Response orders = get(app_.port(), "/orders");
    say(Voice::visitor,
        {{fmt::format("GET /orders -> {}", orders.text()), orders.status == 200 ? Style::good : Style::bad}});
    if (orders.status != 200) return give_up("the app did not serve its visitor");
    const std::uint64_t looks = runs_of(*agent_.status(), "admin_locked");
    if (!seen("the guard once more",
              [&](const Status& status) { return status.ready && runs_of(status, "admin_locked") > looks; }))
      return false;
    say(Voice::holdshort, {{"looked at /admin again: it is still locked"}});
    return rest(kStep);
  }

  bool deploy_breaks_the_guard() {
    heading("A deploy breaks the guard, and the health check stays green");
    app_says("the new guard compares paths letter by letter, the router does not");
    const auto deployed = steady_clock::now();
    app_.set(DemoApp::Guard::by_text);
    plain_check_sees("a plain health check notices nothing");
    if (!seen("the broken guard",
              [](const Status& status) { return !status.ready && failed_check(status, "admin_locked"); }))
      return false;
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - deployed);
    if (!show_evidence(took) || !fly_asks(503)) return false;
    fly_says("sees a failed check; where it gates traffic, users go elsewhere", Style::plain, "");
    return rest(kLastStep);
  }

  void closing() {
    print("\n" + styled("Next, beside your own fly.toml:", Style::strong, colour_) + "\n");
    const auto line = [&](std::string_view what, std::string_view why) {
      print("  " + styled(fmt::format("{:<22}", what), Style::good, colour_) + std::string(why) + "\n");
    };
    line("write holdshort.toml", "as above; `holdshort explain` shows what can be verified");
    line("holdshort check", "every probe once: a report, and an exit status for CI");
    line("holdshort run", "on the Machine; Fly's health check asks it for /readyz");
    print("README.md has the quick start.\n");
  }

  // --- telling

  void print(const std::string& text) {
    const bool written =
        std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    closed_ = closed_ || !written;
  }

  milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - began_);
  }

  void say(Voice voice, const std::vector<Span>& spans) { print(narrate(elapsed(), voice, spans, colour_)); }
  void app_says(std::string text) { say(Voice::app, {{std::move(text)}}); }
  void fly_says(std::string what, Style style, std::string more) {
    say(Voice::fly, {{std::move(what), style}, {std::move(more)}});
  }

  void plain_check_sees(std::string what_it_means) {
    const Response health = get(app_.port(), "/healthz");
    fly_says(fmt::format("GET /healthz -> {}:", health.text()),
             health.status == 200 ? Style::good : Style::bad, std::move(what_it_means));
  }

  void heading(std::string_view text) {
    print("\n" + styled(fmt::format("{}. {}", ++step_, text), Style::strong, colour_) + "\n");
  }

  void print_configuration(const std::string& configuration) {
    std::string_view rest = configuration;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const std::size_t comment = std::min(line.find('#'), line.size());
      const std::string_view code = line.substr(0, comment);
      const Style style = code.starts_with('[') ? Style::strong : Style::plain;
      print((line.empty() ? "" : "  ") + styled(code, style, colour_) +
            styled(line.substr(comment), Style::faint, colour_) + "\n");
    }
  }

  // Each probe whose state has changed, or whose reason for not passing. Those that have seen nothing yet
  // share a line: it is one reason for all.
  void tell_changes(const Status& status) {
    std::vector<const ProbeStatus*> changed, pending;
    for (const auto& probe : status.probes) {
      const bool passing = probe->state == State::passing;
      std::string now = fmt::format("{} {}", name_of(probe->state), passing ? "" : probe->summary);
      if (std::exchange(told_[probe->name], now) == now) continue;
      (probe->state == State::pending ? pending : changed).push_back(probe.get());
    }
    std::string names;
    for (const ProbeStatus* probe : pending) names += (names.empty() ? "" : ", ") + probe->name;
    if (!pending.empty()) tell(names, *pending.front());
    for (const ProbeStatus* probe : changed) tell(probe->name, *probe);
  }

  void tell(const std::string& names, const ProbeStatus& probe) {
    const std::string state = fmt::format("{}:", name_of(probe.state));
    say(Voice::holdshort, {{names, Style::strong}, {state, style_of(probe.state)}, {probe.summary}});
  }

  bool show_evidence(milliseconds took) {
    const auto status = agent_.status();
    const ProbeStatus* probe = find(*status, "admin_locked");
    const Check* check = failed_check(*status, "admin_locked");
    if (!check) return give_up("the broken guard was seen, but not twice");
    const auto detail = [&](std::string_view label, std::string text) {
      print(narrate_detail(label, {{std::move(text)}}, colour_));
    };
    std::string references;
    for (const std::string& reference : check->references)
      references += (references.empty() ? "" : ", ") + reference;
    detail("sent", check->request);
    detail("expected", check->expected);
    detail("observed", check->observed);
    detail("since", fmt::format("{:%H:%M:%S} UTC, {:.1f}s after the deploy",
                                fmt::gmtime(std::chrono::system_clock::to_time_t(probe->since)),
                                static_cast<double>(took.count()) / 1000));
    detail("see", references);
    detail("do", std::string(remedy_for(probe->type, *check)));
    return true;
  }

  // --- seeing

  Response get(std::uint16_t port, std::string path) {
    Endpoint endpoint;
    endpoint.url.host = kLoopback;
    endpoint.url.port = port;
    Request request;
    request.target = std::move(path);
    request.headers = {{"Host", endpoint.url.authority()}, {"Connection", "close"}};
    Limits limits;
    limits.deadline = kRequestDeadline;
    Response answer;
    boost::asio::io_context loop{1};
    boost::asio::co_spawn(loop, client_->send(std::move(endpoint), std::move(request), limits),
                          [&](std::exception_ptr error, Response response) {
                            if (!error) answer = std::move(response);
                          });
    loop.run();
    return answer;
  }

  // What Fly's health check gets at this moment.
  bool fly_asks(int expected) {
    const Response response = get((*agent_.health())->port(), "/readyz");
    fly_says(fmt::format("GET /readyz -> {}", response.text()),
             response.status == 200 ? Style::good : Style::bad,
             response.body.substr(0, response.body.find('\n')));
    return response.status == expected || give_up(fmt::format("/readyz should have answered {}", expected));
  }

  // Waits until the agent's status shows it, then tells what has changed.
  bool seen(std::string_view what, const std::function<bool(const Status&)>& condition) {
    const auto deadline = steady_clock::now() + kEventDeadline;
    while (true) {
      const auto status = agent_.status();
      const bool shown = condition(*status), late = steady_clock::now() >= deadline;
      if (shown || late) tell_changes(*status);
      if (shown) return true;
      if (late)
        return give_up(
            fmt::format("the agent has not seen {} within {}s", what, kEventDeadline.count() / 1000));
      if (closed_ || interrupts_.until(steady_clock::now() + kPoll)) return false;
    }
  }

  bool give_up(std::string_view why) {
    fmt::print(stderr, "holdshort: the demo stops here: {}\n", why);
    return false;
  }

  // Time to read: until the plan goes on.
  bool rest(milliseconds planned) {
    if (closed_ || fast_) return !closed_;
    plan_ += planned;
    return !interrupts_.until(std::max(began_ + plan_, steady_clock::now() + kLeastPause));
  }

  DemoApp& app_;
  Agent& agent_;
  DemoEnvironment& environment_;
  Interrupts& interrupts_;
  const std::unique_ptr<HttpClient> client_ = make_http_client();
  const Colour colour_ = isatty(STDOUT_FILENO) && !is_set("NO_COLOR") ? Colour::yes : Colour::no;
  const bool fast_ = is_set("HOLDSHORT_DEMO_FAST");  // for tests: no time to read
  const steady_clock::time_point began_ = steady_clock::now();
  milliseconds plan_{0};
  std::map<std::string, std::string> told_;  // by probe: state and reason
  int step_ = 0;
  bool closed_ = false;  // nobody reads standard output any more
};

int cannot_start(const std::string& why) {
  fmt::print(stderr, "holdshort: the demo cannot start: {}\n", why);
  return 1;
}

}  // namespace

int run_demo() {
  Interrupts interrupts;
  const std::string admin_token = random_token();
  const auto app = DemoApp::create(admin_token);
  if (!app) return cannot_start(app.error().message);
  DemoEnvironment environment;
  environment.set("ADMIN_TOKEN", admin_token);
  environment.set("SIGNING_KEY", kPlaceholder);

  const std::string configuration =
      fmt::format(fmt::runtime(kConfiguration), fmt::arg("port", (*app)->port()),
                  fmt::arg("limit", DemoApp::kSearchLimit));
  Loaded loaded = parse_config("holdshort.toml", configuration, environment, {});
  if (!loaded.config) return cannot_start(holdshort::format(loaded.file, loaded.diagnostics.at(0)));
  Agent agent(std::move(*loaded.config), environment);
  if (!agent.health()) return cannot_start(agent.health().error().message);
  return Demo(**app, agent, environment, interrupts).play(configuration);
}

}  // namespace holdshort
