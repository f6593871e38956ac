// Sees every answer that one run of a probe gets.
#pragma once

#include <string>
#include <vector>

#include "agent/phases.h"
#include "agent/unusual/behaviour.h"
#include "probes/kit/http_client.h"
#include "probes/kit/sightings.h"

namespace holdshort {

// Looks answers through for the secrets that are watched, counts what is usual of them, and adds up how long
// each took. What is referred to outlives *this.
class ObservedClient final : public HttpClient {
 public:
  ObservedClient(HttpClient& client, Sightings& sightings, std::string probe)
      : client_(client), sightings_(sightings), probe_(std::move(probe)) {}
  const unusual::Tally& tally() const { return tally_; }
  const Phases& phases() const { return phases_; }  // of what was answered, or given up, so far

  Awaitable<Response> send(Endpoint endpoint, Request request, Limits limits) override;
  Awaitable<std::vector<Response>> burst(Endpoint endpoint, std::vector<Request> requests,
                                         Limits limits) override;

 private:
  void note(const Response& response);
  HttpClient& client_;
  Sightings& sightings_;
  const std::string probe_;
  unusual::Tally tally_;
  Phases phases_;
};

}  // namespace holdshort
