// The `authorization` probe: who is known but not entitled is refused, by role and by owner.
//
// What is allowed comes first and is the positive control: an identity that is served nowhere is refused
// everywhere, and a path that nobody is served may not exist. Then every denial, compared with what the
// entitled caller was served on the same request; then the callers who were denied something are served
// still.
#include "probes/authorization/authorization.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "probes/kit/classify.h"
#include "probes/kit/exchange.h"
#include "probes/kit/follow.h"
#include "probes/kit/identity_headers.h"
#include "probes/kit/json.h"

namespace holdshort::authorization {

namespace {

constexpr int kMaxSilent = 3;            // requests in a row without an answer, then the rest is not sent
constexpr std::size_t kMaxUnrouted = 4;  // paths that cannot exist, asked in a run
constexpr std::string_view kWords[] = {"allow", "deny"};

constexpr Field kRuleFields[] = {
    {.name = "as",
     .kind = Kind::name,
     .doc =
         "who asks: NAME of [identities.NAME]; without it the probe's own `as`, else nobody in particular"},
    {.name = "method", .kind = Kind::method, .doc = "the method; without it those of the probe"},
    {.name = "path", .kind = Kind::path, .doc = "the path; without it those of the probe"},
    {.name = "body", .kind = Kind::string, .doc = "the body; without it that of the probe"},
    {.name = "marker",
     .kind = Kind::marker,
     .doc =
         "what only an entitled caller sees there; without it that of the probe. Where another rule allows "
         "the same caller the same request, a denial with a marker is of that part of the answer alone"},
    {.name = "expect",
     .kind = Kind::choice,
     .doc = "whether the caller is served",
     .choices = kWords,
     .required = true},
};

constexpr Field kOwnFields[] = {
    {.name = "rules",
     .kind = Kind::table_list,
     .doc = "who may do what, and who may not",
     .fields = kRuleFields,
     .required = true},
    {.name = "deny_status",
     .kind = Kind::status_list,
     .fallback = "[401, 403, 404]",
     .doc = "statuses that refuse; a 401 to a valid identity is inconclusive all the same"},
};

const std::vector<std::string> kFunctionLevel{"OWASP API5:2023", "ASVS 8.2.1", "ASVS 8.3.1", "CWE-285",
                                              "CWE-862"};
const std::vector<std::string> kObjectLevel{"OWASP API1:2023", "ASVS 8.2.2", "ASVS 8.4.1", "CWE-639"};
const std::vector<std::string> kSpoofed{"OWASP API5:2023", "ASVS 4.1.3", "ASVS 8.3.1", "CWE-290"};
const std::vector<std::string> kPropertyLevel{"OWASP API3:2023", "ASVS 8.2.3", "ASVS 15.3.1", "CWE-213",
                                              "CWE-915"};
const std::vector<std::string> kAnonymous{"OWASP API2:2023", "ASVS 8.2.1", "CWE-306", "CWE-862"};

struct Rule {
  std::string as;  // "" : a stranger
  std::string method, path, body;
  std::optional<Marker> marker;
  enum class Expect { allow, deny } expect = Expect::deny;
  std::vector<Header> headers = {};  // beside the probe's
  bool is_property_level = false;    // the caller is served, without what the marker names

