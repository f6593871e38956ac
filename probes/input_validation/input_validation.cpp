// The `input_validation` probe: what cannot be right is refused, and nothing that is sent breaks the app.
//
// The valid body is served (positive control), then it is sent with one thing wrong at a time, then it is
// served still. Without `send_valid` the place of the valid body is taken by refusals that name what is
// missing: they show that the caller got as far as the validation. What some correct APIs accept is sent
// without a required field, so that it cannot succeed.
#include "probes/input_validation/input_validation.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "probes/input_validation/multipart.h"
#include "probes/input_validation/mutations.h"
#include "probes/kit/ascii.h"
#include "probes/kit/classify.h"
#include "probes/kit/exchange.h"
#include "probes/kit/follow.h"

#include "probes/kit/json.h"

namespace holdshort::input_validation {

namespace {

constexpr int kMaxSilent = 3;  // requests in a row without an answer, then the rest of a run is not sent
constexpr double kMaxMaxBody = 64.0 * 1024 * 1024;  // bytes; one such request is held in memory
constexpr std::string_view kServerError = "input_validation.server_error.";
constexpr std::string_view kPrefix = "input_validation.";

constexpr std::string_view kMutationChoices[] = {"standard", "strict"};
constexpr Field kOwnFields[] = {
    {.name = "method", .kind = Kind::method, .fallback = R"("POST")", .doc = "the method to use"},
    {.name = "content_type",
     .kind = Kind::string,
     .fallback = R"("application/json")",
     .doc =
         "of the body: JSON and forms, in parts or not, are taken apart field by field; of others type and "
         "size are checked",
     .min = 1},
    {.name = "body",
     .kind = Kind::string,
     .doc = "a body that the app accepts, with no field that it could do without; the lines of "
            "multipart/form-data may end with LF",
     .min = 1,
     .required = true},
    {.name = "optional",
     .kind = Kind::string_list,
     .fallback = "[]",
     .doc = "JSON pointers of fields in the body that may be missing or null (a form's are \"/name\")"},
    {.name = "send_valid",
     .kind = Kind::boolean,
     .fallback = "true",
     .doc = "send the valid body too, twice a run; false where that does something that must not happen"},
    {.name = "mutations",
     .kind = Kind::choice,
     .fallback = R"("standard")",
     .doc = "strict: what some correct APIs accept must be refused as well",
     .choices = kMutationChoices},
    {.name = "reject_status",
     .kind = Kind::status_list,
     .fallback = "[400, 413, 415, 422]",
     .doc = "statuses that refuse a body"},
    {.name = "max_body",
     .kind = Kind::bytes,
     .fallback = R"("1MB")",
     .doc = "the largest body that is accepted; one byte more is sent",
     .min = 1,
     .max = kMaxMaxBody},
};

const std::vector<std::string> kSchema{"OWASP API8:2023", "ASVS 2.2.1", "ASVS 2.2.2", "CWE-20"};
const std::vector<std::string> kTypes{"OWASP API8:2023", "ASVS 2.2.1", "CWE-20", "CWE-1287"};
const std::vector<std::string> kSize{"OWASP API4:2023", "ASVS 4.3.1", "CWE-400", "CWE-770"};
const std::vector<std::string> kMediaType{"OWASP API8:2023", "ASVS 2.2.2", "CWE-20", "CWE-436"};
const std::vector<std::string> kPrototype{"OWASP API8:2023", "ASVS 15.3.6", "CWE-1321"};
const std::vector<std::string> kRepeated{"OWASP API8:2023", "ASVS 15.3.7", "CWE-235"};
const std::vector<std::string> kNumbers{"OWASP API8:2023", "ASVS 2.2.1", "CWE-1284"};
const std::vector<std::string> kFile{"OWASP API8:2023", "ASVS 5.2.2", "CWE-20", "CWE-434"};
const std::vector<std::string> kFileName{"OWASP API8:2023", "ASVS 5.3.2", "CWE-20", "CWE-73"};
const std::vector<std::string> kUnhandled{"OWASP API8:2023", "ASVS 2.2.1", "CWE-20", "CWE-755"};

const std::vector<std::string>& references_of(std::string_view id) {
  static const std::map<std::string_view, const std::vector<std::string>&> references{
      {"wrong_type", kTypes},
      {"null_field", kTypes},
      {"boolean", kTypes},
      {"quoted_number", kTypes},
      {"too_large", kSize},
      {"long_text", kSize},
      {"deep_nesting", kSize},
      {"deep_brackets", kSize},
      {"text_plain", kMediaType},
      {"application_xml", kMediaType},
      {"no_content_type", kMediaType},
      {"odd_content_type", kMediaType},
      {"upper_case_content_type", kMediaType},
      {"other_charset", kMediaType},
      {"proto", kPrototype},
      {"constructor", kPrototype},
      {"repeated_key", kRepeated},
      {"negative_zero", kNumbers},
      {"huge_number", kNumbers},
      {"long_number", kNumbers},
      {"no_boundary", kMediaType},
      {"other_boundary", kMediaType},
      {"wrong_part_type", kFile},
      {"empty_file", kFile},
      {"file_as_text", kFile},
      {"text_as_file", kFile},
      {"unknown_file", kFile},
      {"filename_path", kFileName},
      {"filename_nul", kFileName},
      {"filename_long", kFileName},
      {"filename_empty", kFileName}};
  const auto found = references.find(id);
  return found == references.end() ? kSchema : found->second;
}

struct Settings {
  HttpKeys http;
  Declared declared;
  bool send_valid = true;
  bool strict = false;
  StatusSet reject_status;
};

// How a mutation is judged.
enum class Rule {
  refused,   // no correct API accepts it
  survived,  // it lacks a required field besides: not accepted, and no 5xx
};

// What one run leaves to the next, of one path and method.
struct Memory {
  std::vector<std::string> required;  // fields whose absence was refused
};

// One path and method.
class Subject {
 public:
  Subject(const Settings& settings, Memory& memory, ProbeContext& context, Exchange& exchange,
          std::string method, std::string path)
      : settings_(settings),
        memory_(memory),
        context_(context),
        exchange_(exchange),
        method_(std::move(method)),
        path_(std::move(path)),
        judge_(settings.http.marker, context.app.own_hosts()) {}

