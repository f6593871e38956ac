// The `redis` probe: the limiter's store serves whoever has its password and nobody else, and no counter in
// it lives for ever. A client without credentials sends PING and one wrong AUTH, nothing else.
#include "probes/redis/redis.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/channel.h"
#include "probes/kit/redis_client.h"
#include "probes/kit/way.h"

namespace holdshort::redis_probe {
namespace {

using Command = RedisClient::Command;
using Replies = std::vector<RedisReply>;
using Kind = holdshort::Kind;

constexpr std::size_t kKeysAtOnce = 100;  // TTLs in one write
constexpr std::size_t kMaxCursorDigits = 20;

constexpr Field kOwnFields[] = {
    {.name = "store",
     .kind = Kind::secret,
     .fallback = R"({ env = "REDIS_URL" })",
     .doc = "redis://[[user]:password@]host[:port][/database], rediss:// for TLS, or unix:/path"},
    {.name = "require_auth",
     .kind = Kind::boolean,
     .fallback = "true",
     .doc = "a client without the password must be refused"},
    {.name = "require_tls",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "the store must be rediss://, with a certificate that verifies"},
    {.name = "key_pattern",
     .kind = Kind::string,
     .doc = "the counters' keys, as SCAN matches them: \"rl:*\"; without it no key is looked at",
     .min = 1},
    {.name = "require_ttl",
     .kind = Kind::boolean,
     .fallback = "true",
     .doc = "every key that key_pattern matches must expire"},
    {.name = "sample",
     .kind = Kind::integer,
     .fallback = "200",
     .doc = "keys that are looked at in a run, at most",
     .min = 1,
     .max = 10'000},
};

const std::vector<std::string> kAuth{"OWASP API8:2023", "ASVS 13.2.1", "CWE-306"};
const std::vector<std::string> kTls{"OWASP API8:2023", "ASVS 12.3.1", "CWE-319"};
const std::vector<std::string> kExpiry{"OWASP API4:2023", "ASVS 2.4.1", "CWE-770"};

struct Settings {
  RedisUrl url;
  std::string label;  // "$REDIS_URL"
  bool require_auth = true, require_tls = false, require_ttl = true;
  std::string key_pattern;
  std::size_t sample = 200;
  std::chrono::milliseconds timeout{5000};
  Via via = Via::loopback;
};

// A reply without what may repeat something of ours.
std::string told(const RedisReply& reply) {
  switch (reply.kind) {
    case RedisReply::Kind::error:
      return reply.code().empty() ? "an error" : reply.code();
    case RedisReply::Kind::text:
      return reply.text == "PONG" || reply.text == "OK" ? reply.text : "a text";
    case RedisReply::Kind::integer:
      return "a number";
    case RedisReply::Kind::list:
      return "a list";
    case RedisReply::Kind::nothing:
      return "nothing";
  }
  return "";
}

// Why a server answers so, where that is known.
std::string_view reason_of(std::string_view code) {
  if (code == "LOADING") return "it is still loading its data";
  if (code == "DENIED")
    return "protected mode: without a password it serves loopback only; set requirepass, or an ACL";
  if (code == "NOPERM") return "the user may not do that";
  if (code == "MASTERDOWN" || code == "MISCONF") return "it is not in order itself";
  if (code == "MOVED" || code == "ASK" || code == "CLUSTERDOWN")
    return "it is a cluster: name one node's store";
  return "";
}

std::string with_reason(const std::string& observed) {
  const std::string_view reason = reason_of(observed);
  return reason.empty() ? observed : fmt::format("{} ({})", observed, reason);
}

// Redis before 6 has no code for it.
bool is_wrong_password(const RedisReply& reply) {
  return reply.code() == "WRONGPASS" || reply.text == "ERR invalid password";
}
// The server wants no password at all.
bool is_needless_auth(const RedisReply& reply) {
  return reply.kind == RedisReply::Kind::error &&
         (reply.text.find("without any password configured") != reply.text.npos ||
          reply.text.find("no password is set") != reply.text.npos);
}

class RedisProbe final : public Probe {
 public:
  explicit RedisProbe(Settings settings) : settings_(std::move(settings)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    ProbeOutcome outcome;
    const Way way = way_to(settings_.url.address, settings_.via, context.app);
    std::shared_ptr<TlsContext> tls;
    if (settings_.url.is_tls) {
      Result<std::shared_ptr<TlsContext>> made = failure("not made");
      std::function<void()> make = [&made] { made = TlsContext::make({}); };
      co_await context.offload.run(std::move(make));
      if (!made) {
        outcome.add(unreached(made.error().message));
        co_return outcome;
      }
      tls = std::move(*made);
    } else if (settings_.require_tls) {
      outcome.add(
          {.id = "redis.tls",
           .outcome = Outcome::fail,
           .expected = "rediss://",
           .observed = "redis://",
           .references = kTls,
           .summary = fmt::format("{} is a redis:// URL: passwords and counters go over the network in the "
                                  "clear; use rediss://",
                                  settings_.label)});
    }
    if (settings_.require_auth) {
      const bool was_there = co_await visit_as_stranger(context, way, tls, outcome);
      const bool is_enough = context.pace == Pace::startup && outcome.outcome() > Outcome::pass;
      if (!was_there || is_enough) co_return outcome;
    }
    co_await visit_as_owner(context, way, tls, outcome);
    co_return outcome;
  }

 private:
  // Connected, and in TLS where that is wanted. `seen` is what TLS showed.
  Awaitable<Result<void>> open(Channel& channel, ProbeContext& context, Way way,
                               std::shared_ptr<TlsContext> tls, TlsSeen& seen) const {
    Result<void> opened;
    const Dialled dialled = co_await channel.connect(std::move(way.address), std::move(way.source));
    if (dialled.how != Reached::open) {
      opened = failure(dialled.error);
    } else if (tls) {
      std::string host = settings_.url.address.host;
      seen = co_await channel.start_tls(std::move(tls), std::move(host), context.clock.wall_now());
      if (seen.end != TlsSeen::End::established) opened = failure("TLS: " + seen.error);
    }
    co_return opened;
  }

  Check unreached(const std::string& why) const {
    return {.id = "redis.authenticated",
            .outcome = Outcome::inconclusive,
            .request = "connect",
            .expected = "a Redis server",
            .observed = why,
            .references = kAuth,
            .summary = fmt::format("the store of {} cannot be seen: {}", settings_.label, why)};
  }

  // False where there was nobody to be seen.
  Awaitable<bool> visit_as_stranger(ProbeContext& context, Way way, std::shared_ptr<TlsContext> tls,
                                    ProbeOutcome& outcome) const {
    Channel channel(settings_.timeout);
    TlsSeen seen;
    const Result<void> opened = co_await open(channel, context, std::move(way), std::move(tls), seen);
    if (!opened) {
      outcome.add(unreached(opened.error().message));
      co_return false;
    }
    RedisClient client(channel);
    std::vector<Command> ping{{"PING"}};
    ++outcome.requests;
    const Result<Replies> pinged = co_await client.ask(std::move(ping));
    outcome.add(judge_stranger(pinged));
    if (!pinged || pinged->front().code() != "NOAUTH") co_return true;

    const std::string wrong = fmt::format("holdshort-{:016x}{:016x}", context.random(), context.random());
    Command auth{"AUTH"};
    if (!settings_.url.user.empty()) auth.push_back(settings_.url.user);
    auth.push_back(wrong);
    std::vector<Command> attempt;
    attempt.push_back(std::move(auth));
    ++outcome.requests;
    const Result<Replies> answered = co_await client.ask(std::move(attempt));
    outcome.add(judge_wrong_password(answered));
    co_return true;
  }

  Check judge_stranger(const Result<Replies>& replies) const {
    const std::string observed = replies ? told(replies->front()) : replies.error().message;
    Check result{.id = "redis.unauthenticated",
                 .outcome = Outcome::inconclusive,
                 .request = "PING without credentials",
                 .expected = "NOAUTH",
                 .observed = with_reason(observed),
                 .references = kAuth};
    if (!replies) {
      result.summary = fmt::format("whether the store of {} refuses strangers cannot be seen: {}",
                                   settings_.label, observed);
    } else if (replies->front().code() == "NOAUTH") {
      result.outcome = Outcome::pass;
      result.summary = "a client without credentials is refused";
    } else if (replies->front().kind == RedisReply::Kind::error) {
      result.summary = fmt::format("a client without credentials got {}", with_reason(observed));
    } else {
      result.outcome = Outcome::fail;
      result.summary = fmt::format(
          "the store of {} serves clients without credentials; set requirepass, or an ACL", settings_.label);
    }
    return result;
  }

  Check judge_wrong_password(const Result<Replies>& replies) const {
    const std::string observed = replies ? told(replies->front()) : replies.error().message;
    Check result = {.id = "redis.wrong_password",
                    .outcome = Outcome::inconclusive,
                    .request = "AUTH with a wrong password",
                    .expected = "WRONGPASS",
                    .observed = with_reason(observed),
                    .references = kAuth,
                    .summary = fmt::format("a wrong password got {}", with_reason(observed))};
    if (replies && is_wrong_password(replies->front())) {
      result.outcome = Outcome::pass;
      result.summary = "a wrong password is refused";
    } else if (replies && replies->front().is("OK")) {
      result.outcome = Outcome::fail;
      result.summary = fmt::format("the store of {} takes any password", settings_.label);
    }
    return result;
  }

  // Nothing where its certificate is right, or there is none to look at.
  std::optional<Check> judge_tls(const TlsSeen& seen) const {
    std::string wrong = seen.chain_error;
    if (wrong.empty() && !seen.is_for_host) wrong = "it is for another name";
    Check result{.id = "redis.tls",
                 .outcome = Outcome::pass,
                 .expected = "a certificate that verifies",
                 .observed = wrong.empty() ? "verified" : wrong,
                 .references = kTls,
                 .summary = "the store's certificate verifies"};
    if (wrong.empty()) return result;
    const bool fails = settings_.require_tls && seen.has_store;
    result.outcome = fails ? Outcome::fail : Outcome::inconclusive;
    result.summary = seen.has_store
                         ? fmt::format(
                               "the certificate of the store of {} does not verify: {}; no "
                               "password was sent",
                               settings_.label, wrong)
                         : "there are no certificates to verify with: install ca-certificates into the "
                           "image, or set SSL_CERT_FILE; no password was sent";
    return result;
  }

  Awaitable<void> visit_as_owner(ProbeContext& context, Way way, std::shared_ptr<TlsContext> tls,
                                 ProbeOutcome& outcome) {
    Channel channel(settings_.timeout);
    TlsSeen seen;
    const bool is_tls = tls != nullptr;
    const Result<void> opened = co_await open(channel, context, std::move(way), std::move(tls), seen);
    if (!opened) {
      outcome.add(unreached(opened.error().message));
      co_return;
    }
    if (is_tls) {
      const std::optional<Check> trusted = judge_tls(seen);
      outcome.add(*trusted);
      if (trusted->outcome != Outcome::pass) co_return;
    }
    RedisClient client(channel);
    ++outcome.requests;
    const Result<Replies> replies = co_await client.ask(greeting());
    const Check served = judge_owner(replies);
    outcome.add(served);
    if (served.outcome != Outcome::pass || !settings_.require_ttl) co_return;
    const Check counters = co_await look_for_immortals(client, context, outcome);
    outcome.add(counters);
  }

  std::vector<Command> greeting() const {
    std::vector<Command> commands;
    if (!settings_.url.password.empty()) {
      Command auth{"AUTH"};
      if (!settings_.url.user.empty()) auth.push_back(settings_.url.user);
      auth.emplace_back(settings_.url.password.reveal());
      commands.push_back(std::move(auth));
    }
    if (settings_.url.database != 0) commands.push_back({"SELECT", std::to_string(settings_.url.database)});
    commands.push_back({"PING"});
    return commands;
  }

  // The positive control: whoever has the password is served. Without it a refusal may only mean "broken".
  Check judge_owner(const Result<Replies>& replies) const {
    Check result{.id = "redis.authenticated",
                 .outcome = Outcome::inconclusive,
                 .request = "PING with the store's credentials",
                 .expected = "PONG",
                 .references = kAuth};
    if (!replies) {
      result.observed = replies.error().message;
      result.summary = fmt::format("the store of {} cannot be seen: {}", settings_.label, result.observed);
      return result;
    }
    const auto is_fault = [](const RedisReply& reply) { return !reply.is("OK") && !is_needless_auth(reply); };
    const auto fault = std::find_if(replies->begin(), replies->end() - 1, is_fault);
    const RedisReply& answer = fault == replies->end() - 1 ? replies->back() : *fault;
    result.observed = with_reason(told(answer));
    if (&answer == &replies->back() && answer.is("PONG")) {
      result.outcome = Outcome::pass;
      result.summary = fmt::format("the store of {} serves its owner", settings_.label);
    } else if (answer.code() == "NOAUTH" && settings_.url.password.empty()) {
      result.summary =
          fmt::format("{} has no password, and the store wants one: put it into the URL", settings_.label);
    } else if (is_wrong_password(answer)) {
      result.summary =
          fmt::format("the store refuses the password of {}: it is not the right one", settings_.label);
    } else {
      result.summary =
          fmt::format("the store of {} answers its owner with {}", settings_.label, result.observed);
    }
    return result;
  }

  Check expiry(Outcome outcome, std::string observed, std::string summary) const {
    return {.id = "redis.expiry",
            .outcome = outcome,
            .request = fmt::format("SCAN MATCH {}, TTL", settings_.key_pattern),
            .expected = "every key expires",
            .observed = std::move(observed),
            .references = kExpiry,
            .summary = std::move(summary)};
  }
  Check unseen_expiry(const std::string& why) const {
    return expiry(Outcome::inconclusive, why,
                  fmt::format("whether the counters expire cannot be seen: {}", why));
  }

  struct Scan {
    std::set<std::string> keys;
    std::string cursor = "0";  // to go on from; "0": at the end
  };

  Awaitable<Check> look_for_immortals(RedisClient& client, ProbeContext& context, ProbeOutcome& outcome) {
    if (settings_.key_pattern.empty()) {
      Check undeclared{.id = "redis.expiry",
                       .outcome = Outcome::skipped,
                       .references = kExpiry,
                       .summary = "without key_pattern no counter is looked at"};
      co_return undeclared;
    }
    const bool is_whole = context.pace == Pace::whole;
    Scan scan;
    if (!is_whole) scan.cursor = cursor_;
    const Result<void> scanned = co_await find_keys(client, is_whole, scan, outcome);
    if (!scanned) co_return unseen_expiry(scanned.error().message);
    std::vector<std::string> keys(scan.keys.begin(), scan.keys.end());
    const std::size_t looked_at = keys.size();
    Result<std::vector<std::string>> immortal = co_await without_expiry(client, std::move(keys), outcome);
    if (immortal && !immortal->empty()) {
      co_await context.clock.sleep_until(context.clock.now() + kSettles);
      std::vector<std::string> suspects = std::move(*immortal);
      immortal = co_await without_expiry(client, std::move(suspects), outcome);
    }
    if (!immortal) co_return unseen_expiry(immortal.error().message);
    if (!immortal->empty())
      co_return expiry(
          Outcome::fail, fmt::format("{} of {} have no expiry", immortal->size(), looked_at),
          fmt::format("{} of {} keys that match {} have no expiry: who is counted there stays counted "
                      "for ever, and the store fills up",
                      immortal->size(), looked_at, settings_.key_pattern));
    // Where something was found the same keys are looked at again, so that a repeat sees it too.
    cursor_ = scan.cursor;
    if (looked_at == 0)
      co_return expiry(Outcome::skipped, "no such key",
                       fmt::format("no key that matches {} was found", settings_.key_pattern));
    co_return expiry(Outcome::pass, fmt::format("{} keys expire", looked_at),
                     fmt::format("{} keys that match {} expire", looked_at, settings_.key_pattern));
  }

  Awaitable<Result<void>> find_keys(RedisClient& client, bool is_whole, Scan& scan,
                                    ProbeOutcome& outcome) const {
    const int rounds = is_whole ? kWholeScanRounds : kScanRounds;
    const std::string count = std::to_string(is_whole ? kWholeScanCount : kScanCount);
    Result<void> result;
    for (int round = 0; round < rounds && scan.keys.size() < settings_.sample; ++round) {
      std::vector<Command> command{{"SCAN", scan.cursor, "MATCH", settings_.key_pattern, "COUNT", count}};
      ++outcome.requests;
      const Result<Replies> replies = co_await client.ask(std::move(command));
      result = take_keys(replies, scan);
      if (!result || scan.cursor == "0") break;
    }
    co_return result;
  }

  Result<void> take_keys(const Result<Replies>& replies, Scan& scan) const {
    if (!replies) return tl::unexpected(replies.error());
    const RedisReply& reply = replies->front();
    if (reply.kind == RedisReply::Kind::error) return failure("SCAN got " + with_reason(told(reply)));
    const bool is_right = reply.kind == RedisReply::Kind::list && reply.items.size() == 2 &&
                          reply.items[1].kind == RedisReply::Kind::list &&
                          reply.items[0].text.size() <= kMaxCursorDigits &&
                          ascii::is_made_of(reply.items[0].text, ascii::is_digit);
    if (!is_right) return failure("what SCAN answers is none of its replies");
    scan.cursor = reply.items[0].text;
    for (const RedisReply& key : reply.items[1].items)
      if (scan.keys.size() < settings_.sample) scan.keys.insert(key.text);
    return {};
  }

  // Of `keys` those that live for ever. Keys that have gone meanwhile, or to another node, are none.
  static Awaitable<Result<std::vector<std::string>>> without_expiry(RedisClient& client,
                                                                    std::vector<std::string> keys,
                                                                    ProbeOutcome& outcome) {
    constexpr std::int64_t kNoExpiry = -1;
    Result<std::vector<std::string>> immortal;
    for (std::size_t begin = 0; begin < keys.size() && immortal; begin += kKeysAtOnce) {
      const std::size_t end = std::min(begin + kKeysAtOnce, keys.size());
      std::vector<Command> commands;
      for (std::size_t i = begin; i < end; ++i) commands.push_back({"TTL", keys[i]});
      ++outcome.requests;
      const Result<Replies> replies = co_await client.ask(std::move(commands));
      if (!replies) {
        immortal = tl::unexpected(replies.error());
        break;
      }
      for (std::size_t i = 0; i < replies->size() && immortal; ++i) {
        const RedisReply& reply = (*replies)[i];
        const bool has_moved = reply.code() == "MOVED" || reply.code() == "ASK";
        if (reply.kind == RedisReply::Kind::integer) {
          if (reply.integer == kNoExpiry) immortal->push_back(keys[begin + i]);
        } else if (!has_moved) {
          immortal = failure("TTL got " + with_reason(told(reply)));
        }
      }
    }
    co_return immortal;
  }

  const Settings settings_;
  std::string cursor_ = "0";  // where the next run goes on scanning
};

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"redis.tls",
     "use rediss:// with a certificate that verifies, or require_tls = false inside one Machine"},
    {"redis.expiry",
     "set the expiry in the same step as the counter (SET EX, INCR and EXPIRE in one script); delete the "
     "keys without one"},
    {"",
     "set a password now (requirepass or ACL), bind the store to 6PN, and look at what strangers did (CLIENT "
     "LIST, ACL LOG)",
     "is the store up, and are its address and credentials those of the URL? A user needs +ping, +scan and "
     "+ttl"},
};

const Explanation kExplanation{
    .control =
        "The limiter's store serves whoever has its password and nobody else, and no counter in it lives for "
        "ever.",
    .sends =
        "Two connections. Without credentials: PING, and where that was refused AUTH with a random password; "
        "nothing else.\n"
        "With the store's: AUTH, SELECT, PING; with key_pattern SCAN (at most 10 times COUNT 100 a run, "
        "going on "
        "where the\n"
        "last run ended; `check`: 100 times COUNT 1000) and TTL of at most `sample` keys; never KEYS, "
        "nothing that "
        "writes.\n"
        "About 1 ms. Redis counts the wrong password in ACL LOG.",
    .passes =
        "The stranger gets NOAUTH and WRONGPASS, the owner PONG, over a certificate that verifies where the "
        "store "
        "is rediss://,\n"
        "and every key looked at expires.",
    .fails =
        "The stranger is served, or any password is taken; require_tls and the store is redis:// or its "
        "certificate "
        "does not\n"
        "verify; a key that matches key_pattern has no expiry, twice in a row, 200 ms apart. Keys are told "
        "by the "
        "pattern alone.",
    .unclear =
        "Nobody answers, or no Redis; the owner is refused (so nothing can be said of strangers); it is "
        "loading "
        "(LOADING), or in\n"
        "protected mode (DENIED); the user may not SCAN or TTL: grant him +scan +ttl. A certificate that "
        "does not "
        "verify gets\n"
        "no password.",
    .example =
        "[probes.limiter_store]\ntype = \"redis\"\nstore = { env = \"REDIS_URL\" }\nkey_pattern = \"rl:*\"\n",
    .references = "OWASP API4:2023, API8:2023; ASVS 5.0 2.4.1, 12.3.1, 13.2.1; CWE-306, CWE-319, CWE-770",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics& diagnostics) {
  const Values& values = probe.values;
  Settings settings;
  if (const std::optional<SecretValue> store = values.secret("store"); store && store->found) {
    Result<RedisUrl> url = RedisUrl::parse(store->value.reveal());
    if (!url) {
      diagnostics.error(values.place("store"),
                        fmt::format("\"store\" refers to {}, which is no URL of a Redis server: {}",
                                    store->ref.text(), url.error().message));
      return nullptr;
    }
    settings.url = std::move(*url);
    settings.label = store->ref.text();
  }
  settings.require_auth = values.boolean("require_auth");
  settings.require_tls = values.boolean("require_tls");
  settings.require_ttl = values.boolean("require_ttl");
  settings.key_pattern = values.string("key_pattern");
  settings.sample = static_cast<std::size_t>(values.integer("sample"));
  settings.timeout = values.duration("timeout");
  settings.via = via_of(values);
  return std::make_unique<RedisProbe>(std::move(settings));
}

}  // namespace holdshort::redis_probe
