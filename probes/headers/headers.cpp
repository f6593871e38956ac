// The `headers` probe: what an app tells browsers and caches to do with its answers, and what it tells
// strangers about itself. One path that is served is the positive control: the headers of an app that only
// refuses or only fails prove nothing about the answers that users get.
#include "probes/headers/headers.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/headers/cookies.h"
#include "probes/headers/rules.h"
#include "probes/kit/classify.h"
#include "probes/kit/exchange.h"
#include "probes/kit/follow.h"
#include "probes/kit/text.h"

namespace holdshort::headers_probe {

namespace {

constexpr std::size_t kMaxCookies = 20;  // judged of one answer; a browser keeps no more of most sites either

constexpr std::string_view kPresets[] = {"api", "web"};
constexpr Field kOwnFields[] = {
    {.name = "preset",
     .kind = Kind::choice,
     .fallback = R"("api")",
     .doc = "api: nosniff, no shared caching of what `as` gets; web: also CSP, framing, referrers of pages",
     .choices = kPresets},
    {.name = "require", .kind = Kind::header_names, .doc = "names of more fields that must be there"},
    {.name = "forbid", .kind = Kind::header_names, .doc = "names of fields that must not be there"},
    {.name = "cookies",
     .kind = Kind::boolean,
     .fallback = "true",
     .doc = "judge the cookies that are set: Secure, HttpOnly, SameSite, name prefixes"},
    {.name = "hsts_min_age",
     .kind = Kind::duration,
     .doc = "Strict-Transport-Security with at least this max-age; judged only where https is claimed",
     .min = 1000},
};

const std::vector<std::string> kSniffing{"OWASP API8:2023", "ASVS 3.4.4", "CWE-693"};
const std::vector<std::string> kScripts{"OWASP API8:2023", "ASVS 3.4.3", "CWE-79"};
const std::vector<std::string> kFraming{"OWASP API8:2023", "ASVS 3.4.6", "CWE-1021"};
const std::vector<std::string> kReferrers{"OWASP API8:2023", "ASVS 3.4.5", "CWE-200"};
const std::vector<std::string> kTransport{"OWASP API8:2023", "ASVS 3.4.1", "CWE-319"};
const std::vector<std::string> kCaching{"OWASP API8:2023", "ASVS 14.3.2", "CWE-525"};
const std::vector<std::string> kVersions{"OWASP API8:2023", "ASVS 13.4.6", "CWE-497"};
const std::vector<std::string> kDeclared{"OWASP API8:2023", "CWE-693"};

struct Settings {
  HttpKeys http;
  enum class Preset { api, web } preset = Preset::api;
  std::vector<std::string> require, forbid;
  bool cookies = true;
  std::optional<std::chrono::seconds> hsts_min_age;
};

// One answer and what is expected of it.
struct Sample {
  std::string request;  // "GET /admin as ops"
  Response response;
  enum class Kind {
    declared,  // of a path and method in the configuration
    unrouted,  // of a path that cannot exist
    provoked,  // of a request that cannot be parsed: a proxy's or framework's own page
  } kind = Kind::declared;
  bool to_identity = false;
};

class Run {
 public:
  Run(const Settings& settings, ProbeContext& context)
      : settings_(settings),
        context_(context),
        exchange_(context, settings.http),
        judge_(std::nullopt, context.app.own_hosts()) {}

  Awaitable<ProbeOutcome> go() {
    co_await look_at_everything();
    if (served_.empty() && !ended_) add_nothing_served();
    outcome_.requests = exchange_.requests();
    co_return std::move(outcome_);
  }

 private:
  Awaitable<void> look_at_everything() {
    for (const Operation& operation : settings_.http.operations()) {
      co_await declared(operation.method, operation.path, "");
      if (!ended_ && !settings_.http.as.empty())
        co_await declared(operation.method, operation.path, settings_.http.as);
      if (ended_) co_return;
    }
    const std::string word = "/" + context_.unknown_name();
    co_await look(word, Sample::Kind::unrouted);
    if (!ended_) co_await look(word + "%zz", Sample::Kind::provoked);
  }

