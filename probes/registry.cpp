#include "probes/registry.h"

#include <algorithm>

#include "probes/authentication/authentication.h"
#include "probes/authentication/checks.h"
#include "probes/authorization/authorization.h"
#include "probes/authorization/checks.h"
#include "probes/cors/checks.h"
#include "probes/cors/cors.h"
#include "probes/exec/checks.h"
#include "probes/exec/exec.h"
#include "probes/exposure/checks.h"
#include "probes/exposure/exposure.h"
#include "probes/headers/checks.h"
#include "probes/headers/headers.h"
#include "probes/http/checks.h"
#include "probes/http/http.h"
#include "probes/input_validation/checks.h"
#include "probes/input_validation/input_validation.h"
#include "probes/jwt/checks.h"
#include "probes/jwt/jwt.h"
#include "probes/listeners/checks.h"
#include "probes/listeners/listeners.h"
#include "probes/rate_limit/checks.h"
#include "probes/rate_limit/rate_limit.h"
#include "probes/redis/checks.h"
#include "probes/redis/redis.h"
#include "probes/secret/checks.h"
#include "probes/secret/secret.h"
#include "probes/tcp/checks.h"
#include "probes/tcp/tcp.h"
#include "probes/tls/checks.h"
#include "probes/tls/tls.h"
#include "probes/webhook/checks.h"
#include "probes/webhook/webhook.h"

namespace holdshort {

namespace {

constexpr CheckRow kCommonChecks[] = {
    {"*.via",
     "Where `via` is \"private\" there is a FLY_PRIVATE_IP to go through.",
     {},
     CheckRow::Ends::never_judges},
    {"internal", "The probe itself has come to its end.", {}, CheckRow::Ends::never_judges},
};

bool is_of(const CheckRow& row, std::string_view id) {
  const std::string_view start = row.id.substr(0, row.id.find('*'));
  if (start.size() == row.id.size()) return id == row.id;
  const std::string_view end = row.id.substr(start.size() + 1);
  return id.size() > start.size() + end.size() && id.starts_with(start) && id.ends_with(end);
}

const CheckRow* find_in(std::span<const CheckRow> rows, std::string_view id) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const CheckRow& r) { return is_of(r, id); });
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace

std::span<const ProbeType> probe_types() {
  using Talks = ProbeType::Talks;
  // Made on first use: the fields are objects of other files.
  static const ProbeType types[] = {
      {"http", Talks::http, http_probe::kFields, http_probe::kExplanation, http_probe::make,
       http_probe::kChecks},
      {"tcp", Talks::otherwise, tcp_probe::kFields, tcp_probe::kExplanation, tcp_probe::make,
       tcp_probe::kChecks},
      {"authentication", Talks::http, authentication::kFields, authentication::kExplanation,
       authentication::make, authentication::kChecks},
      {"jwt", Talks::http, jwt::kFields, jwt::kExplanation, jwt::make, jwt::kChecks, jwt::kAlternatives},
      {"authorization", Talks::http, authorization::kFields, authorization::kExplanation, authorization::make,
       authorization::kChecks},
      {"input_validation", Talks::http, input_validation::kFields, input_validation::kExplanation,
       input_validation::make, input_validation::kChecks},
      {"rate_limit", Talks::http, rate_limit::kFields, rate_limit::kExplanation, rate_limit::make,
       rate_limit::kChecks},
      {"webhook", Talks::http, webhook::kFields, webhook::kExplanation, webhook::make, webhook::kChecks},
      {"secret", Talks::nothing, secret_probe::kFields, secret_probe::kExplanation, secret_probe::make,
       secret_probe::kChecks, secret_probe::kAlternatives},
      {"exposure", Talks::http, exposure::kFields, exposure::kExplanation, exposure::make, exposure::kChecks},
      {"headers", Talks::http, headers_probe::kFields, headers_probe::kExplanation, headers_probe::make,
       headers_probe::kChecks},
      {"cors", Talks::http, cors::kFields, cors::kExplanation, cors::make, cors::kChecks},
      {"tls", Talks::otherwise, tls_probe::kFields, tls_probe::kExplanation, tls_probe::make,
       tls_probe::kChecks},
      {"listeners", Talks::nothing, listeners::kFields, listeners::kExplanation, listeners::make,
       listeners::kChecks},
      {"redis", Talks::otherwise, redis_probe::kFields, redis_probe::kExplanation, redis_probe::make,
       redis_probe::kChecks},
      {"exec", Talks::nothing, exec_probe::kFields, exec_probe::kExplanation, exec_probe::make,
       exec_probe::kChecks},
  };
  return types;
}

const ProbeType* find_probe_type(std::string_view name) {
  const std::span<const ProbeType> types = probe_types();
  const auto type =
      std::find_if(types.begin(), types.end(), [&](const ProbeType& t) { return t.name == name; });
  return type == types.end() ? nullptr : &*type;
}

std::span<const CheckRow> common_checks() { return kCommonChecks; }

std::string_view text_of(CheckRow::Ends ends) {
  switch (ends) {
    case CheckRow::Ends::either:
      return "pass or fail";
    case CheckRow::Ends::advice:
      return "pass or skipped";
    case CheckRow::Ends::never_fails:
    case CheckRow::Ends::only_passes:
      return "pass";
    case CheckRow::Ends::never_passes:
      return "fail";
    case CheckRow::Ends::never_judges:
      break;
  }
  return "no verdict";
}

const CheckRow* find_check(std::string_view id) {
  const ProbeType* type = find_probe_type(id.substr(0, id.find('.')));
  const CheckRow* own = type ? find_in(type->checks, id) : nullptr;
  return own ? own : find_in(kCommonChecks, id);
}

}  // namespace holdshort
