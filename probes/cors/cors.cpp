// The `cors` probe: which other sites' scripts an app lets read its answers. A browser decides by
// Access-Control-Allow-Origin and -Credentials together, so that is what is judged; the path must be served
// without an origin before and after, or the absence of those fields proves nothing.
#include "probes/cors/cors.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/cors/origins.h"
#include "probes/kit/ascii.h"
#include "probes/kit/classify.h"
#include "probes/kit/exchange.h"

namespace holdshort::cors {

namespace {

constexpr std::size_t kMaxDeclared = 20;     // origins: each costs a request a path
constexpr std::size_t kMaxImpersonated = 4;  // of them that impostors are made of: seven requests each

constexpr Field kOwnFields[] = {
    {.name = "allowed_origins",
     .kind = Kind::string_list,
     .doc = "origins that must be allowed: \"https://app.example.com\", \"https://*.example.com\", or \"*\""},
};

const std::vector<std::string> kReferences{"OWASP API8:2023", "ASVS 3.4.2", "CWE-942", "CWE-346"};
const std::vector<std::string> kPreflight{"OWASP API8:2023", "ASVS 3.5.2", "CWE-942", "CWE-346"};
const std::vector<std::string> kCaching{"OWASP API8:2023", "ASVS 3.4.2", "CWE-525"};

struct Settings {
  HttpKeys http;
  std::vector<Origin> allowed;
  bool everybody = false;  // "*" is declared: public content, read without credentials
};

// What an answer lets the page that asked do with it (Fetch, CORS check).
struct Grant {
  enum class To { nobody, this_origin, everybody } to = To::nobody;
  bool credentials = false;
  bool twice = false;  // more than one value: browsers refuse all of them
  std::string text;    // "Access-Control-Allow-Origin: *"
};

Grant grant_of(const Response& response, std::string_view origin) {
  Grant grant;
  const auto values = field_items(response.headers, "Access-Control-Allow-Origin");
  grant.twice = values.size() > 1;
  for (const std::string& value : values) {
    if (value == origin) grant.to = Grant::To::this_origin;
    if (value == "*" && grant.to == Grant::To::nobody) grant.to = Grant::To::everybody;
  }
  const std::string* credentials = response.header("Access-Control-Allow-Credentials");
  grant.credentials = credentials && ascii::trim(*credentials) == "true";
  grant.text = grant.to == Grant::To::this_origin ? fmt::format("Access-Control-Allow-Origin: {}", origin)
               : grant.to == Grant::To::everybody ? "Access-Control-Allow-Origin: *"
               : values.empty()                   ? "no Access-Control-Allow-Origin"
                                                  : "another Access-Control-Allow-Origin";
  if (grant.credentials && grant.to != Grant::To::nobody) grant.text += ", with credentials";
  return grant;
}

// Whether a cache that serves several sites would keep the answer and, without Vary, give it to any of them.
bool is_shared(const Response& response) {
  bool stored = false;
  for (const std::string& item : field_items(response.headers, "Cache-Control")) {
    const std::string low = ascii::lowered(item);
    if (low == "no-store" || low == "no-cache" || low.starts_with("private") || low == "max-age=0")
      return false;
    stored = stored || low == "public" || low.starts_with("s-maxage=") || low.starts_with("max-age=");
  }
  return stored;
}

bool varies_by_origin(const Response& response) {
  const auto names = field_items(response.headers, "Vary");
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name == "*" || same_name(name, "Origin"); });
}

// One path.
class Subject {
 public:
  Subject(const Settings& settings, ProbeContext& context, Exchange& exchange, std::string method,
          std::string path, const std::vector<Header>& credentials, ProbeOutcome& outcome)
      : settings_(settings),
        context_(context),
        exchange_(exchange),
        method_(std::move(method)),
        path_(std::move(path)),
        credentials_(credentials),
        outcome_(outcome),
        judge_(std::nullopt, context.app.own_hosts()),
        word_(fmt::format("{:08x}", context.random() & 0xffffffffu)) {}

  // False: nothing more can be learnt from this app in this run.
  Awaitable<bool> run() {
    const bool served = co_await is_served("cors.served");
    if (!served) co_return false;
    const std::vector<Hostile> hostile_origins = list_hostile();
    for (const Hostile& hostile : hostile_origins) {
      co_await try_simple(hostile);
      if (done()) co_return false;
    }
    const std::vector<Hostile> unknown = strangers();
    for (const Hostile& hostile : unknown) {
      co_await try_preflight(hostile);
      if (done()) co_return false;
    }
    for (const Origin& allowed : settings_.allowed) {
      const std::string origin = example_of(allowed, word_);
      co_await must_be_allowed(origin);
      if (done()) co_return false;
    }
    if (settings_.everybody) co_await must_be_allowed(strangers().front().origin);
    co_return co_await is_served("cors.still_served");
  }

