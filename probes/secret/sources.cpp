#include "probes/secret/sources.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace holdshort::secret_probe {
namespace {

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_blank(std::string_view value) { return value.find_first_not_of(" \t\r\n\f\v") == value.npos; }

Sighting missing(std::string label, std::string observed, std::string summary) {
  return {Outcome::fail, std::move(label), std::move(observed), std::move(summary), {}};
}
Sighting unseen(std::string label, std::string observed, std::string summary) {
  return {Outcome::inconclusive, std::move(label), std::move(observed), std::move(summary), {}};
}

Sighting seen(std::string label, std::string value) {
  if (is_blank(value)) return missing(label, "empty", fmt::format("{} is empty", label));
  return {Outcome::pass, std::move(label), {}, {}, Secret(std::move(value))};
}

std::vector<Sighting> look_at(const Variable& variable, const Environment& environment) {
  std::optional<std::string> value = environment.variable(variable.name);
  if (value) return {seen(variable.name, std::move(*value))};
  return {missing(variable.name, "not set",
                  fmt::format("{0} is not set; set it: fly secrets set {0}=...", variable.name))};
}

std::vector<Sighting> look_at(const File& file, const Environment& environment) {
  Result<std::string> contents = environment.read_file(file.path, kMaxSecretBytes);
  if (!contents) {
    const std::string& why = contents.error().message;
    if (why == kNoSuchFile)
      return {
          missing(file.path, "no such file", fmt::format("the secret's file {} does not exist", file.path))};
    return {unseen(file.path, why, fmt::format("the secret's file {} cannot be read: {}", file.path, why))};
  }
  if (contents->ends_with('\n')) contents->pop_back();
  if (contents->ends_with('\r')) contents->pop_back();
  return {seen(file.path, std::move(*contents))};
}

// The script that an interpreter runs: "app.js" of "node --inspect dist/app.js", "gunicorn" of "python3 -m
// gunicorn".
std::string_view script_of(const std::vector<std::string>& arguments) {
  constexpr std::array<std::string_view, 6> kWithValue{"-r", "--require", "--import", "--loader", "-X", "-W"};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (std::find(kWithValue.begin(), kWithValue.end(), arguments[i]) != kWithValue.end())
      ++i;
    else if (!arguments[i].starts_with('-'))
      return base_name(arguments[i]);
  }
  return {};
}

bool is_interpreter(std::string_view program) {
  constexpr std::array<std::string_view, 8> kInterpreters{"node", "python", "ruby", "php",
                                                          "perl", "java",   "bun",  "deno"};
  // "python3.11" is one too.
  return std::any_of(kInterpreters.begin(), kInterpreters.end(), [&](std::string_view name) {
    return program.starts_with(name) && program.find_first_not_of("0123456789.", name.size()) == program.npos;
  });
}

const std::string* find_entry(const std::vector<std::string>& entries, const std::string& name) {
  const std::string prefix = name + "=";
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const std::string& entry) { return entry.starts_with(prefix); });
  return found == entries.end() ? nullptr : &*found;
}

// A program that shows a title in `ps` writes it over its arguments and environment.
bool is_overwritten(const std::vector<std::string>& entries) {
  const auto is_foreign = [](const std::string& entry) {
    return !entry.empty() && entry.find('=') == entry.npos;
  };
  const bool is_empty =
      std::all_of(entries.begin(), entries.end(), [](const std::string& entry) { return entry.empty(); });
  return is_empty || std::any_of(entries.begin(), entries.end(), is_foreign);
}

// Nothing where the process has ended meanwhile.
std::optional<Sighting> look_at(const ProcessVariable& variable, const Process& process,
                                const Environment& environment) {
  const std::string who = fmt::format("{} (PID {})", variable.process, process.pid);
  const std::string label = fmt::format("{} of {}", variable.name, who);
  const Result<std::vector<std::string>> entries = environment.process_environment(process.pid);
  if (!entries) {
    const std::string& why = entries.error().message;
    if (why == kNoSuchFile || why == "No such process") return std::nullopt;
    return unseen(
        label, why,
        fmt::format("the environment of {} cannot be read: {}; run holdshort as the same user or as root",
                    who, why));
  }
  if (const std::string* entry = find_entry(*entries, variable.name))
    return seen(label, entry->substr(variable.name.size() + 1));
  if (is_overwritten(*entries))
    return unseen(label, "overwritten",
                  fmt::format("{} has overwritten its environment with a title, so {} cannot be seen there; "
                              "use env = \"{}\" instead",
                              who, variable.name, variable.name));
  const bool is_ours = environment.variable(variable.name).has_value();
  return missing(
      label, "not set",
      is_ours ? fmt::format("{} is set on the Machine, but {} was started without it", variable.name, who)
              : fmt::format("{} is not set in the environment of {}", variable.name, who));
}

std::vector<Sighting> look_at(const ProcessVariable& variable, const Environment& environment) {
  std::vector<Process> processes = environment.processes();
  std::erase_if(processes, [&](const Process& process) { return !goes_by(process, variable.process); });
  std::vector<Sighting> sightings;
  if (processes.size() > kMaxProcesses) {
    sightings.push_back(unseen(variable.process, fmt::format("{} processes", processes.size()),
                               fmt::format("more than {} processes are named {}: not all are looked at",
                                           kMaxProcesses, variable.process)));
    processes.resize(kMaxProcesses);
  }
  for (const Process& process : processes) {
    std::optional<Sighting> sighting = look_at(variable, process, environment);
    if (!sighting) continue;
    const auto is_same = [&](const Sighting& other) {
      return sighting->outcome == Outcome::pass && other.outcome == Outcome::pass &&
             other.value.reveal() == sighting->value.reveal();
    };
    if (std::none_of(sightings.begin(), sightings.end(), is_same)) sightings.push_back(std::move(*sighting));
  }
  if (sightings.empty())
    sightings.push_back(unseen(
        fmt::format("{} of {}", variable.name, variable.process), "no such process",
        fmt::format(
            "no process named {} is running; the name is that of the command, or of the script it runs",
            variable.process)));
  return sightings;
}

}  // namespace

bool goes_by(const Process& process, const std::string& name) {
  constexpr std::size_t kMaxComm = 15;  // Linux cuts it
  // Without arguments it is a kernel thread, or has ended and waits to be reaped.
  if (process.arguments.empty() || process.arguments.front().empty()) return false;
  const std::string_view command = process.name;
  if (command == name || (command.size() == kMaxComm && name.starts_with(command))) return true;
  // A title may stand in the first argument: "puma 6.4.0 (tcp://0.0.0.0:3000)", "nginx: master process".
  const std::string_view first = process.arguments.front();
  const std::string_view program = base_name(first.substr(0, first.find_first_of(" :")));
  return program == name || base_name(first) == name ||
         (is_interpreter(program) && script_of(process.arguments) == name);
}

std::string name_of(const Source& source) {
  if (const auto* variable = std::get_if<Variable>(&source)) return variable->name;
  if (const auto* file = std::get_if<File>(&source)) return std::string(base_name(file->path));
  return std::get<ProcessVariable>(source).name;
}

std::vector<Sighting> look(const Source& source, const Environment& environment) {
  return std::visit([&](const auto& where) { return look_at(where, environment); }, source);
}

}  // namespace holdshort::secret_probe