  Awaitable<void> declared(std::string method, std::string path, std::string identity) {
    Call call;
    call.method = std::move(method);
    call.target = path;
    call.body = settings_.http.body;
    Sample sample;
    sample.to_identity = !identity.empty();
    sample.request = Exchange::describe(call) + (sample.to_identity ? " as " + identity : "");
    sample.response = co_await send_and_follow(exchange_, judge_, std::move(identity), std::move(call));
    judge(sample);
    const std::string target = exchange_.prefix() + path;
    const bool loops = judge_.redirects_to_itself(sample.response, target) ||
                       !judge_.same_target(sample.response, target).empty();
    if (sample.response.status >= 200 && sample.response.status < 400 && !loops &&
        sample.response.shows_headers())
      served_ = sample.request;
    else if (refused_.empty())
      refused_ = fmt::format("{} {}", sample.request, sample.response.sentence());
  }

  Awaitable<void> look(std::string target, Sample::Kind kind) {
    Call call;
    call.target = std::move(target);
    Sample sample;
    sample.kind = kind;
    sample.request = Exchange::describe(call);
    sample.response = co_await exchange_.send(std::move(call));
    judge(sample);
  }

  void add_nothing_served() {
    outcome_.add(
        {.id = "headers.served",
         .outcome = Outcome::inconclusive,
         .expected = "a path that is served",
         .observed = "none",
         .summary = refused_ + ", and no declared path was served: name paths that answer 2xx, or `as`"});
  }

  // --- the verdict on one answer

  void judge(const Sample& sample) {
    const Response& response = sample.response;
    const bool provoked = sample.kind == Sample::Kind::provoked;
    // What must not be there condemns wherever it is; what is missing, only from an answer that was meant.
    judge_what_is_there(sample);
    if (provoked) return;
    const bool meant = response.shows_headers() && response.status < 500 &&
                       !(sample.kind == Sample::Kind::declared && response.status == 404);
    if (meant) {
      judge_what_is_missing(sample);
    } else {
      outcome_.add({.id = "headers.answered",
                    .outcome = Outcome::inconclusive,
                    .request = sample.request,
                    .expected = sample.kind == Sample::Kind::unrouted ? "an answer below 500"
                                                                      : "an answer below 500, and no 404",
                    .observed = response.text(),
                    .summary = fmt::format("{} {}: its headers are not those that users get", sample.request,
                                           response.sentence())});
    }
    if (context_.pace == Pace::startup && outcome_.outcome() > Outcome::pass) ended_ = true;
    if (response.status == 0) ended_ = true;
  }

  void judge_what_is_there(const Sample& sample) {
    const Response& response = sample.response;
    if (response.status == 0) return;
    const Outcome absent = response.shows_headers() ? Outcome::pass : Outcome::skipped;
    const Verdict version = no_version(response.headers);
    if (absent == Outcome::pass || !version.holds)
      outcome_.add({.id = "headers.no_version",
                    .outcome = version.holds ? Outcome::pass : Outcome::fail,
                    .request = sample.request,
                    .expected = "no version in Server or X-Powered-By",
                    .observed = version.observed,
                    .references = kVersions,
                    .summary = version.holds
                                   ? fmt::format("{} names no version", sample.request)
                                   : fmt::format("{} answered with {}", sample.request, version.observed)});
    for (const std::string& name : settings_.forbid) {
      const bool present = response.header(name) != nullptr;
      if (!present && absent != Outcome::pass) continue;
      outcome_.add(
          {.id = "headers.forbidden",
           .outcome = present ? Outcome::fail : Outcome::pass,
           .request = sample.request,
           .expected = "no " + name,
           .observed = present ? "present" : "absent",
           .references = kDeclared,
           .summary = fmt::format("{} answered {} {}", sample.request, present ? "with" : "without", name)});
    }
    if (settings_.cookies && sample.kind != Sample::Kind::provoked) judge_cookies(sample);
  }

