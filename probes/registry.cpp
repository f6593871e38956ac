#include "probes/registry.h"

#include <algorithm>

#include "probes/authentication/authentication.h"
#include "probes/authorization/authorization.h"
#include "probes/cors/cors.h"
#include "probes/exec/exec.h"
#include "probes/exposure/exposure.h"
#include "probes/headers/headers.h"
#include "probes/http/http.h"
#include "probes/input_validation/input_validation.h"
#include "probes/jwt/jwt.h"
#include "probes/listeners/listeners.h"
#include "probes/rate_limit/rate_limit.h"
#include "probes/redis/redis.h"
#include "probes/secret/secret.h"
#include "probes/tcp/tcp.h"
#include "probes/tls/tls.h"
#include "probes/webhook/webhook.h"

namespace holdshort {

std::span<const ProbeType> probe_types() {
  using Talks = ProbeType::Talks;
  // Made on first use: the fields are objects of other files.
  static const ProbeType types[] = {
      {"http", Talks::http, http_probe::kFields, http_probe::kExplanation, http_probe::make},
      {"tcp", Talks::otherwise, tcp_probe::kFields, tcp_probe::kExplanation, tcp_probe::make},
      {"authentication", Talks::http, authentication::kFields, authentication::kExplanation,
       authentication::make},
      {"jwt", Talks::http, jwt::kFields, jwt::kExplanation, jwt::make, jwt::kAlternatives},
      {"authorization", Talks::http, authorization::kFields, authorization::kExplanation,
       authorization::make},
      {"input_validation", Talks::http, input_validation::kFields, input_validation::kExplanation,
       input_validation::make},
      {"rate_limit", Talks::http, rate_limit::kFields, rate_limit::kExplanation, rate_limit::make},
      {"webhook", Talks::http, webhook::kFields, webhook::kExplanation, webhook::make},
      {"secret", Talks::nothing, secret_probe::kFields, secret_probe::kExplanation, secret_probe::make,
       secret_probe::kAlternatives},
      {"exposure", Talks::http, exposure::kFields, exposure::kExplanation, exposure::make},
      {"headers", Talks::http, headers_probe::kFields, headers_probe::kExplanation, headers_probe::make},
      {"cors", Talks::http, cors::kFields, cors::kExplanation, cors::make},
      {"tls", Talks::otherwise, tls_probe::kFields, tls_probe::kExplanation, tls_probe::make},
      {"listeners", Talks::nothing, listeners::kFields, listeners::kExplanation, listeners::make},
      {"redis", Talks::otherwise, redis_probe::kFields, redis_probe::kExplanation, redis_probe::make},
      {"exec", Talks::nothing, exec_probe::kFields, exec_probe::kExplanation, exec_probe::make},
  };
  return types;
}

const ProbeType* find_probe_type(std::string_view name) {
  const std::span<const ProbeType> types = probe_types();
  const auto type =
      std::find_if(types.begin(), types.end(), [&](const ProbeType& t) { return t.name == name; });
  return type == types.end() ? nullptr : &*type;
}

}  // namespace holdshort
