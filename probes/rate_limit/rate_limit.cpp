// The `rate_limit` probe: the limit bites at the declared count for one client, also when requests arrive
// together, and nothing that a client can write resets it.
//
// `exhaust` takes three synthetic clients through the same endpoint. The first is served until it is limited;
// then it tries spoofed headers and other spellings. The second, which has sent nothing, must still be served
// (else one bucket serves all, or the app is dead), goes to the limit's edge and sends a burst over it; a
// third repeats the burst where that is cheap. `observe` reads what the server says of its limits in two
// requests; between two exhaustions it stands in for one.
#include "probes/rate_limit/rate_limit.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/classify.h"
#include "probes/kit/exchange.h"
#include "probes/kit/spellings.h"
#include "probes/rate_limit/headers.h"

namespace holdshort::rate_limit {

namespace {

constexpr double kStraddle = 0.005;  // share of the window beyond which its edge may have fallen into a count
constexpr int kSecondBurstUpTo =
    60;                           // limits for which a second burst is cheap: one alone misses a race in 40
constexpr int kResetRounds = 2;   // a reset is one that is seen as often, between refusals
constexpr double kTooSlow = 0.5;  // share of the window that a count may take before it says nothing
constexpr int kTricks = 16;       // requests that a limited client is used for, about
// Clients that must all be limited too early: others' probes may have used one, where Machines share a store.
constexpr int kStrangers = 4;
constexpr int kPaceMargin =
    4;  // the budget must allow a count within a quarter of the window, else it is saved up

constexpr std::string_view kModes[] = {"exhaust", "observe"};
constexpr std::string_view kShared[] = {"none", "peers"};
constexpr Field kOwnFields[] = {
    {.name = "limit",
     .kind = Kind::integer,
     .doc = "requests that one client may send within the window",
     .min = 1,
     .max = 100000,
     .required = true},
    {.name = "window",
     .kind = Kind::duration,
     .doc = "the time they are counted over",
     .min = 100,
     .required = true},
    {.name = "mode",
     .kind = Kind::choice,
     .fallback = R"("exhaust")",
     .doc = "exhaust: send until limited; observe: believe the RateLimit headers of two requests",
     .choices = kModes},
    {.name = "exhaust_every",
     .kind = Kind::duration,
     .fallback = R"("10m")",
     .doc = "how often the limit is exhausted; in between it is observed, where there are headers",
     .min = 1000},
    {.name = "client_ip_header",
     .kind = Kind::string,
     .fallback = R"("Fly-Client-IP")",
     .doc = "the header that says who the client is, set by the proxy"},
    {.name = "spoof_headers",
     .kind = Kind::header_names,
     .fallback = R"(["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP"])",
     .doc = "headers that a client can write and that must not reset its limit",
     .min = 0},
    {.name = "concurrency",
     .kind = Kind::integer,
     .fallback = "8",
     .doc = "requests that arrive at the same moment; 1: none do",
     .min = 1,
     .max = 64},
    {.name = "limited_status",
     .kind = Kind::status_list,
     .fallback = "[429]",
     .doc = "statuses that say: limited"},
    {.name = "require_retry_after",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "the refusal must carry a valid Retry-After"},
    {.name = "tolerance",
     .kind = Kind::number,
     .fallback = "0.1",
     .doc = "share by which the count may differ",
     .min = 0,
     .max = 1},
    {.name = "shared_with",
     .kind = Kind::choice,
     .fallback = R"("none")",
     .doc = "peers: the limit holds across Machines",
     .choices = kShared},
};

const std::vector<std::string> kLimit{"OWASP API4:2023", "ASVS 2.4.1", "CWE-770"};
const std::vector<std::string> kSpoof{"OWASP API4:2023", "ASVS 15.3.4", "CWE-348", "CWE-290"};
const std::vector<std::string> kRace{"OWASP API4:2023", "ASVS 2.3.4", "CWE-362", "CWE-367"};

struct Settings {
  HttpKeys http;
  int limit = 0;
  std::chrono::milliseconds window{};
  bool observe_only = false;
  std::chrono::milliseconds exhaust_every{};
  std::string client_ip_header;
  std::vector<std::string> spoof_headers;
  int concurrency = 8;
  StatusSet limited_status;
  bool require_retry_after = false;
  double tolerance = 0.1;

