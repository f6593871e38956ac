// Where a secret is held: the agent's environment, a file, or the environment of the running app.
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "probes/kit/environment.h"
#include "probes/kit/secret.h"
#include "probes/probe.h"

namespace holdshort::secret_probe {

struct Variable {
  std::string name;
};
struct File {
  std::string path;
};
struct ProcessVariable {
  std::string process;  // the command's name, or the script's that an interpreter runs
  std::string name;
};
using Source = std::variant<Variable, File, ProcessVariable>;

// A secret file, and how many processes of one name are looked at; more are not seen, which is said.
inline constexpr std::size_t kMaxSecretBytes = 64 * 1024;
inline constexpr std::size_t kMaxProcesses = 256;

// One holder of the value, or what kept it from being seen.
struct Sighting {
  Outcome outcome =
      Outcome::pass;     // pass: `value` is there and not empty. fail: it is not. Else inconclusive
  std::string label;     // "JWT_SECRET", "/run/secrets/jwt", "JWT_SECRET of node (PID 12)"
  std::string observed;  // "not set"
  std::string summary;   // why it is no pass, and the remedy
  Secret value;          // without the final newline of a file
};

// Never empty. Processes that hold the same value are one sighting. May block.
std::vector<Sighting> look(const Source& source, const Environment& environment);

// What the value is called where it is kept: the variable, or the file without its folder.
std::string name_of(const Source& source);

// Whether `process` goes by `name`: its command, the program's file, or the script that an interpreter runs.
bool goes_by(const Process& process, const std::string& name);

}  // namespace holdshort::secret_probe
