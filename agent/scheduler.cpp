#include "agent/scheduler.h"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/config/secrets.h"
#include "agent/events.h"
#include "agent/observed_client.h"
#include "agent/probe_run.h"
#include "agent/request_budget.h"
#include "agent/run_id.h"
#include "agent/waiting.h"
#include "fly/machine.h"

namespace holdshort {

namespace asio = boost::asio;

namespace {

// When an app that does not come up, or not back, is spoken of again.
constexpr std::array<std::chrono::seconds, 3> kWaitingAfter{
    std::chrono::seconds(10), std::chrono::seconds(60), std::chrono::seconds(600)};

// When a probe that holds nobody up and does not pass is spoken of (again): nothing else would.
constexpr std::array<std::chrono::seconds, 3> kNotPassingAfter{
    std::chrono::seconds(60), std::chrono::seconds(600), std::chrono::seconds(3600)};

// The time of the reminder that comes after `spoken` others: at growing distance, at last evenly.
template <std::size_t kCount>
std::chrono::seconds reminder_after(const std::array<std::chrono::seconds, kCount>& times,
                                    std::size_t spoken) {
  const std::size_t index = std::min(spoken, kCount - 1);
  return times[index] + times.back() * static_cast<int>(spoken - index);
}

// What a run of probes stands on; a reload makes a new one, runs under way keep theirs.
struct Ground {
  App app;
  Identities identities;
};

// A probe on duty.
struct Entry {
  Entry(ProbeConfig declared, Monotonic now, Alarm wake)
      : config(std::move(declared)),
        alarm(std::move(wake)),
        probe(config.make()),
        track({.failure = config.failure_threshold,
               .success = config.success_threshold,
               .inconclusive = config.inconclusive_threshold,
               .confirm = config.confirm,
               .grace_period = config.grace_period},
              now) {}

  std::chrono::milliseconds cadence() const { return probe->cadence().value_or(config.interval); }
  std::chrono::milliseconds lifetime() const { return max_age(cadence(), config.timeout); }
  // Nothing good is known of the app: it may be coming up, also from a suspension.
  bool starting() const { return !track.ever_passed() || track.state() == State::stale; }
  bool required() const { return config.severity == Severity::required; }

  ProbeConfig config;
  Alarm alarm;  // rings when it is due
  std::unique_ptr<Probe> probe;
  Track track;
  unusual::OfProbe behaviour;
  ProbeStatus status;
  std::shared_ptr<const ProbeStatus> published;  // null: `status` has changed since
  std::shared_ptr<Ground> ground;
  Monotonic due{};
  Monotonic changed{};        // when it came into its state
  std::size_t reminders = 0;  // written since
  bool running = false;
  bool again = false;            // run once more as soon as this run has ended
  bool again_if_unseen = false;  // the same, but only where this run sees nothing
  bool retired = false;          // a reload has taken it out
};

using EntryPtr = std::shared_ptr<Entry>;

}  // namespace

struct Scheduler::Impl : std::enable_shared_from_this<Scheduler::Impl> {
  Impl(World w, Config c)
      : world(w),
        random(w.seed),
        clients(random()),
        budget(w.clock, c.agent.request_budget),
        config(std::move(c)) {}

  // --- life

  void start(asio::any_io_executor executor) {
    loop = executor;
    done = std::make_unique<Alarm>(executor, world.clock);
    places = std::make_unique<Places>(executor, config.agent.max_concurrency);
    last_look = Instant::of(world.clock);
    ready_since = world.clock.wall_now();
    not_ready_since = world.clock.now();
    adopt({});
    publish();
    asio::co_spawn(loop, tick(shared_from_this()), asio::detached);
  }

  void stop() {
    stopping = true;
    if (done) done->ring();
    for (const EntryPtr& entry : entries) entry->alarm.ring();
  }

