#include "agent/cli/check.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/cli/validate.h"
#include "agent/config/secrets.h"
#include "agent/observed_client.h"
#include "agent/probe_run.h"
#include "agent/request_budget.h"
#include "agent/run_id.h"
#include "agent/surface/report.h"
#include "agent/system_clock.h"
#include "agent/thread_offload.h"
#include "fly/machine.h"
#include "probes/kit/redactor.h"

namespace holdshort {

namespace {

constexpr std::chrono::milliseconds kRetryAfter{250};  // between two tries of --wait

// Only the named ones; false where a name is unknown, which is then said.
bool keep_only(std::vector<ProbeConfig>& probes, const std::vector<std::string>& only) {
  if (only.empty()) return true;
  std::vector<std::string_view> known;
  for (const ProbeConfig& probe : probes) known.push_back(probe.name);
  for (const std::string& name : only) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    fmt::print(stderr, "holdshort: no probe \"{}\" is configured and enabled{}\n", name,
               suggestion(name, known));
    return false;
  }
  std::erase_if(probes, [&](const ProbeConfig& p) {
    return std::find(only.begin(), only.end(), p.name) == only.end();
  });
  return true;
}

// Runs all probes on one loop, as many at a time as the configuration allows.
class Checker {
 public:
  Checker(Config config, std::uint64_t seed)
      : config_(std::move(config)),
        client_(make_http_client()),
        clock_(loop_.get_executor()),
        offload_(loop_.get_executor()),
        random_(seed),
        clients_(random_()),
        redactor_(secrets_of(config_)) {
    identities_.by_name = config_.identities;
    if (config_.agent.request_budget_written)
      budget_ = std::make_unique<RequestBudget>(clock_, config_.agent.request_budget);
  }

  // Each probe once; those that could not be seen again until `wait` has passed, unless one has failed.
  std::vector<ProbeReport> run(std::chrono::milliseconds wait) {
    for (const ProbeConfig& probe : config_.probes) {
      probes_.push_back(probe.make());
      reports_.push_back({.name = probe.name,
                          .type = std::string(probe.type->name),
                          .description = probe.description,
                          .runbook = probe.runbook,
                          .severity = probe.severity,
                          .outcome = {},
                          .duration = {},
                          .place = probe.values->table_place()});
    }
    std::vector<KnownSecret> watched;
    for (const auto& probe : probes_)
      watched.insert(watched.end(), probe->watched().begin(), probe->watched().end());
    sightings_.watch(std::move(watched), credentials_of(config_));
    boost::asio::co_spawn(loop_, run_all(clock_.now() + wait),
                          [this](std::exception_ptr error) { error_ = error; });
    loop_.run();
    if (error_) std::rethrow_exception(error_);
    review();
    return std::move(reports_);
  }

 private:
  // When all have run: what the answers to one show may concern another.
  void review() {
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      ProbeOutcome& outcome = reports_[i].outcome;
      if (probes_[i]->watched().empty()) continue;
      probes_[i]->review(sightings_, outcome);
      clean(outcome);
    }
  }

  void clean(ProbeOutcome& outcome) const {
    redact(outcome, identities_, [this](std::string text) { return redactor_.clean(std::move(text)); });
  }

  Awaitable<void> run_all(Monotonic until) {
    for (std::size_t i = 0; i < probes_.size(); ++i) waiting_.push_back(i);
    while (true) {
      co_await run_waiting();
      for (std::size_t i = 0; i < reports_.size(); ++i)
        if (reports_[i].outcome.outcome() == Outcome::inconclusive) waiting_.push_back(i);
      if (waiting_.empty() || failed() || clock_.now() + kRetryAfter > until) co_return;
      co_await clock_.sleep_until(clock_.now() + kRetryAfter);
    }
  }

  bool failed() const {
    return std::any_of(reports_.begin(), reports_.end(), [](const ProbeReport& report) {
      return report.severity == Severity::required && report.outcome.outcome() == Outcome::fail;
    });
  }

