#include "agent/cli/validate.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/events.h"

namespace holdshort {

void print_diagnostics(const Loaded& loaded) {
  for (const Diagnostic& diagnostic : loaded.diagnostics)
    fmt::print(stderr, "{}\n", holdshort::format(loaded.file, diagnostic));
}

int run_validate(const std::string& config) {
  LoadOptions options;
  options.missing = MissingSecret::is_warning;
  const Loaded loaded = load_config(config, SystemEnvironment(), options);
  print_diagnostics(loaded);
  if (!loaded.readable) return 2;
  if (!loaded.config) return 1;
  if (!loaded.config->agent.status_token)
    fmt::print(stderr, "{}\n",
               holdshort::format(loaded.file, {.level = Diagnostic::Level::warning,
                                               .place = {},
                                               .message = std::string(events::kNoStatusToken)}));
  const auto required =
      std::count_if(loaded.config->probes.begin(), loaded.config->probes.end(),
                    [](const ProbeConfig& probe) { return probe.severity == Severity::required; });
  fmt::print("{}: valid, {} probes, {} of them required\n", loaded.file, loaded.config->probes.size(),
             required);
  return 0;
}

}  // namespace holdshort
