// What is usual of one quantity, and when it has left that: median and MAD over a bounded window.
//
// Robust, because single outliers are part of what is usual: a spike moves neither. Every sample goes into
// the window, so a slow drift is accepted as it goes, and a step that stays is usual again once it fills half
// of it. A departure is spoken of only when several samples in a row lie on the same side of the limits,
// and ends when as many lie well inside: it does not flap. Pure: no clock, no lock, about 300 bytes each.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

namespace holdshort::unusual {

inline constexpr std::size_t kWindow = 60;  // samples that are kept
inline constexpr std::size_t kLag =
    12;  // of these the newest, which do not count yet: a departure would hide itself
inline constexpr std::size_t kMinSamples = 30;  // that count; with fewer it is learning and says nothing
inline constexpr int kInARow = 4;           // samples outside before it says so, and inside before it is over
inline constexpr double kDeviations = 4.5;  // standard deviations, as estimated from the MAD
inline constexpr double kDeviationOfMad = 1.4826;  // of a normal distribution
inline constexpr double kBackWithin = 0.5;         // of the limits' distance: what counts as inside again

// Departures below either are noise, whatever the MAD: it is 0 where more than half of all samples are alike.
struct Floor {
  double relative;  // share of the median
  double absolute;  // in the quantity's unit
};

struct Figures {
  double observed = 0, median = 0, mad = 0;
  // How many times the median was observed; 0 where that was 0.
  double factor() const { return median > 0 ? observed / median : 0; }
};

class Baseline {
 public:
  void add(double sample);
  std::size_t size() const { return size_; }
  bool learning() const { return size_ < kMinSamples + kLag; }
  // Of `sample` against what is in the window, all but the newest kLag.
  Figures figures(double sample) const;

 private:
  std::array<float, kWindow> samples_{};
  std::size_t size_ = 0, next_ = 0;
};

enum class Place {
  inside,   // well
  between,  // neither well inside nor outside
  above,
  below,
};
// The relative floor is by ratio: where twice the median is too much, half of it is too little. What varies
// by a sixth of its median and more cannot be too little.
Place place_of(const Figures& figures, Floor floor);

enum class Turn { became_unusual, became_usual };

// Samples in a row.
class Streak {
 public:
  std::optional<Turn> next(Place place);
  bool unusual() const { return unusual_; }
  // The next sample follows on none of those before.
  void interrupt() { count_ = 0; }

 private:
  bool unusual_ = false;
  Place side_ = Place::inside;  // which one is being counted
  int count_ = 0;
};

}  // namespace holdshort::unusual
