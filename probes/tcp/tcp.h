// The tcp probe; registered in probes/registry.cpp.
#pragma once

#include <chrono>
#include <memory>

#include "probes/kit/reached.h"
#include "probes/kit/url.h"
#include "probes/registry.h"

namespace holdshort::tcp_probe {

extern const std::span<const Field> kFields;
extern const Explanation kExplanation;
std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics& diagnostics);

enum class Expect { open, closed };

// What an attempt to connect says of a port that should be so.
Check judge(const Address& address, Expect expect, const Dialled& dialled);

}  // namespace holdshort::tcp_probe