  // Adds its checks to `outcome`. False: nothing more can be learnt from this app in this run.
  Awaitable<bool> run(ProbeOutcome& outcome) {
    if (co_await still_fails(outcome)) co_return false;
    if (!co_await learn_unrouted()) co_return finish(outcome, false);
    if (settings_.send_valid) {
      Check valid = co_await send_valid(Valid::first);
      const bool accepted = valid.outcome == Outcome::pass;
      checks_.push_back(std::move(valid));
      if (!accepted) co_return finish(outcome, context_.pace != Pace::startup && silent_ == 0);
    }
    std::vector<Mutation> firm = impossible(settings_.declared);
    bool goes_on = co_await try_all(std::move(firm), Rule::refused);
    if (goes_on && !settings_.send_valid) {
      Check reached = judge_reached();
      goes_on = reached.outcome == Outcome::pass || context_.pace != Pace::startup;
      checks_.push_back(std::move(reached));
    }
    if (goes_on) goes_on = co_await try_doubtful();
    if (goes_on || has_server_errors()) co_await ask_again();
    co_return finish(outcome, goes_on);
  }

 private:
  std::string name() const { return method_ + " " + path_; }

  bool finish(ProbeOutcome& outcome, bool goes_on) {
    for (Check& check : checks_) outcome.add(std::move(check));
    checks_.clear();
    return goes_on;
  }

  Call call(std::string body, const std::string& content_type) const {
    Call call;
    call.method = method_;
    call.target = path_;
    call.body = std::move(body);
    if (!content_type.empty()) call.headers.push_back({"Content-Type", content_type});
    return call;
  }

