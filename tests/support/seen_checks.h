// Which checks the tests have seen end how. Every id that a probe reports must be declared
// (probes/TYPE/checks.h), and every declared one must be seen both ways: a whole run of the binary judges
// that at its end.
#pragma once

#include "probes/probe.h"

namespace holdshort::testing_support {

// What Stage does with the outcome of every run. A check that is not declared, that ends as its row says it
// never does, or that cites what its row does not, fails the test that is running.
void note_checks(const ProbeOutcome& outcome);
void note_check(const Check& check);

}  // namespace holdshort::testing_support