  bool allows() const { return expect == Expect::allow; }
  bool is_safe() const { return method == "GET" || method == "HEAD"; }  // asking again changes nothing
  bool same_request(const Rule& other) const {
    return method == other.method && path == other.path && body == other.body;
  }
  std::string caller() const { return as.empty() ? "a stranger" : as; }
  std::string request() const {
    Call call;
    call.method = method;
    call.target = path;
    return Exchange::describe(call);
  }
};

struct Settings {
  HttpKeys http;
  std::vector<Rule> rules;
  StatusSet deny_status;
};

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> list;
  path = path.substr(0, path.find('?'));
  while (!path.empty()) {
    path.remove_prefix(1);
    list.push_back(path.substr(0, path.find('/')));
    path.remove_prefix(list.back().size());
  }
  return list;
}

bool are_same(const std::optional<Marker>& a, const std::optional<Marker>& b) {
  if (!a || !b) return !a && !b;
  const auto source = [](const Marker& marker) { return marker.pattern ? marker.pattern->source() : ""; };
  return source(*a) == source(*b) && a->json_pointer == b->json_pointer;
}

// Two requests of one kind for two things: /orders/1001 and /orders/1002, /orders?id=1001 and
// /orders?id=1002.
bool are_siblings(const Rule& a, const Rule& b) {
  if (a.method != b.method || a.same_request(b)) return false;
  const auto left = segments(a.path), right = segments(b.path);
  if (left == right) return true;
  return left.size() == right.size() && left.size() > 1 && left.front() == right.front();
}

// Where two paths differ in one segment: its place, counted from 0. npos: elsewhere, or nowhere.
std::size_t differing_segment(const std::string& a, const std::string& b) {
  const auto left = segments(a), right = segments(b);
  const std::size_t none = std::string::npos;
  if (a.find('?') != none || b.find('?') != none || left.size() != right.size()) return none;
  std::size_t place = none;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] == right[i]) continue;
    if (place != none) return none;
    place = i;
  }
  return place;
}

// "id=1001&user_id=1001&order_id=1001&orderId=1001" for a thing below /orders.
std::string id_in_query(std::string_view folder, std::string_view id) {
  const std::string one(folder.ends_with('s') ? folder.substr(0, folder.size() - 1) : folder);
  std::string query = fmt::format("id={0}&user_id={0}", id);
  if (!one.empty() && one != "user") query += fmt::format("&{0}_id={1}", one, id);
  if (!one.empty()) query += fmt::format("&{0}Id={1}", one, id);
  return query;
}

class Run {
 public:
  Run(const Settings& settings, ProbeContext& context)
      : settings_(settings), context_(context), exchange_(context, settings.http) {}

  Awaitable<ProbeOutcome> run() {
    co_await judge_rules();
    outcome_.requests = exchange_.requests();
    co_return std::move(outcome_);
  }

 private:
  using Rules = std::vector<const Rule*>;

  Awaitable<void> judge_rules() {
    const bool learnt = co_await learn_unrouted();
    if (!learnt) co_return;
    for (const Rule* rule : those(Rule::Expect::allow)) {
      Check check = co_await allow(*rule, "authorization.allow");
      if (!add(std::move(check))) co_return;
    }
    for (const Rule* rule : in_order(those(Rule::Expect::deny))) {
      Check check = co_await deny(*rule);
      const bool holds = check.outcome == Outcome::pass;
      if (!add(std::move(check))) co_return;
      if (!holds) continue;
      if (is_worth_spoofing(*rule)) {
        Check more = co_await deny_spoofed(*rule);
        if (!add(std::move(more))) co_return;
      }
      for (const Elsewhere& elsewhere : id_elsewhere(*rule)) {
        Check more = co_await deny_elsewhere(*rule, elsewhere);
        if (!add(std::move(more))) co_return;
      }
    }
    for (const Rule* rule : to_ask_again()) {
      Check check = co_await allow(*rule, "authorization.still_allowed");
      if (!add(std::move(check))) co_return;
    }
  }

  // False: nothing more can be learnt in this run.
  bool add(Check check) {
    const Outcome seen = check.outcome;
    outcome_.add(std::move(check));
    return silent_ < kMaxSilent && !context_.ends_at(seen);
  }

  Rules those(Rule::Expect expect) const {
    Rules list;
    for (const Rule& rule : settings_.rules)
      if (rule.expect == expect) list.push_back(&rule);
    return list;
  }

  Rules in_order(Rules denials) const {
    if (!context_.failed_before.empty())
      std::stable_partition(denials.begin(), denials.end(),
                            [&](const Rule* rule) { return id_of(*rule) == context_.failed_before; });
    return denials;
  }

  // --- requests

  Awaitable<Response> send(const Rule& rule) {
    Call call;
    call.method = rule.method;
    call.target = rule.path;
    call.body = rule.body;
    call.headers = rule.headers;
    if (json::is_json(rule.body) && !find_header(settings_.http.headers, "Content-Type"))
      call.headers.push_back({"Content-Type", "application/json"});
    std::string as = rule.as;
    Response response = co_await send_and_follow(exchange_, judge(rule), std::move(as), std::move(call));
    const bool answered = response.status != 0 || response.ended == Ended::reset;
    silent_ = answered ? 0 : silent_ + 1;
    co_return response;
  }

