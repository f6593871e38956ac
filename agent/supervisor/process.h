// Starting another program as if holdshort were not there, and finding what runs below us.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "probes/kit/result.h"

namespace holdshort {

// Argument 0 is looked for in PATH. Never empty.
using CommandLineOfApp = std::vector<std::string>;

struct StartFailure {
  int status = 0;  // a shell's: 127 not found, 126 cannot be executed
  std::string message;
};

// Opens /dev/null in the place of missing standard streams, so that no descriptor of ours takes their number.
void open_standard_streams();

// Becomes the program. Returns only where that fails.
StartFailure exec_in_place(const CommandLineOfApp& command);

enum class StandardError { inherited, like_output };

// Starts the program as a child of the calling thread, which must live as long as the process: the child
// gets SIGTERM when it ends. The child has our environment, folder and standard input, `output` as standard
// output, every signal at its default and none blocked, no other descriptor. On a terminal it becomes the
// foreground job: Ctrl-C reaches it once. Returns its PID when it runs, with exec behind it.
// `descriptors`: its soft limit of them; 0: ours.
tl::expected<int, StartFailure> start_child(const CommandLineOfApp& command, int output, StandardError error,
                                            std::size_t descriptors = 0);

// Ctrl-Z has stopped the foreground job, the app, alone: the shell that started us waits for us. Stops this
// process too, and continues the app when it is continued itself (fg, bg). Where there is no such shell, as
// in `docker run -it`, the app is continued at once.
void stop_with_the_app(int app);

// How a process ended.
struct Ending {
  enum class Kind { exited, killed };
  Kind kind = Kind::exited;
  int number = 0;      // the status, or the signal
  int status() const;  // as a shell tells it: 128 + n for signal n
};

// "SIGKILL"; "signal 64" where it has no name.
std::string signal_name(int signal);

// PIDs of all below this process that run, children and theirs, parents first; those that have ended are left
// out. Empty where /proc is missing.
std::vector<int> descendants();
// How often the kernel has killed for lack of memory since it started; 0 where it does not tell.
long out_of_memory_kills();

}  // namespace holdshort
