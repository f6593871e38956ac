#include "agent/cli/cli.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "agent/cli/check.h"
#include "agent/cli/demo.h"
#include "agent/cli/explain.h"
#include "agent/cli/lint.h"
#include "agent/cli/run.h"
#include "agent/cli/schema.h"
#include "agent/cli/status.h"
#include "agent/cli/validate.h"
#include "probes/kit/duration.h"

namespace holdshort {

namespace {

constexpr int kUsageError = 2;

const CLI::Validator kDuration(
    [](std::string& text) {
      const auto duration = Duration::parse(text);
      return duration ? std::string() : duration.error().message;
    },
    "DURATION");

int usage_error(std::string_view what) {
  fmt::print(stderr, "holdshort: {}; holdshort --help shows what there is\n", what);
  return kUsageError;
}

CheckOptions::Format report_format(std::string_view name) {
  if (name == "json") return CheckOptions::Format::json;
  if (name == "junit") return CheckOptions::Format::junit;
  return name == "sarif" ? CheckOptions::Format::sarif : CheckOptions::Format::text;
}

void add_config(CLI::App& command, std::string& file) {
  command
      .add_option(
          "-c,--config", file,
          "configuration; default: $HOLDSHORT_CONFIG, ./holdshort.toml, /etc/holdshort/holdshort.toml")
      ->type_name("FILE");
}

struct CommandLine {
  CLI::App app{"Holds a Fly Machine short of traffic until its security controls have been seen to work.",
               "holdshort"};
  CheckOptions check;
  std::string config, fly_toml, type, wait, target, format = "text";
  AskOptions ask;
  std::string probe, ready, reason, ttl;
  bool watch = false;
  CLI::App *run_command = nullptr, *check_command = nullptr, *validate_command = nullptr,
           *lint_command = nullptr, *explain_command = nullptr, *status_command = nullptr,
           *recheck_command = nullptr, *override_command = nullptr, *demo_command = nullptr,
           *schema_command = nullptr;

  std::vector<std::string> app_command;  // what follows "--", as it is: CLI11 reads brackets and quotes in it
  bool has_app_command = false;

  CommandLine() {
    app.set_version_flag("--version", "holdshort " HOLDSHORT_VERSION);
    app.require_subcommand(1);
    run_command = app.add_subcommand("run", "verify the app on every interval and answer its health check");
    add_config(*run_command, config);
    run_command->footer("-- COMMAND [ARG ...]   start this app and supervise it");
    check_command = app.add_subcommand(
        "check", "run every probe once and report: 0 ready, 1 a control failed, 3 could not be seen");
    add_check_options();
    validate_command = app.add_subcommand("validate", "parse and judge the configuration, change nothing");
    add_config(*validate_command, config);
    lint_command = app.add_subcommand(
        "lint", "judge a fly.toml: checks that never gate routing, secrets in [env], keys that do nothing");
    lint_command->add_option("--fly-toml", fly_toml, "default: ./fly.toml")->type_name("FILE");
    explain_command =
        app.add_subcommand("explain", "what a probe type sends, when it passes, which standard it cites");
    explain_command->add_option("type", type, "a probe type; without it: all of them in a line each")
        ->type_name("TYPE");
    schema_command = app.add_subcommand("schema", "the JSON Schema of the configuration, for editors");
    add_commands_to_an_agent();
    demo_command = app.add_subcommand(
        "demo", "a sample app and the agent in one process, controls coming up one by one");
  }

  void add_commands_to_an_agent() {
    status_command =
        app.add_subcommand("status", "a running agent's status: 0 ready, 1 not, 2 nobody answers");
    add_ask_options(*status_command);
    status_command->add_flag("--watch", watch, "again every two seconds, until interrupted");
    recheck_command = app.add_subcommand("recheck", "have a running agent run its probes now");
    add_ask_options(*recheck_command);
    recheck_command->add_option("probe", probe, "this probe alone")->type_name("NAME");
    override_command =
        app.add_subcommand("override", "break-glass: set a running agent's readiness by hand, for a while");
    add_ask_options(*override_command);
    override_command->add_option("readiness", ready, "ready or not-ready")
        ->required()
        ->check(CLI::IsMember({"ready", "not-ready"}));
    override_command->add_option("--reason", reason, "shown wherever the override is")->required();
    override_command->add_option("--ttl", ttl, "it ends by itself; at most 4h")->required()->check(kDuration);
  }

  void add_ask_options(CLI::App& command) {
    command.add_option("--url", ask.url, "the agent; default: here")->type_name("URL");
    add_config(command, ask.config);
  }

  void add_check_options() {
    add_config(*check_command, config);
    check_command->add_option("--target", target, "look here instead of [app].url")->type_name("URL");
    check_command->add_option("--only", check.only, "this probe alone; may be repeated")
        ->type_name("NAME")
        ->take_all();
    check_command->add_option("--wait", wait, "keep trying for so long while the result is inconclusive")
        ->check(kDuration);
    check_command->add_option("--format", format, "how to report")
        ->check(CLI::IsMember({"text", "json", "junit", "sarif"}))
        ->capture_default_str();
    check_command
        ->add_option("--output", check.output, "write the report there instead of to standard output")
        ->type_name("FILE");
  }

  int dispatch() {
    if (has_app_command && (!run_command->parsed() || app_command.empty()))
      return usage_error(run_command->parsed() ? "no command after --" : "only run takes a command after --");
    if (run_command->parsed()) return run_agent(config, app_command);
    if (validate_command->parsed()) return run_validate(config);
    if (lint_command->parsed()) return run_lint(fly_toml);
    if (explain_command->parsed()) return run_explain(type);
    if (schema_command->parsed()) return run_schema();
    if (demo_command->parsed()) return run_demo();
    if (status_command->parsed()) return run_status(ask, watch ? Watch::until_interrupted : Watch::once);
    if (recheck_command->parsed()) return run_recheck(ask, probe);
    if (override_command->parsed()) return run_override(ask, ready, reason, ttl);
    check.config = config;
    if (!target.empty()) check.target = target;
    if (!wait.empty()) check.wait = Duration::parse(wait)->value();
    check.format = report_format(format);
    return run_check(check);
  }
};

}  // namespace

int run_command_line(int argc, char** argv) {
  CommandLine line;
  char** const end = argv + argc;
  char** const dashes =
      std::find_if(argv, end, [](const char* word) { return std::string_view(word) == "--"; });
  line.has_app_command = dashes != end;
  if (line.has_app_command) line.app_command.assign(dashes + 1, end);
  try {
    line.app.parse(static_cast<int>(dashes - argv), argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return line.app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  return line.dispatch();
}

}  // namespace holdshort
