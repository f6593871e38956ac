#include "agent/config/config.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/config/identities.h"
#include "agent/config/probe_tables.h"
#include "agent/config/sections.h"
#include "agent/config/toml.h"
#include "probes/kit/ascii.h"

namespace holdshort {
namespace {

constexpr const char* kLocalFile = "holdshort.toml";
constexpr const char* kSystemFile = "/etc/holdshort/holdshort.toml";
constexpr const char* kFileVariable = "HOLDSHORT_CONFIG";

// --- which file

struct Source {
  std::string file;
  Result<std::string> text;
};

Source read_source(const std::string& path, const Environment& environment) {
  if (!path.empty()) return {path, environment.read_file(path, kMaxConfigBytes)};
  if (const auto named = environment.variable(kFileVariable); named && !named->empty())
    return {*named, environment.read_file(*named, kMaxConfigBytes)};
  Source local{kLocalFile, environment.read_file(kLocalFile, kMaxConfigBytes)};
  // Only a missing file is passed over: one that cannot be read was meant to count.
  if (local.text || local.text.error().message != kNoSuchFile) return local;
  Source system{kSystemFile, environment.read_file(kSystemFile, kMaxConfigBytes)};
  if (system.text || system.text.error().message != kNoSuchFile) return system;
  local.text = failure(fmt::format("{}, nor {}", kNoSuchFile, kSystemFile));
  return local;
}

// --- its tables

class ConfigReader {
 public:
  ConfigReader(const Node& root, const Environment& environment, const LoadOptions& options,
               Diagnostics& diagnostics)
      : root_(root), environment_(environment), options_(options), diagnostics_(diagnostics) {}

  Config read() {
    report_unknown_tables();
    Config config;
    config.app = read_app();
    config.agent = read_agent();
    config.gate = read_gate(config);
    config.app.agent_ports = {config.agent.listen.port};
    if (config.gate) config.app.agent_ports.push_back(config.gate->listen.port);
    config.when_failing = read_when_failing();
    const DeclaredIdentities declared =
        read_identities(root_.find("identities"), environment_, options_.missing, diagnostics_);
    config.probes = read_probes(root_.find("probes"), root_.find("defaults"),
                                {config.app, declared, environment_, options_.missing}, diagnostics_);
    for (const auto& [name, identity] : declared) config.identities.emplace(name, identity.identity);
    return config;
  }

 private:
  void report_unknown_tables() {
    std::vector<std::string_view> known;
    for (const Section& section : sections()) known.push_back(section.name);
    known.insert(known.end(), {"identities", "probes"});
    for (const Node::Entry& entry : *root_.table()) {
      if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
      const std::string hint = suggestion(entry.key, known);
      const std::string_view what = entry.node.table() ? "table" : "key";
      diagnostics_.error(entry.place, fmt::format("unknown {} {}{}", what, in_quotes(entry.key),
                                                  hint.empty() ? ", expected " + one_of(known) : hint));
    }
  }

  Values read_table(std::string_view name, std::span<const Field> fields) {
    static const Node absent{Node::Table(), {1, 1}};
    const Node* table = root_.find(name);
    const std::span<const Field> groups[] = {fields};
    return FieldReader(environment_, options_.missing, diagnostics_)
        .read(table ? *table : absent, fmt::format("[{}]", name), groups);
  }

