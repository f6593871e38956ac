#include "agent/request_budget.h"

#include <algorithm>
#include <utility>

namespace holdshort {

RequestBudget::RequestBudget(Clock& clock, int per_second) : clock_(clock), paid_until_(clock.now()) {
  set_rate(per_second);
}

void RequestBudget::set_rate(int per_second) {
  each_ = std::chrono::nanoseconds(std::chrono::seconds(1)) / std::max(per_second, 1);
}

Awaitable<void> RequestBudget::pay(int requests) {
  const std::chrono::nanoseconds saved = std::max<std::chrono::nanoseconds>(kBurst, each_);
  paid_until_ = std::max(paid_until_, clock_.now() - saved) + requests * each_;
  if (paid_until_ > clock_.now()) co_await clock_.sleep_until(paid_until_);
}

Awaitable<void> RequestBudget::save(int requests) {
  Monotonic next = clock_.now();
  for (int saved = 0; saved < requests; ++saved) {
    co_await clock_.sleep_until(next);
    co_await pay(1);
    next = std::max(next + 2 * each_, clock_.now());
  }
}

Awaitable<void> MeteredClient::pay(int requests) {
  const int free = std::min(reserved_, requests);
  reserved_ -= free;
  if (budget_ && requests > free) co_await budget_->pay(requests - free);
}

Awaitable<void> MeteredClient::reserve(int requests) {
  if (!budget_ || requests <= reserved_) co_return;
  const int missing = requests - reserved_;
  co_await budget_->save(missing);
  reserved_ += missing;
}

Awaitable<Response> MeteredClient::send(Endpoint endpoint, Request request, Limits limits) {
  co_await pay(1);
  co_return co_await client_.send(std::move(endpoint), std::move(request), limits);
}

Awaitable<std::vector<Response>> MeteredClient::burst(Endpoint endpoint, std::vector<Request> requests,
                                                      Limits limits) {
  co_await pay(static_cast<int>(requests.size()));
  co_return co_await client_.burst(std::move(endpoint), std::move(requests), limits);
}

}  // namespace holdshort
