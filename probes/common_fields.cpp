// The keys that probes of every type share (contract, section 3).
#include "probes/registry.h"

namespace holdshort {
namespace {

// Milliseconds. The shortest are for tests; a probe that asks more often than it must only loads the app.
constexpr double kMinInterval = 100, kMinTimeout = 10, kMinStartupInterval = 10;
constexpr double kHour = 3'600'000, kDay = 24 * kHour, kWeek = 7 * kDay;
constexpr double kMaxThreshold = 100;

constexpr std::string_view kSeverities[] = {"required", "advisory"};
constexpr std::string_view kVias[] = {"loopback", "private"};

constexpr Field kHttpFields[] = {
    {.name = "url",
     .kind = Kind::url,
     .doc = "where to send the requests, instead of [app].url: http(s)://host[:port][/path] or unix:/path"},
    {.name = "path",
     .kind = Kind::path,
     .fallback = R"("/")",
     .doc = "the path to request; written beside paths it is one more of them"},
    {.name = "paths", .kind = Kind::path_list, .doc = "several paths to request, each with every method"},
    {.name = "method",
     .kind = Kind::method,
     .fallback = R"("GET")",
     .doc = "the method to use; methods, where written, replaces it"},
    {.name = "methods", .kind = Kind::method_list, .doc = "several methods to use, each on every path"},
    {.name = "headers",
     .kind = Kind::headers,
     .doc = "header fields to send; they win over those that holdshort adds"},
    {.name = "body", .kind = Kind::string, .doc = "the body to send"},
    {.name = "as",
     .kind = Kind::name,
     .doc = "the identity of a legitimate caller: NAME of [identities.NAME]"},
    {.name = "marker",
     .kind = Kind::marker,
     .doc = "what only a served caller sees: a pattern (RE2), or { json = \"/pointer\" }"},
    {.name = "tls_server_name",
     .kind = Kind::string,
     .doc = "the name to ask for and to verify in TLS; default: the host of the url",
     .min = 1},
    {.name = "tls_skip_verify", .kind = Kind::boolean, .fallback = "false", .doc = "take any certificate"},
};

std::span<const std::string_view> type_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    for (const ProbeType& type : probe_types()) list.push_back(type.name);
    return list;
  }();
  return names;
}

}  // namespace

std::span<const Field> common_fields() {
  static const Field fields[] = {
      {.name = "type",
       .kind = Kind::choice,
       .doc = "what is verified",
       .choices = type_names(),
       .required = true},
      {.name = "severity",
       .kind = Kind::choice,
       .fallback = R"("required")",
       .doc = "required holds readiness; advisory is reported and never holds",
       .choices = kSeverities},
      {.name = "interval",
       .kind = Kind::duration,
       .fallback = R"("15s")",
       .doc = "from one run to the next",
       .min = kMinInterval,
       .max = kWeek},
      {.name = "timeout",
       .kind = Kind::duration,
       .fallback = R"("5s")",
       .doc = "of one request, connect to last byte",
       .min = kMinTimeout,
       .max = kHour,
       .expected = "below interval"},
      {.name = "grace_period",
       .kind = Kind::duration,
       .fallback = R"("0s")",
       .doc = "failures this soon after the start count as pending, which is not ready either",
       .max = kDay},
      {.name = "failure_threshold",
       .kind = Kind::integer,
       .fallback = "1",
       .doc = "failed runs in a row that make it failing",
       .min = 1,
       .max = kMaxThreshold},
      {.name = "success_threshold",
       .kind = Kind::integer,
       .fallback = "1",
       .doc = "passed runs in a row that make it passing",
       .min = 1,
       .max = kMaxThreshold},
      {.name = "inconclusive_threshold",
       .kind = Kind::integer,
       .fallback = "3",
       .doc = "inconclusive runs in a row after which a passing probe stops passing",
       .min = 1,
       .max = kMaxThreshold},
      {.name = "confirm",
       .kind = Kind::boolean,
       .fallback = "true",
       .doc = "repeat a first failure after a pass at once; it counts only if it is seen again"},
      {.name = "startup_interval",
       .kind = Kind::duration,
       .fallback = R"("250ms")",
       .doc = "from one run to the next until the first pass",
       .min = kMinStartupInterval,
       .max = kHour},
      {.name = "via",
       .kind = Kind::choice,
       .fallback = R"("loopback")",
       .doc = "private: through FLY_PRIVATE_IP, as a neighbour on 6PN would come",
       .choices = kVias},
      {.name = "description", .kind = Kind::string, .doc = "what must hold, for whoever reads a report"},
      {.name = "runbook", .kind = Kind::string, .doc = "URL of what to do when it does not hold"},
      {.name = "enabled",
       .kind = Kind::boolean,
       .fallback = "true",
       .doc = "false: read and checked, but never run"},
  };
  return fields;
}

std::span<const Field> http_fields() { return kHttpFields; }

}  // namespace holdshort
