// A probe as a user declares it.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "agent/config/config.h"
#include "tests/support/fake_environment.h"
#include "tests/support/json_schema.h"
#include "tests/support/run_probe.h"

namespace holdshort::testing_support {

// `toml` is what follows [app]; it declares one probe. Environment: ADMIN_TOKEN is set, and what `prepare`
// adds.
struct ConfiguredProbe {
  explicit ConfiguredProbe(
      const std::string& toml,
      const std::function<void(FakeEnvironment&)>& prepare = [](FakeEnvironment&) {}) {
    environment.variables["ADMIN_TOKEN"] = "ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5";
    prepare(environment);
    const std::string text = "[app]\nurl = \"http://127.0.0.1:3000\"\nhost = \"orders.example.com\"\n" + toml;
    Loaded loaded = parse_config("holdshort.toml", text, environment, {});
    if (!loaded.config)
      throw std::runtime_error(holdshort::format("holdshort.toml", loaded.diagnostics.at(0)));
    // What the parser takes, no editor may call wrong.
    if (const std::string misfit = schema_misfit(text); !misfit.empty())
      throw std::runtime_error("the JSON Schema refuses " + misfit);
    config = std::move(*loaded.config);
    probe = config.probes.at(0).make();
  }

  ProbeOutcome run(Stage& stage) {
    stage.identities.by_name = config.identities;
    return stage.run(*probe);
  }

  FakeEnvironment environment;
  Config config;
  std::unique_ptr<Probe> probe;
};

}  // namespace holdshort::testing_support
