// One function a subject; each adds what it finds.
#pragma once

#include "agent/lint/document.h"
#include "agent/lint/lint.h"

namespace holdshort::lint {

void judge_keys(const Document& document, Diagnostics& findings);  // that flyctl drops
void judge_durations(const Document& document, const std::optional<Companion>& companion,
                     Diagnostics& findings);  // without units, beyond limits
void judge_checks(const Document& document, const std::optional<Companion>& companion, Diagnostics& findings);
void judge_gate(const Document& document, const Companion& companion, Diagnostics& findings);
void judge_secrets(const Document& document, Diagnostics& findings);   // in [env] and [build.args]
void judge_machines(const Document& document, Diagnostics& findings);  // groups, metrics, autostop, deploy

}  // namespace holdshort::lint
