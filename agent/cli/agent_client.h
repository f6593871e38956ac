// Speaks to a running agent's endpoints, for the commands that ask it something.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "probes/kit/environment.h"
#include "probes/kit/http.h"
#include "probes/kit/secret.h"

namespace holdshort {

struct AgentAddress {
  Url url;
  std::optional<Secret> token;
};

// `url` "": the port of [agent].listen on loopback, where a configuration can be read (`config` as `run`
// takes it), else http://127.0.0.1:9090. The token is $HOLDSHORT_STATUS_TOKEN, else that of the
// configuration.
Result<AgentAddress> find_agent(const std::string& url, const std::string& config,
                                const Environment& environment);

// One exchange. `body` is JSON, or "".
Response ask_agent(const AgentAddress& agent, const std::string& method, const std::string& target,
                   const std::string& body = "");

inline constexpr std::chrono::milliseconds kAgentDeadline{5000};
inline constexpr std::size_t kMaxAgentAnswer = 16 * 1024 * 1024;

}  // namespace holdshort
