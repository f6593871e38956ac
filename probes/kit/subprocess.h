// Runs a program to its end: no shell, nothing inherited, one deadline for it and all that it has started.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "probes/kit/awaitable.h"
#include "probes/probe.h"

namespace holdshort {

struct Command {
  std::vector<std::string> arguments;    // not empty; the first is a path, or is looked for in our PATH
  std::vector<std::string> environment;  // NAME=VALUE, all of it
};

struct Finished {
  enum class How {
    exited,
    killed,       // by a signal that was not ours
    late,         // the deadline passed: killed with its whole process group
    not_started,  // no such program, or none that can be executed
    lost,         // somebody else has taken its status
  };
  How how = How::not_started;
  int code = 0;                // exit status, or the signal's number
  std::string error;           // why not_started or lost
  std::string output;          // the end of standard output and error together
  bool output_is_cut = false;  // its beginning is not there
};

inline constexpr std::size_t kMaxOutputBytes = 8 * 1024;

// The program leads a session and process group of its own, has /dev/null as standard input, default signal
// dispositions, an empty signal mask and no descriptor of ours. What is left of its group when it ends is
// killed; what has left the group lives on. The output is read to its end and forgotten but for the last
// kMaxOutputBytes. A run that is abandoned kills it too.
//
// It is waited for by pidfd, so only waiting for *any* child could take its status. It is started on a thread
// of `offload`: whoever waits for any child with __WNOTHREAD leaves it alone.
Awaitable<Finished> run_to_end(Command command, std::chrono::milliseconds deadline, Offload& offload);

}  // namespace holdshort