  int lower() const { return static_cast<int>(std::ceil(limit * (1 - tolerance) - 1e-9)); }
  int upper() const { return static_cast<int>(std::floor(limit * (1 + tolerance) + 1e-9)); }
  // The contract's promise: no bucket is sent more.
  int most() const { return upper() + concurrency; }
};

enum class Answer { through, limited, not_there, error, none };

// One synthetic client's count.
struct Bucket {
  std::string client;
  int sent = 0, through = 0;
  bool limited = false;
  std::optional<Response> first, refusal, odd;  // odd: 404, 5xx or no answer, at which counting ended
  Monotonic began{}, ended{};
};

class Subject {
 public:
  Subject(const Settings& settings, ProbeContext& context, Exchange& exchange, std::string method,
          std::string path)
      : settings_(settings),
        context_(context),
        exchange_(exchange),
        method_(std::move(method)),
        path_(std::move(path)),
        name_(method_ + " " + path_),
        judge_(settings.http.marker, context.app.own_hosts()) {}

  // Fails where the identity's credentials cannot be had.
  Awaitable<bool> prepare(ProbeOutcome& outcome) {
    if (settings_.http.as.empty()) co_return true;
    auto found = co_await exchange_.credentials(settings_.http.as);
    if (found) {
      credentials_ = std::move(*found);
      co_return true;
    }
    outcome.add(Exchange::no_credentials("rate_limit.identity", settings_.http.as, found.error()));
    co_return false;
  }

  Awaitable<void> exhaust(ProbeOutcome& outcome) {
    if (context_.failed_before == "rate_limit.concurrency") {
      const bool held = co_await burst_holds(settings_.limit, outcome);
      if (!held) co_return;
    }
    const bool shared = co_await one_bucket_for_all(outcome);
    if (shared) co_return;
    Bucket bucket = co_await count();
    const Check limited = judge_count(bucket);
    outcome.add(limited);
    if (limited.outcome != Outcome::pass) co_return;
    if (settings_.require_retry_after) outcome.add(judge_retry_after(bucket));
    co_await learn_unrouted();
    co_await try_spoofed_headers(bucket, outcome);
    co_await try_spellings(bucket, outcome);
    const bool held = co_await burst_holds(bucket.through, outcome);
    if (!held) co_return;
    if (settings_.concurrency > 1 && settings_.limit <= kSecondBurstUpTo)
      co_await burst_holds(bucket.through, outcome);
  }

  // Two requests; true where the headers are there to be read at all.
  Awaitable<bool> observe(ProbeOutcome& outcome) {
    const std::string client = fresh();
    const Response first = co_await exchange_.send(call(client));
    if (kind(first) != Answer::through) {
      outcome.add(odd_answer("rate_limit.observed", first, 0));
      co_return false;
    }
    const Response second = co_await exchange_.send(call(client));
    if (kind(second) != Answer::through) {
      outcome.add(odd_answer("rate_limit.observed", second, 1));
      co_return false;
    }
    const auto before = pick(first), after = pick(second);
    Check result = check("rate_limit.observed", Outcome::inconclusive,
                         fmt::format("{} in {}", settings_.limit, window()), "", "");
    const bool readable = before && after && before->limit && before->remaining && after->remaining;
    if (!readable) {
      result.observed = "no RateLimit headers";
      result.summary = fmt::format(
          "the answers to {} carry no RateLimit headers that show limit and remaining: use mode = "
          "\"exhaust\"",
          name_);
    } else {
      judge_headers(*before, *after, result);
    }
    outcome.add(std::move(result));
    co_return readable;
  }

 private:
  // --- requests

  std::string fresh() const { return context_.clients.for_exhaustion(); }
  std::string window() const { return Duration(settings_.window).text(); }

  Call call(const std::string& client, const std::string& target = {}) const {
    Call call;
    call.method = method_;
    call.target = target.empty() ? path_ : target;
    call.body = settings_.http.body;
    call.client = client;
    call.credentials = credentials_;
    set_client(call, client);
    return call;
  }

  void set_client(Call& call, const std::string& client) const {
    const std::string& name = settings_.client_ip_header;
    if (same_name(name, "X-Forwarded-For")) return;  // the envelope has it
    if (!same_name(name, "Fly-Client-IP") || !context_.app.forwarded) call.headers.push_back({name, client});
  }

  Answer kind(const Response& response) const {
    const bool seen =
        response.status != 0 && (response.ended == Ended::complete || response.ended == Ended::capped);
    if (!seen) return Answer::none;
    if (settings_.limited_status.contains(response.status)) return Answer::limited;
    if (response.status == 404) return Answer::not_there;
    return response.status >= 500 ? Answer::error : Answer::through;
  }

