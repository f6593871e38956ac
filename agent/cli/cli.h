// The command line.
#pragma once

namespace holdshort {

// Dispatches to a subcommand; returns the process's exit status.
int run_command_line(int argc, char** argv);

}  // namespace holdshort
