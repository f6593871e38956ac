#include "agent/observed_client.h"

#include <utility>

namespace holdshort {

void ObservedClient::note(const Response& response) {
  tally_.add(response);
  phases_.add(response.timing);
}

Awaitable<Response> ObservedClient::send(Endpoint endpoint, Request request, Limits limits) {
  Sightings::Sent sent;
  const bool watches = !sightings_.watches_nothing();
  if (watches) sent = sightings_.sent(request);
  Response response = co_await client_.send(std::move(endpoint), std::move(request), limits);
  note(response);
  if (watches) sightings_.look(probe_, sent, response);
  co_return response;
}

Awaitable<std::vector<Response>> ObservedClient::burst(Endpoint endpoint, std::vector<Request> requests,
                                                       Limits limits) {
  std::vector<Sightings::Sent> sent;
  if (!sightings_.watches_nothing())
    for (const Request& request : requests) sent.push_back(sightings_.sent(request));
  std::vector<Response> responses = co_await client_.burst(std::move(endpoint), std::move(requests), limits);
  for (const Response& response : responses) note(response);
  for (std::size_t i = 0; i < sent.size(); ++i) sightings_.look(probe_, sent[i], responses[i]);
  co_return responses;
}

}  // namespace holdshort
