#include "agent/probe_run.h"

#include <exception>
#include <string>

namespace holdshort {

namespace {

bool lacks_private_ip(const ProbeConfig& declared, const App& app) {
  return declared.type->talks != ProbeType::Talks::nothing && declared.values->string("via") == "private" &&
         app.private_ip.empty();
}

}  // namespace

Awaitable<ProbeOutcome> run_probe(const ProbeConfig& declared, Probe& probe, ProbeContext& context) {
  ProbeOutcome outcome;
  if (lacks_private_ip(declared, context.app)) {
    outcome.add({.id = std::string(declared.type->name) + ".via",
                 .outcome = Outcome::skipped,
                 .summary = "via = \"private\" needs FLY_PRIVATE_IP, which only a Fly Machine has: nothing "
                            "was verified here"});
    co_return outcome;
  }
  try {
    outcome = co_await probe.run(context);
  } catch (const std::exception&) {
    outcome = {};
    outcome.add({.id = "internal",
                 .outcome = Outcome::inconclusive,
                 .summary = "the probe broke: this is an error in holdshort"});
  }
  co_return outcome;
}

}  // namespace holdshort