  // What every request of that kind is compared with.
  Judge& judge(const Rule& rule) {
    const std::string key = rule.method + "\n" + rule.path + "\n" + rule.body;
    auto found = judges_.find(key);
    if (found != judges_.end()) return found->second;
    return judges_.emplace(key, judge_with(marker_of(rule))).first->second;
  }

  Judge judge_with(std::optional<Marker> marker) const {
    Judge made(std::move(marker), context_.app.own_hosts());
    for (const Response& response : unrouted_) made.learn_unrouted(response);
    return made;
  }

  // What the request's entitled caller sees; the marker of a denied part is none.
  std::optional<Marker> marker_of(const Rule& rule) const {
    std::optional<Marker> marker;
    if (!rule.is_property_level) marker = rule.marker;
    for (const Rule& other : settings_.rules)
      if (!marker && other.same_request(rule) && !other.is_property_level) marker = other.marker;
    return marker ? marker : settings_.http.marker;
  }

  Seen see(const Rule& rule, const Response& response) {
    return judge(rule).see(response, exchange_.prefix() + rule.path);
  }

  // What strangers get where nothing is: a start page for every path is no grant, a refusal of everything no
  // denial.
  Awaitable<bool> learn_unrouted() {
    const std::string word = context_.unknown_name();
    std::vector<std::string> paths{"/" + word};
    for (const Rule& rule : settings_.rules) {
      const std::string path = rule.path.substr(0, rule.path.find('?'));
      const std::string beside = path.substr(0, path.rfind('/') + 1) + word;
      if (paths.size() < kMaxUnrouted && std::find(paths.begin(), paths.end(), beside) == paths.end())
        paths.push_back(beside);
    }
    for (const std::string& path : paths) {
      Call call;
      call.target = path;
      Response response = co_await exchange_.send(std::move(call));
      if (response.status == 0) {
        outcome_.add(
            {.id = "authorization.baseline",
             .outcome = Outcome::inconclusive,
             .request = "GET " + path,
             .expected = "an answer",
             .observed = response.text(),
             .summary = fmt::format("GET {} (a path that cannot exist) {}", path, response.sentence())});
        co_return false;
      }
      unrouted_.push_back(std::move(response));
    }
    co_return true;
  }

  // --- who is served

  Awaitable<Check> allow(const Rule& rule, std::string id) {
    const Response response = co_await send(rule);
    const Seen seen = see(rule, response);
    Judge& judge = this->judge(rule);
    Check check{.id = std::move(id),
                .outcome = Outcome::inconclusive,
                .request = rule.request() + " as " + rule.caller(),
                .expected = judge.has_marker() ? "2xx with the marker" : "2xx",
                .observed = response.text(),
                .references = references_of(rule)};
    const std::string sentence =
        fmt::format("{} {} to {}", rule.request(), response.sentence(), rule.caller());
    const bool again = check.id == "authorization.still_allowed";
    if (seen == Seen::granted || (seen == Seen::unknown && response.status >= 200 && !judge.has_marker())) {
      check.outcome = Outcome::pass;
      check.summary = fmt::format("{} is served to {}", rule.request(), rule.caller());
      if (!again) served_.push_back(&rule);
      if (!again) answers_.emplace(&rule, response);
      judge.learn_served(response);
    } else if (seen == Seen::fallback) {
      check.summary =
          sentence + ", with what every unknown path gets: does it exist? Declare a marker if it does";
    } else if (seen == Seen::soft_denial || seen == Seen::unknown) {
      check.summary = sentence + (judge.has_marker() ? ", without the marker" : ", with a body that says no");
    } else if (again) {
      check.summary =
          sentence +
          " after the denials, 2xx before: a lockout or a limit refuses too, so the denials prove "
          "nothing";
    } else {
      check.summary = sentence + ", who should be served: nothing can be said about denials";
    }
    co_return check;
  }

  bool is_served(const Rule& rule) const {
    return std::any_of(served_.begin(), served_.end(), [&](const Rule* s) { return s->same_request(rule); });
  }