  void judge_cookies(const Sample& sample) {
    const Transport transport = exchange_.claims_https() ? Transport::https : Transport::http;
    std::size_t seen = 0;
    for (const std::string& line : field_lines(sample.response.headers, "Set-Cookie")) {
      const auto cookie = SetCookie::parse(line, context_.clock.wall_now());
      if (!cookie || ++seen > kMaxCookies) continue;
      const std::vector<Fault> faults = faults_of(*cookie, transport);
      for (const Fault& fault : faults)
        outcome_.add({.id = fmt::format("headers.cookie_{}", fault.rule),
                      .outcome = Outcome::fail,
                      .request = sample.request,
                      .expected = "Secure, HttpOnly, SameSite and prefix in order",
                      .observed = fault.what,
                      .references = references_of(fault.rule),
                      .summary = fmt::format("{} sets the cookie {}, which {}", sample.request,
                                             shown(cookie->name, kMaxShown), fault.what)});
      if (faults.empty())
        outcome_.add({.id = "headers.cookies",
                      .outcome = Outcome::pass,
                      .request = sample.request,
                      .expected = "Secure, HttpOnly, SameSite and prefix in order",
                      .observed = "in order",
                      .references = {"OWASP API8:2023", "ASVS 3.3.1"},
                      .summary = fmt::format("{} sets the cookie {} in order", sample.request,
                                             shown(cookie->name, kMaxShown))});
    }
  }

  static std::vector<std::string> references_of(std::string_view rule) {
    if (rule == "http_only") return {"OWASP API8:2023", "ASVS 3.3.4", "CWE-1004"};
    if (rule == "same_site") return {"OWASP API8:2023", "ASVS 3.3.2", "CWE-1275"};
    if (rule == "prefix") return {"OWASP API8:2023", "ASVS 3.3.3", "CWE-614"};
    return {"OWASP API8:2023", "ASVS 3.3.1", "CWE-614"};
  }

  void judge_what_is_missing(const Sample& sample) {
    const Response& response = sample.response;
    const auto& headers = response.headers;
    rule(sample, "headers.content_type_options", content_type_options(headers),
         "X-Content-Type-Options: nosniff", kSniffing);
    if (settings_.preset == Settings::Preset::web) {
      if (response.is_page()) {
        rule(sample, "headers.content_security_policy", content_security_policy(headers),
             "a Content-Security-Policy that restricts scripts", kScripts);
        rule(sample, "headers.framing", framing(headers), "frame-ancestors, or X-Frame-Options", kFraming);
      }
      rule(sample, "headers.referrer_policy", referrer_policy(headers), "no Referrer-Policy: unsafe-url",
           kReferrers);
    }
    if (sample.to_identity && response.status < 300)
      rule(sample, "headers.cache_control", cache_control(headers), "Cache-Control: no-store or private",
           kCaching);
    if (settings_.hsts_min_age) judge_hsts(sample, *settings_.hsts_min_age);
    for (const std::string& name : settings_.require) {
      const bool present = response.header(name) != nullptr;
      rule(sample, "headers.required", {present, present ? "present" : "absent"}, name, kDeclared);
    }
  }

  void judge_hsts(const Sample& sample, std::chrono::seconds min_age) {
    if (!exchange_.claims_https()) {
      outcome_.add(
          {.id = "headers.strict_transport_security",
           .outcome = Outcome::skipped,
           .request = sample.request,
           .references = kTransport,
           .summary = "Strict-Transport-Security counts on https alone, and forwarded = false claims none"});
      return;
    }
    rule(sample, "headers.strict_transport_security", transport_security(sample.response.headers, min_age),
         fmt::format("Strict-Transport-Security with max-age={} or more", min_age.count()), kTransport);
  }

  void rule(const Sample& sample, std::string id, const Verdict& verdict, const std::string& expected,
            const std::vector<std::string>& references) {
    outcome_.add({.id = std::move(id),
                  .outcome = verdict.holds ? Outcome::pass : Outcome::fail,
                  .request = sample.request,
                  .expected = expected,
                  .observed = verdict.observed,
                  .references = references,
                  .summary = fmt::format(
                      "{} answered {} {}: {}", sample.request, sample.response.status,
                      verdict.holds ? "as it should" : "without what it should carry (" + expected + ")",
                      verdict.observed)});
  }

  const Settings& settings_;
  ProbeContext& context_;
  Exchange exchange_;
  const Judge judge_;  // for redirects alone
  ProbeOutcome outcome_;
  std::string served_, refused_;  // a request that was served; what the first that was not got
  bool ended_ = false;
};

class HeadersProbe final : public Probe {
 public:
  explicit HeadersProbe(Settings settings) : settings_(std::move(settings)) {}
  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Run run(settings_, context);
    co_return co_await run.go();
  }

