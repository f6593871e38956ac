// The `authentication` probe: who has no credentials, broken ones, or a trick instead of them, is refused.
//
// For each path and method: the legitimate caller is served (positive control), an unrouted path shows what
// strangers get anywhere, then every attempt must be refused, then the legitimate caller is served still. An
// attempt counts as a bypass only where it was granted what the caller is served, never because its status
// differs.
#include "probes/authentication/authentication.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/authentication/mutations.h"
#include "probes/kit/classify.h"
#include "probes/kit/exchange.h"
#include "probes/kit/json.h"
#include "probes/kit/spellings.h"

namespace holdshort::authentication {

namespace {

constexpr int kMaxSilent = 3;  // requests in a row without an answer, then the rest of a run is not sent

constexpr std::string_view kBypassChoices[] = {"none", "standard", "thorough"};
constexpr Field kOwnFields[] = {
    {.name = "reject_status",
     .kind = Kind::status_list,
     .fallback = "[401, 403]",
     .doc = "statuses that refuse"},
    {.name = "reject_redirect",
     .kind = Kind::pattern,
     .doc = "RE2 pattern of the Location of a login page: a redirect there refuses; without it a redirect is "
            "inconclusive"},
    {.name = "accept_status",
     .kind = Kind::status_list,
     .fallback = R"(["2xx"])",
     .doc = "statuses that serve the identity `as`"},
    {.name = "bypasses",
     .kind = Kind::choice,
     .fallback = R"("standard")",
     .doc = "how many ways around the guard are tried",
     .choices = kBypassChoices},
    {.name = "default_credentials",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "try six accounts that products come with, by Basic authentication"},
};

const std::vector<std::string> kMissing{"OWASP API2:2023", "ASVS 8.2.1", "CWE-306"};
const std::vector<std::string> kBroken{"OWASP API2:2023", "ASVS 9.1.1", "CWE-287"};
const std::vector<std::string> kKey{"OWASP API2:2023", "ASVS 13.2.1", "ASVS 11.5.1", "CWE-287"};
const std::vector<std::string> kKeyInQuery{"OWASP API2:2023", "ASVS 14.2.1", "CWE-598"};
const std::vector<std::string> kKeyOperator{"OWASP API2:2023", "ASVS 13.2.1", "CWE-943"};
const std::vector<std::string> kSession{"OWASP API2:2023", "ASVS 7.2.1", "CWE-347", "CWE-565"};
const std::vector<std::string> kSpoofed{"OWASP API2:2023", "ASVS 4.1.3", "CWE-290", "CWE-348"};
const std::vector<std::string> kPath{"OWASP API5:2023", "ASVS 8.3.1", "CWE-178", "CWE-436", "CWE-647"};
const std::vector<std::string> kMethod{"OWASP API5:2023", "ASVS 4.1.4", "CWE-650"};
const std::vector<std::string> kDefaults{"OWASP API2:2023", "ASVS 6.3.2", "CWE-1392"};

struct Settings {
  HttpKeys http;
  StatusSet reject_status, accept_status;
  std::optional<Pattern> reject_redirect;
  Bypasses bypasses = Bypasses::standard;
  bool default_credentials = false;
};

// What a stranger tries, and how its answer is judged.
struct Attempt {
  std::string id;
  Call call;
  std::string with;  // "with X-Forwarded-For: 127.0.0.1"; "without credentials"
  // plain: the declared path must refuse as declared. bypass: it must only not be granted.
  enum class Rule { plain, bypass } rule = Rule::bypass;
  std::optional<Call> twin;  // the same trick where there is nothing to gain: alike to its answer is no grant
  std::vector<std::string> references;
  std::string shown = {};  // what reports say of the request where its target is secret
};

// One path and method under test.
class Subject {
 public:
  Subject(const Settings& settings, ProbeContext& context, Exchange& exchange, std::string method,
          std::string path)
      : settings_(settings),
        context_(context),
        exchange_(exchange),
        method_(std::move(method)),
        path_(std::move(path)),
        judge_(settings.http.marker, context.app.own_hosts()) {}