 private:
  bool done() const {
    return !answers_ || (context_.pace == Pace::startup && outcome_.outcome() > Outcome::pass);
  }
  // Scripts read with GET, HEAD and POST without asking first; other methods are asked for, never sent.
  bool is_simple() const { return method_ == "GET" || method_ == "HEAD" || method_ == "POST"; }

  Call call(std::string_view origin) const {
    Call call;
    call.method = is_simple() ? method_ : "GET";
    call.target = path_;
    if (is_simple()) call.body = settings_.http.body;
    call.credentials = credentials_;
    if (!origin.empty()) call.headers.push_back({"Origin", std::string(origin)});
    return call;
  }

  // --- the positive control

  Awaitable<bool> is_served(std::string id) {
    Call plain = call("");
    Response response = co_await send(plain);
    // Where the app spells the path another way, that is the path in question from here on.
    const std::string same = judge_.same_target(response, exchange_.prefix() + path_);
    if (!same.empty() && same.starts_with(exchange_.prefix())) {
      path_ = same.substr(exchange_.prefix().size());
      plain.target = path_;
      response = co_await send(plain);
    }
    const bool served = response.status >= 200 && response.status < 300 && response.shows_headers();
    outcome_.add(
        {.id = std::move(id),
         .outcome = served ? Outcome::pass : Outcome::inconclusive,
         .request = name_of_call(plain),
         .expected = "2xx",
         .observed = response.text(),
         .summary = served ? fmt::format("{} is served", name_of_call(plain)) : unserved(plain, response)});
    // An app that reflects every origin does so on its refusals as well.
    if (!served && response.status != 0 && response.status < 500) co_await look_at_refusal();
    co_return served;
  }

  std::string unserved(const Call& plain, const Response& response) const {
    const std::string_view remedy = response.status == 500
                                        ? "does the app's CORS callback throw where there is no Origin?"
                                    : settings_.http.as.empty() ? "name a path that is served, or `as`"
                                                                : "name a path that is served";
    return fmt::format("{} {} without an Origin: what it allows proves nothing; {}", name_of_call(plain),
                       response.sentence(), remedy);
  }

  Awaitable<void> look_at_refusal() {
    const std::vector<Hostile> unknown = strangers();
    for (const Hostile& hostile : unknown) {
      Call asked = call(hostile.origin);
      const Response response = co_await send(asked);
      if (is_granted(grant_of(response, hostile.origin)))
        judge_hostile(hostile, "cors." + hostile.id, name_of_call(asked), response, kReferences);
    }
  }

  // --- who must not be allowed

  std::vector<Hostile> list_hostile() const {
    std::vector<Hostile> list = strangers();
    std::vector<Origin> trusted = settings_.allowed;
    if (trusted.empty()) {
      const auto own = Origin::parse("https://" + context_.app.host);
      if (own) trusted.push_back(*own);
    }
    if (trusted.size() > kMaxImpersonated) trusted.resize(kMaxImpersonated);
    for (const Origin& origin : trusted) {
      for (Hostile& hostile : impostors_of(origin, word_)) {
        const auto parsed = Origin::parse(hostile.origin);
        const bool declared = std::any_of(settings_.allowed.begin(), settings_.allowed.end(),
                                          [&](const Origin& a) { return parsed && a.covers(*parsed); });
        const bool known = std::any_of(list.begin(), list.end(),
                                       [&](const Hostile& h) { return h.origin == hostile.origin; });
        if (!declared && !known) list.push_back(std::move(hostile));
      }
    }
    return list;
  }

  Awaitable<void> try_simple(const Hostile& hostile) {
    Call asked = call(hostile.origin);
    const Response response = co_await send(asked);
    judge_hostile(hostile, "cors." + hostile.id, name_of_call(asked), response, kReferences);
  }

  Awaitable<void> try_preflight(const Hostile& hostile) {
    Call asked = preflight(hostile.origin, is_simple() ? "DELETE" : method_);
    const Response response = co_await send(asked);
    // Browsers take the permission from a 2xx alone.
    const bool is_answer = response.status < 300 || response.status >= 500;
    if (is_answer)
      judge_hostile(hostile, "cors.preflight_" + hostile.id, name_of_call(asked), response, kPreflight);
    else
      outcome_.add({.id = "cors.preflight_" + hostile.id,
                    .outcome = Outcome::pass,
                    .request = name_of_call(asked),
                    .expected = "no permission",
                    .observed = response.text(),
                    .references = kPreflight,
                    .summary = fmt::format("{} {}", name_of_call(asked), response.sentence())});
  }

