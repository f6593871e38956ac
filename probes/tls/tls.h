// The tls probe; registered in probes/registry.cpp.
#pragma once

#include <memory>

#include "probes/registry.h"

namespace holdshort::tls_probe {

extern const std::span<const Field> kFields;
extern const Explanation kExplanation;
std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics& diagnostics);

}  // namespace holdshort::tls_probe