  // Adds its checks to `outcome`. False: nothing more can be learnt from this app in this run.
  Awaitable<bool> run(ProbeOutcome& outcome) {
    if (!settings_.http.as.empty()) {
      Check accepted = co_await legitimate("authentication.accepted");
      served_ = accepted.outcome == Outcome::pass;
      const bool answers = answers_;
      outcome.add(std::move(accepted));
      if (!answers || (!served_ && context_.pace == Pace::startup)) co_return false;
    }
    if (!co_await learn_unrouted(outcome)) co_return false;
    std::vector<Attempt> attempts = list_attempts();
    for (Attempt& attempt : attempts) {
      Check check = co_await judge(std::move(attempt));
      const Outcome seen = check.outcome;
      outcome.add(std::move(check));
      if (context_.ends_at(seen)) co_return false;
      if (silent_ >= kMaxSilent) co_return false;
    }
    if (served_) outcome.add(co_await legitimate("authentication.still_accepted"));
    co_return true;
  }

 private:
  std::string name() const { return method_ + " " + path_; }

  Call call(std::string method, std::string target) const {
    Call call;
    call.method = std::move(method);
    call.target = std::move(target);
    if (call.method == method_) call.body = settings_.http.body;
    return call;
  }

  // --- the legitimate caller

  Awaitable<Check> legitimate(std::string id) {
    Check check{.id = std::move(id),
                .outcome = Outcome::inconclusive,
                .request = name() + " as " + settings_.http.as,
                .expected = settings_.accept_status.text(),
                .references = kMissing};
    Response response;
    for (int round = 0; round < 2; ++round) {
      auto credentials = co_await exchange_.credentials(settings_.http.as);
      if (!credentials) {
        check.observed = "no credentials";
        check.summary = credentials.error().message;
        co_return check;
      }
      credentials_ = *credentials;
      response = co_await as_caller(path_);
      if (const std::string same = same_target(response, path_); !same.empty())
        response = co_await as_caller(same);
      const bool refused = response.status == 401 || response.status == 403;
      if (!refused || !exchange_.forget_login(settings_.http.as)) break;  // a login's token may have expired
    }
    judge_legitimate(response, check);
    co_return check;
  }

  Awaitable<Response> as_caller(std::string target) {
    Call genuine = call(method_, std::move(target));
    genuine.credentials = credentials_;
    co_return co_await exchange_.send(std::move(genuine));
  }

  // Redirects name targets as they are on the wire, below the url's own path.
  Seen see(const Response& response, const std::string& target) const {
    return judge_.see(response, exchange_.prefix() + target);
  }

  std::string same_target(const Response& response, const std::string& target) const {
    const std::string same = judge_.same_target(response, exchange_.prefix() + target);
    return same.starts_with(exchange_.prefix()) ? same.substr(exchange_.prefix().size()) : "";
  }

  void judge_legitimate(const Response& response, Check& check) {
    const Seen seen = see(response, path_);
    answers_ = seen != Seen::no_response && seen != Seen::server_error;
    const bool login_form =
        seen == Seen::soft_denial && !judge_.has_marker() && !json::is_json(response.body);
    const bool served =
        settings_.accept_status.contains(response.status) && answers_ &&
        (seen == Seen::granted || seen == Seen::unknown || login_form || response.status >= 300) &&
        !(judge_.has_marker() && seen != Seen::granted);
    check.observed = response.text();
    check.outcome = served ? Outcome::pass : Outcome::inconclusive;
    if (served) {
      judge_.learn_served(response);
      check.summary = fmt::format("{} is served to {}", name(), settings_.http.as);
    } else if (check.id == "authentication.still_accepted") {
      check.summary = fmt::format(
          "{} {} to {} after the attempts, {} before: a lockout or a limit refuses too, so the "
          "refusals prove nothing",
          name(), response.sentence(), settings_.http.as, settings_.accept_status.text());
    } else if (settings_.accept_status.contains(response.status)) {
      check.observed +=
          ", " + std::string(seen == Seen::unknown || seen == Seen::soft_denial ? "without the marker"
                                                                                : name_of(seen));
      check.summary = fmt::format("{} {} to {}: {}", name(), response.sentence(), settings_.http.as,
                                  judge_.has_marker() ? "the marker is missing" : "the answer says no");
    } else {
      check.summary = fmt::format("{} {} to {}, who should be served: nothing can be said about strangers",
                                  name(), response.sentence(), settings_.http.as);
    }
  }

