#include "agent/unusual/baseline.h"

#include <algorithm>
#include <cmath>

namespace holdshort::unusual {
namespace {

using Samples = std::array<float, kWindow>;

// The upper one of an even count.
double median_of(Samples& samples, std::size_t size) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(size / 2);
  std::nth_element(samples.begin(), middle, samples.begin() + static_cast<std::ptrdiff_t>(size));
  return static_cast<double>(*middle);
}

}  // namespace

void Baseline::add(double sample) {
  samples_[next_] = static_cast<float>(sample);
  next_ = (next_ + 1) % kWindow;
  size_ = std::min(size_ + 1, kWindow);
}

Figures Baseline::figures(double sample) const {
  if (size_ <= kLag) return {.observed = sample};
  const std::size_t count = size_ - kLag;
  Samples samples{};
  for (std::size_t n = 0; n < count; ++n) samples[n] = samples_[(next_ + kWindow - size_ + n) % kWindow];
  Figures figures{.observed = sample, .median = median_of(samples, count), .mad = 0};
  for (float& one : samples) one = std::abs(one - static_cast<float>(figures.median));
  figures.mad = median_of(samples, count);
  return figures;
}

Place place_of(const Figures& f, Floor floor) {
  const auto margin = [&](double relative) {
    return std::max({kDeviations * kDeviationOfMad * f.mad, relative * f.median, floor.absolute});
  };
  const double up = margin(floor.relative), down = margin(floor.relative / (1 + floor.relative));
  const double off = f.observed - f.median;
  if (off > up) return Place::above;
  if (off < -down) return Place::below;
  return off > kBackWithin * up || off < -kBackWithin * down ? Place::between : Place::inside;
}

std::optional<Turn> Streak::next(Place place) {
  const bool counts = unusual_ ? place == Place::inside : place == Place::above || place == Place::below;
  if (!counts) {
    count_ = 0;
    return std::nullopt;
  }
  count_ = place == side_ ? count_ + 1 : 1;
  side_ = place;
  if (count_ < kInARow) return std::nullopt;
  count_ = 0;
  unusual_ = !unusual_;
  return unusual_ ? Turn::became_unusual : Turn::became_usual;
}

}  // namespace holdshort::unusual
