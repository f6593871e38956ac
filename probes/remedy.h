// What to do about a check that did not pass, for whoever is woken by it. The texts are rows of each type's
// explanation; of what could not be seen most depends on what was seen instead, so those rows are common.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "probes/probe.h"

namespace holdshort {

// One row of a type's table. Texts are fixed: nothing of an app or a configuration is in them.
struct Remedy {
  std::string_view check;        // an id, or what ids begin with; "": any of the type that no other row names
  std::string_view broken;       // what to do where it failed
  std::string_view unseen = {};  // where it was inconclusive; empty: by what was observed, as below
};

// The checks that a row is about, for people: "authentication.path.*", "any other".
std::string named(const Remedy& row);

// What to do where nothing could be said, by what was observed.
struct UnseenRemedy {
  std::string_view observed;  // for people: "no answer"
  bool (*applies)(std::string_view observed);
  std::string_view advice;
};
std::span<const UnseenRemedy> unseen_remedies();  // the first that applies counts; the last always does

// Lives for ever; "" for a check that passed or was skipped.
std::string_view remedy_for(std::string_view type, const Check& check);

}  // namespace holdshort