  // --- what a stranger gets anywhere

  Awaitable<bool> learn_unrouted(ProbeOutcome& outcome) {
    const std::string word = fmt::format("{:012x}", context_.random() & 0xffffffffffffu);
    const std::size_t slash = path_.substr(0, path_.find('?')).rfind('/');
    std::vector<std::string> siblings{"/hs-" + word};
    if (slash > 0 && slash != std::string::npos) siblings.push_back(path_.substr(0, slash) + "/hs-" + word);
    for (const std::string& sibling : siblings) {
      Call unrouted = call("GET", sibling);
      unrouted.body.clear();
      const Response response = co_await exchange_.send(std::move(unrouted));
      const Seen seen = see(response, sibling);
      if (seen == Seen::no_response || (seen == Seen::server_error && !served_)) {
        outcome.add(
            {.id = "authentication.baseline",
             .outcome = Outcome::inconclusive,
             .request = "GET " + sibling,
             .expected = "an answer",
             .observed = response.text(),
             .summary = fmt::format("GET {} (a path that cannot exist) got {}", sibling, response.text())});
        co_return false;
      }
      if (unrouted_status_ == 0) unrouted_status_ = response.status;
      judge_.learn_unrouted(response);
    }
    if (served_ && !judge_.has_marker() && served_like_unrouted(outcome)) co_return false;
    co_return true;
  }

  // The start page of a single-page app answers for every path: then nobody can tell whether the route
  // exists.
  bool served_like_unrouted(ProbeOutcome& outcome) {
    if (judge_.served_differs()) return false;
    outcome.add({.id = "authentication.baseline",
                 .outcome = Outcome::inconclusive,
                 .request = name(),
                 .expected = "other content than an unknown path gets",
                 .observed = "the same",
                 .summary = fmt::format(
                     "{} serves {} what every unknown path gets: does it exist? Declare a marker if it does",
                     name(), settings_.http.as)});
    return true;
  }

  // --- the attempts

  std::vector<Attempt> list_attempts() const {
    std::vector<Attempt> attempts;
    attempts.push_back({.id = "authentication.none",
                        .call = call(method_, path_),
                        .with = "without credentials",
                        .rule = Attempt::Rule::plain,
                        .twin = {},
                        .references = kMissing});
    // Where the caller is refused there is nothing to compare bypasses with.
    if (!settings_.http.as.empty() && !served_) return attempts;
    add_credentials(attempts);
    add_headers(attempts);
    add_spellings(attempts);
    add_methods(attempts);
    if (!context_.failed_before.empty())
      std::stable_partition(attempts.begin(), attempts.end(),
                            [&](const Attempt& a) { return a.id == context_.failed_before; });
    return attempts;
  }

  void add_malformed(std::vector<Attempt>& attempts, std::string_view group,
                     const std::vector<Malformed>& list, const std::vector<std::string>& references) const {
    for (const Malformed& malformed : list) {
      Attempt attempt{.id = fmt::format("authentication.{}.{}", group, malformed.id),
                      .call = call(method_, path_),
                      .with = "with " + malformed.what,
                      .rule = Attempt::Rule::bypass,
                      .twin = {},
                      .references = references};
      attempt.call.credentials = malformed.headers;
      attempts.push_back(std::move(attempt));
    }
  }

