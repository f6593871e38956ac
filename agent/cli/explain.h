// holdshort explain: what a probe type sends, what passes, which standard it cites.
#pragma once

#include <string>

namespace holdshort {

// `type` empty: a line for each type. Returns the exit status.
int run_explain(const std::string& type);

}  // namespace holdshort