  // Takes over the configuration; entries of `old` whose definition is the same stay as they are.
  void adopt(std::vector<EntryPtr> old) {
    places->set_count(config.agent.max_concurrency);
    budget.set_rate(config.agent.request_budget);
    ground = std::make_shared<Ground>();
    ground->app = config.app;
    ground->identities.by_name = config.identities;
    entries.clear();
    std::size_t fresh = 0;
    for (ProbeConfig& declared : config.probes) {
      const auto same = std::find_if(old.begin(), old.end(), [&](const EntryPtr& e) {
        return e && e->config.name == declared.name && e->config.definition == declared.definition;
      });
      if (same != old.end()) {
        entries.push_back(std::exchange(*same, nullptr));
        entries.back()->ground = ground;
        continue;
      }
      entries.push_back(make_entry(std::move(declared), fresh++));
    }
    for (const EntryPtr& entry : old)
      if (entry) retire(*entry);
    watch_secrets();
    config.probes.clear();
    if (required() == 0) events::nothing_required(world.log);
  }

  // A probe of which nothing has been seen.
  ProbeStatus introduce(const ProbeConfig& declared) const {
    ProbeStatus status;
    status.name = declared.name;
    status.type = declared.type->name;
    status.description = declared.description;
    status.runbook = declared.runbook;
    status.severity = declared.severity;
    status.since = world.clock.wall_now();
    status.holds = declared.severity == Severity::required;
    return status;
  }

  // The first Status: whoever asks before the loop runs learns what is waited for.
  void announce() {
    auto status = identify();
    status->since = world.clock.wall_now();
    for (const ProbeConfig& declared : config.probes) {
      const auto probe = std::make_shared<const ProbeStatus>(introduce(declared));
      if (probe->holds) status->holding.push_back(probe->name);
      status->probes.push_back(probe);
    }
    world.board.publish(std::move(status));
  }

  // The first starts at once, the others spread over the startup interval: together they see an app come up
  // soon.
  EntryPtr make_entry(ProbeConfig declared, std::size_t position) {
    const Monotonic now = world.clock.now();
    auto entry = std::make_shared<Entry>(std::move(declared), now, Alarm(loop, world.clock));
    entry->ground = ground;
    entry->status = introduce(entry->config);
    const auto count = std::max<std::size_t>(config.probes.size(), 1);
    entry->due = now + entry->config.startup_interval * position / count;
    entry->changed = now;
    asio::co_spawn(loop, cycle(shared_from_this(), entry), asio::detached);
    return entry;
  }

  void retire(Entry& entry) {
    entry.retired = true;
    entry.alarm.ring();
    sightings.forget(entry.config.name);
  }

