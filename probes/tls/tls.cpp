// The `tls` probe: a certificate that strangers' clients accept and that lasts, and no protocol below the
// floor. The floor is seen by real handshakes that offer nothing but one old version.
#include "probes/tls/tls.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "probes/kit/channel.h"
#include "probes/kit/exchange.h"
#include "probes/kit/way.h"
#include "probes/tls/redirect.h"

namespace holdshort::tls_probe {
namespace {

using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

constexpr std::string_view kVersions[] = {"1.2", "1.3"};
constexpr std::string_view kForeignHost = "holdshort.invalid";
constexpr std::size_t kMaxNamesTold = 3;

constexpr Field kOwnFields[] = {
    {.name = "address",
     .kind = Kind::string,
     .doc = "where TLS is spoken: host:port, [IPv6]:port or unix:/path; default: of [app].url where that is "
            "https, "
            "else port 443 of [app].host",
     .min = 1},
    {.name = "min_days_left",
     .kind = Kind::integer,
     .fallback = "14",
     .doc = "for which every certificate of the chain must still be valid",
     .min = 0,
     .max = 3650},
    {.name = "min_version",
     .kind = Kind::choice,
     .fallback = R"("1.2")",
     .doc = "the oldest version of TLS that may be accepted",
     .choices = kVersions},
    {.name = "https_redirect",
     .kind = Kind::url,
     .doc = "an http URL that must redirect to https on the same host"},
};

const std::vector<std::string> kTrust{"OWASP API8:2023", "ASVS 12.2.2", "CWE-295"};
const std::vector<std::string> kOld{"OWASP API8:2023", "ASVS 12.1.1", "CWE-326"};

struct Settings {
  std::optional<Address> address;
  Days min_days_left{14};
  TlsVersion min_version = TlsVersion::v1_2;
  std::optional<Url> https_redirect;
  std::chrono::milliseconds timeout{5000};
  Via via = Via::loopback;
};

// As a certificate names it: without port and brackets.
std::string name_in(const std::string& authority) {
  if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
  return authority.substr(0, authority.find(':'));
}

std::string days_text(Days days) {
  return fmt::format("{} day{}", days.count(), days.count() == 1 ? "" : "s");
}

class TlsProbe final : public Probe {
 public:
  explicit TlsProbe(Settings settings) : settings_(std::move(settings)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    ProbeOutcome outcome;
    const Way way = way_to(address(context.app), settings_.via, context.app);
    const TlsOffer current{settings_.min_version, TlsVersion::v1_3, TlsOffer::Purpose::look};
    const TlsSeen seen = co_await shake(context, way, current, outcome);
    const bool is_served = seen.end == TlsSeen::End::established;
    if (is_served) look_at(seen, context, outcome);
    if (!is_served && context.pace == Pace::startup) {
      outcome.add(unserved(way, seen));
      co_return outcome;
    }
    bool was_closed = false;
    for (const TlsVersion old : {TlsVersion::v1_0, TlsVersion::v1_1, TlsVersion::v1_2}) {
      if (old >= settings_.min_version) break;
      const TlsOffer offer{old, old, TlsOffer::Purpose::lower};
      const TlsSeen answer = co_await shake(context, way, offer, outcome);
      was_closed = was_closed || answer.end == TlsSeen::End::closed;
      outcome.add(judge_old(way, old, answer));
    }
    // One that speaks only what is too old fails for that alone.
    const bool is_known = is_served || outcome.outcome() == Outcome::fail;
    if (!is_known) outcome.checks.insert(outcome.checks.begin(), unserved(way, seen));
    // A connection that is closed without a word may as well mean that the peer has died of it.
    if (is_served && was_closed) {
      const TlsSeen again = co_await shake(context, way, current, outcome);
      if (again.end != TlsSeen::End::established) outcome.add(unserved(way, again));
    }
    if (settings_.https_redirect) co_await look_at_redirect(context, outcome);
    co_return outcome;
  }

