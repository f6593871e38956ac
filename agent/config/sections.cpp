#include "agent/config/sections.h"

#include <array>
#include <iterator>

#include "probes/kit/jose.h"
#include "probes/registry.h"

namespace holdshort {
namespace {

constexpr double kMaxConcurrency = 1000, kMaxBudget = 100'000;
constexpr double kMinute = 60'000, kHour = 60 * kMinute;  // in milliseconds
constexpr double kMaxConnections = 1'000'000;

constexpr std::string_view kLogLevels[] = {"debug", "info", "warn", "error"};
constexpr std::string_view kLogFormats[] = {"auto", "json", "text"};
constexpr std::string_view kWhenFailing[] = {"hold", "report", "exit"};
constexpr std::string_view kWhenClosed[] = {"reject", "hold", "replay"};

constexpr Field kAppFields[] = {
    {.name = "url",
     .kind = Kind::url,
     .doc = "the co-located app: http(s)://host[:port][/path] or unix:/path"},
    {.name = "host",
     .kind = Kind::string,
     .doc = "public host, for the Host header; default: from url",
     .min = 1},
    {.name = "forwarded",
     .kind = Kind::boolean,
     .fallback = "true",
     .doc = "send the headers that Fly's proxy adds"},
};

// `check --target` alone can do without.
constexpr std::string_view kAppUrl[] = {"url"};
constexpr Alternatives kAppAlternatives[] = {{Alternatives::Count::at_least_one, kAppUrl}};

constexpr Field kAgentFields[] = {
    {.name = "listen",
     .kind = Kind::listen,
     .fallback = R"("[::]:9090")",
     .doc = "where the health endpoint listens"},
    {.name = "status_token", .kind = Kind::secret, .doc = "opens /status to others than loopback"},
    {.name = "log_level",
     .kind = Kind::choice,
     .fallback = R"("info")",
     .doc = "what is logged, and all that is worse",
     .choices = kLogLevels},
    {.name = "log_format",
     .kind = Kind::choice,
     .fallback = R"("auto")",
     .doc = "auto: json unless standard output is a terminal",
     .choices = kLogFormats},
    {.name = "max_concurrency",
     .kind = Kind::integer,
     .fallback = "16",
     .doc = "probes in flight",
     .min = 1,
     .max = kMaxConcurrency},
    {.name = "request_budget",
     .kind = Kind::integer,
     .fallback = "50",
     .doc = "requests a second to the app, all probes together; before the first ready verdict and in check "
            "only where it "
            "is written",
     .min = 1,
     .max = kMaxBudget},
};

constexpr Field kGateFields[] = {
    {.name = "listen",
     .kind = Kind::listen,
     .fallback = R"("[::]:8080")",
     .doc = "the service port that the gate holds: internal_port in fly.toml"},
    {.name = "when_closed",
     .kind = Kind::choice,
     .fallback = R"("reject")",
     .doc = "what a request gets while not ready: reject (503), hold (waits for readiness, then 503), replay "
            "(Fly sends it to another Machine)",
     .choices = kWhenClosed},
    {.name = "hold_timeout",
     .kind = Kind::duration,
     .fallback = R"("5s")",
     .doc = "how long hold waits",
     .min = 1,
     .max = 10 * kMinute},
    {.name = "drain",
     .kind = Kind::duration,
     .fallback = R"("3s")",
     .doc = "how long tunnels and requests under way may outlast the loss of readiness",
     .max = kHour},
    {.name = "max_connections",
     .kind = Kind::integer,
     .fallback = "4096",
     .doc = "clients at a time, all peers together",
     .min = 1,
     .max = kMaxConnections},
    {.name = "idle_timeout",
     .kind = Kind::duration,
     .fallback = R"("75s")",
     .doc = "how long a connection may wait for its next request",
     .min = 1,
     .max = 24 * kHour},
    {.name = "health_path",
     .kind = Kind::path,
     .fallback = R"("/.holdshort/readyz")",
     .doc = "answered by the gate itself: 200 or 503, as /readyz"},
};

constexpr Field kReadinessFields[] = {
    {.name = "when_failing",
     .kind = Kind::choice,
     .fallback = R"("hold")",
     .doc = "when a control is seen broken after it had passed: hold (503), report (stay ready, say so), "
            "exit (status 1)",
     .choices = kWhenFailing},
};

constexpr Field kBasicFields[] = {
    {.name = "user", .kind = Kind::string, .doc = "the user's name", .required = true},
    {.name = "password", .kind = Kind::secret, .doc = "the user's password", .required = true},
};
constexpr Field kApiKeyFields[] = {
    {.name = "header", .kind = Kind::string, .doc = "the header that carries the key", .required = true},
    {.name = "value", .kind = Kind::secret, .doc = "the key", .required = true},
};
constexpr Field kCookieFields[] = {
    {.name = "name", .kind = Kind::string, .doc = "the cookie's name", .required = true},
    {.name = "value", .kind = Kind::secret, .doc = "the cookie's value", .required = true},
};
constexpr Field kLoginFields[] = {
    {.name = "path", .kind = Kind::path, .doc = "where to log in, by POST", .required = true},
    {.name = "body",
     .kind = Kind::string,
     .doc = "what to send, as JSON where it is JSON, else as a form; ${NAME} stands for a variable's value, "
            "escaped as the "
            "body needs it, $$ for $",
     .min = 1,
     .required = true},
    {.name = "token",
     .kind = Kind::string,
     .doc = "where in the answer the token is: a JSON pointer",
     .required = true},
};

std::span<const Alternatives> one_token_source() {
  static const std::vector<Alternatives> rules = jose::token_alternatives(Alternatives::Count::exactly_one);
  return rules;
}

const Field kIdentityFields[] = {
    {.name = "bearer", .kind = Kind::secret, .doc = "a token, sent as Authorization: Bearer"},
    {.name = "basic",
     .kind = Kind::table,
     .doc = "a user and a password, sent as Authorization: Basic",
     .fields = kBasicFields},
    {.name = "api_key",
     .kind = Kind::table,
     .doc = "a key, sent in a header of its own",
     .fields = kApiKeyFields},
    {.name = "cookie", .kind = Kind::table, .doc = "a session's cookie", .fields = kCookieFields},
    {.name = "jwt",
     .kind = Kind::table,
     .doc = "a token that is signed anew for every run, or given",
     .fields = jose::token_fields(),
     .alternatives = one_token_source()},
    {.name = "login",
     .kind = Kind::table,
     .doc = "a login, whose token is sent as Authorization: Bearer",
     .fields = kLoginFields},
};

constexpr auto kIdentityKinds =
    std::to_array<std::string_view>({"bearer", "basic", "api_key", "cookie", "jwt", "login"});
constexpr Alternatives kOneIdentity[] = {{Alternatives::Count::exactly_one, kIdentityKinds}};
static_assert(kIdentityKinds.size() == std::size(kIdentityFields));

}  // namespace

std::span<const Section> sections() {
  static const Section all[] = {
      {"app", app_fields(), kAppAlternatives}, {"agent", agent_fields()},       {"gate", gate_fields()},
      {"readiness", readiness_fields()},       {"defaults", defaults_fields()},
  };
  return all;
}

std::span<const Field> app_fields() { return kAppFields; }
std::span<const Field> agent_fields() { return kAgentFields; }
std::span<const Field> gate_fields() { return kGateFields; }
std::span<const Field> readiness_fields() { return kReadinessFields; }
std::span<const Field> identity_fields() { return kIdentityFields; }
std::span<const Alternatives> identity_alternatives() { return kOneIdentity; }

std::span<const Field> defaults_fields() {
  static const std::vector<Field> fields = [] {
    std::vector<Field> rows(common_fields().begin(), common_fields().end());
    for (Field& row : rows) row.required = false;
    return rows;
  }();
  return fields;
}

}  // namespace holdshort