  bool is_on_duty(std::string_view name) const {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const EntryPtr& entry) { return entry->config.name == name; });
  }

  void watch_secrets() {
    std::vector<KnownSecret> watched;
    for (const EntryPtr& entry : entries)
      watched.insert(watched.end(), entry->probe->watched().begin(), entry->probe->watched().end());
    sightings.watch(std::move(watched), credentials_of(config));
  }

  void run_now(const EntryPtr& entry) {
    if (entry->running) {
      entry->again = true;
      return;
    }
    entry->due = world.clock.now();
    entry->alarm.ring();
  }

  void hurry() {
    const Wall now = world.clock.wall_now();
    for (const EntryPtr& entry : entries) {
      const auto& history = entry->status.history;
      const bool just_ran = !history.empty() && now - history.front()->ended < entry->config.startup_interval;
      if (holds(*entry) && !entry->running && !just_ran) run_now(entry);
    }
  }

  // --- what a person asks for

  void recheck(const std::optional<std::string>& name) {
    for (const EntryPtr& entry : entries)
      if (!name || entry->config.name == *name) run_now(entry);
  }

  void set_override(Override asked) {
    if (stopping) return;
    asked.reason = world.log.redact(std::move(asked.reason));
    events::override_set(world.log, asked);
    by_hand = std::move(asked);
    if (done) judge();  // else start() does
  }

  void end_override() {
    if (!by_hand || !by_hand->is_over(Instant::of(world.clock))) return;
    events::override_ended(world.log, *by_hand);
    by_hand.reset();
    judge();
  }

  // --- one probe

  bool is_over(const Entry& entry) const { return stopping || entry.retired; }

  static Awaitable<void> cycle(std::shared_ptr<Impl> self, EntryPtr entry) {
    // Newer Asio begins a spawned coroutine at once. A probe that has its answer at once would then be judged
    // before `entries` has it and those after it: ready, because nothing holds.
    co_await asio::post(self->loop, asio::use_awaitable);
    while (true) {
      while (self->world.clock.now() < entry->due && !self->is_over(*entry))
        co_await entry->alarm.wait_until(entry->due);
      if (self->is_over(*entry)) co_return;
      entry->running = true;
      const Places::Place place = co_await self->places->take();
      Occasion occasion = Occasion::due;
      bool again = true;
      while (again && !self->is_over(*entry)) {
        const Track::Next next = co_await self->run_once(entry, occasion);
        occasion = next == Track::Next::confirm_now ? Occasion::confirmation : Occasion::due;
        again = std::exchange(entry->again, false) || occasion == Occasion::confirmation;
      }
      entry->running = false;
    }
  }

  // A confirmation asks first what failed, and goes ahead of other probes: a verdict waits for it.
  enum class Occasion { due, confirmation };

  static Pace pace_of(const Entry& entry) {
    if (entry.starting()) return Pace::startup;
    return entry.track.state() == State::passing ? Pace::watch : Pace::steady;
  }

  Awaitable<Track::Next> run_once(EntryPtr entry, Occasion occasion) {
    const std::shared_ptr<Ground> on = entry->ground;
    const bool budgeted = config.agent.request_budget_written || was_ready;
    const bool confirms = occasion == Occasion::confirmation;
    const Pace pace = pace_of(*entry);
    MeteredClient metered(world.client, budgeted ? &budget : nullptr,
                          confirms ? Urgency::urgent : Urgency::ordinary);
    ObservedClient observed(metered, sightings, entry->config.name);
    ProbeContext context{
        .client = observed,
        .clock = world.clock,
        .environment = world.environment,
        .offload = world.offload,
        .clients = clients,
        .random = random,
        .identities = on->identities,
        .app = on->app,
        .run_id = make_run_id(random),
        .pace = pace,
        .failed_before = confirms || pace == Pace::startup ? worst_id(entry->status) : std::string(),
        .request_budget = budgeted ? config.agent.request_budget : 0,
        .reserve = [&metered](int requests) { return metered.reserve(requests); }};
    const Monotonic began = world.clock.now();
    const int jumps_before = jumps;
    ProbeOutcome outcome = co_await run_probe(entry->config, *entry->probe, context);
    if (is_over(*entry)) {
      if (!is_on_duty(entry->config.name)) sightings.forget(entry->config.name);
      co_return Track::Next::as_scheduled;
    }
    look_at_the_clocks();  // before anything is published on the strength of what was seen
    look_at_ages();        // a verdict that has expired meanwhile is no longer one that a first fail may keep
    note_sightings(*entry, outcome, jumps_before);
    // Until the first pass runs are cut short.
    if (pace != Pace::startup && jumps == jumps_before) note_behaviour(*entry, observed.tally());
    clean(outcome, on->identities);
    entry->status.phases.add(observed.phases());
    if (jumps != jumps_before) {
      discard(entry, std::move(outcome), context.run_id, began);
      co_return Track::Next::as_scheduled;
    }
    co_return completed(entry, std::move(outcome), context.run_id, began);
  }

  void note_behaviour(Entry& entry, const unusual::Tally& tally) {
    const std::vector<unusual::Event> events = entry.behaviour.ran(tally, world.clock.wall_now());
    if (events.empty()) return;
    for (const unusual::Event& event : events) events::behaviour_changed(world.log, entry.config.name, event);
    entry.status.unusual = entry.behaviour.departures();
    entry.published.reset();
  }

  void look_at_the_gate() {
    if (!world.gate_connections || world.clock.now() < gate_due) return;
    const std::optional<std::uint64_t> connections = world.gate_connections();
    if (!connections) return;
    gate_due = world.clock.now() + unusual::OfGate::kEvery;
    const auto state = ready ? unusual::OfGate::Gate::open : unusual::OfGate::Gate::closed;
    const bool was_known = has_gate;
    has_gate = true;
    const auto event = gate.look(*connections, state, world.clock.now(), world.clock.wall_now());
    if (event) events::behaviour_changed(world.log, {}, *event);
    if (event || !was_known) publish();
  }

  void note_sightings(const Entry& entry, ProbeOutcome& outcome, int jumps_before) {
    const Outcome seen = outcome.outcome();
    const bool has_verdict = jumps == jumps_before && (seen == Outcome::pass || seen == Outcome::fail);
    sightings.ended(entry.config.name, has_verdict ? Sightings::Run::with_verdict : Sightings::Run::without);
    entry.probe->review(sightings, outcome);
  }

  void clean(ProbeOutcome& outcome, const Identities& identities) const {
    redact(outcome, identities, [this](std::string text) { return world.log.redact(std::move(text)); });
  }

  static std::string worst_id(const ProbeStatus& status) {
    const Check* worst = worst_of(*status.checks);
    return worst && worst->outcome > Outcome::pass ? worst->id : "";
  }

  // What an outcome rests on: requests of its own, which may have met a hiccup, or a look at what others have
  // seen, which need not be seen twice.
  enum class Basis { run, review };

  Track::Next completed(const EntryPtr& entry, ProbeOutcome outcome, const std::string& run_id,
                        Monotonic began, Basis basis = Basis::run) {
    const Monotonic now = world.clock.now();
    const Before before = Before::of(*entry);
    const std::optional<Outcome> outcome_before = entry->status.outcome;
    const Outcome seen = outcome.outcome();
    Track::Next next = entry->track.completed(seen, now);
    if (basis == Basis::review && next == Track::Next::confirm_now) next = entry->track.completed(seen, now);
    record(*entry, std::move(outcome), run_id, now - began);
    plan(*entry, began);
    events::probe_result(world.log, entry->status, *entry->status.history.front());
    note_change(*entry, before);
    if (std::exchange(entry->again_if_unseen, false) && seen == Outcome::inconclusive) entry->again = true;
    const bool conclusive = seen == Outcome::pass || seen == Outcome::fail;
    const bool first_sight = conclusive && (!outcome_before || *outcome_before == Outcome::inconclusive);
    if (first_sight && before.state == State::pending) wake_those_who_saw_nothing(entry);
    if (wants_exit_for(*entry)) {
      exit = true;
      stop();
    }
    tell_watchers(*entry);
    judge();
    return next;
  }

  // Before readiness is judged: who watches for a secret that `seer` has just been shown fails now, not at
  // its next run.
  void tell_watchers(const Entry& seer) {
    if (told == sightings.news()) return;
    told = sightings.news();
    for (const EntryPtr& entry : entries) {
      const ProbeStatus& status = entry->status;
      const bool knows_better = entry->running || !status.outcome || status.outcome == Outcome::fail;
      if (knows_better || entry->probe->watched().empty()) continue;
      ProbeOutcome outcome{.checks = *status.checks};
      entry->probe->review(sightings, outcome);
      clean(outcome, entry->ground->identities);
      if (outcome.outcome() == Outcome::fail)
        completed(entry, std::move(outcome), seer.status.run_id, world.clock.now(), Basis::review);
    }
  }

  // A run that began before the clocks jumped saw another time: it is shown, but it is no verdict. Another
  // follows at once.
  void discard(const EntryPtr& entry, ProbeOutcome outcome, const std::string& run_id, Monotonic began) {
    record(*entry, std::move(outcome), run_id, world.clock.now() - began);
    plan(*entry, began);
    events::probe_result(world.log, entry->status, *entry->status.history.front());
    publish();
  }

  // A probe that goes on passing says the same at every run.
  static std::shared_ptr<const std::string> shared_with_the_last(const ProbeStatus& status,
                                                                 std::string summary) {
    if (!status.history.empty() && *status.history.front()->summary == summary)
      return status.history.front()->summary;
    return std::make_shared<const std::string>(std::move(summary));
  }

  void record(Entry& entry, ProbeOutcome outcome, const std::string& run_id, Monotonic::duration took) {
    entry.published.reset();
    ProbeStatus& status = entry.status;
    auto run = std::make_shared<RunRecord>();
    run->run_id = run_id;
    run->ended = world.clock.wall_now();
    run->outcome = outcome.outcome();
    run->summary = shared_with_the_last(status, outcome.summary());
    run->duration = std::chrono::duration_cast<std::chrono::microseconds>(took);
    run->requests = outcome.requests;
    status.outcome = run->outcome;
    status.summary = *run->summary;
    status.run_id = run_id;
    status.checks = shared(std::move(outcome.checks));
    ++status.runs[static_cast<std::size_t>(run->outcome)];
    const bool good = run->outcome == Outcome::pass || run->outcome == Outcome::skipped;
    status.not_passed = good ? 0 : status.not_passed + 1;
    status.requests += static_cast<std::uint64_t>(run->requests);
    if (status.history.size() == kHistory) status.history.pop_back();
    status.history.insert(status.history.begin(), std::move(run));
  }

  // From begin to begin, so that however long a run takes, the next sees within an interval what breaks.
  // Early by up to kJitter, never late, so that Machines started together drift apart and no verdict grows
  // too old. An app that is starting has its pause after each run.
  void plan(Entry& entry, Monotonic began) {
    const Monotonic now = world.clock.now();
    if (entry.starting()) {
      entry.due = now + entry.config.startup_interval;
    } else {
      std::chrono::milliseconds gap = entry.cadence();
      gap -= std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(
          0, static_cast<std::int64_t>(static_cast<double>(gap.count()) * kJitter))(random));
      const auto rest =
          std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(gap.count()) * kRest));
      entry.due = std::max(began + gap, now + rest);
    }
    entry.status.next_run =
        world.clock.wall_now() + std::chrono::duration_cast<Wall::duration>(entry.due - now);
  }

  // An app that has just come up is seen by all within milliseconds, not within their startup intervals.
  void wake_those_who_saw_nothing(const EntryPtr& seer) {
    for (const EntryPtr& entry : entries) {
      const bool waits = entry != seer && entry->track.state() == State::pending &&
                         (!entry->status.outcome || entry->status.outcome == Outcome::inconclusive);
      if (!waits) continue;
      if (entry->running) {
        entry->again_if_unseen = true;
      } else {
        run_now(entry);
      }
    }
  }

  // --- what it means

  struct Before {
    State state;
    std::optional<Outcome> why;
    static Before of(const Entry& entry) { return {entry.track.state(), entry.track.outcome()}; }
  };

  // A failing probe of which only the reason changes is spoken of too: "could not be seen" may become "seen
  // broken".
  void note_change(Entry& entry, const Before& before) {
    ProbeStatus& status = entry.status;
    status.state = entry.track.state();
    status.valid_until = entry.track.valid_until(entry.lifetime());
    const bool same_state = status.state == before.state;
    if (same_state && (status.state != State::failing || entry.track.outcome() == before.why)) return;
    entry.published.reset();
    if (!same_state) {
      status.since = world.clock.wall_now();
      entry.changed = world.clock.now();
      entry.reminders = 0;
    }
    status.holds = holds(entry);
    events::probe_changed(world.log, standing(entry), before.state);
  }

  static events::Standing standing(const Entry& entry) {
    const ProbeStatus& status = entry.status;
    std::string reason = status.summary.empty() ? "not seen yet" : status.summary;
    if (status.state == State::stale) reason = "its verdict is too old";
    return {.probe = status, .outcome = entry.track.outcome(), .reason = std::move(reason)};
  }

  std::size_t required() const {
    return static_cast<std::size_t>(
        std::count_if(entries.begin(), entries.end(), [](const EntryPtr& e) { return e->required(); }));
  }

  std::vector<events::Standing> holding() const {
    std::vector<events::Standing> list;
    for (const EntryPtr& entry : entries)
      if (holds(*entry)) list.push_back(standing(*entry));
    return list;
  }

  bool seen_broken(const Entry& entry) const {
    return entry.required() && entry.track.state() == State::failing &&
           entry.track.outcome() == Outcome::fail && entry.track.ever_passed();
  }

  bool wants_exit_for(const Entry& entry) const {
    const bool forced_ready = by_hand && by_hand->ready;
    return config.when_failing == WhenFailing::exit && seen_broken(entry) && !forced_ready;
  }

  bool holds(const Entry& entry) const {
    if (!entry.required() || entry.track.state() == State::passing) return false;
    return !(config.when_failing == WhenFailing::report && seen_broken(entry));
  }

  void judge() {
    holding_names.clear();
    for (const EntryPtr& entry : entries) {
      const bool held = std::exchange(entry->status.holds, holds(*entry));
      if (held != entry->status.holds) entry->published.reset();
      if (entry->status.holds) holding_names.push_back(entry->config.name);
    }
    if (const bool now_ready = by_hand ? by_hand->ready : holding_names.empty(); now_ready != ready) {
      ready = now_ready;
      was_ready = was_ready || ready;
      ready_since = world.clock.wall_now();
      not_ready_since = world.clock.now();
      waits_spoken = 0;
      events::readiness_changed(world.log, ready, holding(), required(), by_hand);
    }
    publish();
  }

  std::shared_ptr<Status> identify() const {
    auto status = std::make_shared<Status>();
    status->version = HOLDSHORT_VERSION;
    status->app = machine.app.empty() ? config.app.host : machine.app;
    status->region = machine.region;
    status->machine = machine.machine_id;
    status->release = machine.release;
    status->clock_offset = Instant::of(world.clock).offset();
    return status;
  }

  void publish() {
    auto status = identify();
    status->ready = ready;
    status->since = ready_since;
    status->by_hand = by_hand;
    status->holding = holding_names;
    for (const EntryPtr& entry : entries) {
      if (!entry->published) entry->published = std::make_shared<const ProbeStatus>(entry->status);
      status->probes.push_back(entry->published);
      if (entry->required()) status->valid_until = std::min(status->valid_until, entry->status.valid_until);
    }
    if (has_gate) status->gate_unusual = gate.departures();
    world.board.publish(std::move(status));
    world.board.beat(world.clock.now());
  }

  // --- time

  static Awaitable<void> tick(std::shared_ptr<Impl> self) {
    while (!self->stopping) {
      const Monotonic due = self->world.clock.now() + kTick;
      co_await self->world.clock.sleep_until(due);
      if (self->stopping) co_return;
      self->world.board.set_lag(std::max(self->world.clock.now() - due, Monotonic::duration::zero()));
      self->end_override();
      self->look_at_the_clocks();
      self->look_at_ages();
      self->look_at_the_gate();
      self->speak_of_waiting();
      self->speak_of_those_not_passing();
      self->world.board.beat(self->world.clock.now());
    }
  }

  // A suspended Machine's monotonic clock stood still; a stopped process ran no tick. Either way the world
  // went on.
  void look_at_the_clocks() {
    const Instant now = Instant::of(world.clock);
    const Instant before_now = std::exchange(last_look, now);
    const auto missed = now.monotonic - before_now.monotonic - kTick;
    if (clock_jumped(before_now.offset(), now.offset())) {
      events::clock_jumped(world.log, now.offset() - before_now.offset());
    } else if (missed > kClockJump) {
      events::stood_still(world.log, missed);
    } else {
      return;
    }
    ++jumps;
    gate.interrupt();
    for (const EntryPtr& entry : entries) {
      const Before before = Before::of(*entry);
      entry->track.distrust();
      entry->behaviour.interrupt();
      note_change(*entry, before);
      run_now(entry);
    }
    judge();
  }

  void look_at_ages() {
    bool changed = false;
    for (const EntryPtr& entry : entries) {
      const Before before = Before::of(*entry);
      entry->track.age(world.clock.now(), entry->lifetime());
      note_change(*entry, before);
      changed = changed || entry->track.state() != before.state;
    }
    if (changed) judge();
  }

  void speak_of_waiting() {
    if (ready || by_hand) return;
    if (world.clock.now() - not_ready_since < reminder_after(kWaitingAfter, waits_spoken)) return;
    ++waits_spoken;
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(world.clock.now() - not_ready_since);
    events::readiness_waiting(world.log, holding(), waited);
  }

  // Of those that readiness.waiting leaves out: advisory ones, and where the Machine is ready all the same.
  void speak_of_those_not_passing() {
    for (const EntryPtr& entry : entries) {
      const bool spoken_of = entry->status.holds && !ready && !by_hand;
      if (spoken_of || entry->track.state() == State::passing) continue;
      const auto lasted = world.clock.now() - entry->changed;
      if (lasted < reminder_after(kNotPassingAfter, entry->reminders)) continue;
      ++entry->reminders;
      events::not_passing(world.log, standing(*entry),
                          std::chrono::duration_cast<std::chrono::seconds>(lasted));
    }
  }

  void reload(Config next) {
    std::vector<EntryPtr> old = std::move(entries);
    config = std::move(next);
    adopt(std::move(old));
    judge();
  }

  World world;
  const fly::Machine machine =
      fly::Machine::from([this](std::string_view name) { return world.environment.variable(name); });
  std::mt19937_64 random;
  SyntheticClients clients;
  RequestBudget budget;
  Sightings sightings;
  unusual::OfGate gate;
  bool has_gate = false;
  Monotonic gate_due{};
  std::uint64_t told = 0;  // news of `sightings` that its watchers know
  Config config;           // its probes are in `entries`
  asio::any_io_executor loop;
  std::unique_ptr<Alarm> done;
  std::unique_ptr<Places> places;
  std::shared_ptr<Ground> ground;
  std::vector<EntryPtr> entries;
  std::vector<std::string> holding_names;
  std::optional<Override> by_hand;
  bool ready = false, was_ready = false, stopping = false, exit = false;
  Wall ready_since;
  Monotonic not_ready_since{};
  Instant last_look{};
  int jumps = 0;  // of the clocks
  std::size_t waits_spoken = 0;
};

Scheduler::Scheduler(World world, Config config) : impl_(std::make_shared<Impl>(world, std::move(config))) {
  impl_->announce();
}
Scheduler::~Scheduler() { impl_->stop(); }

// What still runs is abandoned: its frames live in the loop until that is destroyed, and touch nothing
// anymore.
Awaitable<void> Scheduler::run() {
  const std::shared_ptr<Impl> impl = impl_;
  impl->start(co_await asio::this_coro::executor);
  impl->judge();
  if (!impl->stopping) co_await impl->done->wait_until(Monotonic::max());
}

void Scheduler::stop() { impl_->stop(); }
void Scheduler::reload(Config config) { impl_->reload(std::move(config)); }
void Scheduler::hurry() { impl_->hurry(); }
void Scheduler::recheck(const std::optional<std::string>& name) { impl_->recheck(name); }
void Scheduler::set_override(Override by_hand) { impl_->set_override(std::move(by_hand)); }
bool Scheduler::wants_exit() const { return impl_->exit; }

}  // namespace holdshort
