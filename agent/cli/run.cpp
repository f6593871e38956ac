#include "agent/cli/run.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/cli/validate.h"
#include "agent/config/secrets.h"
#include "agent/events.h"
#include "agent/exit_deadline.h"
#include "agent/gate/descriptors.h"
#include "agent/gate/gate.h"
#include "agent/scheduler.h"
#include "agent/supervisor/supervisor.h"
#include "agent/surface/health_server.h"
#include "agent/system_clock.h"
#include "agent/thread_offload.h"
#include "agent/waiting.h"

namespace holdshort {

namespace asio = boost::asio;

namespace {

constexpr int kFailed = 1;
constexpr int kInvalid = 2;
constexpr std::chrono::seconds kTrimEvery{
    30};  // what the first, full runs took from the system is given back

constexpr std::chrono::milliseconds kCommandDeadline{1000};  // of what a POST asks for, to be in force

// Fly stops a Machine 5 s after it has signalled its main process (kill_timeout).
constexpr std::chrono::milliseconds kKilledAfter{4500};
// Of these the app gets what is left when the gate has drained, or at least so much.
constexpr std::chrono::milliseconds kLeastForTheApp{1500};
// After the last word in the log. With a lookup that hangs a stop still takes less than a second.
constexpr std::chrono::milliseconds kEndsWithin{500};
// Of a Machine that only borrows the image: for a release_command, or for a machine check.
constexpr const char* kBorrowers[] = {"RELEASE_COMMAND", "FLY_TEST_COMMAND"};

bool is_borrowed() {
  return std::any_of(std::begin(kBorrowers), std::end(kBorrowers),
                     [](const char* name) { return std::getenv(name) != nullptr; });
}

// One arena for the few threads there are: a small Machine's memory belongs to the app.
void keep_small() { mallopt(M_ARENA_MAX, 1); }

Log log_of(const Config& config, Output* output) {
  if (!output) return Log::to_stdout(config.agent.log_level, config.agent.log_format);
  return Log::to_stdout(config.agent.log_level, config.agent.log_format,
                        [output](std::string_view line) { output->line(line); });
}

GateCounts counts_of(const gate::Counters& counters) {
  GateCounts counts{.open = counters.open, .connections = counters.connections, .answers = {}};
  static_assert(std::tuple_size_v<decltype(counts.answers)> == gate::kAnswerNames.size());
  for (std::size_t n = 0; n < counts.answers.size(); ++n)
    counts.answers[n] = {gate::kAnswerNames[n], counters.of(static_cast<gate::Answer>(n))};
  return counts;
}

// The loop, the world on it, and what the signals do. The loop comes first: whatever still waits in it ends
// last.
class Agent {
 public:
  // `output`: where an app is supervised; outlives *this.
  Agent(Config config, std::string file, Output* output)
      : file_(std::move(file)),
        listen_(config.agent.listen),
        token_(token_of(config)),
        gate_config_(config.gate),
        app_url_(config.app.url),
        max_concurrency_(config.agent.max_concurrency),
        output_(output),
        log_(log_of(config, output)),
        client_(make_http_client()),
        clock_(loop_.get_executor()),
        offload_(loop_.get_executor()),
        signals_(loop_, SIGTERM, SIGINT, SIGHUP) {
    log_.set_secrets(secrets_of(config));
    probes_ = config.probes.size();
    scheduler_ = std::make_unique<Scheduler>(World{*client_, clock_, environment_, offload_, log_, board_,
                                                   std::random_device{}(), [this] { return connections(); }},
                                             std::move(config));
  }

  ~Agent() {
    if (server_) server_->set_gate({});  // the gate ends before it
  }

  // With a command: starts and supervises it, and returns its status.
  int run(const CommandLineOfApp& command) {
    board_.beat(clock_.now());
    board_.set_reload({Reload::Result::accepted, clock_.wall_now()});
    auto server = HealthServer::start(listen_, board_, token_, commands());
    if (!server) return cannot_start(server.error());
    server_ = std::move(*server);
    if (gate_config_) {
      app_descriptors_ = gate::raise_descriptor_limit();
      auto gate = Gate::start(*gate_config_, app_url_, {board_, log_, max_concurrency_, [this] { hurry(); }});
      if (!gate) return cannot_start(gate.error());
      gate_ = std::move(*gate);
      server_->set_gate([this] { return counts_of(gate_->counters()); });
    }
    log_.write(LogLevel::info, "agent.started",
               fmt::format("holdshort " HOLDSHORT_VERSION " watches {} probes of {}, answers on {}", probes_,
                           file_, listen_.text()),
               {{"version", std::string(HOLDSHORT_VERSION)}, {"config", file_}, {"listen", listen_.text()}});
    if (!token_) events::no_status_token(log_);
    if (!command.empty())
      if (const auto failed = start_app(command)) return failed->status;
    asio::co_spawn(loop_, scheduler_->run(), [this](std::exception_ptr error) {
      error_ = error;
      if (error_)
        loop_.stop();
      else
        stop(SIGTERM);
    });
    asio::co_spawn(loop_, obey(), asio::detached);
    asio::co_spawn(loop_, trim(), asio::detached);
    loop_.run();
    return report();
  }

