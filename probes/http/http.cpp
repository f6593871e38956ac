// The `http` probe: one request a path and method, judged by every declared expectation.
#include "probes/http/http.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/kit/exchange.h"
#include "probes/kit/json.h"

namespace holdshort::http_probe {

namespace {

constexpr Field kOwnFields[] = {
    {.name = "status",
     .kind = Kind::status_list,
     .fallback = R"(["2xx"])",
     .doc = "statuses that are right: 200, \"200\" or \"2xx\""},
    {.name = "body_matches",
     .kind = Kind::pattern_list,
     .doc = "RE2 patterns that the body must have, all of them"},
    {.name = "body_not_matches",
     .kind = Kind::pattern_list,
     .doc = "RE2 patterns that the body must not have"},
    {.name = "header_matches",
     .kind = Kind::header_patterns,
     .doc = "{ Name = \"pattern\" }: a field of that name must match"},
    {.name = "header_absent", .kind = Kind::header_names, .doc = "names of fields that must not be there"},
    {.name = "json",
     .kind = Kind::json_values,
     .doc = "{ \"/pointer\" = value }: strictly equal, of the same type"},
    {.name = "max_latency", .kind = Kind::duration, .doc = "from connecting to the last byte", .min = 1},
};

struct Expectations {
  StatusSet status;
  std::vector<Pattern> body_matches, body_not_matches;
  std::vector<std::pair<std::string, Pattern>> header_matches;
  std::vector<std::string> header_absent;
  std::vector<JsonExpectation> json;
  std::optional<std::chrono::milliseconds> max_latency;
};

class HttpProbe final : public Probe {
 public:
  HttpProbe(HttpKeys keys, Expectations expect) : keys_(std::move(keys)), expect_(std::move(expect)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Exchange exchange(context, keys_);
    ProbeOutcome outcome;
    std::vector<Header> credentials;
    if (!keys_.as.empty()) {
      auto found = co_await exchange.credentials(keys_.as);
      if (!found) {
        outcome.add(Exchange::no_credentials("http.identity", keys_.as, found.error()));
        outcome.requests = exchange.requests();
        co_return outcome;
      }
      credentials = std::move(*found);
    }
    for (const Operation& operation : keys_.operations()) {
      Call call;
      call.method = operation.method;
      call.target = operation.path;
      call.body = keys_.body;
      call.credentials = credentials;
      const std::string request = Exchange::describe(call);
      const Response response = co_await exchange.send(std::move(call));
      judge(request, response, outcome);
      if (context.pace == Pace::startup && outcome.outcome() > Outcome::pass) {
        outcome.requests = exchange.requests();
        co_return outcome;
      }
    }
    if (outcome.outcome() == Outcome::inconclusive && !keys_.as.empty()) exchange.forget_login(keys_.as);
    outcome.requests = exchange.requests();
    co_return outcome;
  }

 private:
  // A wrong status is one finding: what the body of an error page lacks is none.
  void judge(const std::string& request, const Response& response, ProbeOutcome& outcome) const {
    const Check status = judge_status(request, response);
    outcome.add(status);
    if (status.outcome != Outcome::pass) return;
    judge_body(request, response, outcome);
    judge_headers(request, response, outcome);
    for (const JsonExpectation& expected : expect_.json) outcome.add(judge_json(request, response, expected));
    if (expect_.max_latency) outcome.add(judge_latency(request, response));
  }

  Check judge_status(const std::string& request, const Response& response) const {
    Check check{.id = "http.status",
                .outcome = Outcome::pass,
                .request = request,
                .expected = expect_.status.text(),
                .observed = response.text()};
    check.summary = fmt::format("{} {}", request, response.sentence());
    const bool seen =
        response.status != 0 && (response.ended == Ended::complete || response.ended == Ended::capped);
    if (!seen) {
      check.outcome = Outcome::inconclusive;
    } else if (!expect_.status.contains(response.status)) {
      const bool not_there = response.status >= 500 || response.status == 404;
      check.outcome = not_there ? Outcome::inconclusive : Outcome::fail;
      check.summary += ", expected " + expect_.status.text();
    }
    return check;
  }

  void judge_body(const std::string& request, const Response& response, ProbeOutcome& outcome) const {
    for (const Pattern& pattern : expect_.body_matches) {
      const bool found = pattern.found_in(response.body);
      const Outcome missing = response.shows_all() ? Outcome::fail : Outcome::inconclusive;
      outcome.add(check("http.body_matches", found ? Outcome::pass : missing, request,
                        "a body with " + pattern.source(), found ? "found" : seen_of(response),
                        found ? "has" : "lacks", "what body_matches wants"));
    }
    for (const Pattern& pattern : expect_.body_not_matches) {
      const bool found = pattern.found_in(response.body);
      const Outcome absent = response.shows_all() ? Outcome::pass : Outcome::inconclusive;
      outcome.add(check("http.body_not_matches", found ? Outcome::fail : absent, request,
                        "a body without " + pattern.source(), found ? "found" : seen_of(response),
                        found ? "has" : "does not show whether it has", "what body_not_matches forbids"));
    }
    if (keys_.marker) {
      const bool found = keys_.marker->found_in(response.body);
      const Outcome missing = response.shows_all() ? Outcome::fail : Outcome::inconclusive;
      outcome.add(check("http.marker", found ? Outcome::pass : missing, request, "the marker",
                        found ? "found" : seen_of(response), found ? "has" : "lacks", "the marker"));
    }
  }

