// The jwt probe; registered in probes/registry.cpp.
#pragma once

#include "probes/registry.h"

namespace holdshort::jwt {

extern const std::span<const Field> kFields;
extern const std::span<const Alternatives> kAlternatives;
extern const Explanation kExplanation;
std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics& diagnostics);

}  // namespace holdshort::jwt
