#include "agent/surface/render.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/timestamp.h"
#include "probes/kit/duration.h"
#include "probes/remedy.h"

namespace holdshort {

namespace {

using Json = nlohmann::ordered_json;

// `line` and "a, b and 3 more", shorter than kFirstLine: at least the first is named, if need be by its
// beginning.
std::string first_line(std::string line, const std::vector<std::string>& names) {
  constexpr std::size_t kRoomForMore = 16;
  for (std::size_t n = 0; n < names.size(); ++n) {
    const bool last = n + 1 == names.size();
    const std::size_t room = kFirstLine - 1 - (last ? 0 : kRoomForMore);
    std::string longer = line + (n == 0 ? ": " : ", ") + names[n];
    if (longer.size() > room && n > 0) return line + fmt::format(" and {} more", names.size() - n);
    if (longer.size() > room) longer = longer.substr(0, room - 3) + "...";
    line = std::move(longer);
  }
  return line;
}

std::string_view word_of(const ProbeStatus& probe) {
  if (probe.state == State::passing) return "pass";
  return probe.severity == Severity::required ? "fail" : "warn";
}

Json to_json(const Check& check, std::string_view type) {
  Json json{{"id", check.id},
            {"outcome", name_of(check.outcome)},
            {"request", check.request},
            {"expected", check.expected},
            {"observed", check.observed},
            {"summary", check.summary}};
  if (const std::string_view remedy = remedy_for(type, check); !remedy.empty()) json["remedy"] = remedy;
  json["references"] = check.references;
  return json;
}

Json to_json(const RunRecord& run) {
  return {{"time", timestamp(run.ended)},
          {"outcome", name_of(run.outcome)},
          {"summary", *run.summary},
          {"run_id", run.run_id},
          {"duration_ms", static_cast<double>(run.duration.count() / 100) / 10},
          {"requests", run.requests}};
}

Json to_json(const unusual::Departure& departure) {
  Json json{{"metric", unusual::name_of(departure.metric)}};
  if (!departure.of.empty()) json["of"] = departure.of;
  json["observed"] = departure.figures.observed;
  json["median"] = departure.figures.median;
  json["mad"] = departure.figures.mad;
  json["factor"] = departure.figures.factor();
  json["since"] = timestamp(departure.since);
  return json;
}

Json to_json(const std::vector<unusual::Departure>& departures) {
  Json json = Json::array();
  for (const unusual::Departure& departure : departures) json.push_back(to_json(departure));
  return json;
}

Json to_json(const ProbeStatus& probe) {
  Json json{{"componentType", probe.type},
            {"status", word_of(probe)},
            {"state", name_of(probe.state)},
            {"severity", name_of(probe.severity)},
            {"since", timestamp(probe.since)}};
  json["outcome"] = probe.outcome ? Json(name_of(*probe.outcome)) : Json(nullptr);
  json["time"] = probe.history.empty() ? Json(nullptr) : Json(timestamp(probe.history.front()->ended));
  json["next_run"] = probe.next_run ? Json(timestamp(*probe.next_run)) : Json(nullptr);
  json["output"] = probe.summary;
  if (const std::string_view remedy = remedy_of(probe); !remedy.empty()) json["remedy"] = remedy;
  json["run_id"] = probe.run_id;
  if (!probe.description.empty()) json["description"] = probe.description;
  if (!probe.runbook.empty()) json["runbook"] = probe.runbook;
  json["observed"] = Json::array();
  for (const Check& check : *probe.checks) json["observed"].push_back(to_json(check, probe.type));
  json["unusual"] = to_json(probe.unusual);
  json["history"] = Json::array();
  for (const auto& run : probe.history) json["history"].push_back(to_json(*run));
  return json;
}

Json to_json(const Override& by_hand) {
  return {{"ready", by_hand.ready},
          {"reason", by_hand.reason},
          {"ttl", Duration(by_hand.ttl).text()},
          {"since", timestamp(by_hand.set.wall)},
          {"until", timestamp(by_hand.until())}};
}

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// The worst of all probes, whether readiness rests on them or not.
std::string_view overall(const Status& status) {
  std::string_view worst = status.ready ? "pass" : "fail";
  for (const auto& probe : status.probes)
    if (const std::string_view word = word_of(*probe); word == "fail" || worst == "pass") worst = word;
  return worst;
}

}  // namespace

Answer render_readyz(const Status& status) {
  if (status.ready) return {.status = 200, .body = "ready\n"};
  return {.status = 503,
          .body = first_line(status.by_hand ? "not ready (by hand)" : "not ready", status.holding) + "\n"};
}

Answer render_readyz_verbose(const Status& status) {
  Answer answer = render_readyz(status);
  std::string list = status.ready ? "" : answer.body;
  if (status.by_hand)
    list += fmt::format("[!]override: {} until {}\n", status.by_hand->ready ? "ready" : "not ready",
                        timestamp(status.by_hand->until()));
  for (const auto& probe : status.probes) {
    const std::string_view note = probe->severity == Severity::advisory ? " (advisory)" : "";
    list += probe->state == State::passing
                ? fmt::format("[+]{} ok\n", probe->name)
                : fmt::format("[-]{} {}{}\n", probe->name, name_of(probe->state), note);
  }
  answer.body = list + (status.ready ? "readyz check passed\n" : "readyz check failed\n");
  return answer;
}

Answer render_readyz_probe(const Status& status, const std::string& name) {
  const auto found = std::find_if(status.probes.begin(), status.probes.end(),
                                  [&](const auto& probe) { return probe->name == name; });
  if (found == status.probes.end()) return {.status = 404, .body = "no such probe\n"};
  if ((*found)->state == State::passing) return {.status = 200, .body = "ok\n"};
  return {.status = 503, .body = fmt::format("{}\n", name_of((*found)->state))};
}

Answer render_status_json(const Status& status) {
  Json json{{"status", overall(status)},
            {"ready", status.ready},
            {"override", status.by_hand ? to_json(*status.by_hand) : Json(nullptr)},
            {"version", status.version},
            {"since", timestamp(status.since)},
            {"app", status.app},
            {"region", status.region},
            {"machine", status.machine},
            {"release", status.release}};
  json["holding"] = status.holding;
  if (status.gate_unusual) json["gate"] = {{"unusual", to_json(*status.gate_unusual)}};
  json["checks"] = Json::object();
  for (const auto& probe : status.probes) json["checks"][probe->name] = Json::array({to_json(*probe)});
  return {.status = 200, .content_type = "application/health+json", .body = text_of(json)};
}

std::string render_event(const Status& status) {
  Json json{{"ready", status.ready}, {"holding", status.holding}};
  json["override"] = status.by_hand ? Json(timestamp(status.by_hand->until())) : Json(nullptr);
  json["states"] = Json::object();
  for (const auto& probe : status.probes) json["states"][probe->name] = name_of(probe->state);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Answer render_override(const Override& by_hand) {
  return {.status = 200, .content_type = "application/json", .body = text_of(to_json(by_hand))};
}

}  // namespace holdshort