  // A count must fit well into the window. Where the budget is too slow for that, it is saved up and then
  // spent at once.
  Awaitable<void> reserve(int requests) {
    const double seconds = std::chrono::duration<double>(settings_.window).count();
    const bool too_slow =
        context_.request_budget > 0 && requests * kPaceMargin > context_.request_budget * seconds;
    if (too_slow && context_.reserve) co_await context_.reserve(requests);
  }

  // What a bucket may have got back while it was counted.
  int refilled(const Bucket& bucket) const {
    const double elapsed = std::chrono::duration<double>(bucket.ended - bucket.began).count();
    return static_cast<int>(settings_.limit * elapsed /
                            std::chrono::duration<double>(settings_.window).count());
  }

  double share_of_window(const Bucket& bucket) const {
    return std::chrono::duration<double>(bucket.ended - bucket.began) /
           std::chrono::duration<double>(settings_.window);
  }

  void note(Bucket& bucket, const Response& response) {
    bucket.ended = context_.clock.now();
    switch (kind(response)) {
      case Answer::through:
        ++bucket.through;
        statuses_seen_.push_back(response.status);
        if (!bucket.first) {
          bucket.first = response;
          judge_.learn_served(response);
        }
        break;
      case Answer::limited:
        bucket.limited = true;
        bucket.refusal = response;
        break;
      default:
        bucket.odd = response;
    }
  }

  // Sends one after the other until `stop_after` were sent, one was limited, or something odd came.
  Awaitable<void> fill(Bucket& bucket, int stop_after) {
    while (bucket.sent < stop_after && !bucket.limited && !bucket.odd) {
      ++bucket.sent;
      const Response response = co_await exchange_.send(call(bucket.client));
      note(bucket, response);
    }
  }

  Bucket open_bucket() const {
    Bucket bucket;
    bucket.client = fresh();
    bucket.began = bucket.ended = context_.clock.now();
    return bucket;
  }

  // --- the limit itself

  Awaitable<Bucket> count_once() {
    co_await reserve(settings_.upper() + 1 + kTricks);
    Bucket bucket = open_bucket();
    co_await fill(bucket, settings_.upper() + 1);
    // What trickled back meanwhile may be spent too, within the promise.
    while (!bucket.limited && !bucket.odd &&
           bucket.sent < std::min(settings_.upper() + refilled(bucket) + 1, settings_.most()))
      co_await fill(bucket, bucket.sent + 1);
    co_return bucket;
  }

  // Counts again where a count may have been spoilt: once for a window's edge, up to kStrangers counts for an
  // address used before.
  Awaitable<Bucket> count() {
    Bucket bucket = co_await count_once();
    const bool straddled = !bucket.limited && !bucket.odd && share_of_window(bucket) > kStraddle;
    if (straddled) bucket = co_await count_once();
    for (int n = 1; n < kStrangers && is_early(bucket); ++n) bucket = co_await count_once();
    co_return bucket;
  }

  bool is_early(const Bucket& bucket) const { return bucket.limited && bucket.through < settings_.lower(); }

  Check judge_count(const Bucket& bucket) const {
    if (bucket.odd) return odd_answer("rate_limit.limited", *bucket.odd, bucket.through);
    Check result = check("rate_limit.limited", Outcome::pass,
                         fmt::format("limited after {} in {}", settings_.limit, window()),
                         bucket.limited ? fmt::format("limited after {}", bucket.through)
                                        : fmt::format("{} let through", bucket.through),
                         "");
    if (!bucket.limited && share_of_window(bucket) > kTooSlow) {
      result.outcome = Outcome::inconclusive;
      result.summary = fmt::format("{} requests to {} took too long to tell a limit of {} in {}", bucket.sent,
                                   name_, settings_.limit, window());
    } else if (!bucket.limited) {
      result.outcome = Outcome::fail;
      result.summary = fmt::format("{} let {} requests of one client through, the limit is {} in {}", name_,
                                   bucket.through, settings_.limit, window());
    } else if (is_early(bucket)) {
      result.outcome = Outcome::fail;
      result.summary = fmt::format("{} was limited after {} requests of one client, declared are {} in {}",
                                   name_, bucket.through, settings_.limit, window());
    } else {
      result.summary = fmt::format("{} is limited after {} requests of one client", name_, bucket.through);
    }
    return result;
  }

