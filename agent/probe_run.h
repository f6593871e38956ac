// One run of a declared probe, as the scheduler and `check` begin and end it, whatever its type.
#pragma once

#include "agent/config/config.h"
#include "probes/kit/identity.h"
#include "probes/kit/redactor.h"
#include "probes/probe.h"

namespace holdshort {

// Never throws: a probe that broke has seen nothing. Where the probe wants to come through FLY_PRIVATE_IP and
// there is none, it is not begun: TYPE.via is then skipped. All three outlive the coroutine.
Awaitable<ProbeOutcome> run_probe(const ProbeConfig& declared, Probe& probe, ProbeContext& context);

// Whatever of a run is shown: what an app answers may hold secrets. `clean` knows those of the configuration;
// what logins found goes too.
template <class Clean>
void redact(ProbeOutcome& outcome, const Identities& identities, const Clean& clean) {
  const Redactor found(identities.found_tokens());
  for (Check& check : outcome.checks)
    for (std::string* text : {&check.request, &check.expected, &check.observed, &check.summary})
      *text = found.clean(clean(std::move(*text)));
}

}  // namespace holdshort
