#include "agent/cli/agent_client.h"

#include <exception>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/config/config.h"
#include "probes/kit/http_client.h"

namespace holdshort {

namespace {

constexpr const char* kTokenVariable = "HOLDSHORT_STATUS_TOKEN";
constexpr std::uint16_t kDefaultPort = 9090;

}  // namespace

Result<AgentAddress> find_agent(const std::string& url, const std::string& config,
                                const Environment& environment) {
  LoadOptions options;
  options.missing = MissingSecret::is_warning;
  const Loaded loaded = load_config(config, environment, options);
  if (!config.empty() && !loaded.config)
    return failure(fmt::format("{} cannot be used; holdshort validate tells why", config));
  const std::uint16_t port = loaded.config ? loaded.config->agent.listen.port : kDefaultPort;
  const Result<Url> parsed = Url::parse(url.empty() ? fmt::format("http://127.0.0.1:{}", port) : url);
  if (!parsed) return failure("--url is no URL of an agent: " + parsed.error().message);
  AgentAddress agent{*parsed, std::nullopt};
  if (const auto token = environment.variable(kTokenVariable); token && !token->empty())
    agent.token = Secret(*token);
  else if (loaded.config && loaded.config->agent.status_token)
    agent.token = loaded.config->agent.status_token->value;
  if (agent.token && agent.token->reveal().empty()) agent.token.reset();
  return agent;
}

Response ask_agent(const AgentAddress& agent, const std::string& method, const std::string& target,
                   const std::string& body) {
  Request request{.method = method,
                  .target = (agent.url.scheme == Url::Scheme::unix_socket ? "" : agent.url.path) + target,
                  .headers = {{"Host", agent.url.authority()},
                              {"User-Agent", "holdshort/" HOLDSHORT_VERSION},
                              {"Connection", "close"}},
                  .body = body};
  if (agent.token)
    request.headers.push_back({"Authorization", "Bearer " + std::string(agent.token->reveal())});
  if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  if (method == "POST") request.headers.push_back({"Content-Length", std::to_string(body.size())});

  Limits limits;
  limits.deadline = kAgentDeadline;
  limits.max_body_bytes = kMaxAgentAnswer;
  boost::asio::io_context loop{1};
  const std::unique_ptr<HttpClient> client = make_http_client();
  Response answer;
  Endpoint endpoint;
  endpoint.url = agent.url;
  boost::asio::co_spawn(loop, client->send(std::move(endpoint), std::move(request), limits),
                        [&](std::exception_ptr error, Response response) {
                          if (error) std::rethrow_exception(error);
                          answer = std::move(response);
                        });
  loop.run();
  return answer;
}

}  // namespace holdshort