  Check odd_answer(std::string id, const Response& response, int after) const {
    Check result = check(std::move(id), Outcome::inconclusive,
                         settings_.limited_status.text() + " beyond the limit", response.text(), "");
    result.summary = fmt::format("{} {} after {} requests", name_, response.sentence(), after);
    if (response.status >= 500 && after >= settings_.lower() && after <= settings_.upper())
      result.summary +=
          fmt::format(": if that is the limit, declare limited_status = [{}] (better: let it answer 429)",
                      response.status);
    if (kind(response) == Answer::limited) result.summary += ": limited before it had sent anything";
    if (response.status == 404) result.summary += ": the path is not there";
    return result;
  }

  Check judge_retry_after(const Bucket& bucket) const {
    const bool valid = retry_after(bucket.refusal->headers, context_.clock.wall_now()).has_value();
    return check("rate_limit.retry_after", valid ? Outcome::pass : Outcome::fail, "a valid Retry-After",
                 valid ? "present" : "absent or invalid",
                 fmt::format("the refusal of {} {} a valid Retry-After", name_, valid ? "carries" : "lacks"));
  }

  // --- one bucket for each client

  // Where the server says what remains: two clients that count down together share one bucket, and to exhaust
  // that would lock the users out.
  Awaitable<bool> one_bucket_for_all(ProbeOutcome& outcome) {
    if (!credentials_.empty()) co_return false;  // a limit for each identity is right, whatever its address
    std::optional<std::int64_t> before;
    for (int n = 0; n < 3; ++n) {
      const Response response = co_await exchange_.send(call(fresh()));
      const auto said = kind(response) == Answer::through ? pick(response) : std::nullopt;
      const bool counts_down = said && said->remaining && (!before || *said->remaining < *before);
      if (!counts_down) {
        if (kind(response) == Answer::through || kind(response) == Answer::limited) co_return false;
        outcome.add(odd_answer("rate_limit.limited", response, 0));
        co_return true;
      }
      before = said->remaining;
    }
    outcome.add(check("rate_limit.per_client", Outcome::fail, "a count for each client", "one count for all",
                      fmt::format("{} counts all clients together: one of them can lock out the others (is "
                                  "the limiter keyed on {}?)",
                                  name_, settings_.client_ip_header)));
    co_return true;
  }

  // A client that has sent nothing is served, goes to the edge of what was counted, and sends a burst over
  // it. False: the rest of the run would say nothing.
  Awaitable<bool> burst_holds(int counted, ProbeOutcome& outcome) {
    const int edge = std::max(0, std::min(counted, settings_.upper()) - 1);
    co_await reserve(edge + settings_.concurrency);
    Bucket bucket;
    const int strangers = credentials_.empty() ? kStrangers : 1;
    for (int n = 0; n < strangers && bucket.through == 0 && !bucket.odd; ++n) {
      bucket = open_bucket();
      co_await fill(bucket, std::max(1, edge));
    }
    if (bucket.odd) {
      outcome.add(odd_answer("rate_limit.per_client", *bucket.odd, bucket.through));
      co_return false;
    }
    if (!outcome_has(outcome, "rate_limit.per_client")) outcome.add(judge_isolation(bucket));
    if (bucket.through == 0) co_return false;
    if (settings_.concurrency == 1 || bucket.limited) co_return true;
    std::vector<Call> calls;
    for (int n = 0; n < settings_.concurrency && bucket.sent + n < settings_.most(); ++n)
      calls.push_back(call(bucket.client));
    bucket.sent += static_cast<int>(calls.size());
    const std::vector<Response> responses = co_await exchange_.burst(std::move(calls));
    for (const Response& response : responses) note(bucket, response);
    const Check concurrency = judge_burst(bucket, responses.size());
    const Outcome seen = concurrency.outcome;
    outcome.add(concurrency);
    co_return seen == Outcome::pass;
  }

  static bool outcome_has(const ProbeOutcome& outcome, std::string_view id) {
    return std::any_of(outcome.checks.begin(), outcome.checks.end(),
                       [&](const Check& c) { return c.id == id; });
  }

  Check judge_isolation(const Bucket& bucket) const {
    Check result =
        check("rate_limit.per_client", Outcome::pass, "served", fmt::format("{} let through", bucket.through),
              fmt::format("another client of {} is still served", name_));
    if (bucket.through > 0) return result;
    result.observed = bucket.refusal->text();
    if (!credentials_.empty()) {
      result.outcome = Outcome::skipped;
      result.summary =
          fmt::format("{} counts the identity {}, from whichever address", name_, settings_.http.as);
      return result;
    }
    result.outcome = Outcome::fail;
    result.summary = fmt::format(
        "{} limited a client that had sent nothing: one count for all clients, so that one of them locks out "
        "the others (is the limiter keyed on {}?)",
        name_, settings_.client_ip_header);
    return result;
  }

