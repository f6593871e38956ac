// The `listeners` probe: what on this Machine can be reached from beyond it. Sends nothing: it reads the
// kernel's own table, which knows what a port scan can only guess.
#include "probes/listeners/listeners.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>

#include "probes/kit/text.h"
#include "probes/listeners/sockets.h"

namespace holdshort::listeners {
namespace {

constexpr std::string_view kOurName = "holdshort";
constexpr std::uint16_t kFlySshPort = 22;
constexpr std::size_t kMaxNamed = 16;  // offenders that get a check each; the last of them counts the rest
constexpr std::size_t kMaxNameBytes = 32;

constexpr Field kOwnFields[] = {
    {.name = "allow",
     .kind = Kind::string_list,
     .fallback = R"(["8080"])",
     .doc = "what may be reached from outside: a port, or address:port (\"[fdaa::3]:9100\")",
     .min = 0},
};

struct Debugger {
  std::uint16_t port;
  std::string_view name;
};
// Where they listen unless told otherwise. Whoever reaches one runs code in the app.
constexpr std::array<Debugger, 6> kDebuggers{{{2345, "Delve (Go)"},
                                              {5005, "JDWP (Java)"},
                                              {5678, "debugpy (Python)"},
                                              {9222, "Chrome DevTools"},
                                              {9229, "the Node.js inspector"},
                                              {9230, "the Node.js inspector"}}};

std::string_view debugger_at(std::uint16_t port) {
  const auto found = std::find_if(kDebuggers.begin(), kDebuggers.end(),
                                  [port](const Debugger& debugger) { return debugger.port == port; });
  return found == kDebuggers.end() ? "" : found->name;
}

struct Allowed {
  std::string host;  // "": any
  std::uint16_t port = 0;
  bool covers(const Listener& listener) const {
    return port == listener.port && (host.empty() || host == listener.host());
  }
};

const std::vector<std::string> kExposed{"OWASP API8:2023", "ASVS 13.4.5", "CWE-668"};
const std::vector<std::string> kDebug{"OWASP API8:2023", "ASVS 13.4.2", "CWE-489"};

Check check(std::string id, Outcome outcome, std::string expected, std::string observed,
            std::vector<std::string> references, std::string summary) {
  return {.id = std::move(id),
          .outcome = outcome,
          .expected = std::move(expected),
          .observed = std::move(observed),
          .references = std::move(references),
          .summary = std::move(summary)};
}

// Who has which socket open. Read only where somebody has to be named: it costs a look at every process.
class Owners {
 public:
  Owners(const Environment& environment, const std::set<std::uint64_t>& wanted) {
    for (const std::uint64_t inode : sockets_of(environment, kOwnProcess)) ours_.insert(inode);
    for (const Process& process : environment.processes())
      for (const std::uint64_t inode : sockets_of(environment, process.pid))
        if (wanted.contains(inode)) owners_.emplace(inode, process);
  }

  const Process* of(const Listener& listener) const {
    const auto found = owners_.find(listener.inode);
    return found == owners_.end() ? nullptr : &found->second;
  }
  bool is_holdshort(const Listener& listener) const {
    const Process* owner = of(listener);
    return ours_.contains(listener.inode) || (owner && owner->name == kOurName);
  }
  std::string name(const Listener& listener) const {
    if (const Process* owner = of(listener))
      return fmt::format("{}, PID {}", shown(owner->name, kMaxNameBytes), owner->pid);
    return fmt::format("a process of user {} that cannot be seen", listener.user);
  }

 private:
  static std::vector<std::uint64_t> sockets_of(const Environment& environment, int pid) {
    return environment.process_sockets(pid).value_or(std::vector<std::uint64_t>());
  }
  std::set<std::uint64_t> ours_;
  std::map<std::uint64_t, Process> owners_;
};

class ListenersProbe final : public Probe {
 public:
  explicit ListenersProbe(std::vector<Allowed> allow) : allow_(std::move(allow)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    ProbeOutcome outcome;
    const Environment& environment = context.environment;
    const App& app = context.app;
    std::function<void()> work = [this, &environment, &app, &outcome] { judge(environment, app, outcome); };
    co_await context.offload.run(std::move(work));
    co_return outcome;
  }