  App read_app() {
    const Values values = read_table("app", app_fields());
    App app;
    if (options_.target) {
      const Result<Url> target = Url::parse(*options_.target);
      if (!target)
        diagnostics_.error({}, "--target is no URL that probes can use: " + target.error().message);
      if (target) app.url = *target;
    } else if (const std::optional<Url> url = values.url("url")) {
      app.url = *url;
    } else if (values.complete()) {
      diagnostics_.error(
          values.table_place(),
          R"(missing key "url" in [app], expected the app's URL; write url = "http://127.0.0.1:8080")");
    }
    app.host = values.has("host") ? values.string("host") : app.url.authority();
    check_host(values);
    app.forwarded = values.boolean("forwarded");
    app.region = environment_.variable("FLY_REGION").value_or("");
    app.private_ip = environment_.variable("FLY_PRIVATE_IP").value_or("");
    return app;
  }

  // As a Host header has it (RFC 9110 7.2): no scheme, no path.
  void check_host(const Values& values) {
    if (!values.has("host") || values.string("host").empty()) return;
    const Result<Url> url = Url::parse("http://" + values.string("host"));
    if (!url || !url->path.empty() || values.string("host").ends_with('/'))
      diagnostics_.error(
          values.place("host"),
          "\"host\" is no host, expected a name and perhaps a port, such as \"orders.example.com\"");
  }

  AgentConfig read_agent() {
    const Values values = read_table("agent", agent_fields());
    AgentConfig agent;
    agent.listen = values.listen("listen");
    agent.status_token = values.secret("status_token");
    agent.log_level = log_level(values.string("log_level"));
    agent.log_format = log_format(values.string("log_format"));
    agent.max_concurrency = static_cast<int>(values.integer("max_concurrency"));
    agent.request_budget = static_cast<int>(values.integer("request_budget"));
    agent.request_budget_written = values.has("request_budget");
    agent.definition = agent.listen.text();
    return agent;
  }

  static LogLevel log_level(std::string_view name) {
    if (name == "debug") return LogLevel::debug;
    if (name == "warn") return LogLevel::warn;
    return name == "error" ? LogLevel::error : LogLevel::info;
  }

  static LogFormat log_format(std::string_view name) {
    if (name == "json") return LogFormat::json;
    return name == "text" ? LogFormat::text : LogFormat::automatic;
  }

  std::optional<GateConfig> read_gate(const Config& config) {
    if (!root_.find("gate")) return std::nullopt;
    const Values values = read_table("gate", gate_fields());
    GateConfig gate;
    gate.listen = values.listen("listen");
    gate.when_closed = when_closed(values.string("when_closed"));
    gate.hold_timeout = values.duration("hold_timeout");
    gate.drain = values.duration("drain");
    gate.idle_timeout = values.duration("idle_timeout");
    gate.max_connections = static_cast<int>(values.integer("max_connections"));
    gate.health_path = values.string("health_path");
    check_gate(values, gate, config);
    return gate;
  }

  static WhenClosed when_closed(std::string_view name) {
    if (name == "hold") return WhenClosed::hold;
    return name == "replay" ? WhenClosed::replay : WhenClosed::reject;
  }

  void check_gate(const Values& values, const GateConfig& gate, const Config& config) {
    if (!values.complete()) return;
    if (gate.health_path.find_first_of("?#") != std::string::npos)
      diagnostics_.error(values.place("health_path"),
                         "\"health_path\" has a query or a fragment, expected a path alone, such as "
                         "\"/.holdshort/readyz\"");
    if (gate.listen.port != 0 && gate.listen.port == config.agent.listen.port)
      diagnostics_.error(values.place("listen"),
                         fmt::format("[gate] and [agent] both listen on port {}; give one of them another",
                                     gate.listen.port));
    const Url& app = config.app.url;
    if (options_.target || app.host.empty()) return;  // the gate stands before [app].url, or that is wrong
    if (app.scheme == Url::Scheme::https)
      diagnostics_.error(values.table_place(),
                         "[gate] passes plain HTTP to the app, but [app].url is https; let the app listen on "
                         "http://127.0.0.1, Fly's proxy ends TLS");
    if (gate.listen.port == app.port && is_loopback(app.host))
      diagnostics_.error(
          values.place("listen"),
          fmt::format("the gate would pass every request to itself: [app].url has port {} too; let "
                      "the app listen on another",
                      app.port));
  }

  static bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
  }

  WhenFailing read_when_failing() {
    const Values values = read_table("readiness", readiness_fields());
    const std::string& choice = values.string("when_failing");
    if (choice == "report") return WhenFailing::report;
    return choice == "exit" ? WhenFailing::exit : WhenFailing::hold;
  }

  const Node& root_;
  const Environment& environment_;
  const LoadOptions& options_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::string_view name_of(Severity severity) {
  return severity == Severity::required ? "required" : "advisory";
}

Loaded parse_config(const std::string& name, const std::string& text, const Environment& environment,
                    const LoadOptions& options) {
  Loaded loaded;
  loaded.file = name;
  Diagnostics diagnostics;
  const Node root = parse_toml(text, diagnostics);
  if (!diagnostics.has_errors()) {
    Config config = ConfigReader(root, environment, options, diagnostics).read();
    config.file = name;
    if (!diagnostics.has_errors()) loaded.config = std::move(config);
  }
  loaded.diagnostics = diagnostics.sorted();
  return loaded;
}

Loaded load_config(const std::string& path, const Environment& environment, const LoadOptions& options) {
  const Source source = read_source(path, environment);
  if (source.text) return parse_config(source.file, *source.text, environment, options);
  Loaded loaded;
  loaded.file = source.file;
  loaded.readable = false;
  loaded.diagnostics.push_back({Diagnostic::Level::error,
                                {},
                                fmt::format("cannot be read: {}; name another file with --config or ${}",
                                            source.text.error().message, kFileVariable)});
  return loaded;
}

std::string format(const std::string& file, const Diagnostic& diagnostic) {
  const std::string_view level = diagnostic.level == Diagnostic::Level::error ? "error" : "warning";
  const std::string place =
      diagnostic.place.line > 0 ? fmt::format("{}:{}:", diagnostic.place.line, diagnostic.place.column) : "";
  std::string line = fmt::format("{}:{} {}: {}", file, place, level, diagnostic.message);
  for (char& c : line)
    if (ascii::is_control(c)) c = '?';
  return line;
}

}  // namespace holdshort
