#include "probes/kit/forgery.h"

#include <utility>

#include <fmt/format.h>

#include "probes/kit/json.h"

namespace holdshort {
namespace {

constexpr int kMaxSilent = 3;                // requests in a row without an answer
constexpr int kHeaderTooLarge = 431;         // RFC 6585 5: what was shown was not even looked at
constexpr std::string_view kServed = "2xx";  // what a positive control expects

bool is_success(const Response& response) { return response.status >= 200 && response.status <= 299; }

}  // namespace

ForgeryTrial::ForgeryTrial(Subject subject, const HttpKeys& keys, ProbeContext& context, Exchange& exchange)
    : subject_(std::move(subject)),
      keys_(keys),
      exchange_(exchange),
      target_(subject_.path),
      judge_(keys.marker, context.app.own_hosts()) {}

Call ForgeryTrial::call() const {
  Call call;
  call.method = subject_.method;
  call.target = target_;
  call.body = keys_.body;
  return call;
}

bool ForgeryTrial::is_silent() const { return silent_ >= kMaxSilent; }

// Redirects name targets as they are on the wire, below the url's own path.
Seen ForgeryTrial::see(const Response& response) const {
  return judge_.see(response, exchange_.prefix() + target_);
}

Awaitable<Response> ForgeryTrial::send_genuine() {
  Call genuine = call();
  subject_.make_genuine(genuine);
  co_return co_await exchange_.send(std::move(genuine));
}

// --- what is genuine

Awaitable<Check> ForgeryTrial::accepted(std::string id) {
  Check check{.id = std::move(id),
              .outcome = Outcome::inconclusive,
              .expected = std::string(kServed),
              .references = subject_.references};
  Response response = co_await send_genuine();
  // Another spelling of the path is what was meant; from here on it is the path.
  const std::string same = judge_.same_target(response, exchange_.prefix() + target_);
  if (same.starts_with(exchange_.prefix()) && !same.empty()) {
    target_ = same.substr(exchange_.prefix().size());
    response = co_await send_genuine();
  }
  check.request = Exchange::describe(call());
  judge_genuine(response, check);
  co_return check;
}

Awaitable<Check> ForgeryTrial::still_accepted(std::string id) {
  Check check = co_await accepted(std::move(id));
  if (check.outcome == Outcome::pass) {
    check.summary = fmt::format("{} still serves {}", check.request, subject_.genuine);
  } else {
    check.summary = fmt::format(
        "{} no longer serves {} after the forgeries ({}): a lockout or a limit refuses too, so the refusals "
        "prove nothing",
        check.request, subject_.genuine, check.observed);
  }
  co_return check;
}

void ForgeryTrial::judge_genuine(const Response& response, Check& check) {
  const Seen seen = see(response);
  status_ = response.status;
  answers_ = seen != Seen::no_response && seen != Seen::server_error;
  silent_ = seen == Seen::no_response ? silent_ + 1 : 0;
  // A page may have a password field and be the caller's own settings.
  const bool form = seen == Seen::soft_denial && !judge_.has_marker() && !json::is_json(response.body);
  served_ =
      is_success(response) && (seen == Seen::granted || form ||
                               (!judge_.has_marker() && (seen == Seen::unknown || seen == Seen::fallback)));
  check.observed = response.text();
  check.outcome = served_ ? Outcome::pass : Outcome::inconclusive;
  const std::string sentence =
      fmt::format("{} {} to {}", check.request, response.sentence(), subject_.genuine);
  if (served_) {
    judge_.learn_served(response);
    check.summary = fmt::format("{} serves {}", check.request, subject_.genuine);
  } else if (is_success(response)) {
    check.observed += judge_.has_marker() ? ", without the marker" : ", saying no";
    check.summary =
        sentence + (judge_.has_marker() ? ", but the marker is missing" : ", but the answer says no");
  } else {
    check.summary = sentence + ", which should be served: refusals prove nothing";
  }
}

// --- what is forged

Awaitable<Check> ForgeryTrial::stranger(Forgery nothing) {
  Check check = co_await refused(std::move(nothing));
  strangers_refused_ = check.outcome == Outcome::pass;
  serves_strangers_ = check.outcome == Outcome::fail;
  co_return check;
}

Awaitable<Check> ForgeryTrial::refused(Forgery forgery) {
  Check check{.id = forgery.id,
              .outcome = Outcome::inconclusive,
              .request = Exchange::describe(forgery.call),
              .expected = subject_.reject_status.text(),
              .references = forgery.references};
  Call sent = forgery.call;
  const Response response = co_await exchange_.send(std::move(sent));
  check.observed = response.text();
  Seen seen = see(response);
  silent_ = seen == Seen::no_response ? silent_ + 1 : 0;
  if (seen == Seen::unknown && served_) seen = co_await look_closer(response);
  conclude(forgery, response, seen, check);
  const bool tells_nothing = check.outcome == Outcome::inconclusive;
  if ((forgery.weight == Forgery::Weight::advice && check.outcome != Outcome::pass) ||
      (forgery.weight == Forgery::Weight::must_not_be_served && tells_nothing))
    check.outcome = Outcome::skipped;
  co_return check;
}

// A second genuine answer tells which parts of it change by themselves.
Awaitable<Seen> ForgeryTrial::look_closer(const Response& response) {
  const Response second = co_await send_genuine();
  if (is_success(second)) judge_.learn_served(second);
  co_return see(response);
}

// Where nothing genuine was served there is nothing to compare with. But where strangers are refused by their
// status and this one gets content, it got in.
bool ForgeryTrial::is_grant(Seen seen) const {
  const bool tells_apart = !served_ && strangers_refused_ && !judge_.has_marker();
  return seen == Seen::granted || (seen == Seen::unknown && tells_apart);
}

void ForgeryTrial::conclude(const Forgery& forgery, const Response& response, Seen seen, Check& check) const {
  const auto say = [&](Outcome outcome, std::string_view more) {
    check.outcome = outcome;
    check.summary = fmt::format("{} {} {}{}", check.request, response.sentence(), forgery.with, more);
  };
  const bool declared = subject_.reject_status.contains(response.status);
  if (is_grant(seen)) return say(Outcome::fail, ": " + forgery.means);
  if (response.status >= 300 && judge_.leaks(response))
    return say(Outcome::fail, fmt::format(", and carried what only {} gets", subject_.genuine));
  if (seen == Seen::no_response) return say(Outcome::inconclusive, "");
  if (declared && !response.shows_all())
    return say(Outcome::inconclusive, ", with a body that was not read to its end");
  if (declared || seen == Seen::to_login || response.status == kHeaderTooLarge) return say(Outcome::pass, "");
  switch (seen) {
    case Seen::server_error:
      return say(
          Outcome::inconclusive,
          ": an error is no refusal; let the app answer 401 to what is missing or malformed, or declare "
          "reject_status");
    case Seen::limited:
      return say(Outcome::inconclusive, ": a rate limit came first");
    case Seen::not_found:
      return say(Outcome::inconclusive, ": that proves nothing, unless reject_status has it");
    case Seen::soft_denial:
    case Seen::fallback:
      if (judge_.has_marker()) return say(Outcome::pass, ", without the marker");
      return say(Outcome::inconclusive,
                 ", with other content: declare a marker to tell a refusal from a grant");
    case Seen::unknown:
      if (response.status < 300)
        return say(Outcome::inconclusive,
                   fmt::format(", with other content than {} gets: declare a marker", subject_.genuine));
      [[fallthrough]];
    default:
      say(Outcome::inconclusive,
          fmt::format(", expected {}: add it to reject_status if it refuses", subject_.reject_status.text()));
  }
}

}  // namespace holdshort