  Check judge_burst(const Bucket& bucket, std::size_t together) const {
    Check result{.id = "rate_limit.concurrency",
                 .outcome = Outcome::pass,
                 .request = fmt::format("{} x{} at once", name_, together),
                 .expected = fmt::format("{} let through at most", settings_.upper()),
                 .observed = fmt::format("{} let through", bucket.through),
                 .references = kRace};
    if (bucket.through > settings_.upper() + refilled(bucket)) {
      result.outcome = Outcome::fail;
      result.summary = fmt::format(
          "{} let {} requests through when {} of them arrived at once, the limit is {}: the counter is not "
          "atomic, or each worker counts alone",
          name_, bucket.through, together, settings_.limit);
    } else if (bucket.odd) {
      result.outcome = Outcome::inconclusive;
      result.summary = fmt::format("{} {} in a burst of {}", name_, bucket.odd->sentence(), together);
    } else {
      result.summary = fmt::format("{} holds its limit when {} requests arrive at once", name_, together);
    }
    return result;
  }

  // --- resetting it

  Awaitable<void> learn_unrouted() {
    Call unrouted;
    unrouted.target = "/" + context_.unknown_name();
    const Response response = co_await exchange_.send(std::move(unrouted));
    if (response.status != 0) judge_.learn_unrouted(response);
    unrouted_status_ = response.status;
  }

  struct Spoof {
    std::string name;
    Header header(const std::string& client, const std::string& fresh) const {
      if (same_name(name, "X-Forwarded-For")) return {name, Exchange::forwarded_for(client, fresh)};
      if (same_name(name, "Forwarded")) return {name, "for=" + fresh};
      return {name, fresh};
    }
  };

  // Another bucket of a client that is limited, where the first may take no more requests.
  Awaitable<bool> can_send(Bucket& bucket, int requests) {
    if (bucket.sent + requests <= settings_.most()) co_return true;
    Bucket other = co_await count_once();
    if (!other.limited) co_return false;
    bucket = std::move(other);
    co_return bucket.sent + requests <= settings_.most();
  }

  Call spoofed(const Bucket& bucket, const std::vector<Spoof>& spoofs) const {
    Call spoofed = call(bucket.client);
    for (const Spoof& spoof : spoofs)
      spoofed.headers.push_back(
          spoof.header(bucket.client, context_.clients.any()));  // nobody exhausts those
    return spoofed;
  }

  // Let through by a 2xx or by the status that was seen before the limit.
  bool lets_through(const Response& response) const {
    if (kind(response) != Answer::through) return false;
    const bool before =
        std::find(statuses_seen_.begin(), statuses_seen_.end(), response.status) != statuses_seen_.end();
    return before || (response.status >= 200 && response.status < 300);
  }

  enum class Reset { no, yes, unclear };

  // A request that was let through may have found a token that had just trickled back: the plain one tells,
  // refused again.
  Awaitable<Reset> resets(Bucket& bucket, std::vector<Spoof> spoofs, Response& last) {
    for (int round = 0; round < kResetRounds; ++round) {
      if (!co_await can_send(bucket, 2)) co_return Reset::unclear;
      ++bucket.sent;
      last = co_await exchange_.send(spoofed(bucket, spoofs));
      if (!lets_through(last))
        co_return kind(last) == Answer::through || kind(last) == Answer::limited ? Reset::no : Reset::unclear;
      ++bucket.sent;
      const Response plain = co_await exchange_.send(call(bucket.client));
      if (kind(plain) != Answer::limited) co_return Reset::unclear;
    }
    co_return Reset::yes;
  }

  Awaitable<void> try_spoofed_headers(Bucket& bucket, ProbeOutcome& outcome) {
    std::vector<Spoof> spoofs;
    for (const std::string& name : settings_.spoof_headers)
      if (!same_name(name, settings_.client_ip_header) || same_name(name, "X-Forwarded-For"))
        spoofs.push_back({name});
    if (spoofs.empty()) co_return;
    Response last;
    if (co_await can_send(bucket, 1)) {
      ++bucket.sent;
      last = co_await exchange_.send(spoofed(bucket, spoofs));
      if (kind(last) == Answer::limited) {
        outcome.add(spoof_check("rate_limit.spoof", Outcome::pass, names_of(spoofs), last));
        co_return;
      }
    }
    // One of them opened the limit, or was refused for itself and hid the others: each alone.
    for (const Spoof& spoof : spoofs) {
      std::vector<Spoof> alone{spoof};
      const Reset reset = co_await resets(bucket, std::move(alone), last);
      const Outcome seen = reset == Reset::yes  ? Outcome::fail
                           : reset == Reset::no ? Outcome::pass
                                                : Outcome::inconclusive;
      outcome.add(spoof_check("rate_limit.spoof." + id_of(spoof.name), seen, spoof.name, last));
      if (seen == Outcome::fail) co_return;
    }
  }