  void add_credentials(std::vector<Attempt>& attempts) const {
    add_malformed(attempts, "malformed", malformed_credentials(settings_.bypasses), kBroken);
    const Credential kind = kind_of_credentials();
    add_malformed(attempts, "broken", broken_credentials(credentials_, kind, settings_.bypasses),
                  kind == Credential::api_key  ? kKey
                  : kind == Credential::cookie ? kSession
                                               : kBroken);
    if (kind == Credential::api_key) add_key_in_query(attempts);
    if (kind == Credential::api_key) add_operators(attempts);
    if (settings_.default_credentials)
      add_malformed(attempts, "default_account", default_accounts(), kDefaults);
  }

  Credential kind_of_credentials() const {
    const auto found = context_.identities.by_name.find(settings_.http.as);
    if (found == context_.identities.by_name.end()) return Credential::other;
    if (std::holds_alternative<ApiKeyIdentity>(found->second)) return Credential::api_key;
    return std::holds_alternative<CookieIdentity>(found->second) ? Credential::cookie : Credential::other;
  }

  // Whole runs and thorough ones alone: a query stands in access logs, and with it the key.
  void add_key_in_query(std::vector<Attempt>& attempts) const {
    const bool is_meant = settings_.bypasses == Bypasses::thorough || context_.pace == Pace::whole;
    if (!is_meant || settings_.bypasses == Bypasses::none || credentials_.empty()) return;
    const Header& key = credentials_.front();
    const char* const mark = path_.find('?') == std::string::npos ? "?" : "&";
    attempts.push_back({.id = "authentication.broken.in_query",
                        .call = call(method_, path_ + mark + key_in_query(key.value, key.name)),
                        .with = "with its key in the query",
                        .rule = Attempt::Rule::bypass,
                        .twin = {},
                        .references = kKeyInQuery,
                        .shown = fmt::format("{}{}api_key=***", name(), mark)});
  }

  void add_operators(std::vector<Attempt>& attempts) const {
    if (settings_.bypasses != Bypasses::thorough || method_ != "GET" || credentials_.empty()) return;
    const char* const mark = path_.find('?') == std::string::npos ? "?" : "&";
    attempts.push_back({.id = "authentication.broken.operator",
                        .call = call(method_, path_ + mark + operators_in_query(credentials_.front().name)),
                        .with = "with a query operator for a key",
                        .rule = Attempt::Rule::bypass,
                        .twin = {},
                        .references = kKeyOperator});
  }

  void add_headers(std::vector<Attempt>& attempts) const {
    for (HeaderGroup& group :
         spoofed_headers(context_.clients.any(), context_.app.host, settings_.bypasses)) {
      Attempt attempt{.id = "authentication." + group.id,
                      .call = call(method_, path_),
                      .with = "with spoofed headers",
                      .rule = Attempt::Rule::bypass,
                      .twin = call(method_, same_shape(path_, "q")),
                      .references = kSpoofed};
      attempt.call.headers = attempt.twin->headers = std::move(group.headers);
      attempts.push_back(std::move(attempt));
    }
    if (method_ != "GET" || path_ == "/" || settings_.bypasses == Bypasses::none) return;
    for (HeaderGroup& group : rewriting_headers(path_, settings_.bypasses)) {
      Attempt attempt{.id = "authentication.rewrite." + group.id,
                      .call = call(method_, "/"),
                      .with = fmt::format("with {}: {}", group.headers.front().name, path_),
                      .rule = Attempt::Rule::bypass,
                      .twin = call(method_, "/"),
                      .references = kSpoofed};
      attempt.call.headers = std::move(group.headers);
      attempts.push_back(std::move(attempt));
    }
    if (settings_.bypasses != Bypasses::thorough) return;
    // gunicorn before 22 takes the application's root from a header: a path rule in front of it sees another
    // path.
    Attempt mounted{.id = "authentication.rewrite.script_name",
                    .call = call(method_, "/hs" + path_),
                    .with = "with SCRIPT_NAME: /hs",
                    .rule = Attempt::Rule::bypass,
                    .twin = call(method_, "/hs" + same_shape(path_, "q")),
                    .references = kSpoofed};
    mounted.call.headers = mounted.twin->headers = {{"SCRIPT_NAME", "/hs"}};
    attempts.push_back(std::move(mounted));
  }

