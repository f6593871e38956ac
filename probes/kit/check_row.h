// What explain, the docs and the tests know of a check beforehand. Each probe type declares its own in
// checks.h.
#pragma once

#include <string_view>

namespace holdshort {

struct CheckRow {
  // How a check of this id may end. Where nothing could be seen it is inconclusive, where it does not apply
  // skipped, whatever stands here.
  enum class Ends {
    either,        // passes where the control holds, fails where it does not
    advice,        // passes, or is skipped and says what it saw: it lets nobody in by itself
    never_fails,   // a positive control: it passes, or nothing can be said about the rest
    only_passes,   // where it does not hold, checks of other ids say so
    never_passes,  // reported only where something is wrong
    never_judges,  // a remark, or what stands in the way of all others
  };
  std::string_view id;               // stable: "jwt.alg_none"; a final "*" stands for what the run puts there
  std::string_view says;             // one sentence: what holds where it passes
  std::string_view references = {};  // "OWASP API2:2023, CWE-306"; "" where no standard asks for it
  Ends ends = Ends::either;
};

}  // namespace holdshort
