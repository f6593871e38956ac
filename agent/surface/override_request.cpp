#include "agent/surface/override_request.h"

#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "probes/kit/ascii.h"
#include "probes/kit/duration.h"

namespace holdshort {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kExample = R"({"ready": false, "reason": "draining for a test", "ttl": "30m"})";

tl::unexpected<Error> refusal(std::string_view what) {
  return failure(fmt::format("{}; write {}", what, kExample));
}

// Depth is bounded: the three are scalars, so a document that nests is refused before it is built.
std::optional<Json> parse_object(std::string_view body) {
  const auto shallow = [](int depth, Json::parse_event_t, Json&) { return depth <= 1; };
  Json json = Json::parse(body, shallow, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

std::string text_at(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : "";
}

}  // namespace

Result<Override> parse_override(std::string_view body, Instant now) {
  const std::optional<Json> json = parse_object(body);
  if (!json) return refusal("the body is no JSON object");
  for (const auto& [key, unused] : json->items())
    if (key != "ready" && key != "reason" && key != "ttl")
      return refusal("the body has a key other than \"ready\", \"reason\" and \"ttl\"");
  const auto ready = json->find("ready");
  if (ready == json->end() || !ready->is_boolean()) return refusal("\"ready\" must be true or false");
  const std::string reason(ascii::trim(text_at(*json, "reason"), ascii::kSpace));
  if (reason.empty()) return refusal("\"reason\" must say why");
  if (reason.size() > Override::kMaxReason)
    return refusal(fmt::format("\"reason\" is longer than {} bytes", Override::kMaxReason));
  const Result<Duration> ttl = Duration::parse(text_at(*json, "ttl"));
  if (!ttl || ttl->value().count() == 0 || ttl->value() > Override::kLongest)
    return refusal("\"ttl\" must be a duration with a unit, above 0 and at most 4h");
  return Override{.ready = ready->get<bool>(), .reason = reason, .ttl = ttl->value(), .set = now};
}

}  // namespace holdshort