 private:
  static std::optional<Secret> token_of(const Config& config) {
    return config.agent.status_token ? std::optional(config.agent.status_token->value) : std::nullopt;
  }

  int cannot_start(const Error& error) {
    log_.write(LogLevel::error, "agent.stopped", error.message);
    fmt::print(stderr, "holdshort: {}\n", error.message);
    return kFailed;
  }

  // That clients have opened through the gate; those that asked for `health_path` are Fly's.
  std::optional<std::uint64_t> connections() const {
    if (!gate_) return std::nullopt;
    std::uint64_t count = 0;
    for (const gate::Answer answer : {gate::Answer::relayed, gate::Answer::rejected, gate::Answer::replayed,
                                      gate::Answer::shed, gate::Answer::bad_request})
      count += gate_->counters().of(answer);
    return count;
  }

  // A request waits for a verdict. Any thread.
  void hurry() {
    asio::post(loop_, [this] { scheduler_->hurry(); });
  }

  // What a POST asks for, done on the loop; false where that does not get to it in time.
  Commands commands() {
    return {.recheck =
                [this](const std::optional<std::string>& probe) {
                  return on_loop([this, probe] { scheduler_->recheck(probe); });
                },
            .set_override =
                [this](const Override& by_hand) {
                  return on_loop([this, by_hand] { scheduler_->set_override(by_hand); });
                }};
  }

  // From another thread.
  bool on_loop(std::function<void()> work) {
    const auto done = std::make_shared<std::promise<void>>();
    std::future<void> future = done->get_future();
    asio::post(loop_, [work = std::move(work), done] {
      work();
      done->set_value();
    });
    return future.wait_for(kCommandDeadline) == std::future_status::ready;
  }

  int report() {
    if (error_) std::rethrow_exception(error_);
    if (!scheduler_->wants_exit()) {
      log_.write(LogLevel::info, "agent.stopped",
                 stopping_ || !app_ ? "stopped on request" : "the app ended");
      return app_ ? app_->status() : 0;
    }
    log_.write(LogLevel::error, "agent.stopped",
               "a required control is broken and when_failing is \"exit\": Fly restarts the Machine");
    return kFailed;
  }

  Awaitable<void> obey() {
    while (true) {
      boost::system::error_code error;
      const int signal = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      if (signal == SIGHUP) reload();
      const bool stops = signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
      if (stops && !stopping_)
        stop(signal);
      else if (supervisor_)
        supervisor_->forward(signal);
      else if (stops)  // asked again: at once
        loop_.stop();
    }
  }

  // --- the app

  std::optional<StartFailure> start_app(const CommandLineOfApp& command) {
    for (const int signal : {SIGUSR1, SIGUSR2, SIGQUIT}) signals_.add(signal);
    supervisor_ = std::make_unique<Supervisor>(loop_.get_executor(), clock_, log_, *output_);
    if (auto failed = supervisor_->start(command, app_descriptors_)) {
      log_.write(LogLevel::error, "app.exited", failed->message, {{"status", std::int64_t{failed->status}}});
      fmt::print(stderr, "holdshort: {}\n", failed->message);
      return failed;
    }
    asio::co_spawn(loop_, supervisor_->run(), [this](std::exception_ptr error, Ending ending) {
      error_ = error;
      app_ = ending;
      loop_.stop();
    });
    return std::nullopt;
  }

  // --- the end

  // The gate closes and drains, the app gets `signal`, what still runs is killed: all within kKilledAfter.
  void stop(int signal) {
    if (std::exchange(stopping_, true)) return;
    if (supervisor_) supervisor_->kill_at(clock_.now() + kKilledAfter, signal);
    scheduler_->stop();  // an app that shuts down has no verdict
    hold();
    asio::co_spawn(loop_, drain_then_end(signal), asio::detached);
  }

  Awaitable<void> drain_then_end(int signal) {
    if (gate_) co_await close_gate(clock_.now() + kKilledAfter - kLeastForTheApp);
    if (supervisor_)
      supervisor_->forward(signal);
    else
      loop_.stop();
  }