  bool is_served_anywhere(const std::string& identity) const {
    return std::any_of(served_.begin(), served_.end(), [&](const Rule* s) { return s->as == identity; });
  }

  // One allowed request, for every caller who was denied something; for strangers what they were denied.
  Rules to_ask_again() const {
    Rules list;
    for (const Rule* denied : those(Rule::Expect::deny)) {
      const auto found = std::find_if(served_.begin(), served_.end(), [&](const Rule* served) {
        return served->is_safe() &&
               (denied->as.empty() ? served->same_request(*denied) : served->as == denied->as);
      });
      if (found != served_.end() && std::find(list.begin(), list.end(), *found) == list.end())
        list.push_back(*found);
    }
    return list;
  }

  // --- who is not

  bool is_object_level(const Rule& rule) const {
    return std::any_of(settings_.rules.begin(), settings_.rules.end(), [&](const Rule& other) {
      return other.allows() && other.as == rule.as && are_siblings(other, rule);
    });
  }

  std::string id_of(const Rule& rule) const {
    if (rule.is_property_level) return "authorization.property_level";
    if (rule.as.empty()) return "authorization.anonymous";
    return is_object_level(rule) ? "authorization.object_level" : "authorization.function_level";
  }

  const std::vector<std::string>& references_of(const Rule& rule) const {
    if (rule.allows()) return kFunctionLevel;
    if (rule.is_property_level) return kPropertyLevel;
    if (rule.as.empty()) return kAnonymous;
    return is_object_level(rule) ? kObjectLevel : kFunctionLevel;
  }

  // Who is served what this rule denies; "" where nobody was.
  std::string entitled(const Rule& rule) const {
    for (const Rule* served : served_)
      if (served->same_request(rule)) return served->caller();
    return "";
  }

  // A marker that stands in no answer shows nothing where it is missing.
  bool is_marker_known(const Rule& rule) const {
    const std::optional<Marker> marker = marker_of(rule);
    return marker && std::any_of(served_.begin(), served_.end(),
                                 [&](const Rule* s) { return are_same(marker_of(*s), marker); });
  }

  bool is_allowed_to_anybody(const Rule& rule) const {
    return std::any_of(settings_.rules.begin(), settings_.rules.end(),
                       [&](const Rule& other) { return other.allows() && other.same_request(rule); });
  }

  Awaitable<Check> deny(const Rule& rule) {
    const Response response = co_await send(rule);
    Seen seen = see(rule, response);
    if (seen == Seen::unknown && is_served(rule)) seen = co_await look_closer(rule, response);
    Check check{.id = id_of(rule),
                .outcome = Outcome::inconclusive,
                .request = rule.request() + " as " + rule.caller(),
                .expected = settings_.deny_status.text(),
                .observed = response.text(),
                .references = references_of(rule)};
    if (rule.is_property_level) {
      conclude_property(rule, response, seen, check);
    } else {
      conclude(rule, response, seen, check);
    }
    co_return check;
  }

  // --- a part of what is served

  void conclude_property(const Rule& rule, const Response& response, Seen seen, Check& check) {
    check.expected = "2xx without what the rule's marker names";
    const bool is_success = response.status >= 200 && response.status <= 299;
    const bool is_content =
        seen == Seen::granted || (is_success && seen == Seen::unknown && !judge(rule).has_marker());
    const auto say = [&](Outcome outcome, std::string_view more) {
      check.outcome = outcome;
      check.summary = fmt::format("{} {} to {}{}", rule.request(), response.sentence(), rule.caller(), more);
    };
    if (rule.marker->found_in(response.body))
      return say(Outcome::fail, ", with what the rule's marker names and nobody there may see");
    if (!is_content)
      return say(Outcome::inconclusive, ", who is served that otherwise: nothing was seen of its parts");
    if (!response.shows_all())
      return say(Outcome::inconclusive, ", with a body that was not read to its end");
    say(Outcome::pass, ", without what the rule's marker names");
  }

  // --- somebody who says that he is an administrator

  bool is_worth_spoofing(const Rule& rule) const {
    return !rule.as.empty() && !rule.is_property_level && rule.is_safe() && is_served(rule) &&
           !is_object_level(rule);
  }

