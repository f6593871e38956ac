#include "agent/timestamp.h"

#include <algorithm>
#include <ctime>
#include <iomanip>
#include <locale>
#include <sstream>

#include <fmt/chrono.h>

#include "probes/kit/duration.h"

namespace holdshort {

std::string timestamp(Wall time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto fraction = std::chrono::floor<std::chrono::milliseconds>(time - whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(whole)),
                     fraction.count());
}

std::string span_text(Wall::duration span) {
  using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
  const auto length = std::max(span, Wall::duration::zero());
  if (length >= hours(1)) return Duration(std::chrono::round<minutes>(length)).text();
  return Duration(std::chrono::round<seconds>(length)).text();
}

std::optional<Wall> parse_timestamp(const std::string& text) {
  constexpr std::size_t kShortest = 20;  // "2026-11-23T10:00:00Z"; get_time() takes less for a success
  if (text.size() < kShortest || text.back() != 'Z') return std::nullopt;
  std::tm parts{};
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());
  stream >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S");
  if (stream.fail()) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

}  // namespace holdshort