  void judge_headers(const std::string& request, const Response& response, ProbeOutcome& outcome) const {
    for (const auto& [name, pattern] : expect_.header_matches) {
      bool present = false, matches = false;
      for (const Header& header : response.headers) {
        if (!same_name(header.name, name)) continue;
        present = true;
        matches = matches || pattern.found_in(header.value);
      }
      outcome.add(check("http.header_matches", matches ? Outcome::pass : Outcome::fail, request,
                        fmt::format("{}: {}", name, pattern.source()),
                        matches   ? "matches"
                        : present ? "another value"
                                  : "absent",
                        matches ? "has" : "lacks", "the right " + name));
    }
    for (const std::string& name : expect_.header_absent) {
      const bool present = response.header(name) != nullptr;
      const bool cut = response.ended == Ended::capped && response.body.empty();
      outcome.add(check("http.header_absent",
                        present ? Outcome::fail
                        : cut   ? Outcome::inconclusive
                                : Outcome::pass,
                        request, "no " + name, present ? "present" : "absent", present ? "carries" : "has no",
                        name));
    }
  }

  static Check judge_json(const std::string& request, const Response& response,
                          const JsonExpectation& expected) {
    const json::Found found =
        response.shows_all() ? json::at(response.body, expected.pointer) : json::Found{};
    Outcome outcome = Outcome::fail;
    std::string observed = "no JSON";
    if (!response.shows_all() || found.lookup == json::Lookup::ambiguous) {
      outcome = Outcome::inconclusive;
      observed = response.shows_all() ? "a key stands there twice" : seen_of(response);
    } else if (found.lookup == json::Lookup::absent) {
      observed = "absent";
    } else if (found.lookup == json::Lookup::found) {
      const bool equal = json::equal(found.text, expected.value_json);
      outcome = equal ? Outcome::pass : Outcome::fail;
      observed = equal ? "equal" : "another value";
    }
    return check("http.json", outcome, request, fmt::format("{} = {}", expected.pointer, expected.value_json),
                 observed, outcome == Outcome::pass ? "has" : "lacks",
                 "the expected value at " + expected.pointer);
  }

  Check judge_latency(const std::string& request, const Response& response) const {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(response.timing.total);
    const bool late = response.timing.total > *expect_.max_latency;
    Check result =
        check("http.max_latency", late ? Outcome::fail : Outcome::pass, request,
              Duration(*expect_.max_latency).text() + " at most", fmt::format("{}ms", took.count()), "", "");
    result.summary =
        fmt::format("{} took {}ms, {} allowed", request, took.count(), Duration(*expect_.max_latency).text());
    return result;
  }

  static std::string seen_of(const Response& response) {
    if (response.shows_all()) return "not found";
    return response.ended == Ended::capped ? "a body cut by the cap" : "a body that was not decoded";
  }

  static Check check(std::string id, Outcome outcome, const std::string& request, std::string expected,
                     std::string observed, std::string_view verb, const std::string& what) {
    return {.id = std::move(id),
            .outcome = outcome,
            .request = request,
            .expected = std::move(expected),
            .observed = std::move(observed),
            .summary = fmt::format("the answer to {} {} {}", request, verb, what)};
  }

  const HttpKeys keys_;
  const Expectations expect_;
};

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"http.max_latency",
     "find what made the app slow: load, database, last deploy; or raise max_latency where that is the new "
     "normal"},
    {"", "mend what the app answers there, or the probe where it was changed on purpose"},
};

const Explanation kExplanation{
    .control = "An endpoint answers as it is declared to: status, body, headers, JSON, time.",
    .sends =
        "One request for each path and method, with the headers and body declared, as the identity `as` "
        "where given.\n"
        "No redirect is followed.",
    .passes = "The answer is whole and meets every expectation.",
    .fails = "A whole answer misses an expectation.",
    .unclear =
        "No answer, a 5xx or a 404 where they are not expected, or a body that was cut or compressed where\n"
        "something must be absent from it.",
    .example =
        "[probes.alive]\ntype = \"http\"\npath = \"/healthz\"\nstatus = [200]\njson = { \"/status\" = \"ok\" "
        "}\n",
    .references = "RFC 9110",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics&) {
  const Values& values = settings.values;
  Expectations expect;
  expect.status = values.statuses("status");
  expect.body_matches = values.patterns("body_matches");
  expect.body_not_matches = values.patterns("body_not_matches");
  expect.header_matches = values.header_patterns("header_matches");
  expect.header_absent = values.strings("header_absent");
  expect.json = values.json_values("json");
  expect.max_latency = values.maybe_duration("max_latency");
  return std::make_unique<HttpProbe>(HttpKeys::from(values), std::move(expect));
}

}  // namespace holdshort::http_probe