  Awaitable<Check> deny_spoofed(const Rule& rule) {
    Rule asked = rule;
    asked.headers = identity_headers();
    const Response response = co_await send(asked);
    const Seen seen = see(rule, response);
    Check check{.id = "authorization.spoofed_identity",
                .outcome = Outcome::skipped,
                .request = rule.request() + " as " + rule.caller(),
                .expected = settings_.deny_status.text(),
                .observed = response.text(),
                .references = kSpoofed,
                .summary = fmt::format("{} {} to {} with X-Role: admin and the like", rule.request(),
                                       response.sentence(), rule.caller())};
    conclude_more(judge(rule), rule, response, seen, check);
    co_return check;
  }

  // What no rule has declared: it fails where the caller gets what another is served, and holds nobody else.
  void conclude_more(const Judge& judge, const Rule& rule, const Response& response, Seen seen,
                     Check& check) const {
    const bool tells_nothing = !judge.served_differs() || seen == Seen::unknown || seen == Seen::limited ||
                               seen == Seen::server_error || seen == Seen::no_response ||
                               (seen == Seen::soft_denial && !judge.has_marker()) || !response.shows_all();
    if (judge.served_differs() &&
        (seen == Seen::granted || (response.status >= 300 && judge.leaks(response)))) {
      check.outcome = Outcome::fail;
      check.summary += fmt::format(", who gets what {} is served", entitled(rule));
    } else if (tells_nothing) {
      check.summary += ": that tells nothing";
    } else {
      check.outcome = Outcome::pass;
    }
  }

  // --- somebody else's id in another place than the path

  struct Elsewhere {
    const Rule* own;  // what the caller is served of its own
    std::string path;
    std::string with;  // for sentences
  };

  // A guard may look at one place and the handler at the other (API1:2023, CWE-639). Asked only where both
  // things were served to their owners, by requests that change nothing and to paths that rules name.
  std::vector<Elsewhere> id_elsewhere(const Rule& rule) const {
    if (rule.as.empty() || rule.is_property_level || !rule.is_safe() || !is_served(rule)) return {};
    for (const Rule* own : served_) {
      const std::size_t place = own->as == rule.as && are_siblings(*own, rule)
                                    ? differing_segment(own->path, rule.path)
                                    : std::string::npos;
      if (place == std::string::npos || place == 0) continue;
      const std::string theirs(segments(rule.path)[place]), mine(segments(own->path)[place]);
      const std::string folder(segments(rule.path)[place - 1]);
      return {{own, own->path + "?" + id_in_query(folder, theirs), "with the other's id in the query"},
              {own, rule.path + "?" + id_in_query(folder, mine), "with its own id in the query"}};
    }
    return {};
  }

  Awaitable<Check> deny_elsewhere(const Rule& rule, Elsewhere elsewhere) {
    Rule asked = rule;
    asked.path = elsewhere.path;
    const Response& own = answers_.at(elsewhere.own);
    const Response& theirs = answers_.at(owner_of(rule));
    std::optional<Marker> marker = marker_of(rule);
    if (marker && marker->found_in(own.body)) marker.reset();  // it does not tell one from the other
    Judge judge = judge_with(std::move(marker));
    judge.learn_unrouted(own);
    judge.learn_served(theirs);
    const Response response = co_await send(asked);
    const Seen seen = judge.see(response, exchange_.prefix() + asked.path);
    Check check{.id = "authorization.id_in_query",
                .outcome = Outcome::skipped,
                .request = asked.request() + " as " + rule.caller(),
                .expected = fmt::format("nothing of what {} is served", entitled(rule)),
                .observed = response.text(),
                .references = kObjectLevel,
                .summary = fmt::format("{} {} to {} {}", asked.request(), response.sentence(), rule.caller(),
                                       elsewhere.with)};
    conclude_more(judge, rule, response, seen, check);
    co_return check;
  }

  // Needs is_served(rule).
  const Rule* owner_of(const Rule& rule) const {
    return *std::find_if(served_.begin(), served_.end(),
                         [&](const Rule* s) { return s->same_request(rule); });
  }

