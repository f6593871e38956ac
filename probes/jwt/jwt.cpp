// The `jwt` probe: a token that its issuer signed is accepted, and none that somebody else made.
//
// Whoever shows nothing must be refused first: where he is served, a forged token proves nothing. Then each
// forgery breaks one thing, so that the one that gets in names the flaw; claims are forged only with the
// right key, because an unsigned token that has expired is refused for its signature.
#include "probes/jwt/jwt.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "probes/jwt/forgeries.h"
#include "probes/kit/forgery.h"
#include "probes/kit/json.h"
#include "probes/kit/loopback_pages.h"
#include "probes/kit/way.h"
#include "probes/kit/wordlists.h"

namespace holdshort::jwt {

namespace {

constexpr std::string_view kCatalogues[] = {"standard", "thorough"};
constexpr Field kJudgingFields[] = {
    {.name = "forgeries",
     .kind = Kind::choice,
     .fallback = R"("standard")",
     .doc = "how many of the forgeries are tried",
     .choices = kCatalogues},
    {.name = "reject_status",
     .kind = Kind::status_list,
     .fallback = "[400, 401, 403, 422]",
     .doc = "statuses that refuse; a redirect to a login page does too"},
};

const std::vector<Field>& own_fields() {
  static const std::vector<Field> rows = [] {
    const auto token_rows = jose::token_fields();
    std::vector<Field> all(token_rows.begin(), token_rows.end());
    all.insert(all.end(), std::begin(kJudgingFields), std::end(kJudgingFields));
    return all;
  }();
  return rows;
}

const std::vector<Alternatives>& alternatives() {
  static constexpr std::string_view kWhatMakesAToken[] = {"secret", "private_key", "token", "as"};
  static const std::vector<Alternatives> rules = [] {
    std::vector<Alternatives> all = jose::token_alternatives(Alternatives::Count::at_most_one);
    all.push_back({Alternatives::Count::at_least_one, kWhatMakesAToken});
    return all;
  }();
  return rules;
}

const std::vector<std::string> kReferences{"OWASP API2:2023", "ASVS 9.1.1", "CWE-287"};
const std::vector<std::string> kUnguarded{"OWASP API2:2023", "ASVS 8.2.1", "CWE-306"};
const std::vector<std::string> kLifetime{"OWASP API2:2023", "ASVS 9.2.1", "CWE-613"};
const std::vector<std::string> kKnownKey{"OWASP API2:2023", "ASVS 9.1.3", "CWE-321", "CWE-1392"};

struct Settings {
  HttpKeys http;
  jose::TokenSource source;
  bool has_source = false;  // false: the identity `as` shows the token
  StatusSet reject_status;
  Catalogue catalogue = Catalogue::standard;
};

long long seconds_of(Wall time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// One method and path under test, with one source of tokens.
class Verification {
 public:
  Verification(const Settings& settings, ProbeContext& context, Exchange& exchange, jose::TokenSource source,
               std::string method, std::string path)
      : settings_(settings),
        context_(context),
        source_(std::move(source)),
        trial_({.method = std::move(method),
                .path = std::move(path),
                .genuine = source_.key() ? "a valid token" : "the token it was given",
                .reject_status = settings.reject_status,
                .references = kReferences,
                .make_genuine = [this](Call& call) { show(genuine_text(), call); }},
               settings.http, context, exchange) {}
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  // Adds its checks. False: nothing more can be learnt from this app in this run.
  Awaitable<bool> run(ProbeOutcome& outcome) {
    const bool goes_on = co_await begin(outcome);
    if (!goes_on) co_return false;
    co_return co_await forge(outcome);
  }

  // The token was refused by one that looked at it; where it came from a login it may have expired.
  bool refused_genuine() const {
    return !trial_.served() && settings_.reject_status.contains(trial_.status());
  }

 private:
  // --- what is genuine

  // A second older each time, so that what an answer says of a token's age is seen to vary.
  std::string genuine_text() {
    return source_.token(context_.clock.wall_now() - std::chrono::seconds(minted_++));
  }

  void show(const std::string& token, Call& call) const { call.credentials = {source_.carry(token)}; }

  // The positive control and the stranger.
  Awaitable<bool> begin(ProbeOutcome& outcome) {
    Check accepted = co_await trial_.accepted("jwt.accepted");
    explain_refusal(accepted);
    outcome.add(std::move(accepted));
    if (!trial_.answers() || (!trial_.served() && context_.pace == Pace::startup)) co_return false;
    Forgery nothing{.id = "jwt.no_token",
                    .call = trial_.call(),
                    .with = "without a token",
                    .means = "it needs none, so that forged ones prove nothing: name a path that needs one",
                    .weight = Forgery::Weight::must_be_refused,
                    .references = kUnguarded};
    Check stranger = co_await trial_.stranger(std::move(nothing));
    const Outcome seen = stranger.outcome;
    outcome.add(std::move(stranger));
    const bool ends = trial_.serves_strangers() || trial_.is_silent() || context_.ends_at(seen);
    co_return !ends;
  }

  // A given token says itself whether it is still good.
  void explain_refusal(Check& check) const {
    if (check.outcome == Outcome::pass || source_.key()) return;
    const auto token = jose::Token::parse(source_.token(context_.clock.wall_now()));
    const json::Found expiry = token ? json::at(token->claims, "/exp") : json::Found{};
    if (expiry.lookup != json::Lookup::found) return;
    constexpr std::size_t kMaxDigits = 15;
    const std::string digits = expiry.text.substr(0, expiry.text.find('.'));
    const bool is_number = !digits.empty() && digits.size() <= kMaxDigits &&
                           digits.find_first_not_of("0123456789") == std::string::npos;
    if (is_number && std::stoll(digits) <= seconds_of(context_.clock.wall_now()))
      check.summary += "; it has expired, give a new one";
  }

  // --- what is forged

  Awaitable<bool> forge(ProbeOutcome& outcome) {
    Material material;
    const std::string text = genuine_text();
    material.genuine = jose::Token::parse(text).value_or(jose::Token{});
    material.source = &source_;
    material.now = seconds_of(context_.clock.wall_now());
    material.random = &context_.random;
    co_await prepare_foreign_key();
    LoopbackPages pages;
    co_await put_up_keys(pages, material, outcome);

    std::vector<ForgedToken> forged = forged_signatures(material, settings_.catalogue);
    if (trial_.served() && source_.key()) {
      std::vector<ForgedToken> claims = forged_claims(material, settings_.catalogue);
      std::move(claims.begin(), claims.end(), std::back_inserter(forged));
    }
    if (!context_.failed_before.empty())
      std::stable_partition(forged.begin(), forged.end(),
                            [&](const ForgedToken& each) { return each.id == context_.failed_before; });
    for (const ForgedToken& each : forged) {
      Forgery forgery = made_of(each);
      Check check = co_await trial_.refused(std::move(forgery));
      if (!each.page.empty() && pages.was_fetched(each.page)) note_fetch(each, check);
      const Outcome seen = check.outcome;
      outcome.add(std::move(check));
      if (context_.ends_at(seen)) co_return false;
      if (trial_.is_silent()) co_return false;
    }
    if (!source_.key()) {
      outcome.add(claims_need_a_key());
      outcome.add(judge_lifetime(material));
    }
    if (!co_await try_known_keys(material, outcome)) co_return false;
    if (trial_.served()) outcome.add(co_await trial_.still_accepted("jwt.still_accepted"));
    co_return true;
  }

  Forgery made_of(const ForgedToken& forged) const {
    Forgery forgery{.id = forged.id,
                    .call = trial_.call(),
                    .with = forged.with,
                    .means = forged.means,
                    .weight = forged.weight,
                    .references = forged.references};
    show(forged.text, forgery.call);
    return forgery;
  }

  // Making an RSA pair takes too long for the loop.
  Awaitable<void> prepare_foreign_key() {
    const auto kind = foreign_kind(source_.algorithm);
    std::function<void()> work = [kind] { foreign_key(kind); };
    co_await context_.offload.run(std::move(work));
  }

  // --- keys that a token points at

  // Only an app on this machine can be led to a page of ours, and no other may be called.
  bool is_here() const {
    const Url& url = settings_.http.url ? *settings_.http.url : context_.app.url;
    return url.scheme == Url::Scheme::unix_socket || is_loopback(url.host) ||
           settings_.http.through_private_ip || url.host == context_.app.private_ip;
  }

  Awaitable<void> put_up_keys(LoopbackPages& pages, Material& material, ProbeOutcome& outcome) {
    std::string why = "only an app on this machine can be led to a page of holdshort's own";
    if (is_here()) {
      const Result<void> opened = co_await pages.open();
      if (!opened) why = "no page can be put up on loopback: " + opened.error().message;
    }
    if (!pages.is_open()) {
      outcome.add(skipped("jwt.jku", "keys that a token points at (jku, x5u) were not tried: " + why));
      co_return;
    }
    const std::string path = fmt::format("{:016x}{:016x}", context_.random(), context_.random());
    material.key_set_url =
        pages.add(path + "/jwks.json", "application/json", foreign_keys(source_.algorithm));
    material.chain_url =
        pages.add(path + "/chain.pem", "application/x-pem-file", foreign_chain(source_.algorithm));
  }

  // Whether or not the token then got in.
  static void note_fetch(const ForgedToken& forged, Check& check) {
    check.observed += ", and a call to the address in the token";
    if (check.outcome == Outcome::fail) return;
    check.outcome = Outcome::fail;
    check.summary =
        fmt::format("{} {}: the app called that address, so whoever sends a token chooses where it calls",
                    check.request, forged.with);
  }

  static Check skipped(std::string id, std::string why) {
    return {.id = std::move(id), .outcome = Outcome::skipped, .summary = std::move(why)};
  }

  static Check claims_need_a_key() {
    return skipped("jwt.claims", "exp, nbf, iss and aud can be forged only with the key that signs");
  }

  // An issuer that writes exp in milliseconds lets its tokens live for fifty thousand years, and every
  // verifier agrees.
  Check judge_lifetime(const Material& material) const {
    constexpr double kMaxDays = 400, kSecondsADay = 86400;
    const json::Found expiry = json::at(material.genuine.claims, "/exp");
    Check check = skipped("jwt.lifetime", "the token does not say when it ends");
    check.expected = fmt::format("an exp within {} days", kMaxDays);
    check.references = kLifetime;
    if (expiry.lookup != json::Lookup::found) return check;
    const double days =
        (std::strtod(expiry.text.c_str(), nullptr) - static_cast<double>(material.now)) / kSecondsADay;
    check.observed = days > kMaxDays ? "a later one" : "one";
    check.outcome = days > kMaxDays ? Outcome::skipped : Outcome::pass;
    check.summary = days > kMaxDays ? "the token lives for more than 400 days; is its exp in milliseconds?"
                                    : "the token ends in time";
    return check;
  }

  // --- keys that everybody knows

  Awaitable<bool> try_known_keys(const Material& material, ProbeOutcome& outcome) {
    const bool is_hmac = source_.algorithm && source_.algorithm->family == jose::Family::hmac;
    if (!source_.key()) {
      if (is_hmac && trial_.served()) outcome.add(judge_signing_key(material));
      co_return true;
    }
    if (!is_hmac) co_return true;
    const bool whole = settings_.catalogue == Catalogue::thorough;
    // Where the declared key is refused, the app runs on another: perhaps on one of these.
    const bool is_elsewhere = refused_genuine();
    if (whole || is_elsewhere) {
      std::vector<ForgedToken> fallbacks = with_fallback_keys(material);
      outcome.add(co_await refused_each(std::move(fallbacks)));
    }
    if (whole || (is_elsewhere && context_.pace == Pace::whole)) {
      std::vector<ForgedToken> published = with_published_keys(material);
      outcome.add(co_await refused_each(std::move(published)));
    }
    co_return !trial_.is_silent();
  }

  // One check for all: the first that was not refused.
  Awaitable<Check> refused_each(std::vector<ForgedToken> forged) {
    Check check;
    for (const ForgedToken& each : forged) {
      Forgery forgery = made_of(each);
      check = co_await trial_.refused(std::move(forgery));
      if (check.outcome != Outcome::pass) co_return check;
    }
    check.observed += fmt::format(", {} times", forged.size());
    co_return check;
  }

  Check judge_signing_key(const Material& material) const {
    const bool is_known = is_signed_with_known_key(material.genuine, *source_.algorithm);
    return {.id = "jwt.key_published",
            .outcome = is_known ? Outcome::fail : Outcome::pass,
            .expected = "a key that is on no list",
            .observed = is_known ? "a placeholder or a published default" : "none of the keys that are known",
            .references = kKnownKey,
            .summary = is_known ? "the token is signed with a placeholder or a published default: whoever "
                                  "looks it up signs others"
                                : "the token is signed with no key that is known"};
  }

  const Settings& settings_;
  ProbeContext& context_;
  const jose::TokenSource source_;
  ForgeryTrial trial_;
  int minted_ = 0;
};

class JwtProbe final : public Probe {
 public:
  explicit JwtProbe(Settings settings) : settings_(std::move(settings)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Exchange exchange(context, settings_.http);
    ProbeOutcome outcome;
    for (const Operation& operation : settings_.http.operations(ended_at_)) {
      const bool goes_on = co_await verify(context, exchange, operation.method, operation.path, outcome);
      ended_at_ = goes_on ? "" : operation.name();
      if (!goes_on) break;
    }
    outcome.requests = exchange.requests();
    co_return outcome;
  }

 private:
  Awaitable<bool> verify(ProbeContext& context, Exchange& exchange, std::string method, std::string path,
                         ProbeOutcome& outcome) {
    const std::size_t before = outcome.checks.size();
    bool goes_on = false;
    for (int round = 0; round < 2; ++round) {
      auto source = co_await find_source(context, exchange);
      if (!source) {
        outcome.add(no_token(method + " " + path, source.error().message));
        co_return false;
      }
      Verification verification(settings_, context, exchange, std::move(*source), method, path);
      goes_on = co_await verification.run(outcome);
      if (!verification.refused_genuine() || !exchange.forget_login(settings_.http.as)) break;
      if (round == 0) outcome.checks.resize(before);  // a login's token may have expired
    }
    co_return goes_on;
  }

  Awaitable<Result<jose::TokenSource>> find_source(ProbeContext& context, Exchange& exchange) {
    if (settings_.has_source) co_return settings_.source;
    const std::string& as = settings_.http.as;
    const auto identity = context.identities.by_name.find(as);
    const auto* minted =
        identity == context.identities.by_name.end() ? nullptr : std::get_if<JwtIdentity>(&identity->second);
    if (minted) co_return minted->token;
    const auto credentials = co_await exchange.credentials(as);
    if (!credentials) co_return tl::unexpected(credentials.error());
    for (const Header& header : *credentials)
      if (auto source = token_in(header)) co_return *source;
    co_return failure(fmt::format("what \"{}\" shows is no signed token", as));
  }

  // "Authorization: Bearer TOKEN", "Cookie: session=TOKEN", "X-Token: TOKEN".
  std::optional<jose::TokenSource> token_in(const Header& header) const {
    const bool is_cookie = same_name(header.name, "Cookie");
    const std::size_t end = header.value.rfind(is_cookie ? '=' : ' ');
    const std::size_t start = end == std::string::npos ? 0 : end + 1;
    const auto token = jose::Token::parse(std::string_view(header.value).substr(start));
    if (!token) return std::nullopt;
    jose::TokenSource source = settings_.source;  // its public keys
    source.algorithm = jose::find_algorithm(json::string_at(token->header, "/alg").value_or(""));
    source.from = Secret(header.value.substr(start));
    source.header = header.name;
    source.prefix = header.value.substr(0, start);
    source.cookie = is_cookie && start > 0 ? header.value.substr(0, start - 1) : "";
    return source;
  }

  static Check no_token(std::string request, std::string why) {
    return {.id = "jwt.accepted",
            .outcome = Outcome::inconclusive,
            .request = std::move(request),
            .expected = "2xx",
            .observed = "no token",
            .references = kReferences,
            .summary = std::move(why)};
  }

  const Settings settings_;
  std::string ended_at_;  // the operation that ended the run before
};

}  // namespace

const std::span<const Field> kFields{own_fields()};
const std::span<const Alternatives> kAlternatives{alternatives()};

constexpr Remedy kRemedies[] = {
    {"jwt.no_token",
     "the path is open to everybody: put the guard before this route, or roll back the deploy that took it "
     "away"},
    {"jwt.alg_", "pin the algorithm where tokens are verified; never take it from the token's header"},
    {"jwt.public_key_as_secret_",
     "pin the algorithm where tokens are verified: the public key was taken for a shared secret"},
    {"jwt.key_empty",
     "refuse to start without the key: an unset one verifies everything that was signed with nothing"},
    {"jwt.key_", "rotate the signing key now: tokens can be made by anybody who knows lists of keys"},
    {"jwt.kid_", "look a kid up in a fixed list of keys; never use it as a path or in a query"},
    {"jwt.jwk_", "take keys from your configuration alone, never from the token's header"},
    {"jwt.jku", "take keys from your configuration alone: never fetch an address that a token names"},
    {"jwt.x5u", "take keys from your configuration alone: never fetch an address that a token names"},
    {"jwt.jwe_", "refuse encrypted tokens, or verify the signature inside of them too"},
    {"jwt.x5c_", "take keys from your configuration alone, never from the token's header"},
    {"jwt.expired", "verify exp, with seconds of leeway at most"},
    {"jwt.exp_", "require exp, and verify it as a number"},
    {"jwt.not_before", "verify nbf"},
    {"jwt.issued_in_future", "refuse tokens issued in the future"},
    {"jwt.audience_", "require aud, and compare it with this app's own"},
    {"jwt.issuer_", "require iss, and compare it with the one you trust"},
    {"",
     "let a maintained library verify every token (verify, never decode) with the algorithm pinned, and "
     "refuse on any error"},
};

const Explanation kExplanation{
    .control = "A token is believed only where its issuer signed it, for this app and for now.",
    .sends =
        "For each path and method: a valid token (it must be served), none, then forged ones,\n"
        "then a valid one again. A token is minted from secret or private_key, or it is the one of\n"
        "`token` or of the identity `as`; with an identity of the kind jwt its key is used. Forged:\n"
        "the signature's first bit flipped, claims changed after signing, algorithm \"none\" three\n"
        "ways, a key that nobody has, an empty key, the public key as shared secret, a key inside\n"
        "the token (jwk) and at an address in it (jku, x5u), a kid that names /dev/null; and with\n"
        "the right key: expired, not yet valid, and where claims has them a wrong and a missing iss\n"
        "and aud. The address is a page of holdshort's own on 127.0.0.1, there for as long as the\n"
        "run lasts; an app on another machine is not asked. 20 requests with a secret, 23 with an\n"
        "RSA key; 20 ms against an Express app. forgeries = \"thorough\" sends about 165: other\n"
        "spellings of these, unsigned tokens inside encrypted ones, and every published key. Where\n"
        "the valid token is refused, the keys that code falls back to are tried.",
    .passes =
        "The valid token is served before and after; without a token nobody is, and every forged\n"
        "one is refused by reject_status or by a redirect to a login page.",
    .fails =
        "A forged token is served: the check names the flaw (jwt.alg_none, jwt.expired, ...). An\n"
        "app that calls the address in a token fails as jwt.jku or jwt.x5u even if it refuses the\n"
        "token afterwards: whoever sends one chooses where it calls. A path that serves strangers\n"
        "too fails as jwt.no_token. A given token that a placeholder or a published key has signed\n"
        "fails as jwt.key_published. What the declared secret itself is worth is the question of a\n"
        "probe of type secret. Leniencies that let nobody in by themselves (an unknown crit, exp as\n"
        "text, HS512 with the same key, another typ, a given token that lives for years) are\n"
        "skipped, and say so.",
    .unclear =
        "The app does not answer, answers 5xx or 404, refuses the valid token, or refuses it\n"
        "afterwards (a lockout or a limit). A 2xx that says no needs a marker. Without a key exp,\n"
        "nbf, iss and aud are not tried. In a container an app has a loopback of its own: there it\n"
        "is not seen where a token leads it, only that it does not take the token. Tokens that were\n"
        "revoked, and of callers who are gone, are not tried: nothing declares one.\n"
        "Side effects: each forged token leaves a refusal in the app's log; an app that locks out\n"
        "by the token's sub may lock that sub: give the probe one of its own, with few rights.",
    .example =
        "[probes.tokens_verified]\ntype = \"jwt\"\npath = \"/me\"\nalgorithm = \"HS256\"\n"
        "secret = { env = \"JWT_SECRET\" }\nclaims = { sub = \"probe\", iss = \"orders\", aud = "
        "\"orders-api\" }\n",
    .references =
        "OWASP API2:2023, API7:2023; ASVS 5.0 8.2.1, 9.1.1, 9.1.2, 9.1.3, 9.2.1, 9.2.2, 9.2.3; RFC 7519, RFC "
        "8725; CWE-22, "
        "CWE-89, "
        "CWE-287, CWE-306, CWE-321, CWE-327, CWE-345, CWE-347, CWE-613, CWE-918, CWE-1392",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics& diagnostics) {
  const Values& values = probe.values;
  const std::string title = fmt::format("[probes.{}]", probe.name);
  Settings settings;
  settings.http = HttpKeys::from(values);
  settings.has_source = jose::has_source(values);
  settings.source = jose::read_token_source(values, title, diagnostics);
  settings.reject_status = values.statuses("reject_status");
  settings.catalogue = values.string("forgeries") == "thorough" ? Catalogue::thorough : Catalogue::standard;
  if (!settings.has_source && settings.http.as.empty()) {
    diagnostics.error(
        values.table_place(),
        title +
            " has nothing to make a token with, expected \"secret\", \"private_key\", \"token\" "
            "or \"as\"");
    return nullptr;
  }
  if (settings.has_source && !settings.http.as.empty())
    diagnostics.warning(values.place("as"), "\"as\" has no effect beside a key or a token");
  return std::make_unique<JwtProbe>(std::move(settings));
}

}  // namespace holdshort::jwt