  Call preflight(std::string_view origin, std::string method) const {
    Call call;
    call.method = "OPTIONS";
    call.target = path_;
    call.headers = {{"Origin", std::string(origin)},
                    {"Access-Control-Request-Method", std::move(method)},
                    {"Access-Control-Request-Headers", "authorization"}};
    return call;
  }

  // "*" declared: everybody may read what anybody gets, but nobody what a user's cookies get.
  bool is_granted(const Grant& grant) const {
    if (grant.to == Grant::To::nobody) return false;
    return !settings_.everybody || (grant.to == Grant::To::this_origin && grant.credentials);
  }

  void judge_hostile(const Hostile& hostile, std::string id, const std::string& request,
                     const Response& response, const std::vector<std::string>& references) {
    const Grant grant = grant_of(response, hostile.origin);
    const std::string sentence = fmt::format("{} {}", request, response.sentence());
    const std::string expected = settings_.everybody ? "no credentials for this origin"
                                                     : "no Access-Control-Allow-Origin for this origin";
    if (is_granted(grant)) {
      return outcome_.add(
          {.id = std::move(id),
           .outcome = Outcome::fail,
           .request = request,
           .expected = expected,
           .observed = grant.text,
           .references = references,
           .summary = fmt::format("{} with {}: {} {}", sentence, grant.text, hostile.origin, hostile.what)});
    }
    const bool seen = response.shows_headers() && response.status < 500;
    outcome_.add({.id = std::move(id),
                  .outcome = seen ? Outcome::pass : Outcome::inconclusive,
                  .request = request,
                  .expected = expected,
                  .observed = seen ? grant.text : response.text(),
                  .references = references,
                  .summary = seen ? fmt::format("{} with {}", sentence, grant.text)
                             : response.status >= 500
                                 ? sentence + ": an error is no refusal; answer origins that are not allowed "
                                              "without Access-Control-Allow-Origin (the cors package: "
                                              "callback(null, false), no Error)"
                                 : sentence});
  }

  // --- who must be allowed

  Awaitable<void> must_be_allowed(std::string origin) {
    Response response;
    Call asked = is_simple() ? call(origin) : preflight(origin, method_);
    response = co_await send(asked);
    const std::string request = name_of_call(asked);
    const Grant grant = grant_of(response, origin);
    const bool seen = response.shows_headers() && response.status < 500 && response.status != 404;
    const bool allowed = grant.to != Grant::To::nobody && !grant.twice && response.status < 300;
    const Outcome outcome = !seen ? Outcome::inconclusive : allowed ? Outcome::pass : Outcome::fail;
    const std::string observed = !seen ? response.text()
                                 : grant.twice
                                     ? "more than one Access-Control-Allow-Origin, which browsers refuse"
                                     : grant.text;
    outcome_.add({.id = "cors.allowed",
                  .outcome = outcome,
                  .request = request,
                  .expected = "Access-Control-Allow-Origin: " + origin,
                  .observed = observed,
                  .references = kReferences,
                  .summary = fmt::format("{} {} with {}", request, response.sentence(), observed)});
    if (outcome == Outcome::pass && grant.to == Grant::To::this_origin && is_simple())
      judge_vary(request, response);
  }

  void judge_vary(const std::string& request, const Response& response) {
    const bool varies = varies_by_origin(response);
    const bool holds = varies || !is_shared(response);
    outcome_.add(
        {.id = "cors.vary",
         .outcome = holds ? Outcome::pass : Outcome::fail,
         .request = request,
         .expected = "Vary: Origin where caches may keep it",
         .observed = varies  ? "Vary: Origin"
                     : holds ? "not for shared caches"
                             : "cacheable, without Vary: Origin",
         .references = kCaching,
         .summary = fmt::format(
             "{} answered {}", request,
             holds
                 ? "so that no cache gives one site's permission to another"
                 : "with one site's permission, cacheable, without Vary: Origin: caches give it to others")});
  }

  // --- sending

  Awaitable<Response> send(Call call) {
    const Response response = co_await exchange_.send(std::move(call));
    answers_ = response.status != 0;
    co_return response;
  }

  std::string name_of_call(const Call& call) const {
    std::string name = Exchange::describe(call);
    if (!call.headers.empty()) name += " from " + call.headers.front().value;
    if (!call.credentials.empty()) name += " as " + settings_.http.as;
    return name;
  }

