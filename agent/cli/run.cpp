#include "agent/cli/run.h"

#include <malloc.h>

#include <csignal>
#include <exception>
#include <memory>
#include <random>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/cli/validate.h"
#include "agent/scheduler.h"
#include "agent/surface/health_server.h"
#include "agent/system_clock.h"
#include "agent/thread_offload.h"

namespace holdshort {

namespace asio = boost::asio;

namespace {

constexpr int kFailed = 1;
constexpr int kInvalid = 2;
constexpr std::chrono::seconds kTrimEvery{
    30};  // what the first, full runs took from the system is given back

// One arena for the few threads there are: a small Machine's memory belongs to the app.
void keep_small() { mallopt(M_ARENA_MAX, 1); }

void add(const BearerIdentity& identity, std::vector<Secret>& secrets) { secrets.push_back(identity.token); }
void add(const BasicIdentity& identity, std::vector<Secret>& secrets) {
  secrets.push_back(identity.password);
}
void add(const ApiKeyIdentity& identity, std::vector<Secret>& secrets) { secrets.push_back(identity.value); }
void add(const CookieIdentity& identity, std::vector<Secret>& secrets) { secrets.push_back(identity.value); }
void add(const JwtIdentity& identity, std::vector<Secret>& secrets) { secrets.push_back(identity.secret); }
void add(const LoginIdentity& identity, std::vector<Secret>& secrets) { secrets.push_back(identity.body); }

// What no line of the log may hold.
std::vector<Secret> secrets_of(const Config& config) {
  std::vector<Secret> secrets;
  if (config.agent.status_token) secrets.push_back(config.agent.status_token->value);
  for (const auto& [name, identity] : config.identities)
    std::visit([&](const auto& kind) { add(kind, secrets); }, identity);
  for (const ProbeConfig& probe : config.probes) {
    const std::vector<Secret> declared = probe.values->all_secrets();
    secrets.insert(secrets.end(), declared.begin(), declared.end());
  }
  return secrets;
}

// The loop, the world on it, and what the signals do. The loop comes first: whatever still waits in it ends
// last.
class Agent {
 public:
  Agent(Config config, std::string file)
      : file_(std::move(file)),
        listen_(config.agent.listen),
        token_(token_of(config)),
        log_(Log::to_stdout(config.agent.log_level, config.agent.log_format)),
        client_(make_http_client()),
        clock_(loop_.get_executor()),
        offload_(loop_.get_executor()),
        signals_(loop_, SIGTERM, SIGINT, SIGHUP) {
    log_.set_secrets(secrets_of(config));
    probes_ = config.probes.size();
    scheduler_ = std::make_unique<Scheduler>(
        World{*client_, clock_, environment_, offload_, log_, board_, std::random_device{}()},
        std::move(config));
  }

  int run() {
    board_.beat(clock_.now());
    auto server = HealthServer::start(listen_, board_, token_);
    if (!server) {
      log_.write(LogLevel::error, "agent.stopped", server.error().message);
      fmt::print(stderr, "holdshort: {}\n", server.error().message);
      return kFailed;
    }
    server_ = std::move(*server);
    log_.write(LogLevel::info, "agent.started",
               fmt::format("holdshort " HOLDSHORT_VERSION " watches {} probes of {}, answers on {}", probes_,
                           file_, listen_.text()),
               {{"version", std::string(HOLDSHORT_VERSION)}, {"config", file_}, {"listen", listen_.text()}});
    asio::co_spawn(loop_, scheduler_->run(), [this](std::exception_ptr error) {
      error_ = error;
      loop_.stop();
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

  int report() {
    if (error_) std::rethrow_exception(error_);
    if (!scheduler_->wants_exit()) {
      log_.write(LogLevel::info, "agent.stopped", "stopped on request");
      return 0;
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
      if (signal != SIGHUP) {
        scheduler_->stop();
        co_return;
      }
      reload();
    }
  }

  Awaitable<void> trim() {
    while (true) {
      co_await clock_.sleep_until(clock_.now() + kTrimEvery);
      malloc_trim(0);
    }
  }

  // An invalid file changes nothing.
  void reload() {
    Loaded loaded = load_config(file_, environment_, {});
    if (!loaded.config) {
      print_diagnostics(loaded);
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
    log_.set_level(config.agent.log_level);
    log_.set_secrets(secrets_of(config));
    server_->set_status_token(token_of(config));
    const auto probes = static_cast<std::int64_t>(config.probes.size());
    scheduler_->reload(std::move(config));
    log_.write(LogLevel::info, "config.reloaded", fmt::format("{}: {} probes", file_, probes),
               {{"probes", probes}});
  }

  asio::io_context loop_{1};
  std::string file_;
  ListenAddress listen_;
  std::optional<Secret> token_;
  Log log_;
  std::unique_ptr<HttpClient> client_;
  SystemClock clock_;
  SystemEnvironment environment_;
  ThreadOffload offload_;
  StatusBoard board_;
  asio::signal_set signals_;
  std::unique_ptr<HealthServer> server_;
  std::unique_ptr<Scheduler> scheduler_;
  std::size_t probes_ = 0;
  std::exception_ptr error_;
};

}  // namespace

int run_agent(const std::string& config) {
  Loaded loaded = load_config(config, SystemEnvironment(), {});
  print_diagnostics(loaded);
  if (!loaded.config) return kInvalid;
  keep_small();
  std::signal(SIGPIPE, SIG_IGN);
  Agent agent(std::move(*loaded.config), loaded.file);
  return agent.run();
}

}  // namespace holdshort