  void add_spellings(std::vector<Attempt>& attempts) const {
    if (settings_.bypasses == Bypasses::none) return;
    const Extent extent = settings_.bypasses == Bypasses::thorough ? Extent::thorough : Extent::standard;
    const auto twins = spellings(same_shape(path_, "q"), context_.app.host, extent);
    for (Spelling& spelling : spellings(path_, context_.app.host, extent)) {
      Attempt attempt{.id = "authentication.path." + spelling.id,
                      .call = call(method_, std::move(spelling.target)),
                      .with = "without credentials",
                      .rule = Attempt::Rule::bypass,
                      .twin = {},
                      .references = kPath};
      const auto twin =
          std::find_if(twins.begin(), twins.end(), [&](const Spelling& s) { return s.id == spelling.id; });
      if (twin != twins.end()) attempt.twin = call(method_, twin->target);
      attempts.push_back(std::move(attempt));
    }
  }

  void add_methods(std::vector<Attempt>& attempts) const {
    if (method_ != "GET" || settings_.bypasses == Bypasses::none) return;
    const auto add = [&](std::string id, std::string method, std::string with) {
      attempts.push_back({.id = "authentication.method." + id,
                          .call = call(method, path_),
                          .with = std::move(with),
                          .rule = Attempt::Rule::bypass,
                          .twin = call(method, same_shape(path_, "q")),
                          .references = kMethod});
    };
    add("head", "HEAD", "without credentials");
    add("override", "POST", "with X-HTTP-Method-Override: GET");
    attempts.back().call.headers = attempts.back().twin->headers = {
        {"X-HTTP-Method-Override", "GET"}, {"X-HTTP-Method", "GET"}, {"X-Method-Override", "GET"}};
    if (settings_.bypasses != Bypasses::thorough) return;
    add("override_parameter", "POST", "with _method=GET");
    for (Call* call : {&attempts.back().call, &*attempts.back().twin})
      call->target += call->target.find('?') == std::string::npos ? "?_method=GET" : "&_method=GET";
    add("options", "OPTIONS", "without credentials");
    add("unknown", "HOLDSHORT", "without credentials");
    add("propfind", "PROPFIND", "without credentials");
    add("query", "QUERY", "without credentials");
    add("lower_case", "get", "without credentials");
  }

  // --- the verdict on one attempt

  Awaitable<Check> judge(Attempt attempt) {
    const std::string request = attempt.shown.empty() ? Exchange::describe(attempt.call) : attempt.shown;
    Call sent = attempt.call;
    Response response = co_await exchange_.send(std::move(sent));
    std::string target = attempt.call.target;
    if (const std::string same = same_target(response, target); !same.empty() && !judge_.leaks(response)) {
      Call followed = call(attempt.call.method, same);
      target = same;
      response = co_await exchange_.send(std::move(followed));
    }
    Check check{.id = attempt.id,
                .outcome = Outcome::inconclusive,
                .request = request,
                .expected = settings_.reject_status.text(),
                .observed = response.text(),
                .references = attempt.references};
    Seen seen = see(response, target);
    if (attempt.call.method == "HEAD") {
      seen = co_await see_head(attempt, response, seen);
    } else if (seen == Seen::unknown) {
      seen = co_await look_closer(attempt, response, target);
    }
    // Most frameworks tell strangers which methods there are.
    if (attempt.call.method == "OPTIONS" && seen == Seen::unknown) seen = Seen::wrong_method;
    silent_ =
        seen == Seen::no_response && response.ended != Ended::reset && response.ended != Ended::cut_short
            ? silent_ + 1
            : 0;
    conclude(attempt, response, seen, check);
    if (attempt.rule == Attempt::Rule::plain) refused_with_success_ = response.status < 300;
    if (check.outcome == Outcome::fail && attempt.call.headers.size() > 1)
      co_await name_the_header(attempt, check);
    co_return check;
  }

