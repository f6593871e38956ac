// The pace at which all probes together may send to the app: `request_budget` a second.
//
// A token bucket told as a point in time: up to `paid_until_` every token is spoken for. Whoever pays moves
// it on and sleeps until his tokens have accrued, so that payers are served in the order of their coming and
// what is then sent at once was saved before. An idle budget keeps kBurst's worth. Who is urgent goes ahead
// of all that wait: he takes what they have saved up, and their times move by what he takes.
#pragma once

#include <chrono>
#include <vector>

#include "probes/kit/clock.h"
#include "probes/kit/http_client.h"

namespace holdshort {

// urgent: the repetition that a verdict waits for.
enum class Urgency { ordinary, urgent };

// Loop thread only; outlives the coroutines that wait on it.
class RequestBudget {
 public:
  RequestBudget(Clock& clock, int per_second);
  void set_rate(int per_second);  // for those who pay from now on

  // Waits until `requests` may be sent at once.
  Awaitable<void> pay(int requests, Urgency urgency);
  // The same, but leaves at least half of the budget to others while it saves.
  Awaitable<void> save(int requests, Urgency urgency);

  // What an idle budget saves up by itself, in time; at least one request. In any second at most
  // 1 s + kBurst's worth is sent by those who pay.
  static constexpr std::chrono::milliseconds kBurst{100};

 private:
  Awaitable<void> pay_first(std::chrono::nanoseconds price);
  Monotonic stock_from() const;  // tokens older than this are lost

  Clock& clock_;
  std::chrono::nanoseconds each_{};  // what one request costs
  Monotonic paid_until_{};
  Monotonic spent_until_{};                // the same of what has been sent
  Monotonic urgent_until_{};               // the same of the urgent
  std::chrono::nanoseconds put_before_{};  // what the urgent have taken, ever: who waits, waits longer
};

// Pays for every request before it is sent. One for each run: what a run has reserved is its own.
class MeteredClient final : public HttpClient {
 public:
  // `budget` null: no limit. Both outlive *this.
  MeteredClient(HttpClient& client, RequestBudget* budget, Urgency urgency = Urgency::ordinary)
      : client_(client), budget_(budget), urgency_(urgency) {}
  Awaitable<Response> send(Endpoint endpoint, Request request, Limits limits) override;
  Awaitable<std::vector<Response>> burst(Endpoint endpoint, std::vector<Request> requests,
                                         Limits limits) override;
  // Saves until `requests` may be sent without further waiting.
  Awaitable<void> reserve(int requests);

 private:
  Awaitable<void> pay(int requests);
  HttpClient& client_;
  RequestBudget* budget_;
  const Urgency urgency_;
  int reserved_ = 0;
};

}  // namespace holdshort
