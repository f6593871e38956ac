#include "agent/scheduler.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "agent/events.h"
#include "agent/request_budget.h"
#include "agent/run_id.h"
#include "agent/waiting.h"
#include "fly/machine.h"

namespace holdshort {

namespace {

// What runs refer to. A reload makes a new one; a run keeps the one it began with.
struct Setting {
  App app;
  Identities identities;
};

std::shared_ptr<Setting> make_setting(const Config& config) {
  return std::make_shared<Setting>(Setting{.app = config.app, .identities = {.by_name = config.identities, .login_tokens = {}}});
}

Thresholds thresholds_of(const ProbeConfig& config) {
  return {.failure = config.failure_threshold,
          .success = config.success_threshold,
          .inconclusive = config.inconclusive_threshold,
          .confirm = config.confirm,
          .grace_period = config.grace_period};
}

// A run that has ended.
struct Run {
  std::string id;
  Monotonic began;
  int epoch;  // of the clocks, when it began
  ProbeOutcome outcome;
};

// One probe: its definition, its verdict over time, what surfaces see of it.
struct Runner {
  Runner(ProbeConfig declared, Instant now)
      : config(std::move(declared)), probe(config.make()), track(thresholds_of(config), now.monotonic), next(now.monotonic) {
    shown.name = config.name;
    shown.type = config.type->name;
    shown.description = config.description;
    shown.runbook = config.runbook;
    shown.severity = config.severity;
    shown.since = now.wall;
  }

  std::chrono::milliseconds cadence() const { return probe->cadence().value_or(config.interval); }
  std::chrono::milliseconds lifetime() const { return max_age(cadence(), config.timeout); }
  bool is_required() const { return config.severity == Severity::required; }
  bool never_passed() const { return !track.ever_passed(); }

  // How it keeps the Machine from being ready. Before the first pass there is no other way than to hold.
  bool holds(WhenFailing when_failing) const {
    if (!is_required() || track.state() == State::passing) return false;
    return when_failing == WhenFailing::hold || !seen_broken();
  }
  bool seen_broken() const {
    return track.ever_passed() && track.state() == State::failing && track.outcome() == Outcome::fail;
  }

  // Keeps what the run showed; the verdict is the track's business.
  void remember(const Run& run, Instant ended) {
    RunRecord record{.run_id = run.id,
                     .ended = ended.wall,
                     .outcome = run.outcome.outcome(),
                     .summary = run.outcome.summary(),
                     .duration = std::chrono::duration_cast<std::chrono::microseconds>(ended.monotonic - run.began),
                     .requests = run.outcome.requests};
    shown.outcome = record.outcome;
    shown.summary = record.summary;
    shown.run_id = record.run_id;
    shown.checks = run.outcome.checks;
    ++shown.runs[static_cast<std::size_t>(record.outcome)];
    shown.requests += static_cast<std::uint64_t>(std::max(record.requests, 0));
    shown.history.insert(shown.history.begin(), record);
    if (shown.history.size() > kHistory) shown.history.pop_back();
    shown.last = std::move(record);
    const Check* worst = run.outcome.worst();
    const bool held_back = worst && (worst->outcome == Outcome::fail || worst->outcome == Outcome::inconclusive);
    failed_before = held_back ? worst->id : "";
  }

  events::Standing standing() const {
    return {shown, track.state() == State::failing ? track.outcome() : shown.outcome, reason};
  }

  ProbeConfig config;
  std::unique_ptr<Probe> probe;
  Track track;
  Monotonic next;              // when it is to begin
  std::optional<Alarm> alarm;  // rung: it begins at once. Empty until the scheduler runs
  bool running = false;
  bool again = false;          // the app came up while it ran: if it has not seen that, it begins at once
  bool removed = false;
  std::string failed_before;   // id of what kept the last run from passing
  std::string reason = "has not run yet";  // why it is in its state
  ProbeStatus shown;
};

// Tells when the time that the process lived through is not the time that has passed.
class ClockWatch {
 public:
  explicit ClockWatch(Instant now) : last_(now) {}
  struct Jump {
    std::chrono::nanoseconds wall, still;  // against the monotonic clock; without running
  };
  // To be asked at least every kClockCheck.
  std::optional<Jump> look(Instant now) {
    const Instant before = std::exchange(last_, now);
    const Jump jump{now.offset() - before.offset(), now.monotonic - before.monotonic - Scheduler::kClockCheck};
    const bool stood_still = jump.still > kClockJump;
    if (!stood_still && !clock_jumped(before.offset(), now.offset())) return std::nullopt;
    return jump;
  }