 private:
  const Settings settings_;
};

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"headers.cookie_", "set session cookies with Secure, HttpOnly and SameSite"},
    {"headers.no_version",
     "turn off the banner (nginx: server_tokens off; Express: app.disable('x-powered-by'))"},
    {"headers.forbidden", "take this field out of the answer"},
    {"headers.cache_control", "send Cache-Control: no-store with whatever is one user's"},
    {"", "set the field in one middleware or proxy that also covers errors and the 404"},
};

const Explanation kExplanation{
    .control =
        "Answers tell browsers what they must not do with them, keep cookies safe, and name no version.",
    .sends =
        "For each path and method: the request without credentials and, where `as` is given, as that "
        "identity. Then one\n"
        "path that cannot exist, and one that cannot be decoded (/hs-...%zz). With one path 3 requests, 4 "
        "with `as`; a\n"
        "redirect to another spelling of the path is followed once. 2 ms of nginx, 25 ms of Express.",
    .passes =
        "At least one declared path is served (2xx, or a redirect elsewhere), and every answer, refusals and "
        "the 404\n"
        "included, carries X-Content-Type-Options: nosniff and every field of require. web: a page also a "
        "Content-Security-\n"
        "Policy that restricts scripts, frame-ancestors (or X-Frame-Options where there is none), and no "
        "Referrer-Policy:\n"
        "unsafe-url. hsts_min_age: Strict-Transport-Security with at least that max-age. What `as` gets is "
        "no-store or\n"
        "private. Cookies named like a session (sess, sid, auth, token, jwt, remember) have Secure and "
        "HttpOnly, SameSite=None\n"
        "has Secure, and __Host- and __Secure- keep their promises.",
    .fails =
        "Any of that is missing, hollow (scripts from *, data:, http:, or 'unsafe-inline' without nonce, "
        "hash or\n"
        "'strict-dynamic'; frame-ancestors *; report-only) or contradicts itself; Server, X-Powered-By, "
        "X-AspNet-Version or\n"
        "X-AspNetMvc-Version carry a version; a field of forbid is there. These are judged on the "
        "undecodable "
        "path too, whose\n"
        "answer often is a proxy's own page.",
    .unclear =
        "No declared path is served; or one answers 404, 5xx or not at all: name paths that exist. "
        "Strict-Transport-Security\n"
        "and Secure are judged only where the requests claim https (forwarded = true, an https url, or a "
        "X-Forwarded-Proto\n"
        "of the probe's own): elsewhere they are skipped.",
    .example =
        "[probes.page_headers]\ntype = \"headers\"\npreset = \"web\"\npaths = [\"/\", \"/login\"]\n"
        "hsts_min_age = \"4320h\"\nforbid = [\"X-Powered-By\"]\n",
    .references =
        "OWASP API8:2023; ASVS 5.0 3.3.1, 3.3.2, 3.3.3, 3.3.4, 3.4.1, 3.4.3, 3.4.4, 3.4.5, 3.4.6, 13.4.6, "
        "14.3.2; CWE-79,\nCWE-319, CWE-497, CWE-525, CWE-614, CWE-693, CWE-1004, CWE-1021, CWE-1275",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics& diagnostics) {
  const Values& values = probe.values;
  Settings settings;
  settings.http = HttpKeys::from(values);
  settings.preset = values.string("preset") == "web" ? Settings::Preset::web : Settings::Preset::api;
  settings.require = values.strings("require");
  settings.forbid = values.strings("forbid");
  settings.cookies = values.boolean("cookies");
  if (const auto age = values.maybe_duration("hsts_min_age"))
    settings.hsts_min_age = std::chrono::duration_cast<std::chrono::seconds>(*age);
  for (const std::string& name : settings.require) {
    const bool both = std::any_of(settings.forbid.begin(), settings.forbid.end(),
                                  [&](const std::string& other) { return same_name(name, other); });
    if (!both) continue;
    diagnostics.error(values.place("forbid"),
                      in_quotes(name) + " stands in \"require\" and in \"forbid\"; leave it in one of them");
    return nullptr;
  }
  return std::make_unique<HeadersProbe>(std::move(settings));
}

}  // namespace holdshort::headers_probe