 private:
  // Blocks.
  void judge(const Environment& environment, const App& app, ProbeOutcome& outcome) const {
    const Result<std::vector<Listener>> listeners = all_listeners(environment);
    if (!listeners) {
      outcome.add(check("listeners.beyond_loopback", Outcome::inconclusive, "the table of sockets",
                        listeners.error().message, kExposed,
                        "what listens cannot be seen: " + listeners.error().message));
      return;
    }
    const std::vector<Listener> suspects = suspects_of(*listeners, app);
    std::set<std::uint64_t> wanted;
    for (const Listener& listener : suspects) wanted.insert(listener.inode);
    // A run that finds nothing looks at no process.
    std::optional<Owners> owners;
    if (!suspects.empty()) owners.emplace(environment, wanted);

    std::vector<Listener> exposed, debuggers;
    for (const Listener& listener : suspects) {
      if (is_ours(*owners, listener, app)) continue;
      (listener.is_loopback() ? debuggers : exposed).push_back(listener);
    }
    if (!app_is_seen(*listeners, app)) outcome.add(app_unseen(app));
    report_exposed(exposed, owners, outcome);
    if (exposed.empty()) outcome.add(nothing_exposed(*listeners, debuggers, owners));
    for (const Listener& listener : debuggers) outcome.add(debugger_on_loopback(listener, *owners));
  }

  // What is reachable and not allowed, and debuggers wherever they are.
  std::vector<Listener> suspects_of(const std::vector<Listener>& listeners, const App& app) const {
    std::vector<Listener> suspects;
    for (const Listener& listener : listeners) {
      if (listener.is_loopback() ? is_debugger(listener, app) : !is_allowed(listener, app))
        suspects.push_back(listener);
    }
    return suspects;
  }

  bool is_allowed(const Listener& listener, const App& app) const {
    // Fly's own, for `fly ssh console`; it listens on that one address.
    if (listener.port == kFlySshPort && canonical_address(app.private_ip) == listener.host()) return true;
    return std::any_of(allow_.begin(), allow_.end(),
                       [&](const Allowed& allowed) { return allowed.covers(listener); });
  }

  static bool is_debugger(const Listener& listener, const App& app) {
    return !debugger_at(listener.port).empty() && listener.port != app.url.port;
  }

  // Whose socket it is decides. Where that cannot be seen, the port does: on it nobody else can listen while
  // the agent runs.
  static bool is_ours(const Owners& owners, const Listener& listener, const App& app) {
    if (owners.is_holdshort(listener)) return true;
    return !owners.of(listener) &&
           std::find(app.agent_ports.begin(), app.agent_ports.end(), listener.port) != app.agent_ports.end();
  }

  // The positive control: in another network namespace, or before the app has started, nothing would be
  // found.
  static bool app_is_seen(const std::vector<Listener>& listeners, const App& app) {
    if (app.url.scheme == Url::Scheme::unix_socket) return true;
    return std::any_of(listeners.begin(), listeners.end(),
                       [&](const Listener& listener) { return listener.port == app.url.port; });
  }

  static Check app_unseen(const App& app) {
    return check(
        "listeners.app", Outcome::inconclusive,
        fmt::format("the app's own port, {}, among the listening ones", app.url.port), "not there", {},
        fmt::format("the app itself is not seen listening on port {}: it has not started, or holdshort "
                    "runs in another network namespace",
                    app.url.port));
  }

  static void report_exposed(const std::vector<Listener>& exposed, const std::optional<Owners>& owners,
                             ProbeOutcome& outcome) {
    for (std::size_t i = 0; i < exposed.size(); ++i) {
      const Listener& listener = exposed[i];
      if (i + 1 == kMaxNamed && exposed.size() > kMaxNamed) {
        outcome.add(check("listeners.beyond_loopback", Outcome::fail, "on loopback, or in allow",
                          fmt::format("{} more", exposed.size() - i), kExposed,
                          fmt::format("{} more listen beyond loopback", exposed.size() - i)));
        return;
      }
      const std::string who = owners->name(listener);
      const std::string_view debugger = debugger_at(listener.port);
      if (debugger.empty()) {
        outcome.add(check("listeners.beyond_loopback", Outcome::fail, "on loopback, or in allow",
                          fmt::format("{} ({})", listener.text(), who), kExposed,
                          fmt::format("{} ({}) listens beyond loopback; bind it to 127.0.0.1, or name {} in "
                                      "allow",
                                      listener.text(), who, listener.port)));
      } else {
        outcome.add(
            check("listeners.debugger", Outcome::fail, "no debugger",
                  fmt::format("{} ({})", listener.text(), who), kDebug,
                  fmt::format("{} ({}) listens beyond loopback, on the port of {}: whoever reaches it "
                              "runs code in the app",
                              listener.text(), who, debugger)));
      }
    }
  }

