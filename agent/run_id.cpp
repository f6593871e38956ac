#include "agent/run_id.h"

#include <fmt/format.h>

namespace holdshort {

std::string make_run_id(std::mt19937_64& random) {
  const auto high = random();
  return fmt::format("{:016x}{:016x}", high, random() | 1);
}

}  // namespace holdshort
