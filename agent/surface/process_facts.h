// What the kernel says of this process, as the client libraries of Prometheus report it.
#pragma once

#include <cstdint>
#include <optional>

namespace holdshort {

struct ProcessFacts {
  double cpu_seconds = 0;         // user and system
  double start_time_seconds = 0;  // since the epoch
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  std::uint64_t open_fds = 0, max_fds = 0;

  // From /proc; nothing where that is not mounted.
  static std::optional<ProcessFacts> read();
};

}  // namespace holdshort