  // 2xx with content that is neither the caller's nor an unrouted path's. Two lazy comparisons: what the same
  // trick gets where nothing is to be gained, and which parts of the caller's answer change by themselves.
  Awaitable<Seen> look_closer(const Attempt& attempt, const Response& response, std::string target) {
    if (attempt.twin) {
      Call twin = *attempt.twin;
      const Response nothing = co_await exchange_.send(std::move(twin));
      if (nothing.status >= 200 && nothing.status < 300) judge_.learn_unrouted(nothing);
    }
    if (served_) {
      const Response second = co_await as_caller(path_);
      if (settings_.accept_status.contains(second.status)) judge_.learn_served(second);
    }
    co_return see(response, target);
  }

  // No body to compare: the fields that describe one must be those of the caller's HEAD and not those of an
  // unrouted one.
  Awaitable<Seen> see_head(const Attempt& attempt, const Response& response, Seen seen) {
    if (response.status < 200 || response.status > 299) co_return seen;
    Call twin = *attempt.twin;
    const Response nothing = co_await exchange_.send(std::move(twin));
    if (describes_same(response, nothing)) co_return Seen::fallback;
    if (!served_) co_return Seen::unknown;
    Call genuine = attempt.call;
    genuine.credentials = credentials_;
    const Response served = co_await exchange_.send(std::move(genuine));
    const bool told = response.header("Content-Length") || response.header("ETag");
    if (!told && refused_with_success_)
      co_return Seen::soft_denial;  // a 2xx is what strangers get here anyway
    co_return describes_same(response, served) ? Seen::granted : Seen::unknown;
  }

  static bool describes_same(const Response& a, const Response& b) {
    if (a.status != b.status) return false;
    for (const char* name : {"Content-Length", "Content-Type", "ETag"}) {
      const std::string *x = a.header(name), *y = b.header(name);
      if ((x == nullptr) != (y == nullptr) || (x && *x != *y)) return false;
    }
    return true;
  }

  // Without an identity and a marker there is nothing to compare with: content of its own that is no unrouted
  // path's.
  bool is_grant(Seen seen) const {
    const bool stranger_alone = settings_.http.as.empty() && !judge_.has_marker();
    return seen == Seen::granted || (seen == Seen::unknown && stranger_alone);
  }

  void conclude(const Attempt& attempt, const Response& response, Seen seen, Check& check) const {
    const bool plain = attempt.rule == Attempt::Rule::plain;
    const std::string sentence = fmt::format("{} {} {}", check.request, response.sentence(), attempt.with);
    const auto say = [&](Outcome outcome, std::string_view more) {
      check.outcome = outcome;
      check.summary = sentence + std::string(more);
    };
    if (is_grant(seen)) return say(Outcome::fail, plain ? "" : grant_words(attempt));
    if (response.status >= 300 && judge_.leaks(response))
      return say(Outcome::fail, ", and carried what only a served caller gets");
    switch (seen) {
      case Seen::no_response:
        // A server that hangs up on a target it cannot parse has granted nothing; that it lives is checked
        // afterwards.
        if (!plain && response.status == 0 &&
            (response.ended == Ended::reset || response.ended == Ended::cut_short))
          return say(Outcome::pass, "");
        return say(Outcome::inconclusive, "");
      case Seen::server_error:
        return say(Outcome::inconclusive, ": an error is no refusal; let the app answer 401 or 403");
      case Seen::to_login:
      case Seen::to_same:
      case Seen::elsewhere:
        return conclude_redirect(attempt, response, say);
      case Seen::soft_denial:
        if (judge_.has_marker()) return say(Outcome::pass, ", without the marker");
        return say(Outcome::inconclusive,
                   ", with a body that says no: declare a marker to tell a denial from a grant");
      case Seen::fallback:
        if (!plain || served_) return say(Outcome::pass, ", as any unknown path does");
        return say(Outcome::inconclusive, ", as any unknown path does: does the path exist?");
      case Seen::unknown:
        return say(Outcome::inconclusive,
                   ", with other content than the identity is served: declare a marker");
      default:
        return conclude_refusal(attempt, response, seen, say);
    }
  }