 private:
  Address address(const App& app) const {
    if (settings_.address) return *settings_.address;
    if (app.url.scheme == Url::Scheme::https) return Address::of(app.url);
    return {name_in(app.host), 443, {}};
  }

  Awaitable<TlsSeen> shake(ProbeContext& context, Way way, TlsOffer offer, ProbeOutcome& outcome) const {
    TlsSeen seen;
    Result<std::shared_ptr<TlsContext>> made = failure("not made");
    std::function<void()> make = [&made, offer] { made = TlsContext::make(offer); };
    co_await context.offload.run(std::move(make));
    if (!made) {
      seen.error = made.error().message;
      co_return seen;
    }
    ++outcome.requests;
    Channel channel(settings_.timeout);
    const Dialled dialled = co_await channel.connect(way.address, way.source);
    if (dialled.how != Reached::open) {
      seen.end = TlsSeen::End::timeout;
      seen.error = dialled.error;
      co_return seen;
    }
    std::string host = name_in(context.app.host);
    seen = co_await channel.start_tls(std::move(*made), std::move(host), context.clock.wall_now());
    co_return seen;
  }

  static Check check(std::string id, Outcome outcome, std::string expected, std::string observed,
                     const std::vector<std::string>& references, std::string summary) {
    return {.id = std::move(id),
            .outcome = outcome,
            .expected = std::move(expected),
            .observed = std::move(observed),
            .references = references,
            .summary = std::move(summary)};
  }

  Check unserved(const Way& way, const TlsSeen& seen) const {
    const std::string offered = settings_.min_version == TlsVersion::v1_3 ? "TLS 1.3" : "TLS 1.2 and 1.3";
    Check result = check("tls.handshake", Outcome::inconclusive, "a handshake", seen.error, kTrust,
                         fmt::format("no TLS handshake with {}: {}", way.address.text(), seen.error));
    result.request = fmt::format("handshake with {}, offering {}", way.address.text(), offered);
    if (!settings_.address) result.summary += "; declare address if TLS is spoken elsewhere";
    return result;
  }

  void look_at(const TlsSeen& seen, ProbeContext& context, ProbeOutcome& outcome) const {
    outcome.add(judge_chain(seen));
    outcome.add(judge_name(seen, name_in(context.app.host)));
    outcome.add(judge_days(seen, context.clock.wall_now()));
  }

  static Check judge_chain(const TlsSeen& seen) {
    Check result = check("tls.chain", Outcome::pass, "a chain to a certificate that is trusted", "verified",
                         kTrust, "the certificate verifies");
    if (seen.chain_error.empty()) return result;
    result.outcome = seen.has_store ? Outcome::fail : Outcome::inconclusive;
    result.observed = seen.chain_error;
    result.summary =
        seen.has_store
            ? fmt::format("the certificate does not verify: {}", seen.chain_error)
            : "there are no certificates to verify with: install ca-certificates into the image, or "
              "set SSL_CERT_FILE";
    return result;
  }

  static Check judge_name(const TlsSeen& seen, const std::string& host) {
    std::string names;
    for (std::size_t i = 0; i < std::min(seen.names.size(), kMaxNamesTold); ++i)
      names += (i > 0 ? ", " : "") + seen.names[i];
    if (seen.names.size() > kMaxNamesTold)
      names += fmt::format(" and {} more", seen.names.size() - kMaxNamesTold);
    if (names.empty()) names = "no name (a common name does not count, RFC 9525)";
    return check("tls.name", seen.is_for_host ? Outcome::pass : Outcome::fail, host, names, kTrust,
                 fmt::format("the certificate is {}for {}{}", seen.is_for_host ? "" : "not ", host,
                             seen.is_for_host ? "" : " but for " + names));
  }