  Awaitable<Response> send(Call call) {
    std::string as = settings_.http.as;
    Response response = co_await send_and_follow(exchange_, judge_, std::move(as), std::move(call));
    const bool answered = response.status != 0 || response.ended == Ended::reset;
    silent_ = answered ? 0 : silent_ + 1;
    co_return response;
  }

  // --- what is there

  // A start page that answers for every path accepts no body.
  Awaitable<bool> learn_unrouted() {
    Call unrouted;
    if (method_ == "POST") unrouted = call("{}", settings_.declared.content_type);
    unrouted.target = "/" + context_.unknown_name();
    const std::string request = Exchange::describe(unrouted);
    const Response response = co_await exchange_.send(std::move(unrouted));
    if (response.status != 0) {
      judge_.learn_unrouted(response);
      co_return true;
    }
    checks_.push_back(
        {.id = "input_validation.baseline",
         .outcome = Outcome::inconclusive,
         .request = request,
         .expected = "an answer",
         .observed = response.text(),
         .summary = fmt::format("{} (a path that cannot exist) {}", request, response.sentence())});
    co_return false;
  }

  enum class Valid { first, again };

  Awaitable<Check> send_valid(Valid which) {
    Call valid = call(settings_.declared.body, settings_.declared.content_type);
    const Response response = co_await send(std::move(valid));
    const Seen seen = judge_.see(response, exchange_.prefix() + path_);
    const std::string* location = response.header("Location");
    const bool is_redirect = seen == Seen::elsewhere;  // to what was made of it
    const bool served = seen == Seen::granted ||
                        (!judge_.has_marker() &&
                         ((seen == Seen::unknown && response.status >= 200) || (is_redirect && location)));
    Check check{.id = which == Valid::first ? "input_validation.valid" : "input_validation.still_valid",
                .outcome = served ? Outcome::pass : Outcome::inconclusive,
                .request = name() + " with the valid body",
                .expected = judge_.has_marker() ? "2xx with the marker" : "2xx",
                .observed = response.text(),
                .references = kSchema,
                .summary = fmt::format("{} {} to the valid body", name(), response.sentence())};
    if (served) {
      judge_.learn_served(response);
      accepted_location_ = is_redirect ? *location : "";
      co_return check;
    }
    if (which == Valid::again) {
      check.summary += " after the mutations, which it accepted before: what was refused proves nothing";
    } else if (seen == Seen::fallback) {
      check.summary += ", with what every unknown path gets: does it exist? Declare a marker if it does";
    } else if (seen == Seen::soft_denial || seen == Seen::unknown) {
      check.summary += judge_.has_marker() ? ", without the marker" : ", with a body that says no";
    } else if (seen == Seen::to_same) {
      check.summary += ": write the path as the app spells it";
    } else if (response.status == 409) {
      check.summary += ": it may be there already; where it can be sent only once, set send_valid = false";
    } else {
      check.summary += ", which it should accept: nothing can be said about others";
    }
    co_return check;
  }

  // Without the valid body: a refusal that names the field that is missing, where another refusal does not.
  Check judge_reached() {
    Check check{
        .id = "input_validation.reached",
        .outcome = Outcome::inconclusive,
        .request = name() + " without a field",
        .expected = "a refusal that names the field",
        .observed = "none names it",
        .references = kSchema,
        .summary = fmt::format("{}: no refusal names the field that is missing, so the caller may never have "
                               "got as far as the validation; set send_valid = true where that is harmless",
                               name())};
    for (const Refusal& refusal : refusals_) {
      if (refusal.mutation.id != "missing_field") continue;
      const std::string field = ascii::lowered(name_of_field(refusal.mutation.field));
      const bool others_name_it = std::all_of(refusals_.begin(), refusals_.end(), [&](const Refusal& other) {
        return other.body.find(field) != std::string::npos;
      });
      if (refusal.body.find(field) == std::string::npos || others_name_it) continue;
      naming_ = refusal;
      check.outcome = Outcome::pass;
      check.request = fmt::format("{} {}", name(), refusal.mutation.what);
      check.observed = fmt::format("{}, which names it", refusal.status);
      check.summary = fmt::format("{} names the field that is missing", name());
      break;
    }
    return check;
  }

