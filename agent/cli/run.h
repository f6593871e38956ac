// holdshort run: the agent.
#pragma once

#include <string>

namespace holdshort {

// Returns the exit status: 0 after SIGTERM or SIGINT, 1 where it could not listen or when_failing = "exit"
// ended it, 2 on an invalid configuration.
int run_agent(const std::string& config);

}  // namespace holdshort