  static std::string names_of(const std::vector<Spoof>& spoofs) {
    std::string names;
    for (const Spoof& spoof : spoofs) names += (names.empty() ? "" : ", ") + spoof.name;
    return names;
  }

  // "X-Real-IP" as it stands in the id of a check: "x_real_ip".
  static std::string id_of(std::string_view name) {
    std::string id = ascii::lowered(name);
    std::replace(id.begin(), id.end(), '-', '_');
    return id;
  }

  Check spoof_check(std::string id, Outcome seen, const std::string& names, const Response& response) const {
    Check result{.id = std::move(id),
                 .outcome = seen,
                 .request = name_ + " with a new " + names,
                 .expected = settings_.limited_status.text(),
                 .observed = response.text(),
                 .references = kSpoof};
    result.summary =
        seen == Outcome::fail
            ? fmt::format("{} {} to a limited client that sent a new {}: whoever varies it has no limit",
                          name_, response.sentence(), names)
        : seen == Outcome::pass
            ? fmt::format("{} stays limited whatever {} says", name_, names)
            : fmt::format(
                  "{} {} to a limited client that sent a new {}: the limit cannot be told "
                  "from its own recovery or from an error",
                  name_, response.sentence(), names);
    return result;
  }

  Awaitable<void> try_spellings(Bucket& bucket, ProbeOutcome& outcome) {
    const auto twins = spellings(same_shape(path_, "q"), context_.app.host, Extent::standard);
    for (const Spelling& spelling : spellings(path_, context_.app.host, Extent::standard)) {
      const bool wanted = spelling.id == "query" || spelling.id == "case" ||
                          spelling.id == "trailing_slash" || spelling.id == "encoded_letter";
      if (!wanted) continue;
      const auto twin =
          std::find_if(twins.begin(), twins.end(), [&](const Spelling& s) { return s.id == spelling.id; });
      std::string nothing_there = twin == twins.end() ? "" : twin->target;
      Check result = co_await try_spelling(bucket, spelling, std::move(nothing_there));
      const Outcome seen = result.outcome;
      outcome.add(std::move(result));
      if (seen == Outcome::fail) co_return;
    }
  }

  Awaitable<Check> try_spelling(Bucket& bucket, Spelling spelling, std::string twin) {
    Check result{.id = "rate_limit.path." + spelling.id,
                 .outcome = Outcome::inconclusive,
                 .expected = settings_.limited_status.text() + ", or not the same",
                 .references = kSpoof};
    const Call as_written = call(bucket.client, spelling.target);
    result.request = Exchange::describe(as_written);
    Response response;
    for (int round = 0; round < kResetRounds; ++round) {
      if (!co_await can_send(bucket, 2)) {
        result.summary =
            fmt::format("{} could not be tried: the limit does not hold long enough", result.request);
        co_return result;
      }
      ++bucket.sent;
      response = co_await exchange_.send(call(bucket.client, spelling.target));
      result.observed = response.text();
      bool same = lets_through(response);
      if (same) same = co_await is_same_route(response, spelling.target, twin);
      if (!same) {
        const bool unseen = kind(response) == Answer::none || kind(response) == Answer::error;
        result.outcome = unseen ? Outcome::inconclusive : Outcome::pass;
        result.summary = fmt::format("{} {}", result.request, response.sentence());
        co_return result;
      }
      ++bucket.sent;
      const Response plain = co_await exchange_.send(call(bucket.client));
      if (kind(plain) != Answer::limited) {
        result.summary =
            fmt::format("{} recovers faster than it can be told whether {} resets it", name_, result.request);
        co_return result;
      }
    }
    result.outcome = Outcome::fail;
    result.summary =
        fmt::format("{} {} to a limited client: another spelling of the path has a limit of its own",
                    result.request, response.sentence());
    co_return result;
  }

