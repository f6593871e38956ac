// The `webhook` probe: an event is believed only where its sender signed it, just now and just so.
//
// A signed event that nobody acts on is accepted (positive control); unsigned, signed with another key,
// changed, and old ones are refused; the signed one is accepted still.
#include "probes/webhook/webhook.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/forgery.h"
#include "probes/webhook/scheme.h"

namespace holdshort::webhook {

namespace {

// Older than any tolerance in use: Stripe's libraries and Slack's manual take five minutes.
constexpr std::int64_t kOld = 600;  // seconds
constexpr std::size_t kKeyBytes = 32;

constexpr std::string_view kSchemes[] = {"github", "stripe", "slack"};
constexpr Field kSchemeFields[] = {
    {.name = "header",
     .kind = Kind::string,
     .doc = "the header that carries the signature",
     .required = true},
    {.name = "algorithm",
     .kind = Kind::string,
     .fallback = R"("sha256")",
     .doc = "the digest of the HMAC: sha256, sha512, sha384 or sha1"},
    {.name = "format",
     .kind = Kind::string,
     .fallback = R"("{hex}")",
     .doc = "the header's value, with one of {hex}, {base64} and {base64url} in it; with {timestamp}, which "
            "is the "
            "time in seconds, \"{timestamp}.{body}\" is signed, else the body"},
};
constexpr Field kOwnFields[] = {
    {.name = "secret", .kind = Kind::secret, .doc = "what sender and app share", .required = true},
    {.name = "scheme",
     .kind = Kind::choice_or_table,
     .fallback = R"("github")",
     .doc = "how the sender signs; { header = \"X-Signature\", algorithm = \"sha256\", format = "
            "\"sha256={hex}\" } "
            "for others",
     .choices = kSchemes,
     .fields = kSchemeFields},
    {.name = "reject_status",
     .kind = Kind::status_list,
     .fallback = "[400, 401, 403]",
     .doc = "statuses that refuse"},
    {.name = "method",
     .kind = Kind::method,
     .fallback = R"("POST")",
     .doc = "the method that events come with"},
};

const std::vector<std::string> kUnsigned{"OWASP API2:2023", "ASVS 4.1.5", "CWE-345"};
const std::vector<std::string> kForged{"OWASP API2:2023", "ASVS 4.1.5", "CWE-347"};
const std::vector<std::string> kUnset{"OWASP API2:2023", "ASVS 4.1.5", "CWE-347", "CWE-1188"};
const std::vector<std::string> kReplayed{"OWASP API2:2023", "ASVS 4.1.5", "CWE-294"};

struct Settings {
  HttpKeys http;
  Secret secret;
  Scheme scheme;
  bool has_body = false;  // a declared event instead of the scheme's own
  StatusSet reject_status;
};

// One method and path under test.
class Reception {
 public:
  Reception(const Settings& settings, ProbeContext& context, Exchange& exchange,
            std::vector<Header> credentials, std::string method, std::string path)
      : settings_(settings),
        context_(context),
        credentials_(std::move(credentials)),
        trial_({.method = std::move(method),
                .path = std::move(path),
                .genuine = "a signed event",
                .reject_status = settings.reject_status,
                .references = kUnsigned,
                .make_genuine = [this](Call& call) { fill(call, event(), {}); }},
               settings.http, context, exchange) {}
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  // Adds its checks. False: nothing more can be learnt from this app in this run.
  Awaitable<bool> run(ProbeOutcome& outcome) {
    Check accepted = co_await trial_.accepted("webhook.accepted");
    if (!trial_.served() && trial_.answers() && !settings_.has_body)
      accepted.summary += "; if it is the event that the app does not know, declare a body";
    outcome.add(std::move(accepted));
    if (!trial_.answers() || (!trial_.served() && context_.pace == Pace::startup)) co_return false;
    Check stranger = co_await trial_.stranger(without_signature());
    bool ends = ends_after(stranger);
    outcome.add(std::move(stranger));
    std::vector<Forgery> forged = forgeries();
    for (Forgery& forgery : forged) {
      if (ends) co_return false;
      Check check = co_await trial_.refused(std::move(forgery));
      ends = ends_after(check);
      outcome.add(std::move(check));
    }
    if (trial_.served()) outcome.add(co_await trial_.still_accepted("webhook.still_accepted"));
    co_return true;
  }

 private:
  bool ends_after(const Check& check) const { return trial_.is_silent() || context_.ends_at(check.outcome); }

  std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(context_.clock.wall_now().time_since_epoch())
        .count();
  }