 private:
  Instant last_;
};

// Never throws: what a probe throws is a bug of ours, and proves nothing about the app. Its text may quote anything.
Awaitable<ProbeOutcome> run_safely(Probe& probe, ProbeContext& context) {
  try {
    co_return co_await probe.run(context);
  } catch (const std::exception&) {
  }
  Check check;
  check.id = "internal";
  check.summary = "the probe broke off: this is an error in holdshort, please report it";
  ProbeOutcome outcome;
  outcome.add(std::move(check));
  co_return outcome;
}

}  // namespace

struct Scheduler::Impl : std::enable_shared_from_this<Impl> {
  Impl(World the_world, Config the_config)
      : world(the_world),
        config(std::move(the_config)),
        setting(make_setting(config)),
        random(world.seed),
        clients(random()),
        budget(world.clock, config.agent.request_budget),
        clocks(Instant::of(world.clock)),
        not_ready_since(world.clock.now()) {
    const fly::Machine machine = fly::Machine::from([this](std::string_view name) { return world.environment.variable(name); });
    shown.version = HOLDSHORT_VERSION;
    shown.app = machine.app.empty() ? config.app.host : machine.app;
    shown.region = machine.region;
    shown.machine = machine.machine_id;
    shown.release = machine.release;
    shown.since = world.clock.wall_now();
    adopt(std::move(config.probes));
    world.board.beat(world.clock.now());
    publish();
  }

  // --- a probe's life

  // Until it is removed or the scheduler stops.
  static Awaitable<void> live(std::shared_ptr<Impl> self, std::shared_ptr<Runner> runner) {
    while (self->wants(*runner)) {
      co_await runner->alarm->wait_until(runner->next);
      if (!self->wants(*runner)) break;
      const Places::Place place = co_await self->places->take();
      do {
        if (self->wants(*runner)) co_await run_once(self, runner);
      } while (self->wants(*runner) && runner->track.awaits_confirmation());
    }
    if (--self->living == 0) self->heart->ring();
  }

  static Awaitable<void> run_once(std::shared_ptr<Impl> self, std::shared_ptr<Runner> runner) {
    const std::shared_ptr<Setting> setting = self->setting;
    RequestBudget* const budget = self->budget_rules() ? &self->budget : nullptr;
    MeteredClient client(self->world.client, budget);
    ProbeContext context{.client = client,
                         .clock = self->world.clock,
                         .environment = self->world.environment,
                         .offload = self->world.offload,
                         .clients = self->clients,
                         .random = self->random,
                         .identities = setting->identities,
                         .app = setting->app,
                         .run_id = make_run_id(self->random),
                         .pace = runner->never_passed() ? Pace::startup : Pace::steady,
                         .failed_before = runner->never_passed() ? runner->failed_before : "",
                         .request_budget = budget ? self->config.agent.request_budget : 0,
                         .reserve = {}};
    if (budget) context.reserve = [&client](int requests) { return client.reserve(requests); };
    Run run{.id = context.run_id, .began = self->world.clock.now(), .epoch = self->epoch, .outcome = {}};
    runner->running = true;
    run.outcome = co_await run_safely(*runner->probe, context);
    runner->running = false;
    if (self->wants(*runner)) self->completed(*runner, std::move(run));
  }

  bool wants(const Runner& runner) const { return !stopping && !runner.removed; }
  // Before the first ready verdict nobody is served yet.
  bool budget_rules() const { return was_ready || config.agent.request_budget_written; }

  // --- outcomes

  void completed(Runner& runner, Run run) {
    look_at_clocks();
    redact(run.outcome);
    const Outcome outcome = run.outcome.outcome();
    runner.remember(run, Instant::of(world.clock));
    events::probe_result(world.log, runner.shown, *runner.shown.last);
    // What began before the clocks jumped is from another time: look_at_clocks() has rung for a new run.
    if (run.epoch == epoch) judge(runner, outcome);
    runner.next = next_start(runner, run.began);
    publish();
    leave_if_broken();
  }

  void judge(Runner& runner, Outcome outcome) {
    const bool first_sight = runner.never_passed() && outcome != Outcome::inconclusive && sees_nothing(runner);
    runner.conclusive = outcome != Outcome::inconclusive;
    const Before before(runner);
    runner.track.completed(outcome, world.clock.now());
    if (runner.track.state() != State::failing || runner.track.outcome() == outcome) runner.reason = runner.shown.summary;
    tell_change(runner, before);
    if (first_sight) wake_those_who_see_nothing();
  }
};

}  // namespace holdshort