  // The entitled caller is asked again: what differs between his own two answers is no difference.
  Awaitable<Seen> look_closer(const Rule& rule, const Response& response) {
    const auto served =
        std::find_if(served_.begin(), served_.end(), [&](const Rule* s) { return s->same_request(rule); });
    if (rule.is_safe()) {
      const Response second = co_await send(**served);
      if (second.status >= 200 && second.status < 300) judge(rule).learn_served(second);
    }
    co_return see(rule, response);
  }

  void conclude(const Rule& rule, const Response& response, Seen seen, Check& check) {
    const std::string sentence =
        fmt::format("{} {} to {}", rule.request(), response.sentence(), rule.caller());
    const auto say = [&](Outcome outcome, std::string_view more) {
      check.outcome = outcome;
      check.summary = sentence + std::string(more);
    };
    const std::string owner = entitled(rule);
    const std::string theirs = owner.empty() ? "the entitled caller" : owner;
    if (seen == Seen::granted)
      return say(Outcome::fail, fmt::format(", who must be denied what {} is served", theirs));
    if (response.status >= 300 && judge(rule).leaks(response))
      return say(Outcome::fail, fmt::format(", and carried what only {} is served", theirs));
    switch (seen) {
      case Seen::no_response:
        return say(Outcome::inconclusive, "");
      case Seen::server_error:
        return say(Outcome::inconclusive, ": an error is no refusal; let the app answer 403");
      case Seen::unknown:
        return conclude_unknown(rule, say);
      case Seen::fallback:
        if (is_marker_known(rule)) return say(Outcome::pass, ", as any unknown path does");
        return say(Outcome::inconclusive, ", as any unknown path does: declare a marker");
      case Seen::soft_denial:
        if (is_marker_known(rule)) return say(Outcome::pass, ", without the marker");
        if (judge(rule).has_marker())
          return say(Outcome::inconclusive,
                     ", without a marker that nobody was served in this run: is it right?");
        return say(Outcome::inconclusive,
                   ", with a body that says no: declare a marker to tell a denial from a grant");
      default:
        return conclude_refusal(rule, response, seen, say);
    }
  }

  template <class Say>
  void conclude_unknown(const Rule& rule, Say say) const {
    if (!is_allowed_to_anybody(rule)) return say(Outcome::fail, ", who must be denied");
    if (is_served(rule))
      return say(Outcome::inconclusive,
                 ", with other content than the entitled caller is served: declare a marker");
    say(Outcome::inconclusive, ", and nobody who is entitled was served: there is nothing to compare with");
  }

  template <class Say>
  void conclude_refusal(const Rule& rule, const Response& response, Seen seen, Say say) const {
    const bool declared = settings_.deny_status.contains(response.status);
    if (seen == Seen::unauthenticated && !rule.as.empty())
      return say(Outcome::inconclusive,
                 ": its credentials were refused, so nothing was seen of what it may do");
    if (seen == Seen::limited && !declared)
      return say(Outcome::inconclusive, ": a rate limit came before the decision");
    if (!declared)
      return say(Outcome::inconclusive, fmt::format(", expected {}", settings_.deny_status.text()));
    if (rule.method != "HEAD" && !response.shows_all())
      return say(Outcome::inconclusive, ", with a body that was not read to its end");
    if (!rule.as.empty() && !is_served_anywhere(rule.as))
      return say(Outcome::inconclusive,
                 ", who is served nowhere in this run: allow it something, or its denials prove nothing");
    if (is_served(rule)) return say(Outcome::pass, "");
    if (seen == Seen::not_found)
      return say(Outcome::inconclusive,
                 ", and nobody is served it: does it exist? Add a rule that allows it to someone");
    const bool everywhere = std::any_of(unrouted_.begin(), unrouted_.end(), [&](const Response& unrouted) {
      return unrouted.status == response.status;
    });
    if (everywhere)
      return say(Outcome::inconclusive,
                 ", as does every path that cannot exist: add a rule that allows it to someone");
    say(Outcome::pass, "");
  }

  const Settings& settings_;
  ProbeContext& context_;
  Exchange exchange_;
  ProbeOutcome outcome_;
  std::map<std::string, Judge, std::less<>> judges_;
  std::vector<Response> unrouted_;
  Rules served_;                             // rules that allow, and whose request was served
  std::map<const Rule*, Response> answers_;  // to them
  int silent_ = 0;
};