  // Another one each time, so that none is taken for a repetition.
  std::string event() {
    if (settings_.has_body) return settings_.http.body;
    return no_op(settings_.scheme, fmt::format("{:016x}", context_.random()), now());
  }

  // `signature` empty: a right one.
  void fill(Call& call, std::string body, std::vector<Header> signature) const {
    call.credentials = credentials_;
    if (signature.empty()) signature = signed_headers(settings_.secret.reveal(), body, now(), now());
    add_event_headers(call);
    call.headers.insert(call.headers.end(), signature.begin(), signature.end());
    call.body = std::move(body);
  }

  // The probe's own headers say it better.
  void add_event_headers(Call& call) const {
    std::vector<Header> headers = settings_.has_body ? std::vector<Header>{} : settings_.scheme.headers;
    headers.push_back({"Content-Type", "application/json"});
    for (Header& header : headers)
      if (!find_header(settings_.http.headers, header.name)) call.headers.push_back(std::move(header));
  }

  std::vector<Header> signed_headers(std::string_view key, std::string_view body, std::int64_t signed_at,
                                     std::int64_t shown_at) const {
    return sign(settings_.scheme, {.key = key, .body = body, .signed_at = signed_at, .shown_at = shown_at});
  }

  Forgery forgery(const char* id, std::string body, std::vector<Header> signature, const char* with,
                  const char* means, const std::vector<std::string>& references) const {
    Forgery forgery{.id = id,
                    .call = trial_.call(),
                    .with = with,
                    .means = means,
                    .weight = Forgery::Weight::must_be_refused,
                    .references = references};
    fill(forgery.call, std::move(body), std::move(signature));
    return forgery;
  }

  // Slack's time stays: only the signature is missing.
  Forgery without_signature() {
    std::string body = event();
    std::vector<Header> headers = signed_headers(settings_.secret.reveal(), body, now(), now());
    std::erase_if(headers, [&](const Header& header) { return header.name == settings_.scheme.header; });
    Forgery nothing{.id = "webhook.unsigned",
                    .call = trial_.call(),
                    .with = "without a signature",
                    .means = "anybody can send events",
                    .weight = Forgery::Weight::must_be_refused,
                    .references = kUnsigned};
    add_event_headers(nothing.call);
    nothing.call.credentials = credentials_;
    nothing.call.headers.insert(nothing.call.headers.end(), headers.begin(), headers.end());
    nothing.call.body = std::move(body);
    return nothing;
  }

  std::vector<Forgery> forgeries() {
    const std::string_view secret = settings_.secret.reveal();
    const std::string body = event(), other_key = random_key(), another_key = random_key();
    const std::int64_t time = now();
    std::vector<Forgery> list;
    list.push_back(forgery("webhook.wrong_key", body, signed_headers(other_key, body, time, time),
                           "with a signature by a key that nobody has", "signatures are not verified",
                           kForged));
    list.push_back(forgery("webhook.empty_key", body, signed_headers("", body, time, time),
                           "with a signature by an empty key", "the app's secret is not set", kUnset));
    list.push_back(forgery("webhook.changed_body", changed(body), signed_headers(secret, body, time, time),
                           "with a body that was changed after it was signed",
                           "the signature is not of the body", kForged));
    if (settings_.scheme.has_timestamp()) {
      list.push_back(forgery("webhook.replayed", body, signed_headers(secret, body, time - kOld, time - kOld),
                             "with an event that was signed ten minutes ago", "old events can be replayed",
                             kReplayed));
      list.push_back(forgery("webhook.changed_timestamp", body,
                             signed_headers(secret, body, time - kOld, time),
                             "with an old event that says it is new", "the time is not signed", kReplayed));
    }
    list.push_back(twice(body, signed_headers(other_key, body, time, time),
                         signed_headers(another_key, body, time, time)));
    return list;
  }

  // Beyond what the schemes ask for: comparing two signatures as one text breaks some apps, which lets nobody
  // in.
  Forgery twice(const std::string& body, std::vector<Header> first, const std::vector<Header>& second) const {
    first.push_back(second.front());
    Forgery twice = forgery("webhook.duplicated_signature", body, std::move(first),
                            "with two signatures, both by keys that nobody has",
                            "a repeated header gets past the verification", kForged);
    twice.weight = Forgery::Weight::must_not_be_served;
    return twice;
  }

  std::string random_key() {
    std::string key;
    for (std::size_t i = 0; i < kKeyBytes; ++i) key += static_cast<char>(context_.random() & 0xFF);
    return key;
  }

