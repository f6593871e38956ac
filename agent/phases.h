// Where the time of requests goes: added up by phase, so that a mean over any span of time can be told.
#pragma once

#include <algorithm>
#include <chrono>

#include "probes/kit/http.h"

namespace holdshort {

struct Phases {
  std::chrono::microseconds connect{}, tls{}, first_byte{}, transfer{};

  // A phase that was not reached adds nothing; of a request that was cut short the last one is not known.
  void add(const Timing& timing) {
    using std::chrono::microseconds;
    const microseconds zero{};
    connect += timing.connect;
    const microseconds connected = timing.tls > zero ? timing.tls : timing.connect;
    if (timing.tls > timing.connect) tls += timing.tls - timing.connect;
    if (timing.first_byte <= zero) return;
    first_byte += std::max(timing.first_byte - connected, zero);
    transfer += std::max(timing.total - timing.first_byte, zero);
  }
  void add(const Phases& other) {
    connect += other.connect;
    tls += other.tls;
    first_byte += other.first_byte;
    transfer += other.transfer;
  }
};

}  // namespace holdshort
