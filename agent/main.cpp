// Hands argv to the command line.
#include "agent/cli/cli.h"

int main(int argc, char** argv) { return holdshort::run_command_line(argc, argv); }
