// holdshort.toml, parsed once into types that cannot be wrong.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/kit/diagnostics.h"
#include "probes/kit/environment.h"
#include "probes/kit/fields.h"
#include "probes/kit/identity.h"
#include "probes/probe.h"
#include "probes/registry.h"

namespace holdshort {

enum class Severity { required, advisory };
std::string_view name_of(Severity);

enum class WhenFailing { hold, report, exit };
enum class WhenClosed { reject, hold, replay };
enum class LogLevel { debug, info, warn, error };
enum class LogFormat { automatic, json, text };

// The common keys of a probe, and how to make it. Schedules and thresholds are the agent's: the probe never
// sees them.
struct ProbeConfig {
  std::string name;
  const ProbeType* type = nullptr;
  Severity severity = Severity::required;
  std::chrono::milliseconds interval{}, timeout{}, grace_period{}, startup_interval{};
  int failure_threshold = 1, success_threshold = 1, inconclusive_threshold = 3;
  bool confirm = true;
  std::string description, runbook;
  // A digest of its table after defaults, [app], the identities it names and every secret these refer to:
  // changes exactly when one of them does. What a reload compares.
  std::string definition;
  std::shared_ptr<const Values> values;
  std::unique_ptr<Probe> make() const;  // never null: the configuration was checked by making one
};

struct AgentConfig {
  ListenAddress listen;
  std::optional<SecretValue> status_token;
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::automatic;
  int max_concurrency = 16;
  int request_budget = 50;              // requests a second
  bool request_budget_written = false;  // then it holds before the first ready verdict and in `check` too
  std::string definition;               // of what a reload cannot change: listen
};

// The service port that the gate holds.
struct GateConfig {
  ListenAddress listen;
  WhenClosed when_closed = WhenClosed::reject;
  std::chrono::milliseconds hold_timeout{}, drain{}, idle_timeout{};
  int max_connections = 4096;
  std::string health_path;
};

struct Config {
  std::string file;  // as it was named
  App app;
  AgentConfig agent;
  std::optional<GateConfig> gate;  // nullopt: the file has no [gate]
  WhenFailing when_failing = WhenFailing::hold;
  std::map<std::string, Identity, std::less<>> identities;
  std::vector<ProbeConfig> probes;  // enabled ones, in the file's order
};

struct LoadOptions {
  MissingSecret missing = MissingSecret::is_error;  // validate: is_warning
  std::optional<std::string> target;                // check --target: instead of [app].url
};

// What load() found; `config` is empty where there is at least one error. `readable` is false where the file
// itself could not be read (validate exits 2 then).
struct Loaded {
  std::optional<Config> config;
  std::string file;
  bool readable = true;
  std::vector<Diagnostic> diagnostics;  // in the file's order
};

// A longer file is not read.
inline constexpr std::size_t kMaxConfigBytes = 1024 * 1024;

// `path` empty: $HOLDSHORT_CONFIG, ./holdshort.toml, /etc/holdshort/holdshort.toml.
Loaded load_config(const std::string& path, const Environment& environment, const LoadOptions& options);
// The same for a text at hand; `name` stands for the file in messages.
Loaded parse_config(const std::string& name, const std::string& text, const Environment& environment,
                    const LoadOptions& options);
// "holdshort.toml:12:3: error: ..." without a line break.
std::string format(const std::string& file, const Diagnostic& diagnostic);

}  // namespace holdshort
