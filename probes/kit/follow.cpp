#include "probes/kit/follow.h"

#include <utility>

namespace holdshort {

Awaitable<Response> send_and_follow(Exchange& exchange, const Judge& judge, std::string identity, Call call) {
  Call sent = call;
  Response response = co_await exchange.send_as(identity, std::move(sent));
  const std::string prefix = exchange.prefix();
  const std::string same = judge.same_target(response, prefix + call.target);
  const bool keeps_method =
      call.method == "GET" || call.method == "HEAD" || response.status == 307 || response.status == 308;
  if (same.empty() || !keeps_method || !same.starts_with(prefix)) co_return response;
  call.target = same.substr(prefix.size());
  response = co_await exchange.send_as(std::move(identity), std::move(call));
  co_return response;
}

}  // namespace holdshort