  // --- mutations

  // At startup runs follow each other closely. What failed in the one before is asked first: while it still
  // does, the valid body need
  // not be sent.
  Awaitable<bool> still_fails(ProbeOutcome& outcome) {
    if (context_.pace != Pace::startup || context_.failed_before.empty()) co_return false;
    std::vector<Mutation> firm = impossible(settings_.declared);
    std::vector<Mutation> others = settings_.strict ? doubtful(settings_.declared)
                                                    : doubtful_without(settings_.declared, memory_.required);
    const Rule rule_of_others = settings_.strict ? Rule::refused : Rule::survived;
    const bool fails = co_await one_still_fails(std::move(firm), Rule::refused, outcome);
    if (fails) co_return true;
    co_return co_await one_still_fails(std::move(others), rule_of_others, outcome);
  }

  Awaitable<bool> one_still_fails(std::vector<Mutation> mutations, Rule rule, ProbeOutcome& outcome) {
    for (Mutation& mutation : mutations) {
      const bool is_it = context_.failed_before == std::string(kPrefix) + mutation.id ||
                         context_.failed_before == std::string(kServerError) + mutation.id;
      if (!is_it) continue;
      Check check = co_await judge(std::move(mutation), rule);
      refusals_.clear();
      const bool may_be_down = status_ >= 502 && status_ <= 504;
      if (check.outcome != Outcome::fail || may_be_down) continue;
      outcome.add(std::move(check));
      co_return true;
    }
    co_return false;
  }

  // False: the run ends here.
  Awaitable<bool> try_all(std::vector<Mutation> mutations, Rule rule) {
    for (Mutation& mutation : mutations) {
      Check check = co_await judge(std::move(mutation), rule);
      const Outcome seen = check.outcome;
      checks_.push_back(std::move(check));
      if (silent_ >= kMaxSilent || context_.ends_at(seen)) co_return false;
    }
    co_return true;
  }

  Awaitable<bool> try_doubtful() {
    memory_.required.clear();
    for (const Refusal& refusal : refusals_)
      if (refusal.mutation.id == "missing_field") memory_.required.push_back(refusal.mutation.field);
    std::vector<Mutation> carried = doubtful_without(settings_.declared, memory_.required);
    if (settings_.strict) {
      std::vector<Mutation> whole = doubtful(settings_.declared);
      const bool goes_on = co_await try_all(std::move(whole), Rule::refused);
      if (!goes_on) co_return false;
      std::erase_if(carried, [](const Mutation& mutation) { return !is_lawful(mutation.id); });
    } else if (carried.empty()) {
      checks_.push_back(
          {.id = "input_validation.doubtful",
           .outcome = Outcome::skipped,
           .references = kSchema,
           .summary = "no field is required, so that nothing doubtful can be sent that cannot succeed"});
    }
    note_fields();
    co_return co_await try_all(std::move(carried), Rule::survived);
  }

  void note_fields() {
    const std::size_t count = fields_of(settings_.declared).size();
    if (count <= kMaxFields) return;
    checks_.push_back(
        {.id = "input_validation.fields",
         .outcome = Outcome::skipped,
         .references = kSchema,
         .summary = fmt::format("{} of {} fields were changed, the first ones", kMaxFields, count)});
  }

