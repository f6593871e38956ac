#include "agent/unusual/behaviour.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace holdshort::unusual {
namespace {

constexpr std::string_view kClassNames[] = {"2xx or 3xx", "4xx", "5xx", "no answer"};

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::string amount(Metric metric, double value) {
  switch (metric) {
    case Metric::latency:
      return fmt::format("{:.1f} ms", value * 1000);
    case Metric::size:
      return fmt::format("{:.0f} bytes", value);
    case Metric::status:
      return fmt::format("{:.0f}%", value * 100);
    case Metric::connections:
      return fmt::format("{:.1f}/s", value);
  }
  return "";
}

void note(std::vector<Departure>& departures, const Event& event, Wall now) {
  std::erase_if(departures, [&](const Departure& departure) { return departure.metric == event.metric; });
  if (event.turn == Turn::became_unusual)
    departures.push_back({.metric = event.metric, .of = event.of, .figures = event.figures, .since = now});
}

}  // namespace

std::string_view name_of(Metric metric) {
  switch (metric) {
    case Metric::latency:
      return "latency";
    case Metric::size:
      return "size";
    case Metric::status:
      return "status";
    case Metric::connections:
      return "connections";
  }
  return "";
}

std::string text_of(Metric metric, std::string_view of, const Figures& figures) {
  const std::string factor = figures.median > 0 ? fmt::format("{:.1f} times, ", figures.factor()) : "";
  return fmt::format("{}{}{} {}, usually {} ({}MAD {})", name_of(metric), of.empty() ? "" : " ", of,
                     amount(metric, figures.observed), amount(metric, figures.median), factor,
                     amount(metric, figures.mad));
}

void Tally::add(const Response& response) {
  ++requests_;
  if (response.status == 0) {
    ++classes_[absent];
    return;
  }
  ++answers_;
  seconds_ += seconds(response.timing.total);
  bytes_ += static_cast<double>(response.body.size());
  ++classes_[response.status < 400 ? served : response.status < 500 ? refused : broken];
}

std::vector<Event> OfProbe::ran(const Tally& tally, Wall now) {
  std::vector<Event> events;
  const auto add = [&](std::optional<Event> event) {
    if (event) events.push_back(*event);
  };
  if (tally.requests_ == 0) return events;
  add(look_at_status(tally, now));
  if (tally.answers_ == 0) return events;
  const auto judge = [&](Metric metric, Baseline& baseline, Floor floor, double mean) {
    const Figures figures = baseline.figures(mean);
    if (!baseline.learning()) add(look(metric, place_of(figures, floor), {}, figures, now));
    baseline.add(mean);
  };
  judge(Metric::latency, latency_, kLatencyFloor, tally.seconds_ / tally.answers_);
  judge(Metric::size, size_, kSizeFloor, tally.bytes_ / tally.answers_);
  return events;
}

// The mix is unusual where there is more of one class than usual: of another there is less then.
std::optional<Event> OfProbe::look_at_status(const Tally& tally, Wall now) {
  Place place = Place::inside;
  Figures most{};
  std::string_view of;
  const bool learning = shares_[0].learning();
  for (std::size_t n = 0; n < shares_.size(); ++n) {
    const double share = static_cast<double>(tally.classes_[n]) / tally.requests_;
    const Figures figures = shares_[n].figures(share);
    shares_[n].add(share);
    const Place one = place_of(figures, kStatusFloor);
    if (one == Place::above || (one == Place::between && place == Place::inside)) place = one;
    if (of.empty() || figures.observed - figures.median > most.observed - most.median) {
      most = figures;
      of = kClassNames[n];
    }
  }
  return learning ? std::nullopt : look(Metric::status, place, of, most, now);
}

std::optional<Event> OfProbe::look(Metric metric, Place place, std::string_view of, const Figures& figures,
                                   Wall now) {
  const std::optional<Turn> turn = streaks_[static_cast<std::size_t>(metric)].next(place);
  if (!turn) return std::nullopt;
  const Event event{.turn = *turn, .metric = metric, .of = of, .figures = figures};
  note(departures_, event, now);
  return event;
}

void OfProbe::interrupt() {
  for (Streak& streak : streaks_) streak.interrupt();
}

std::optional<Event> OfGate::look(std::uint64_t connections, Gate gate, Monotonic monotonic, Wall now) {
  if (gate == Gate::closed) {
    interrupt();
    return std::nullopt;
  }
  const std::uint64_t came = connections - std::exchange(before_, connections);
  const std::optional<Monotonic> last = std::exchange(last_, monotonic);
  if (!last || monotonic <= *last) return std::nullopt;
  const double rate = static_cast<double>(came) / seconds(monotonic - *last);
  const Figures figures = rate_.figures(rate);
  const bool learning = rate_.learning();
  rate_.add(rate);
  if (learning) return std::nullopt;
  const std::optional<Turn> turn = streak_.next(place_of(figures, kConnectionsFloor));
  if (!turn) return std::nullopt;
  const Event event{.turn = *turn, .metric = Metric::connections, .of = {}, .figures = figures};
  note(departures_, event, now);
  return event;
}

void OfGate::interrupt() {
  last_.reset();
  streak_.interrupt();
}

}  // namespace holdshort::unusual