  Check judge_days(const TlsSeen& seen, Wall now) const {
    const auto first = std::min_element(
        seen.chain.begin(), seen.chain.end(),
        [](const Certificate& a, const Certificate& b) { return a.not_after < b.not_after; });
    const auto last = std::max_element(
        seen.chain.begin(), seen.chain.end(),
        [](const Certificate& a, const Certificate& b) { return a.not_before < b.not_before; });
    const std::string expected = days_text(settings_.min_days_left) + " at least";
    if (first == seen.chain.end())
      return check("tls.days_left", Outcome::inconclusive, expected, "no certificate", kTrust,
                   "no certificate was seen");
    const Days left = std::chrono::floor<Days>(first->not_after - now);
    if (last->not_before > now)
      return check("tls.days_left", Outcome::fail, "valid now", "not valid yet", kTrust,
                   fmt::format("the certificate of {} is not valid yet", last->subject));
    const bool is_over = first->not_after < now;
    const std::string observed = is_over ? fmt::format("expired {} ago", days_text(-left)) : days_text(left);
    const bool lasts = !is_over && left >= settings_.min_days_left;
    return check("tls.days_left", lasts ? Outcome::pass : Outcome::fail, expected, observed, kTrust,
                 is_over ? fmt::format("the certificate of {} has {}", first->subject, observed)
                         : fmt::format("the certificate of {} is valid for {} more{}", first->subject,
                                       observed, lasts ? "" : ", expected " + expected));
  }

  static Check judge_old(const Way& way, TlsVersion old, const TlsSeen& seen) {
    using End = TlsSeen::End;
    const std::string_view name = name_of(old);
    Check result = check("tls.version", Outcome::inconclusive, "refused", seen.error, kOld,
                         fmt::format("whether {} is refused could not be seen: {}", name, seen.error));
    result.request = fmt::format("handshake with {}, offering {} alone", way.address.text(), name);
    if (seen.version == old) {
      result.outcome = Outcome::fail;
      result.observed = "accepted";
      result.summary = fmt::format("{} accepts {}", way.address.text(), name);
    } else if (seen.end == End::alert || seen.end == End::closed || seen.end == End::broken) {
      result.outcome = Outcome::pass;
      result.observed = "refused: " + seen.error;
      result.summary = fmt::format("{} is refused", name);
    }
    return result;
  }

  Awaitable<void> look_at_redirect(ProbeContext& context, ProbeOutcome& outcome) const {
    HttpKeys keys;
    keys.url = settings_.https_redirect;
    keys.timeout = settings_.timeout;
    keys.through_private_ip = settings_.via == Via::private_ip;
    const std::string path = std::exchange(keys.url->path, {});
    Exchange exchange(context, keys);
    Call call;
    call.target = path.empty() ? "/" : path;
    // By its address the app is asked in its own name, as Fly's proxy would.
    const std::string own = name_in(context.app.host);
    const bool is_by_address = keys.url->host != own && !is_public(keys.url->host);
    const std::string host = is_by_address ? own : keys.url->host;
    call.headers = {{"X-Forwarded-Proto", "http"}, {"X-Forwarded-Port", "80"},
                    {"X-Forwarded-SSL", "off"},    {"Fly-Forwarded-Proto", "http"},
                    {"Fly-Forwarded-Port", "80"},  {"Fly-Forwarded-Ssl", "off"}};
    if (is_by_address) call.headers.push_back({"Host", context.app.host});
    const std::string request = "GET " + keys.url->text() + (path.empty() ? "/" : path);
    Call foreign = call;
    foreign.headers.push_back({"X-Forwarded-Host", std::string(kForeignHost)});

    const Response response = co_await exchange.send(std::move(call));
    const Check redirect = judge_redirect(request, response, host);
    outcome.add(redirect);
    if (redirect.outcome == Outcome::pass) {
      const Response answer = co_await exchange.send(std::move(foreign));
      outcome.add(judge_foreign_host(request, answer, kForeignHost));
    }
    outcome.requests += exchange.requests();
  }

  // A name that a browser could have asked for.
  static bool is_public(const std::string& host) {
    return host != "localhost" && host.find(':') == host.npos &&
           host.find_first_not_of("0123456789.") != host.npos;
  }