  // The same endpoint under another name, and not what any path gets.
  Awaitable<bool> is_same_route(const Response& response, std::string target, std::string twin) {
    if (!twin.empty()) {
      Call nothing;
      nothing.method = method_;
      nothing.target = twin;
      nothing.body = settings_.http.body;
      nothing.credentials = {};
      set_client(nothing, fresh());
      const Response control = co_await exchange_.send(std::move(nothing));
      if (control.status == response.status && (response.status < 200 || response.status > 299))
        co_return false;
      if (control.status >= 200 && control.status < 300) judge_.learn_unrouted(control);
    }
    const bool success = response.status >= 200 && response.status < 300;
    co_return success ? judge_.see(response, target) != Seen::fallback : response.status != unrouted_status_;
  }

  // --- what the server says

  // The advertised limit that is the declared one; else the first.
  std::optional<Advertised> pick(const Response& response) const {
    auto list = advertised(response.headers, context_.clock.wall_now());
    if (list.empty()) return std::nullopt;
    const auto declared = [&](const Advertised& one) {
      return one.limit && *one.limit >= settings_.lower() && *one.limit <= settings_.upper();
    };
    std::stable_partition(list.begin(), list.end(),
                          [](const Advertised& one) { return one.remaining.has_value(); });
    const auto it = std::find_if(list.begin(), list.end(), declared);
    Advertised best = it == list.end() ? list.front() : *it;
    for (const Advertised& one : list)
      if (!best.window && one.limit == best.limit) best.window = one.window;
    return best;
  }

  void judge_headers(const Advertised& before, const Advertised& after, Check& result) const {
    const double declared = std::chrono::duration<double>(settings_.window).count();
    result.observed =
        fmt::format("limit {}, remaining {} then {}", *before.limit, *before.remaining, *after.remaining);
    const bool limit_right = *before.limit >= settings_.lower() && *before.limit <= settings_.upper();
    const bool window_right =
        !before.window || std::abs(*before.window - declared) <= declared * settings_.tolerance + 1e-9;
    const bool counts = *after.remaining < *before.remaining || *before.remaining == 0;
    result.outcome = limit_right && window_right && counts ? Outcome::pass : Outcome::fail;
    if (!limit_right) {
      result.summary =
          fmt::format("{} advertises a limit of {}, declared is {}", name_, *before.limit, settings_.limit);
    } else if (!window_right) {
      result.summary =
          fmt::format("{} advertises a window of {}s, declared is {}", name_, *before.window, window());
    } else if (!counts) {
      result.summary = fmt::format("{} does not count: {} remained after one request, {} after two", name_,
                                   *before.remaining, *after.remaining);
    } else {
      result.summary = fmt::format("{} counts down from {}", name_, *before.limit);
    }
  }

  Check check(std::string id, Outcome outcome, std::string expected, std::string observed,
              std::string summary) const {
    return {.id = std::move(id),
            .outcome = outcome,
            .request = name_,
            .expected = std::move(expected),
            .observed = std::move(observed),
            .references = kLimit,
            .summary = std::move(summary)};
  }

  const Settings& settings_;
  ProbeContext& context_;
  Exchange& exchange_;
  const std::string method_, path_, name_;
  Judge judge_;
  std::vector<Header> credentials_;
  std::vector<int> statuses_seen_;  // before the limit
  int unrouted_status_ = 0;
};

class RateLimitProbe final : public Probe {
 public:
  explicit RateLimitProbe(Settings settings) : settings_(std::move(settings)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Exchange exchange(context, settings_.http);
    ProbeOutcome outcome;
    const Monotonic now = context.clock.now();
    const bool recent = passed_at_ && now - *passed_at_ < settings_.exhaust_every;
    if (settings_.observe_only || (recent && headers_count_ && context.on_interval())) {
      co_await each(context, exchange, outcome, Depth::observe);
      outcome.requests = exchange.requests();
      if (settings_.observe_only || outcome.outcome() == Outcome::pass) co_return outcome;
      outcome = {};  // what the headers leave open, only an exhaustion can tell
    }
    co_await each(context, exchange, outcome, Depth::exhaust);
    const bool passed = outcome.outcome() == Outcome::pass;
    const bool contradicted = recent && headers_count_ && passed;
    passed_at_ = passed ? std::optional(context.clock.now()) : std::nullopt;
    if (contradicted) {
      headers_count_ = false;
    } else if (passed && context.pace != Pace::whole) {
      ProbeOutcome observed;
      co_await each(context, exchange, observed, Depth::observe);
      headers_count_ = observed.outcome() == Outcome::pass;
    }
    outcome.requests = exchange.requests();
    co_return outcome;
  }