  Awaitable<Check> judge(Mutation mutation, Rule rule) {
    Call mutated = call(mutation.body, mutation.content_type);
    Response response = co_await send(mutated);
    // A server that hangs up in the middle of a body may lose its own answer: once more.
    if (response.status == 0 && response.ended == Ended::reset) response = co_await send(std::move(mutated));
    Check check{.id = std::string(kPrefix) + mutation.id,
                .outcome = Outcome::inconclusive,
                .request = fmt::format("{} {}", name(), mutation.what),
                .expected = settings_.reject_status.text(),
                .observed = response.text(),
                .references = references_of(mutation.id)};
    const std::string sentence =
        fmt::format("{} {} to a body {}", name(), response.sentence(), mutation.what);
    const auto say = [&](Outcome outcome, std::string_view more) {
      check.outcome = outcome;
      check.summary = sentence + std::string(more);
    };
    status_ = response.status;
    if (response.status == 0) {
      say(Outcome::inconclusive, "");
    } else if (response.status >= 500) {
      check.id = std::string(kServerError) + mutation.id;
      check.references = kUnhandled;
      say(Outcome::fail, ": what a client sends must not break the app");
    } else if (response.status == 429 && !settings_.reject_status.contains(429)) {
      say(Outcome::inconclusive, ": a rate limit came before the validation");
    } else if (response.status >= 400) {
      conclude_refusal(response.status, rule, say);
    } else {
      conclude_acceptance(response, rule, say);
    }
    if (check.outcome == Outcome::pass && response.status >= 400)
      refusals_.push_back({std::move(mutation), response.status, ascii::lowered(response.body)});
    co_return check;
  }

  template <class Say>
  void conclude_refusal(int status, Rule rule, Say say) const {
    if (settings_.reject_status.contains(status)) return say(Outcome::pass, "");
    if (status == 401)
      return say(Outcome::inconclusive, ": the caller was refused, so nothing was seen of the validation");
    if (rule == Rule::survived) return say(Outcome::pass, "");
    say(Outcome::inconclusive, fmt::format(", expected {}", settings_.reject_status.text()));
  }

  template <class Say>
  void conclude_acceptance(const Response& response, Rule rule, Say say) const {
    const Seen seen = judge_.see(response, exchange_.prefix() + path_);
    const std::string* location = response.header("Location");
    const std::string_view words =
        rule == Rule::refused ? ": it was accepted"
                              : ": it was accepted, though without that field it is refused otherwise";
    if (seen == Seen::no_response) return say(Outcome::inconclusive, ", and the answer did not arrive whole");
    if (response.status >= 300) {
      if (location && !accepted_location_.empty() && *location == accepted_location_)
        return say(Outcome::fail, ", as to the valid body" + std::string(words));
      return say(rule == Rule::survived ? Outcome::pass : Outcome::inconclusive, "");
    }
    if (judge_.has_marker()) {
      if (seen == Seen::granted) return say(Outcome::fail, words);
      if (!response.shows_all())
        return say(Outcome::inconclusive, ", with a body that was not read to its end");
      return say(Outcome::pass, ", without the marker");
    }
    if (seen == Seen::soft_denial)
      return say(rule == Rule::survived ? Outcome::pass : Outcome::inconclusive,
                 ", with a body that says no: declare a marker to tell a refusal from an acceptance");
    if (seen == Seen::fallback)
      return say(rule == Rule::survived ? Outcome::pass : Outcome::inconclusive,
                 ", with what every unknown path gets");
    say(Outcome::fail, words);
  }

  // --- and afterwards

  bool has_server_errors() const {
    return std::any_of(checks_.begin(), checks_.end(),
                       [](const Check& check) { return check.id.starts_with(kServerError); });
  }

  // An app that is down answers 5xx to everything: then it was not the mutation.
  Awaitable<void> ask_again() {
    Check alive;
    if (settings_.send_valid) {
      alive = co_await send_valid(Valid::again);
    } else if (naming_) {
      alive = co_await send_naming();
    } else {
      co_return;
    }
    if (alive.outcome != Outcome::pass) {
      for (Check& check : checks_) {
        if (!check.id.starts_with(kServerError)) continue;
        check.outcome = Outcome::inconclusive;
        check.summary += ", or it was down: it did not recover in this run";
      }
    }
    checks_.push_back(std::move(alive));
  }