class AuthorizationProbe final : public Probe {
 public:
  explicit AuthorizationProbe(Settings settings) : settings_(std::move(settings)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Run run(settings_, context);
    co_return co_await run.run();
  }

 private:
  const Settings settings_;
};

// One rule a path and method, for what the rule leaves to the probe.
void add_rules(const Values& row, HttpKeys http, std::vector<Rule>& rules) {
  Rule rule;
  rule.as = row.has("as") ? row.string("as") : http.as;
  rule.body = row.has("body") ? row.string("body") : http.body;
  rule.marker = row.marker("marker");
  rule.expect = row.string("expect") == "allow" ? Rule::Expect::allow : Rule::Expect::deny;
  if (row.has("path")) http.paths = {row.string("path")};
  if (row.has("method")) http.methods = {row.string("method")};
  for (const Operation& operation : http.operations()) {
    rule.path = operation.path;
    rule.method = operation.method;
    rules.push_back(rule);
  }
}

// A denial of what the same caller is allowed is of the part that its marker names.
void find_property_level(std::vector<Rule>& rules) {
  for (Rule& rule : rules)
    rule.is_property_level =
        !rule.allows() && rule.marker && std::any_of(rules.begin(), rules.end(), [&](const Rule& other) {
          return other.allows() && other.as == rule.as && other.same_request(rule) &&
                 !are_same(other.marker, rule.marker);
        });
}

// Two rules that say the opposite of one request can never both hold.
void report_contradictions(const std::vector<Rule>& rules, const std::vector<Place>& places,
                           Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const bool contradicts = rules[i].same_request(rules[j]) && rules[i].as == rules[j].as &&
                               rules[i].expect != rules[j].expect && !rules[i].is_property_level &&
                               !rules[j].is_property_level;
      if (contradicts)
        diagnostics.error(places[i],
                          fmt::format("a rule allows {} to {}, and another denies it; remove one of them",
                                      rules[i].request(), rules[i].caller()));
    }
  }
}

// Such a probe can fail, and never pass.
void report_vacuous(const std::vector<Rule>& rules, const std::vector<Place>& places,
                    Diagnostics& diagnostics) {
  std::set<std::string> told;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::string& who = rules[i].as;
    const bool is_allowed_something =
        std::any_of(rules.begin(), rules.end(), [&](const Rule& r) { return r.allows() && r.as == who; });
    if (who.empty() || rules[i].allows() || is_allowed_something || !told.insert(who).second) continue;
    diagnostics.warning(
        places[i],
        fmt::format("{} is denied and never allowed anything: a refusal may only mean that its "
                    "credentials are, so the probe cannot pass; add a rule that allows it something",
                    in_quotes(who)));
  }
}

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"authorization.anonymous",
     "the path is open to everybody: put the guard before this route, or roll back the deploy that took it "
     "away"},
    {"authorization.object_level",
     "look things up by owner, in the query itself: who asks may be known and still have no right to this "
     "one"},
    {"authorization.id_in_query", "look things up by owner, whatever part of the request names them"},
    {"authorization.spoofed_identity",
     "take who the caller is from its credentials alone; drop identity headers that no proxy of yours set"},
    {"authorization.property_level",
     "leave out what this caller may not see: choose the fields by role, never send the whole record"},
    {"authorization.function_level", "check the caller's role in this route, and deny by default"},
    {"", "compare the rule with what the app is meant to allow: mend the app's check, or the rule"},
};

