// holdshort run: the agent, alone or with the app as its child.
#pragma once

#include <string>
#include <vector>

namespace holdshort {

// `command`: the app to start and supervise; empty: none.
// Returns the exit status: 0 after SIGTERM or SIGINT, or the app's own; 1 where it could not listen or
// when_failing = "exit" ended it, 2 on an invalid configuration, 126 and 127 where the app cannot be started.
int run_agent(const std::string& config, const std::vector<std::string>& command);

}  // namespace holdshort