  static Check nothing_exposed(const std::vector<Listener>& listeners, const std::vector<Listener>& debuggers,
                               const std::optional<Owners>& owners) {
    const auto beyond = std::count_if(listeners.begin(), listeners.end(),
                                      [](const Listener& listener) { return !listener.is_loopback(); });
    Check result = check("listeners.beyond_loopback", Outcome::pass, "on loopback, or in allow",
                         fmt::format("{} listen, {} of them beyond loopback", listeners.size(), beyond),
                         kExposed, "nothing but what is allowed listens beyond loopback");
    if (!debuggers.empty())
      result.summary += fmt::format("; a debugger's port is open on loopback: {} ({})",
                                    debuggers.front().text(), owners->name(debuggers.front()));
    return result;
  }

  // Told, not judged: what reaches loopback is on the Machine already.
  static Check debugger_on_loopback(const Listener& listener, const Owners& owners) {
    return check("listeners.debugger", Outcome::skipped, "no debugger",
                 fmt::format("{} ({})", listener.text(), owners.name(listener)), kDebug,
                 fmt::format("{} ({}) listens on the port of {}, on loopback: start production without it",
                             listener.text(), owners.name(listener), debugger_at(listener.port)));
  }

  const std::vector<Allowed> allow_;
};

// "8080", "127.0.0.1:8080", "[fdaa::3]:9100". Nothing: none of these.
std::optional<Allowed> parse_allowed(const std::string& text) {
  const Result<Address> address = Address::parse((text.find(':') == text.npos ? "0.0.0.0:" : "") + text);
  if (!address || !address->path.empty()) return std::nullopt;
  Allowed allowed;
  allowed.port = address->port;
  if (text.find(':') == text.npos) return allowed;
  const std::optional<std::string> host = canonical_address(address->host);
  if (!host) return std::nullopt;
  allowed.host = *host;
  return allowed;
}

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"listeners.debugger", "stop the debugger: whoever reaches its port runs code in the app"},
    {"", "bind it to 127.0.0.1, stop it, or name its port in allow where it is meant to be reachable",
     "has the app started, and in holdshort's own network namespace?"},
};

const Explanation kExplanation{
    .control = "Nothing can be reached from beyond the Machine but what is meant to be.",
    .sends =
        "Nothing. It reads the kernel's tables of TCP sockets (/proc/net/tcp and tcp6, well under 1 ms), and "
        "only where one\n"
        "of them is out of place whose it is (/proc/PID/fd, about 20 us a process). UDP is not looked at.",
    .passes =
        "Every listening socket is on loopback (127.0.0.0/8, ::1), or is named in `allow`, or is holdshort's "
        "own (agent, gate),\n"
        "or is Fly's SSH server on FLY_PRIVATE_IP. The app's own port must be among them. A debugger's port "
        "on loopback\n"
        "(9229, 5005, 5678, 2345, ...) is told, not judged.",
    .fails =
        "Another socket listens on 0.0.0.0, on ::, or on any other address that is not loopback; it is named "
        "with its process.",
    .unclear =
        "The tables cannot be read, or the app's port (of [app].url) is not in them: the app has not "
        "started, "
        "or holdshort\n"
        "runs in another network namespace. Processes of other users stay unnamed unless holdshort is root.",
    .example =
        "[probes.only_the_app_listens]\ntype = \"listeners\"\nallow = [\"8080\", \"[fdaa::3]:9100\"]\n",
    .references = "OWASP API8:2023; ASVS 5.0 13.4.2, 13.4.5; CWE-489, CWE-668",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics& diagnostics) {
  const Values& values = settings.values;
  std::vector<Allowed> allow;
  for (const std::string& text : values.strings("allow")) {
    const std::optional<Allowed> allowed = parse_allowed(text);
    if (allowed) {
      allow.push_back(*allowed);
      continue;
    }
    diagnostics.error(values.place("allow"),
                      fmt::format("{} in \"allow\" is neither a port nor address:port, expected one such as "
                                  "\"8080\" or \"[fdaa::3]:9100\"",
                                  in_quotes(text)));
  }
  if (allow.size() < values.strings("allow").size()) return nullptr;
  return std::make_unique<ListenersProbe>(std::move(allow));
}

}  // namespace holdshort::listeners
