// holdshort demo: a sample app and the agent beside it in one process, controls coming up one by one, then
// one breaks.
#pragma once

namespace holdshort {

// Tells the story on standard output, in under 20 seconds. Returns the exit status: 0, 1 where the agent did
// not see what it should have seen, 128 + n where signal n (SIGINT, SIGTERM) ended it.
int run_demo();

}  // namespace holdshort