  const Settings settings_;
};

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"tls.days_left",
     "renew the certificate now (fly certs check HOSTNAME), and find why it was not renewed by itself"},
    {"tls.chain", "install the whole chain (fullchain.pem), from an issuer that clients trust",
     "give the image ca-certificates, or set SSL_CERT_FILE"},
    {"tls.name", "serve a certificate for [app].host (fly certs add HOSTNAME), or mend host"},
    {"tls.version", "turn off TLS 1.0 and 1.1 where connections are accepted"},
    {"tls.redirect_host", "build redirects from the configured host, never from X-Forwarded-Host"},
    {"tls.redirect", "redirect http to https: force_https = true in fly.toml"},
    {"", "install a certificate that verifies, and turn off old versions",
     "does anything serve TLS at this address? Look at the service, then at the address"},
};

const Explanation kExplanation{
    .control =
        "Clients reach the app by TLS that they can trust: the certificate verifies and lasts, no old "
        "version, no http.",
    .sends =
        "Three handshakes with `address` (four where min_version is 1.3): one as a client of today does it, "
        "for\n"
        "[app].host, then one for each older version that offers nothing else (TLS 1.0, TLS 1.1). Where "
        "those were ended by\n"
        "closing the connection, the first once more. With https_redirect two GETs: plain, and with\n"
        "X-Forwarded-Host: holdshort.invalid. About 20 ms of CPU, most of it for reading the system's store "
        "of\n"
        "certificates; an interval of minutes is plenty. The server may log the handshakes that it refuses.",
    .passes =
        "The chain verifies against the system's store (or SSL_CERT_FILE, SSL_CERT_DIR), the certificate is "
        "for [app].host,\n"
        "every certificate of the chain is valid for min_days_left more, every older version is refused, and "
        "https_redirect\n"
        "answers with a redirect to https on the same host, whatever X-Forwarded-Host says.",
    .fails =
        "The chain does not verify (self-signed, incomplete, of an unknown issuer), the name is another, a "
        "certificate has\n"
        "expired, is not valid yet or not for long enough, an old version is accepted, or https_redirect "
        "answers 2xx or\n"
        "redirects to http or to another host.",
    .unclear =
        "No connection or no handshake; no answer to an old version; no certificates to verify with (an "
        "image without\n"
        "ca-certificates); https_redirect answers neither 2xx nor a redirect, or not at all.",
    .example =
        "[probes.tls]\ntype = \"tls\"\naddress = \"orders.example.com:443\"\nmin_days_left = 21\n"
        "https_redirect = \"http://orders.example.com/\"\ninterval = \"10m\"\n",
    .references =
        "OWASP API8:2023; ASVS 5.0 4.1.3, 12.1.1, 12.2.1, 12.2.2; CWE-295, CWE-319, CWE-326, CWE-601; RFC "
        "8996, RFC 9525",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics& diagnostics) {
  const Values& values = probe.values;
  Settings settings;
  if (const std::string& text = values.string("address"); !text.empty()) {
    const Result<Address> address = Address::parse(text);
    if (!address) {
      diagnostics.error(values.place("address"), "\"address\": " + address.error().message);
      return nullptr;
    }
    settings.address = *address;
  }
  settings.https_redirect = values.url("https_redirect");
  if (settings.https_redirect && settings.https_redirect->scheme != Url::Scheme::http) {
    diagnostics.error(values.place("https_redirect"),
                      "\"https_redirect\" is no http URL, expected the one that must redirect to https");
    return nullptr;
  }
  settings.min_days_left = Days(values.integer("min_days_left"));
  settings.min_version = values.string("min_version") == "1.3" ? TlsVersion::v1_3 : TlsVersion::v1_2;
  settings.timeout = values.duration("timeout");
  settings.via = via_of(values);
  return std::make_unique<TlsProbe>(std::move(settings));
}

}  // namespace holdshort::tls_probe
