// Whether a probe's answers, or the gate's connections, look as they usually do.
//
// Advisory: a control that holds may behave unusually, and an app that behaves as ever may be open. So this
// says what it sees, with figures, and changes no verdict. It starts to learn with the agent (a deploy), and
// sees nothing of the runs until the first pass, which are cut short, nor of one during which the Machine was
// suspended.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/unusual/baseline.h"
#include "probes/kit/clock.h"
#include "probes/kit/http.h"

namespace holdshort::unusual {

enum class Metric {
  latency,      // seconds that an answer took, mean of a run
  size,         // bytes of its body, mean of a run
  status,       // share of the answers of a run that are of one class
  connections,  // that clients opened through the gate, a second
};
std::string_view name_of(Metric);
inline constexpr std::array kMetricsOfProbe{Metric::latency, Metric::size, Metric::status};

inline constexpr Floor kLatencyFloor{.relative = 1.0, .absolute = 0.025};  // seconds
inline constexpr Floor kSizeFloor{.relative = 0.25, .absolute = 64};       // bytes
inline constexpr Floor kStatusFloor{.relative = 0, .absolute = 0.2};       // share
inline constexpr Floor kConnectionsFloor{.relative = 1.0, .absolute = 1};  // a second

// Of what a run got, in a few words of memory.
class Tally {
 public:
  void add(const Response& response);
  std::uint32_t requests() const { return requests_; }
  std::uint32_t answers() const { return answers_; }

 private:
  friend class OfProbe;
  enum Class { served, refused, broken, absent };  // below 400, 4xx, 5xx, no answer
  static constexpr std::size_t kClasses = 4;
  std::uint32_t requests_ = 0, answers_ = 0;
  double seconds_ = 0, bytes_ = 0;  // of the answers
  std::array<std::uint32_t, kClasses> classes_{};
};

// A departure, or the return from one.
struct Event {
  Turn turn;
  Metric metric;
  std::string_view of;  // status: the class that there is more of, "4xx"; else ""
  Figures figures;
};

// What departs now; for the surfaces.
struct Departure {
  Metric metric;
  std::string_view of;
  Figures figures;  // when it was noticed
  Wall since;
};

class OfProbe {
 public:
  std::vector<Event> ran(const Tally& tally, Wall now);
  void interrupt();
  const std::vector<Departure>& departures() const { return departures_; }

 private:
  std::optional<Event> look(Metric metric, Place place, std::string_view of, const Figures& figures,
                            Wall now);
  std::optional<Event> look_at_status(const Tally& tally, Wall now);

  Baseline latency_, size_;
  std::array<Baseline, Tally::kClasses> shares_;
  std::array<Streak, kMetricsOfProbe.size()> streaks_;
  std::vector<Departure> departures_;
};

class OfGate {
 public:
  static constexpr std::chrono::seconds kEvery{10};  // a sample

  // `connections` since the gate's start. While it is closed nothing is learnt: Fly sends nobody then.
  enum class Gate { open, closed };
  std::optional<Event> look(std::uint64_t connections, Gate gate, Monotonic monotonic, Wall now);
  void interrupt();
  const std::vector<Departure>& departures() const { return departures_; }

 private:
  Baseline rate_;
  Streak streak_;
  std::optional<Monotonic> last_;  // when `before_` was counted
  std::uint64_t before_ = 0;
  std::vector<Departure> departures_;  // at most one
};

// "latency 212 ms, usually 12 ms (17.7 times, MAD 1.1 ms)"
std::string text_of(Metric metric, std::string_view of, const Figures& figures);

}  // namespace holdshort::unusual
