#include "agent/request_budget.h"

#include <algorithm>
#include <utility>

namespace holdshort {

RequestBudget::RequestBudget(Clock& clock, int per_second)
    : clock_(clock), paid_until_(clock.now()), spent_until_(paid_until_), urgent_until_(paid_until_) {
  set_rate(per_second);
}

void RequestBudget::set_rate(int per_second) {
  each_ = std::chrono::nanoseconds(std::chrono::seconds(1)) / std::max(per_second, 1);
}

Monotonic RequestBudget::stock_from() const {
  return clock_.now() - std::max<std::chrono::nanoseconds>(kBurst, each_);
}

Awaitable<void> RequestBudget::pay(int requests, Urgency urgency) {
  const std::chrono::nanoseconds price = requests * each_;
  paid_until_ = std::max(paid_until_, stock_from()) + price;
  if (urgency == Urgency::urgent) {
    co_await pay_first(price);
    co_return;
  }
  Monotonic due = paid_until_;
  std::chrono::nanoseconds known = put_before_;
  while (due > clock_.now()) {
    co_await clock_.sleep_until(due);
    due += put_before_ - std::exchange(known, put_before_);
  }
  spent_until_ = std::max(spent_until_, due);
}

Awaitable<void> RequestBudget::pay_first(std::chrono::nanoseconds price) {
  put_before_ += price;
  urgent_until_ = std::max({urgent_until_, spent_until_, stock_from()}) + price;
  const Monotonic due = urgent_until_;
  if (due > clock_.now()) co_await clock_.sleep_until(due);
  spent_until_ = std::max(spent_until_, due);
}

Awaitable<void> RequestBudget::save(int requests, Urgency urgency) {
  Monotonic next = clock_.now();
  for (int saved = 0; saved < requests; ++saved) {
    co_await clock_.sleep_until(next);
    co_await pay(1, urgency);
    next = std::max(next + 2 * each_, clock_.now());
  }
}

Awaitable<void> MeteredClient::pay(int requests) {
  const int free = std::min(reserved_, requests);
  reserved_ -= free;
  if (budget_ && requests > free) co_await budget_->pay(requests - free, urgency_);
}

Awaitable<void> MeteredClient::reserve(int requests) {
  if (!budget_ || requests <= reserved_) co_return;
  const int missing = requests - reserved_;
  co_await budget_->save(missing, urgency_);
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