  static std::string grant_words(const Attempt& attempt) {
    return attempt.id.starts_with("authentication.path.") ? ": guard and router read the path differently"
                                                          : ": it was let in";
  }

  template <class Say>
  void conclude_redirect(const Attempt& attempt, const Response& response, Say say) const {
    const std::string* location = response.header("Location");
    const bool declared =
        location && settings_.reject_redirect && settings_.reject_redirect->found_in(*location);
    if (attempt.rule == Attempt::Rule::bypass || declared) return say(Outcome::pass, "");
    if (settings_.reject_redirect)
      return say(Outcome::inconclusive, ", to another place than reject_redirect names");
    say(Outcome::inconclusive, ": if that is the login page, declare reject_redirect");
  }

  template <class Say>
  void conclude_refusal(const Attempt& attempt, const Response& response, Seen seen, Say say) const {
    const bool declared = settings_.reject_status.contains(response.status);
    const bool plain = attempt.rule == Attempt::Rule::plain;
    if (!response.shows_all() && (plain || declared))
      return say(Outcome::inconclusive, ", with a body that was not read to its end");
    if (seen == Seen::limited && !declared)
      return say(Outcome::inconclusive, ": a rate limit came before the guard");
    if (!plain) return say(Outcome::pass, "");
    if (!declared)
      return say(
          Outcome::inconclusive,
          fmt::format(", expected {}{}", settings_.reject_status.text(),
                      seen == Seen::not_found ? ": that proves nothing, unless reject_status has 404" : ""));
    if (settings_.http.as.empty() && unrouted_status_ == response.status)
      return say(Outcome::inconclusive,
                 ", as does every path that cannot exist: declare `as`, a caller who is served, to tell "
                 "a guard from an app that refuses everybody");
    say(Outcome::pass, "");
  }

  // Halves the group until one header is left that is granted alone; several may be needed together, then all
  // are named.
  Awaitable<void> name_the_header(const Attempt& attempt, Check& check) {
    std::vector<Header> suspects = attempt.call.headers;
    while (suspects.size() > 1) {
      const auto half = suspects.begin() + static_cast<std::ptrdiff_t>(suspects.size() / 2);
      std::vector<Header> first(suspects.begin(), half), second(half, suspects.end());
      if (co_await granted_with(attempt, first)) {
        suspects = std::move(first);
      } else if (co_await granted_with(attempt, second)) {
        suspects = std::move(second);
      } else {
        break;
      }
    }
    std::string names;
    for (const Header& header : suspects) {
      if (names.size() < 120) names += (names.empty() ? "" : ", ") + header.name + ": " + header.value;
    }
    check.summary =
        fmt::format("{} answered {} without credentials with {}", check.request, check.observed, names);
    check.request += " with " + names;
  }

  Awaitable<bool> granted_with(const Attempt& attempt, std::vector<Header> headers) {
    Call call = attempt.call;
    call.headers = std::move(headers);
    const Response response = co_await exchange_.send(std::move(call));
    const Seen seen = see(response, attempt.call.target);
    co_return is_grant(seen);
  }

  const Settings& settings_;
  ProbeContext& context_;
  Exchange& exchange_;
  const std::string method_, path_;
  Judge judge_;
  std::vector<Header> credentials_;
  bool served_ = false;                // the positive control held
  bool answers_ = true;                // its answer was neither missing nor a 5xx
  bool refused_with_success_ = false;  // strangers get a 2xx that says no
  int unrouted_status_ = 0;
  int silent_ = 0;
};

class AuthenticationProbe final : public Probe {
 public:
  explicit AuthenticationProbe(Settings settings) : settings_(std::move(settings)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Exchange exchange(context, settings_.http);
    ProbeOutcome outcome;
    for (const Operation& operation : settings_.http.operations(ended_at_)) {
      Subject subject(settings_, context, exchange, operation.method, operation.path);
      const bool goes_on = co_await subject.run(outcome);
      ended_at_ = goes_on ? "" : operation.name();
      if (!goes_on) break;
    }
    outcome.requests = exchange.requests();
    co_return outcome;
  }