  const Settings& settings_;
  ProbeContext& context_;
  const std::vector<Header> credentials_;
  ForgeryTrial trial_;
};

class WebhookProbe final : public Probe {
 public:
  explicit WebhookProbe(Settings settings) : settings_(std::move(settings)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Exchange exchange(context, settings_.http);
    ProbeOutcome outcome;
    const auto credentials = co_await exchange.credentials(settings_.http.as);
    if (!credentials) {
      outcome.add(no_credentials(credentials.error().message));
      outcome.requests = exchange.requests();
      co_return outcome;
    }
    for (const Operation& operation : settings_.http.operations(ended_at_)) {
      Reception reception(settings_, context, exchange, *credentials, operation.method, operation.path);
      const bool goes_on = co_await reception.run(outcome);
      ended_at_ = goes_on ? "" : operation.name();
      if (!goes_on) break;
    }
    // A login's token may have expired.
    if (outcome.outcome() == Outcome::inconclusive) exchange.forget_login(settings_.http.as);
    outcome.requests = exchange.requests();
    co_return outcome;
  }

 private:
  static Check no_credentials(std::string why) {
    return {.id = "webhook.accepted",
            .outcome = Outcome::inconclusive,
            .expected = "2xx",
            .observed = "no credentials",
            .references = kUnsigned,
            .summary = std::move(why)};
  }

  const Settings settings_;
  std::string ended_at_;  // the operation that ended the run before
};

Result<Scheme> scheme_of(const Values& values) {
  if (!values.is_table("scheme")) return *find_scheme(values.string("scheme"));
  const Values& table = *values.table("scheme");
  if (!ascii::is_token(table.string("header"))) return failure("\"header\" is no name of a header");
  return custom_scheme(table.string("header"), table.string("algorithm"), table.string("format"));
}

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"webhook.unsigned", "refuse events without a signature, before anything is done with them"},
    {"webhook.replayed", "refuse events whose signed time is more than five minutes away"},
    {"webhook.changed_timestamp", "sign and verify time and body together, as the sender documents it"},
    {"webhook.empty_key",
     "refuse to start without the signing secret: an unset one verifies everything that was signed with "
     "nothing"},
    {"",
     "compute the HMAC over the raw body with the sender's secret, compare in constant time, refuse what "
     "differs"},
};

const Explanation kExplanation{
    .control = "An event is believed only where its sender signed it, just now and just so.",
    .sends =
        "For each path: a signed event that nobody acts on (GitHub's ping, Stripe's event\n"
        "holdshort.noop, Slack's url_verification; `body` declares another), which must be\n"
        "accepted; then the event without a signature, signed with a random and with the empty key,\n"
        "with its body changed after signing, with two wrong signatures; for schemes with a time\n"
        "also one that was signed ten minutes ago, and that one with the time put right; then a\n"
        "signed one again. POST, 7 requests, 9 with a time; 6 ms against an Express app.",
    .passes =
        "The signed event is answered 2xx before and after, and every other one is refused by\n"
        "reject_status.",
    .fails =
        "One that is not signed rightly is accepted: the check names the flaw (webhook.unsigned,\n"
        "webhook.replayed, ...).",
    .unclear =
        "The app does not answer, answers 5xx or 404, or refuses the signed event: is it the\n"
        "secret, or an event that the app does not know? An app that accepts everything with 2xx\n"
        "and drops what is forged later cannot be told from one that believes it: it fails. A 2xx\n"
        "that says no needs a marker.\n"
        "Side effects: two or three events that must not matter are accepted a run; the others\n"
        "leave refusals in the app's log.",
    .example =
        "[probes.stripe_signed]\ntype = \"webhook\"\npath = \"/webhooks/stripe\"\nscheme = \"stripe\"\n"
        "secret = { env = \"STRIPE_WEBHOOK_SECRET\" }\n",
    .references = "OWASP API2:2023, API10:2023; ASVS 5.0 4.1.5, 6.8.2; CWE-294, CWE-345, CWE-347, CWE-1188",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics& diagnostics) {
  const Values& values = probe.values;
  Settings settings;
  settings.http = HttpKeys::from(values);
  settings.has_body = values.has("body");
  settings.reject_status = values.statuses("reject_status");
  if (const std::optional<SecretValue> secret = values.secret("secret")) settings.secret = secret->value;
  const Result<Scheme> scheme = scheme_of(values);
  if (!scheme) {
    diagnostics.error(values.place("scheme"), "\"scheme\": " + scheme.error().message);
    return nullptr;
  }
  settings.scheme = *scheme;
  return std::make_unique<WebhookProbe>(std::move(settings));
}

}  // namespace holdshort::webhook
