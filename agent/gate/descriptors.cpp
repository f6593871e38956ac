#include "agent/gate/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace holdshort::gate {
namespace {

constexpr rlim_t kMost = 1'048'576;  // where there is no limit

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(std::min(before, kMost));
}

std::size_t descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return static_cast<std::size_t>(std::min(limit.rlim_cur, kMost));
}

std::size_t descriptors_for_clients(std::size_t limit, int probes) {
  const std::size_t others = kDescriptorsOfAgent + kDescriptorsOfAProbe * static_cast<std::size_t>(probes);
  return limit - std::min(others, limit / 2);
}

}  // namespace holdshort::gate