  // Returns when nothing is under way through the gate, at `latest` in any case.
  Awaitable<void> close_gate(Monotonic latest) {
    const auto drained = std::make_shared<Alarm>(loop_.get_executor(), clock_);
    gate_->shut([this, drained] { asio::post(loop_, [drained] { drained->ring(); }); });
    co_await drained->wait_until(latest);
  }

  // Not ready from now on, whatever was seen.
  void hold() {
    auto status = std::make_shared<Status>(*board_.load(Instant::of(clock_)));
    status->by_hand.reset();
    status->ready = false;
    status->valid_until = Monotonic::max();
    board_.publish(std::move(status));
  }

  Awaitable<void> trim() {
    while (true) {
      co_await clock_.sleep_until(clock_.now() + kTrimEvery);
      malloc_trim(0);
    }
  }

  // Never inside a line of the app.
  void show(const Loaded& loaded) {
    if (!output_ || !output_->takes_stderr()) return print_diagnostics(loaded);
    for (const Diagnostic& diagnostic : loaded.diagnostics)
      output_->line(holdshort::format(loaded.file, diagnostic) + "\n");
  }

  // An invalid file changes nothing.
  void reload() {
    Loaded loaded = load_config(file_, environment_, {});
    if (!loaded.config) {
      show(loaded);
      board_.set_reload({Reload::Result::rejected, board_.reload().accepted});
      const std::string first = loaded.diagnostics.empty()
                                    ? "unreadable"
                                    : holdshort::format(loaded.file, loaded.diagnostics.front());
      log_.write(LogLevel::error, "config.rejected", "the old configuration stays: " + first);
      return;
    }
    Config& config = *loaded.config;
    if (config.agent.listen.text() != listen_.text())
      log_.write(LogLevel::warn, "config.reloaded",
                 "[agent].listen changes only with a restart; still " + listen_.text());
    reload_gate(config);
    log_.set_level(config.agent.log_level);
    log_.set_secrets(secrets_of(config));
    const bool had_token = std::exchange(token_, token_of(config)).has_value();
    if (had_token && !token_) events::no_status_token(log_);
    server_->set_status_token(token_);
    const auto probes = static_cast<std::int64_t>(config.probes.size());
    scheduler_->reload(std::move(config));
    board_.set_reload({Reload::Result::accepted, clock_.wall_now()});
    log_.write(LogLevel::info, "config.reloaded", fmt::format("{}: {} probes", file_, probes),
               {{"probes", probes}});
  }

  void reload_gate(const Config& config) {
    const std::string before = gate_config_ ? gate_config_->listen.text() : "none";
    const std::string now = config.gate ? config.gate->listen.text() : "none";
    if (before != now)
      log_.write(LogLevel::warn, "config.reloaded",
                 "[gate].listen changes only with a restart; still " + before);
    if (gate_ && config.gate) gate_->reload(*config.gate, config.app.url);
  }

  asio::io_context loop_{1};
  std::string file_;
  ListenAddress listen_;
  std::optional<Secret> token_;
  std::optional<GateConfig> gate_config_;
  Url app_url_;
  int max_concurrency_;
  Output* output_;  // null: no app
  Log log_;
  std::unique_ptr<HttpClient> client_;
  SystemClock clock_;
  SystemEnvironment environment_;
  ThreadOffload offload_;
  StatusBoard board_;
  asio::signal_set signals_;
  std::unique_ptr<HealthServer> server_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Supervisor> supervisor_;  // null: no app
  std::optional<Ending> app_;               // how it ended
  std::size_t app_descriptors_ = 0;         // its soft limit; 0: ours
  bool stopping_ = false;
  std::size_t probes_ = 0;
  std::exception_ptr error_;
  std::unique_ptr<Gate> gate_;  // the first to end: it asks the scheduler, the board and the log
};

}  // namespace

int run_agent(const std::string& config, const std::vector<std::string>& command) {
  open_standard_streams();
  if (!command.empty() && is_borrowed()) {
    const StartFailure failure = exec_in_place(command);
    fmt::print(stderr, "holdshort: {}\n", failure.message);
    return failure.status;
  }
  Loaded loaded = load_config(config, SystemEnvironment(), {});
  print_diagnostics(loaded);
  if (!loaded.config) return kInvalid;
  keep_small();
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<Output> output;
  if (!command.empty()) {
    auto started = Output::start(STDOUT_FILENO, STDERR_FILENO);
    if (!started) {
      fmt::print(stderr, "holdshort: {}\n", started.error().message);
      return kFailed;
    }
    output = std::move(*started);
  }
  std::optional<ExitDeadline> deadline;
  int status = 0;
  {
    Agent agent(std::move(*loaded.config), loaded.file, output.get());
    status = agent.run(command);
    deadline.emplace(status, kEndsWithin);
  }
  output.reset();
  return status;
}

}  // namespace holdshort
