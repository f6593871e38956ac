// The exec probe; registered in probes/registry.cpp.
#pragma once

#include <memory>
#include <string_view>

#include "probes/kit/redactor.h"
#include "probes/kit/subprocess.h"
#include "probes/registry.h"

namespace holdshort::exec_probe {

extern const std::span<const Field> kFields;
extern const Explanation kExplanation;
std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics& diagnostics);

// What the end of a program says of its control. `program` and `timeout` are for the report.
Check judge(std::string_view program, std::string_view timeout, const Finished& finished,
            const Redactor& redactor);

}  // namespace holdshort::exec_probe
