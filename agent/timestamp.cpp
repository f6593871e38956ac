#include "agent/timestamp.h"

#include <fmt/chrono.h>

namespace holdshort {

std::string timestamp(Wall time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto fraction = std::chrono::floor<std::chrono::milliseconds>(time - whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(whole)),
                     fraction.count());
}

}  // namespace holdshort