  Awaitable<Check> send_naming() {
    const Mutation& mutation = naming_->mutation;
    Call again = call(mutation.body, mutation.content_type);
    const Response response = co_await send(std::move(again));
    const bool same = response.status == naming_->status;
    Check check{.id = "input_validation.still_reached",
                .outcome = same ? Outcome::pass : Outcome::inconclusive,
                .request = fmt::format("{} {}", name(), mutation.what),
                .expected = std::to_string(naming_->status),
                .observed = response.text(),
                .references = kSchema,
                .summary = fmt::format(
                    "{} {} to a body {}{}", name(), response.sentence(), mutation.what,
                    same ? ", as before"
                         : fmt::format(" after the mutations, {} before: what was refused proves nothing",
                                       naming_->status))};
    co_return check;
  }

  struct Refusal {
    Mutation mutation;
    int status = 0;
    std::string body;  // in lower case
  };

  const Settings& settings_;
  Memory& memory_;
  ProbeContext& context_;
  Exchange& exchange_;
  const std::string method_, path_;
  Judge judge_;
  std::vector<Check> checks_;
  std::vector<Refusal> refusals_;
  std::optional<Refusal> naming_;
  std::string accepted_location_;  // where the valid body was redirected to
  int silent_ = 0;
  int status_ = 0;  // of the last mutation
};

class InputValidationProbe final : public Probe {
 public:
  explicit InputValidationProbe(Settings settings) : settings_(std::move(settings)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Exchange exchange(context, settings_.http);
    ProbeOutcome outcome;
    for (const Operation& operation : settings_.http.operations(ended_at_)) {
      Subject subject(settings_, memory_[operation.name()], context, exchange, operation.method,
                      operation.path);
      const bool goes_on = co_await subject.run(outcome);
      ended_at_ = goes_on ? "" : operation.name();
      if (!goes_on) break;
    }
    outcome.requests = exchange.requests();
    co_return outcome;
  }

 private:
  const Settings settings_;
  std::string ended_at_;                  // the operation that ended the run before
  std::map<std::string, Memory> memory_;  // by method and path
};

// A Content-Type among the headers is the body's, as long as `content_type` says nothing else.
std::string content_type_of(const Values& values, HttpKeys& http) {
  const std::string* written = find_header(http.headers, "Content-Type");
  std::string type = written && !values.has("content_type") ? *written : values.string("content_type");
  std::erase_if(http.headers, [](const Header& header) { return same_name(header.name, "Content-Type"); });
  return type;
}

bool is_right(const Values& values, const Declared& declared, Diagnostics& diagnostics) {
  if (ascii::has_control(declared.content_type)) {
    diagnostics.error(values.place("content_type"), "\"content_type\" has a control character");
    return false;
  }
  if (declared.format == Format::json && !json::is_json(declared.body)) {
    diagnostics.error(
        values.place("body"),
        fmt::format("\"body\" is no JSON, which its type {} says; write a body that the app accepts, or "
                    "another \"content_type\"",
                    declared.content_type));
    return false;
  }
  if (declared.format == Format::multipart && !parts_of(declared.body, boundary_of(declared.content_type))) {
    diagnostics.error(
        values.place("body"),
        "\"body\" is no multipart/form-data with the boundary that \"content_type\" names, expected "
        "content_type = \"multipart/form-data; boundary=hs\" and parts between lines of \"--hs\", "
        "each with a Content-Disposition and a name, and \"--hs--\" at the end");
    return false;
  }
  const std::vector<std::string> fields = fields_of(declared);
  for (const std::string& pointer : declared.optional) {
    if (std::find(fields.begin(), fields.end(), pointer) != fields.end()) continue;
    const std::vector<std::string_view> known(fields.begin(), fields.end());
    diagnostics.error(values.place("optional"),
                      fmt::format("\"optional\" has {}, which is no field of \"body\"{}", in_quotes(pointer),
                                  suggestion(pointer, known)));
    return false;
  }
  if (declared.body.size() > declared.max_body) {
    diagnostics.error(values.place("max_body"),
                      fmt::format("\"max_body\" is below the {} bytes of \"body\"", declared.body.size()));
    return false;
  }
  return true;
}

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"input_validation.server_error.",
     "search the app's log for the run id: this body reached code that cannot take it; validate before, "
     "answer 400"},
    {"input_validation.too_large",
     "limit the size of bodies before they are read (client_max_body_size, the body parser's limit)"},
    {"input_validation.text_plain", "refuse other content types with 415 before parsing"},
    {"input_validation.application_xml", "refuse other content types with 415 before parsing"},
    {"input_validation.deep_", "limit the depth of JSON before it is used"},
    {"input_validation.long_text", "give every text of the schema a maximum length"},
    {"",
     "validate the body against a schema before it is used (types, required fields, sizes), and answer 400"},
};