const Explanation kExplanation{
    .control = "Who is known but not entitled is refused: by role, and by who owns the thing.",
    .sends =
        "Up to four paths that cannot exist, as a stranger; then one request for every rule: first what\n"
        "is allowed, in the order declared, then what is denied, each as its identity; at last one\n"
        "allowed GET or HEAD for every caller who was denied something. Where a caller is denied one\n"
        "thing and allowed another by the same path but for a segment (/orders/1001, /orders/1002), both\n"
        "are also asked for with the other's id in the query, under names that handlers read. What a\n"
        "caller is denied otherwise, and another is served, is asked for once more with the headers by\n"
        "which proxies name a caller and a role. With seven rules 17 requests, 8 ms against an Express\n"
        "app. A JSON body is sent as application/json unless `headers` says otherwise. POST, PUT, PATCH\n"
        "and DELETE are sent where a rule declares them, and a rule that allows them changes what it\n"
        "changes in every run: prefer rules that read.",
    .passes =
        "Every allowed request is served (2xx), and every denied one gets deny_status without what the\n"
        "entitled caller is served. A caller who is denied something is served elsewhere, before and\n"
        "after; what is denied with a 404 is served to somebody.",
    .fails =
        "A denied request is granted: it gets the marker, or content like the entitled caller's, or any\n"
        "2xx of its own where no rule allows the same request to anybody. A refusal that carries that\n"
        "content fails too. authorization.object_level: the caller is allowed such a request for\n"
        "another thing; authorization.function_level: it is not; authorization.anonymous: a rule\n"
        "without `as`; authorization.id_in_query: the query decides; authorization.spoofed_identity: a\n"
        "header does. A denial with a marker of its own, where another rule allows the same caller the\n"
        "same request, is of that part of the answer: authorization.property_level fails where the\n"
        "marker is there.",
    .unclear =
        "An allowed request is not served; a denied one gets no answer, a 5xx, a 429, or a status that\n"
        "is not in deny_status; a 401 to a valid identity (its credentials were refused, not its\n"
        "request); a 2xx that says no without a marker; a 404 where nobody is served; a caller who is\n"
        "served nowhere: allow every identity something that you deny something; a 2xx without a marker\n"
        "that nobody was served.\n"
        "Lists that must not name others' things are rules too:\n"
        "{ as = \"bob\", path = \"/orders\", marker = \"1001\", expect = \"deny\" }.\n"
        "`headers` are the probe's: an id or a tenant in a header, and another host for another\n"
        "tenant, want a probe each, whose owner is served in that probe too.",
    .example =
        "[identities.alice]\nbearer = { env = \"PROBE_ALICE_TOKEN\" }\n"
        "[identities.bob]\nbearer = { env = \"PROBE_BOB_TOKEN\" }\n\n"
        "[probes.orders_are_private]\ntype = \"authorization\"\nrules = [\n"
        "  { as = \"alice\", path = \"/orders/1001\", expect = \"allow\" },\n"
        "  { as = \"bob\", path = \"/orders/1002\", expect = \"allow\" },\n"
        "  { as = \"bob\", path = \"/orders/1001\", expect = \"deny\" },\n"
        "  { path = \"/orders/1001\", expect = \"deny\" },  # a stranger\n"
        "  { as = \"bob\", path = \"/orders/1002\", marker = \"purchase_price\", expect = \"deny\" },\n"
        "]\n",
    .references =
        "OWASP API1:2023, API3:2023, API5:2023; ASVS 5.0 4.1.3, 8.2.1, 8.2.2, 8.2.3, 8.3.1, 8.4.1, 15.3.1; "
        "CWE-213, CWE-285, CWE-290, CWE-306, CWE-639, CWE-862, CWE-915",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics& diagnostics) {
  const Values& values = probe.values;
  Settings settings;
  settings.http = HttpKeys::from(values);
  settings.deny_status = values.statuses("deny_status");
  std::vector<Place> places;
  bool is_right = true;
  for (const Values& row : values.tables("rules")) {
    if (!row.has("path") && !values.has("path") && !values.has("paths")) {
      diagnostics.error(row.table_place(),
                        "a rule has no \"path\", and neither has the probe; write it in the rule");
      is_right = false;
    }
    add_rules(row, settings.http, settings.rules);
    places.resize(settings.rules.size(), row.table_place());
  }
  if (!is_right) return nullptr;
  find_property_level(settings.rules);
  Diagnostics found;
  report_contradictions(settings.rules, places, found);
  report_vacuous(settings.rules, places, found);
  for (const Diagnostic& each : found.sorted()) {
    if (each.level == Diagnostic::Level::error) {
      diagnostics.error(each.place, each.message);
    } else {
      diagnostics.warning(each.place, each.message);
    }
  }
  if (found.has_errors()) return nullptr;
  return std::make_unique<AuthorizationProbe>(std::move(settings));
}

}  // namespace holdshort::authorization
