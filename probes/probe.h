// What a probe is: a question about one control, asked of the running app, answered with evidence.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/awaitable.h"
#include "probes/kit/clock.h"
#include "probes/kit/environment.h"
#include "probes/kit/http_client.h"
#include "probes/kit/identity.h"
#include "probes/kit/sightings.h"
#include "probes/kit/synthetic_clients.h"

namespace holdshort {

// In rising order of what a run becomes when it has one such check.
enum class Outcome { skipped, pass, inconclusive, fail };
std::string_view name_of(Outcome);

// One observation: what was sent, what a control that holds would have answered, what was seen.
struct Check {
  std::string id;  // stable: "authentication.none"
  Outcome outcome = Outcome::inconclusive;
  std::string request = {};                  // "GET /admin"; "" where nothing was sent
  std::string expected = {};                 // "401 or 403"
  std::string observed = {};                 // "200"
  std::vector<std::string> references = {};  // "OWASP API2:2023", "CWE-306"
  std::string summary = {};  // for the on-call engineer: "GET /admin answered 200 without credentials"
};

// The first of the worst checks; null where there is none.
const Check* worst_of(const std::vector<Check>& checks);

// A run's answer: as bad as its worst check; without any check it is inconclusive.
struct ProbeOutcome {
  std::vector<Check> checks;
  int requests = 0;

  void add(Check check) { checks.push_back(std::move(check)); }
  Outcome outcome() const;
  const Check* worst() const { return worst_of(checks); }
  // The worst check's sentence; for a pass what was verified: "12 checks passed".
  std::string summary() const;
};

// The app under test, from [app] and the Machine.
struct App {
  Url url;
  std::string host;                             // public host for the Host header
  bool forwarded = true;                        // send what Fly's proxy would add
  std::string region;                           // FLY_REGION, "" off Fly
  std::string private_ip;                       // FLY_PRIVATE_IP, "" off Fly
  std::vector<std::uint16_t> agent_ports = {};  // where holdshort itself listens on this Machine

  // Authorities that are the app itself, in a Location.
  std::vector<std::string> own_hosts() const { return {host, url.authority(), url.host}; }
};

// What runs blocking work off the loop.
class Offload {
 public:
  virtual ~Offload() = default;
  // Runs `work` elsewhere and resumes the caller on the loop when it is done. `work` must not throw.
  virtual Awaitable<void> run(std::function<void()> work) = 0;
};

// How much a run may cost.
enum class Pace {
  startup,  // the app has not passed yet: end at the first thing that is not there, ask `failed_before` first
  watch,    // on its interval, while it passes: a fail ends the run, so that it is acted upon at once
  steady,   // on its interval, all that there is to see
  whole,    // `check`: everything, once
};

// Everything a run may use. Made anew for every run; the referenced objects outlive it. Loop thread only.
struct ProbeContext {
  HttpClient& client;  // pays the request budget by itself
  Clock& clock;
  const Environment& environment;
  Offload& offload;
  SyntheticClients& clients;
  std::mt19937_64& random;
  Identities& identities;
  const App& app;
  std::string run_id;  // 32 lower-case hex digits
  Pace pace = Pace::steady;
  // Where the run before is repeated (at startup, to confirm a fail): id of the check that failed then.
  std::string failed_before;
  int request_budget = 0;  // requests a second that all probes may send together; 0: no budget
  // Waits until `requests` may be sent at full speed without breaking the budget on average (rate_limit's
  // bursts). Null: no budget.
  std::function<Awaitable<void>(int requests)> reserve;

  bool on_interval() const { return pace == Pace::watch || pace == Pace::steady; }
  // A run that has seen such a check has seen enough.
  bool ends_at(Outcome seen) const {
    return (pace == Pace::startup && seen > Outcome::pass) || (pace == Pace::watch && seen == Outcome::fail);
  }

  // A name that nothing in the app has: "hs-0123456789ab".
  std::string unknown_name() const;
};

class Probe {
 public:
  virtual ~Probe() = default;
  // One run. May remember what it learnt for the next (never a verdict). Runs of one probe never overlap.
  virtual Awaitable<ProbeOutcome> run(ProbeContext& context) = 0;
  // Where runs are too costly for the declared interval: how far apart they really are. May change after a
  // run.
  virtual std::optional<std::chrono::milliseconds> cadence() const { return std::nullopt; }
  // Secrets that it wants looked for in the answers to all probes. Lives as long as *this.
  virtual std::span<const KnownSecret> watched() const { return {}; }
  // Adds to a run's outcome what the others' answers have shown of them, in place of what an earlier review
  // had added.
  virtual void review(const Sightings& sightings, ProbeOutcome& outcome) const {
    static_cast<void>(sightings);
    static_cast<void>(outcome);
  }
};

}  // namespace holdshort