  std::optional<std::chrono::milliseconds> cadence() const override {
    if (settings_.observe_only || !passed_at_ || headers_count_) return std::nullopt;
    return settings_.exhaust_every;
  }

 private:
  enum class Depth { observe, exhaust };

  Awaitable<void> each(ProbeContext& context, Exchange& exchange, ProbeOutcome& outcome, Depth depth) {
    for (const Operation& operation : settings_.http.operations()) {
      Subject subject(settings_, context, exchange, operation.method, operation.path);
      const bool prepared = co_await subject.prepare(outcome);
      if (!prepared) co_return;
      if (depth == Depth::observe) {
        co_await subject.observe(outcome);
      } else {
        co_await subject.exhaust(outcome);
      }
      if (context.ends_at(outcome.outcome())) co_return;
    }
  }

  const Settings settings_;
  std::optional<Monotonic> passed_at_;  // the last exhaustion, where it passed
  bool headers_count_ = false;  // the server's headers said the same: they may stand in until the next one
};

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"rate_limit.limited",
     "mend the limiter, or where the limit was changed on purpose the probe's limit: is it in front of this "
     "route, and is its store reachable?"},
    {"rate_limit.observed",
     "mend the limiter, or where the limit was changed on purpose the probe's limit: is it in front of this "
     "route, and is its store reachable?"},
    {"rate_limit.spoof.",
     "count by Fly-Client-IP, which the proxy sets, never by a header that clients can write"},
    {"rate_limit.path.", "count by route, after the path was normalised, not by the path as it was sent"},
    {"rate_limit.per_client", "count for each client: one count for all lets one client lock out everybody"},
    {"rate_limit.concurrency",
     "count and decide in one atomic step (INCR, a Lua script): requests at the same moment slip through "
     "between read and write"},
    {"rate_limit.retry_after", "send Retry-After with the refusal"},
    {"", "mend the limiter: is it in front of this route, and is its store reachable?"},
};

const Explanation kExplanation{
    .control =
        "A client that sends more than the declared number of requests is limited, and cannot help itself "
        "out of it.",
    .sends =
        "exhaust, every `exhaust_every`: a synthetic client until it is limited, then with new spoofed "
        "headers and other\n"
        "spellings of the path; a second one, which must still be served, to the edge and then `concurrency` "
        "requests at the\n"
        "same moment; for small limits a third. Never more than limit x (1 + tolerance) + concurrency from "
        "one client.\n"
        "In between, where RateLimit headers agree, and in mode observe: two requests.",
    .passes =
        "The limit bites within `tolerance` of the declared count, also for the burst; nothing resets it; "
        "others are served.",
    .fails =
        "It never bites, bites too early, lets a burst through, is reset by a header or spelling that the "
        "client chooses, or\n"
        "counts all clients together.",
    .unclear =
        "404, a 5xx that is not in limited_status, no answer, or a window too short to be filled in time.",
    .example =
        "[probes.login_limited]\ntype = \"rate_limit\"\npath = \"/login\"\nmethod = \"POST\"\n"
        "body = '{\"user\":\"nobody\",\"password\":\"x\"}'\nlimit = 5\nwindow = \"1m\"\n",
    .references =
        "OWASP API4:2023; ASVS 5.0 2.4.1, 2.3.4, 15.3.4; CWE-348, CWE-362, CWE-770; RFC 6585, IETF RateLimit "
        "headers",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics& diagnostics) {
  const Values& values = probe.values;
  if (values.string("shared_with") == "peers") {
    diagnostics.error(values.place("shared_with"),
                      "\"shared_with\" is \"peers\", which this version cannot check yet; write \"none\"");
    return nullptr;
  }
  Settings settings;
  settings.http = HttpKeys::from(values);
  settings.limit = static_cast<int>(values.integer("limit"));
  settings.window = values.duration("window");
  settings.observe_only = values.string("mode") == "observe";
  settings.exhaust_every = values.duration("exhaust_every");
  settings.client_ip_header = values.string("client_ip_header");
  settings.spoof_headers = values.strings("spoof_headers");
  settings.concurrency = static_cast<int>(values.integer("concurrency"));
  settings.limited_status = values.statuses("limited_status");
  settings.require_retry_after = values.boolean("require_retry_after");
  settings.tolerance = values.number("tolerance");
  return std::make_unique<RateLimitProbe>(std::move(settings));
}

}  // namespace holdshort::rate_limit