const Explanation kExplanation{
    .control = "A body that cannot be right is refused, and no body breaks the app.",
    .sends =
        "A path that cannot exist; the valid body (unless send_valid = false); then the body with one\n"
        "thing wrong at a time: truncated, malformed, each field missing, null, of another type, with a\n"
        "NUL, of 100 KB, nested 1000 deep, called text/plain and application/xml, one byte over\n"
        "max_body (the whole of it is sent); then what some correct APIs accept: an unknown property,\n"
        "__proto__, constructor.prototype, a repeated key, a quoted number, a boolean, -0, 1e309, 400\n"
        "digits, a lone surrogate, no Content-Type and odd ones, each in a body that lacks a required\n"
        "field so that it cannot succeed; at last the valid body again. About 15 requests and 8 for\n"
        "every field: 39 for three fields, 30 ms against an Express app. An app that lacks a check\n"
        "accepts what is sent to find that out, and keeps it. Of a form, NAME[hs]=... stands for the "
        "object;\n"
        "of multipart/form-data also no boundary and a wrong one, and without a required part a file\n"
        "for a text, a text for a file, an empty file, a script for it, and names of files with a path,\n"
        "a NUL, 4 KB and none.",
    .passes =
        "The valid body is accepted before and after; what no correct API accepts is refused by\n"
        "reject_status; the rest is answered, by less than 500. With send_valid = false the valid body\n"
        "is never sent: then a refusal must name the field that is missing, and another must not.",
    .fails =
        "A body that cannot be right is accepted (2xx, or redirected as the valid one is). Any answer\n"
        "of 500 or more to a body, as input_validation.server_error.NAME, where the app is well\n"
        "afterwards. mutations = \"strict\": the rest is sent in the whole body and must be refused too\n"
        "(but for upper case and another charset in Content-Type).",
    .unclear =
        "The valid body is not accepted; no answer; 401, 429 or another status that is not in\n"
        "reject_status; a 2xx that says no without a marker; an app that is not well afterwards.",
    .example =
        "[identities.alice]\nbearer = { env = \"PROBE_ALICE_TOKEN\" }\n\n"
        "[probes.orders_validated]\ntype = \"input_validation\"\npath = \"/orders\"\nas = \"alice\"\n"
        "body = '{\"sku\":\"LAMP-100\",\"quantity\":2}'\nmax_body = \"100KB\"\n",
    .references =
        "OWASP API4:2023, API8:2023; ASVS 5.0 2.2.1, 2.2.2, 4.3.1, 15.3.6, 15.3.7; CWE-20, CWE-235, CWE-770, "
        "CWE-1284, CWE-1287, CWE-1321",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics& diagnostics) {
  const Values& values = probe.values;
  Settings settings;
  settings.http = HttpKeys::from(values);
  settings.declared.content_type = content_type_of(values, settings.http);
  settings.declared.format = format_of(settings.declared.content_type);
  settings.declared.body = settings.http.body;
  if (settings.declared.format == Format::multipart)
    settings.declared.body = with_crlf(std::move(settings.declared.body));
  settings.declared.optional = values.strings("optional");
  settings.declared.max_body = static_cast<std::size_t>(values.integer("max_body"));
  settings.send_valid = values.boolean("send_valid");
  settings.strict = values.string("mutations") == "strict";
  settings.reject_status = values.statuses("reject_status");
  if (!is_right(values, settings.declared, diagnostics)) return nullptr;
  return std::make_unique<InputValidationProbe>(std::move(settings));
}

}  // namespace holdshort::input_validation