  const Settings& settings_;
  ProbeContext& context_;
  Exchange& exchange_;
  const std::string method_;
  std::string path_;
  const std::vector<Header>& credentials_;
  ProbeOutcome& outcome_;
  const Judge judge_;  // for redirects alone
  const std::string word_;
  bool answers_ = true;
};

class CorsProbe final : public Probe {
 public:
  explicit CorsProbe(Settings settings) : settings_(std::move(settings)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Exchange exchange(context, settings_.http);
    ProbeOutcome outcome;
    const auto credentials = co_await exchange.credentials(settings_.http.as);
    if (!credentials) {
      outcome.add(Exchange::no_credentials("cors.identity", settings_.http.as, credentials.error()));
      outcome.requests = exchange.requests();
      co_return outcome;
    }
    for (const Operation& operation : settings_.http.operations()) {
      Subject subject(settings_, context, exchange, operation.method, operation.path, *credentials, outcome);
      const bool goes_on = co_await subject.run();
      if (!goes_on) break;
    }
    if (outcome.outcome() == Outcome::inconclusive) exchange.forget_login(settings_.http.as);
    outcome.requests = exchange.requests();
    co_return outcome;
  }

 private:
  const Settings settings_;
};

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"cors.allowed", "add the declared origin to the app's list, or take it out of allowed_origins"},
    {"cors.vary", "send Vary: Origin wherever the permission depends on the origin"},
    {"", "compare Origin with a fixed list, whole and exactly; never echo it, never match a part of it",
     "let the app answer unknown origins without the header instead of an error; name a path that is served"},
};

const Explanation kExplanation{
    .control = "No other site's scripts can read what the app answers, unless that site is declared.",
    .sends =
        "For each path: the request without an Origin, then with hostile ones (another site; null; and, made "
        "from each of the\n"
        "first four allowed origins, or from the app's own where none is declared: a longer name that begins "
        "like it, ones\n"
        "that end like it or its parent, ones with another letter for a dot, http for https, an undeclared "
        "name below it),\n"
        "two preflights (OPTIONS) for DELETE with authorization, each declared origin, and the request "
        "without an Origin\n"
        "again. 13 requests a path (4 ms of nginx, 60 ms of Express); each declared origin adds one, the "
        "second to "
        "fourth eight.\n"
        "PUT, PATCH and "
        "DELETE are only\n"
        "asked for in preflights, never sent.",
    .passes =
        "The path is served before and after; no hostile origin gets Access-Control-Allow-Origin with itself "
        "or *, in the\n"
        "answer or in a 2xx preflight; each declared origin gets itself or *. No CORS headers at all pass "
        "where nothing is\n"
        "declared. A fixed other origin and Access-Control-Allow-Credentials alone allow nobody. With \"*\" "
        "declared anybody may\n"
        "get * or itself, but nobody itself with credentials.",
    .fails =
        "A hostile origin is allowed; a declared one is not, or gets two values, which browsers refuse; or a "
        "permission for\n"
        "one origin may be kept by shared caches (public, max-age, s-maxage) without Vary: Origin.",
    .unclear =
        "The path is not served: name one that answers 2xx, or `as`. A hostile origin gets a 5xx: an error "
        "is "
        "no refusal, so\n"
        "answer such origins without the header instead of throwing.",
    .example =
        "[probes.other_sites]\ntype = \"cors\"\npath = \"/api/orders\"\nas = \"alice\"\n"
        "allowed_origins = [\"https://app.example.com\"]\n",
    .references = "OWASP API8:2023; ASVS 5.0 3.4.2, 3.5.2; CWE-346, CWE-525, CWE-942",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics& diagnostics) {
  const Values& values = probe.values;
  Settings settings;
  settings.http = HttpKeys::from(values);
  const std::vector<std::string>& declared = values.strings("allowed_origins");
  bool right = true;
  const auto wrong = [&](const std::string& why) {
    diagnostics.error(values.place("allowed_origins"), "\"allowed_origins\" " + why);
    right = false;
  };
  if (declared.size() > kMaxDeclared)
    wrong(fmt::format("has {} origins, expected {} at most", declared.size(), kMaxDeclared));
  for (const std::string& text : declared) {
    if (text == "*") {
      settings.everybody = true;
      continue;
    }
    auto origin = Origin::parse(text);
    if (!origin) {
      wrong(fmt::format("has {}, which {}; expected an origin such as \"https://app.example.com\", or \"*\"",
                        in_quotes(text), origin.error().message));
    } else {
      settings.allowed.push_back(std::move(*origin));
    }
  }
  if (!right) return nullptr;
  return std::make_unique<CorsProbe>(std::move(settings));
}

}  // namespace holdshort::cors