 private:
  const Settings settings_;
  std::string ended_at_;  // the operation that ended the run before
};

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"authentication.none",
     "the path is open to everybody: put the guard before this route, or roll back the deploy that took it "
     "away"},
    {"authentication.path.", "roll back, or let the guard read the path as the router does"},
    {"authentication.method.", "let the guard cover every method of the route, HEAD and overridden ones too"},
    {"authentication.malformed.",
     "the guard looks at whether credentials are there, not at what they are: verify them, and refuse on any "
     "error"},
    {"authentication.broken.",
     "the guard compares a part or a variant of the credentials: compare the whole, verify the signature"},
    {"authentication.broken.in_query",
     "take credentials from the header alone: a query stands in logs and histories"},
    {"authentication.default_account.", "change or delete this account now, then look at what it did"},
    {"authentication.rewrite.",
     "let framework and proxy ignore X-Original-URL, X-Rewrite-URL and SCRIPT_NAME from clients"},
    {"",
     "the guard believes headers that any client can send: take the source from Fly-Client-IP, and no "
     "identity from headers"},
};

const Explanation kExplanation{
    .control =
        "A path that wants credentials refuses whoever has none, broken ones, or a trick instead of them.",
    .sends =
        "For each path and method: the identity `as` (it must be served), a path that cannot exist,\n"
        "then a stranger without credentials, with malformed ones, with the identity's own credentials\n"
        "broken in one place, with spoofed source and identity headers, with X-Original-URL,\n"
        "X-HTTP-Method-Override and HEAD, and with other spellings of the path (case, slashes, dots,\n"
        "percent-encoding, absolute form); at last the identity again. About 50 requests, 35 ms against\n"
        "an Express app; bypasses = \"thorough\" sends about 120 in 75 ms. API keys are cut to a\n"
        "prefix, extended, written in the other case; session cookies get another signature or none. In\n"
        "`check` and thorough runs an API key is also sent in the query, where the app's access log\n"
        "will show it.",
    .passes =
        "The identity is served before and after, and no attempt is granted what it was served; the plain "
        "request without\n"
        "credentials is refused by reject_status (or a redirect that reject_redirect names).",
    .fails =
        "Any attempt is granted: it gets the marker, or content like the identity's. A 401 that carries that "
        "content fails too.",
    .unclear =
        "The app does not answer, answers 5xx or 404, or refuses the identity: \"rejected\" may then only "
        "mean \"broken\".\n"
        "A 2xx that says no needs a marker; without `as` an app that answers 401 everywhere proves nothing.",
    .example =
        "[identities.admin]\nbearer = { env = \"PROBE_ADMIN_TOKEN\" }\n\n"
        "[probes.admin_locked]\ntype = \"authentication\"\npath = \"/admin\"\nas = \"admin\"\n",
    .references =
        "OWASP API2:2023, API5:2023; ASVS 5.0 4.1.3, 7.2.1, 8.2.1, 8.3.1, 13.2.1, 14.2.1; CWE-287, CWE-290, "
        "CWE-306, CWE-436, CWE-565, CWE-598, CWE-647",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics&) {
  const Values& values = probe.values;
  Settings settings;
  settings.http = HttpKeys::from(values);
  settings.reject_status = values.statuses("reject_status");
  settings.accept_status = values.statuses("accept_status");
  settings.reject_redirect = values.pattern("reject_redirect");
  const std::string& bypasses = values.string("bypasses");
  settings.bypasses = bypasses == "none"       ? Bypasses::none
                      : bypasses == "thorough" ? Bypasses::thorough
                                               : Bypasses::standard;
  settings.default_credentials = values.boolean("default_credentials");
  return std::make_unique<AuthenticationProbe>(std::move(settings));
}

}  // namespace holdshort::authentication