  // Empties `waiting_` with max_concurrency workers.
  Awaitable<void> run_waiting() {
    std::reverse(waiting_.begin(), waiting_.end());
    const std::size_t workers =
        std::min(waiting_.size(), static_cast<std::size_t>(config_.agent.max_concurrency));
    running_ = workers;
    boost::asio::steady_timer done(loop_, boost::asio::steady_timer::time_point::max());
    for (std::size_t n = 0; n < workers; ++n) {
      boost::asio::co_spawn(loop_, work(), [this, &done](std::exception_ptr error) {
        if (error) error_ = error;
        if (--running_ == 0) done.cancel();
      });
    }
    boost::system::error_code ignored;
    co_await done.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }

  Awaitable<void> work() {
    while (!waiting_.empty()) {
      const std::size_t i = waiting_.back();
      waiting_.pop_back();
      co_await run_one(i);
    }
  }

  Awaitable<void> run_one(std::size_t i) {
    MeteredClient metered(*client_, budget_.get());
    ObservedClient observed(metered, sightings_, reports_[i].name);
    ProbeContext context{.client = observed,
                         .clock = clock_,
                         .environment = environment_,
                         .offload = offload_,
                         .clients = clients_,
                         .random = random_,
                         .identities = identities_,
                         .app = config_.app,
                         .run_id = make_run_id(random_),
                         .pace = Pace::whole,
                         .failed_before = {},
                         .request_budget = budget_ ? config_.agent.request_budget : 0,
                         .reserve = [&metered](int requests) { return metered.reserve(requests); }};
    const Monotonic began = clock_.now();
    ProbeOutcome outcome = co_await run_probe(config_.probes[i], *probes_[i], context);
    clean(outcome);
    reports_[i].outcome = std::move(outcome);
    reports_[i].duration = std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - began);
  }

  boost::asio::io_context loop_{1};
  Config config_;
  std::unique_ptr<HttpClient> client_;
  SystemClock clock_;
  ThreadOffload offload_;
  SystemEnvironment environment_;
  std::mt19937_64 random_;
  SyntheticClients clients_;
  Identities identities_;
  Redactor redactor_;
  Sightings sightings_;
  std::unique_ptr<RequestBudget> budget_;
  std::vector<std::unique_ptr<Probe>> probes_;
  std::vector<ProbeReport> reports_;
  std::vector<std::size_t> waiting_;
  std::size_t running_ = 0;
  std::exception_ptr error_;
};

std::string render(const CheckOptions& options, const Report& report) {
  switch (options.format) {
    case CheckOptions::Format::json:
      return render_json(report);
    case CheckOptions::Format::junit:
      return render_junit(report);
    case CheckOptions::Format::sarif:
      return render_sarif(report);
    case CheckOptions::Format::text:
      break;
  }
  const bool colour = options.output.empty() && isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR");
  return render_text(report, colour ? Colour::yes : Colour::no);
}

int write_report(const CheckOptions& options, const Report& report) {
  std::FILE* file = options.output.empty() ? stdout : std::fopen(options.output.c_str(), "w");
  if (!file) {
    fmt::print(stderr, "holdshort: cannot write {}: {}\n", options.output, std::strerror(errno));
    return 2;
  }
  const std::string text = render(options, report);
  const bool written =
      std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
  if (file != stdout) std::fclose(file);
  if (written) return report.exit_code();
  fmt::print(stderr, "holdshort: cannot write the report: {}\n", std::strerror(errno));
  return 2;
}

}  // namespace

int run_check(const CheckOptions& options) {
  const SystemEnvironment environment;
  LoadOptions load;
  load.target = options.target;
  Loaded loaded = load_config(options.config, environment, load);
  print_diagnostics(loaded);
  if (!loaded.config || !keep_only(loaded.config->probes, options.only)) return 2;

  const auto machine = fly::Machine::from([&](std::string_view name) { return environment.variable(name); });
  Report report;
  report.version = HOLDSHORT_VERSION;
  report.app = machine.app.empty() ? loaded.config->app.host : machine.app;
  report.region = machine.region;
  report.machine = machine.machine_id;
  report.config = loaded.file;
  report.started = std::chrono::system_clock::now();
  const auto began = std::chrono::steady_clock::now();
  Checker checker(std::move(*loaded.config), std::random_device{}());
  report.probes = checker.run(options.wait);
  report.duration =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
  return write_report(options, report);
}

}  // namespace holdshort
