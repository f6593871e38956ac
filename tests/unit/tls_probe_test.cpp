// The tls probe against servers that are right, that are wrong in one way each, that hang, lie and are not
// there.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ssl.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/tls/redirect.h"
#include "tests/support/certificates.h"
#include "tests/support/configured_probe.h"
#include "tests/support/raw_server.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::FakeClock;
using testing_support::find;
using testing_support::issue;
using testing_support::Issued;
using testing_support::no_answer;
using testing_support::Peer;
using testing_support::RawServer;
using testing_support::Sent;
using testing_support::Stage;
using testing_support::Trusted;
using testing_support::Wanted;

constexpr auto kDay = 24h;
const Wall kNow = FakeClock().wall;

// For orders.example.com, as the configuration under test has it.
Wanted good() {
  return {.names = "DNS:www.example.com,DNS:orders.example.com",
          .begins = kNow - 10 * kDay,
          .ends = kNow + 60 * kDay};
}

// What a server does with a connection before TLS, or instead of it.
using Before = std::function<Awaitable<bool>(std::shared_ptr<Peer>)>;

class TlsServer {
 public:
  TlsServer(asio::io_context& loop, const Issued& issued, int oldest = TLS1_2_VERSION,
            int newest = TLS1_3_VERSION)
      : server_(loop, [this](std::shared_ptr<Peer> peer) { return serve(std::move(peer), this); }) {
    SSL_CTX* const context = context_.native_handle();
    testing_support::use(context, issued);
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context, oldest);
    SSL_CTX_set_max_proto_version(context, newest);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  SSL_CTX* context() { return context_.native_handle(); }

  Before before;
  std::vector<std::string> seen_names;

 private:
  static Awaitable<void> serve(std::shared_ptr<Peer> peer, TlsServer* self) {
    if (self->before) {
      const bool goes_on = co_await self->before(peer);
      if (!goes_on) co_return;
    }
    ssl::stream<tcp::socket&> stream(peer->socket, self->context_);
    error_code failed;
    co_await stream.async_handshake(ssl::stream_base::server,
                                    asio::redirect_error(asio::use_awaitable, failed));
    if (const char* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name))
      self->seen_names.emplace_back(name);
    co_await peer->wait();
  }
  ssl::context context_{ssl::context::tls_server};
  RawServer server_;
};

// The probe on `server`, which lives on the loop of `stage`.
ProbeOutcome run(Stage& stage, const std::string& address, const std::string& keys = "") {
  ConfiguredProbe configured("[probes.p]\ntype = \"tls\"\naddress = \"" + address + "\"\n" + keys + "\n");
  return configured.run(stage);
}

Stage stage_without_http() {
  static const testing_support::FakeEnvironment kEmpty;
  return Stage([](const Sent&) { return no_answer(Ended::refused); }, kEmpty);
}

std::vector<std::string> ids_of(const ProbeOutcome& outcome, Outcome which) {
  std::vector<std::string> ids;
  for (const Check& check : outcome.checks)
    if (check.outcome == which) ids.push_back(check.id);
  return ids;
}

TEST(TlsProbe, PassesAServerThatIsInOrder) {
  const Issued issued = issue(good());
  const Trusted trusted(issued);
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued);
  const ProbeOutcome outcome = run(stage, server.address());
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_THAT(ids_of(outcome, Outcome::pass),
              ElementsAre("tls.chain", "tls.name", "tls.days_left", "tls.version", "tls.version"));
  EXPECT_EQ(outcome.requests, 3);
  EXPECT_EQ(server.seen_names.at(0), "orders.example.com");
}

// --- the certificate

TEST(TlsProbe, ACertificateOfNobodyKnownFails) {
  const Issued trusted_one = issue(good());
  const Trusted trusted(trusted_one);
  const Issued issued = issue(good());
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued);
  const ProbeOutcome outcome = run(stage, server.address());
  EXPECT_THAT(ids_of(outcome, Outcome::fail), ElementsAre("tls.chain"));
  EXPECT_THAT(outcome.summary(), HasSubstr("self"));
}

TEST(TlsProbe, AChainWithoutItsIntermediateFails) {
  Wanted authority = good();
  authority.is_authority = true;
  authority.common_name = "root";
  const Issued root = issue(authority);
  const Trusted trusted(root);
  authority.common_name = "intermediate";
  authority.by = &root;
  const Issued intermediate = issue(authority);
  Wanted wanted = good();
  wanted.by = &intermediate;
  const Issued issued = issue(wanted);
  Stage stage = stage_without_http();
  TlsServer incomplete(stage.loop, issued);
  EXPECT_THAT(ids_of(run(stage, incomplete.address()), Outcome::fail), ElementsAre("tls.chain"));
  TlsServer complete(stage.loop, issued);
  SSL_CTX_add1_chain_cert(complete.context(), intermediate.certificate.get());
  EXPECT_EQ(run(stage, complete.address()).outcome(), Outcome::pass);
}

TEST(TlsProbe, AnIntermediateThatEndsSoonIsNamed) {
  Wanted authority = good();
  authority.is_authority = true;
  authority.common_name = "root";
  const Issued root = issue(authority);
  const Trusted trusted(root);
  authority.common_name = "intermediate";
  authority.by = &root;
  authority.ends = kNow + 3 * kDay;
  const Issued intermediate = issue(authority);
  Wanted wanted = good();
  wanted.by = &intermediate;
  const Issued issued = issue(wanted);
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued);
  SSL_CTX_add1_chain_cert(server.context(), intermediate.certificate.get());
  const ProbeOutcome outcome = run(stage, server.address());
  EXPECT_THAT(ids_of(outcome, Outcome::fail), ElementsAre("tls.days_left"));
  EXPECT_EQ(outcome.summary(),
            "the certificate of intermediate is valid for 3 days more, expected 14 days at least");
}

TEST(TlsProbe, WithoutAnyCertificateToTrustNothingCanBeSaid) {
  ::setenv("SSL_CERT_FILE", "/nonexistent", 1);
  ::setenv("SSL_CERT_DIR", "/nonexistent", 1);
  const Issued issued = issue(good());
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued);
  const ProbeOutcome outcome = run(stage, server.address());
  ::unsetenv("SSL_CERT_FILE");
  ::unsetenv("SSL_CERT_DIR");
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_THAT(outcome.summary(), HasSubstr("install ca-certificates"));
}

struct NameRow {
  const char* name;
  const char* names;
  Outcome outcome;
};
class TlsProbeName : public testing::TestWithParam<NameRow> {};
const NameRow kNames[] = {
    {"ItsOwn", "DNS:orders.example.com", Outcome::pass},
    {"OneOfSeveral", "DNS:a.example.com,DNS:ORDERS.example.com", Outcome::pass},
    {"AWildcard", "DNS:*.example.com", Outcome::pass},
    {"AWildcardCoversOneLabel", "DNS:*.com", Outcome::fail},
    {"AnotherName", "DNS:shop.example.com", Outcome::fail},
    {"ACommonNameAloneDoesNotCount", "", Outcome::fail},
};
TEST_P(TlsProbeName, Judges) {
  Wanted wanted = good();
  wanted.names = GetParam().names;
  wanted.common_name = "orders.example.com";
  const Issued issued = issue(wanted);
  const Trusted trusted(issued);
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued);
  const ProbeOutcome outcome = run(stage, server.address());
  EXPECT_EQ(name_of(find(outcome, "tls.name")->outcome), name_of(GetParam().outcome));
  EXPECT_EQ(find(outcome, "tls.chain")->outcome, Outcome::pass);
}
INSTANTIATE_TEST_SUITE_P(Table, TlsProbeName, testing::ValuesIn(kNames),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(TlsProbe, ACertificateForAnotherNameIsToldWithItsNames) {
  Wanted wanted = good();
  wanted.names = "DNS:a.test,DNS:b.test,DNS:c.test,DNS:d.test";
  const Issued issued = issue(wanted);
  const Trusted trusted(issued);
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued);
  EXPECT_EQ(run(stage, server.address()).summary(),
            "the certificate is not for orders.example.com but for a.test, b.test, c.test and 1 more");
}

struct DaysRow {
  const char* name;
  std::chrono::hours begins, ends;
  const char* keys;
  Outcome outcome;
  const char* observed;
};
class TlsProbeDays : public testing::TestWithParam<DaysRow> {};
const DaysRow kDays[] = {
    {"Expired", -90 * kDay, -25h, "", Outcome::fail, "expired 2 days ago"},
    {"ExpiredThisMinute", -90 * kDay, -1h, "min_days_left = 0", Outcome::fail, "expired 1 day ago"},
    {"EndsTooSoon", -90 * kDay, 14 * kDay - 1h, "", Outcome::fail, "13 days"},
    {"LastsJustLongEnough", -90 * kDay, 14 * kDay, "", Outcome::pass, "14 days"},
    {"MoreIsWanted", -90 * kDay, 14 * kDay, "min_days_left = 30", Outcome::fail, "14 days"},
    {"LessIsWanted", -90 * kDay, 1 * kDay, "min_days_left = 1", Outcome::pass, "1 day"},
    {"NotValidYet", 1h, 90 * kDay, "", Outcome::fail, "not valid yet"},
};
TEST_P(TlsProbeDays, Judges) {
  Wanted wanted = good();
  wanted.begins = kNow + GetParam().begins;
  wanted.ends = kNow + GetParam().ends;
  const Issued issued = issue(wanted);
  const Trusted trusted(issued);
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued);
  const ProbeOutcome outcome = run(stage, server.address(), GetParam().keys);
  const Check* check = find(outcome, "tls.days_left");
  ASSERT_NE(check, nullptr);
  EXPECT_EQ(name_of(check->outcome), name_of(GetParam().outcome));
  EXPECT_EQ(check->observed, GetParam().observed);
  // Time is told once.
  EXPECT_EQ(find(outcome, "tls.chain")->outcome, Outcome::pass);
}
INSTANTIATE_TEST_SUITE_P(Table, TlsProbeDays, testing::ValuesIn(kDays),
                         [](const auto& row) { return std::string(row.param.name); });

// --- the floor

struct VersionRow {
  const char* name;
  int oldest, newest;
  const char* keys;
  Outcome outcome;
  const char* summary;
};
class TlsProbeVersions : public testing::TestWithParam<VersionRow> {};
const VersionRow kVersions[] = {
    {"Tls10IsTooOld", TLS1_VERSION, TLS1_3_VERSION, "", Outcome::fail, "accepts TLS 1.0"},
    {"Tls11IsTooOld", TLS1_1_VERSION, TLS1_3_VERSION, "", Outcome::fail, "accepts TLS 1.1"},
    {"Tls12IsRight", TLS1_2_VERSION, TLS1_2_VERSION, "", Outcome::pass, ""},
    {"Tls13AloneIsRight", TLS1_3_VERSION, TLS1_3_VERSION, "", Outcome::pass, ""},
    {"Tls12IsTooOldWhere13IsTheFloor", TLS1_2_VERSION, TLS1_3_VERSION, "min_version = \"1.3\"", Outcome::fail,
     "accepts TLS 1.2"},
    {"Tls13IsTheFloor", TLS1_3_VERSION, TLS1_3_VERSION, "min_version = \"1.3\"", Outcome::pass, ""},
    {"OnlyOldOnesFailForThatAlone", TLS1_VERSION, TLS1_1_VERSION, "", Outcome::fail, "accepts TLS 1.0"},
};
TEST_P(TlsProbeVersions, AreJudgedByHandshakes) {
  const Issued issued = issue(good());
  const Trusted trusted(issued);
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued, GetParam().oldest, GetParam().newest);
  const ProbeOutcome outcome = run(stage, server.address(), GetParam().keys);
  EXPECT_EQ(name_of(outcome.outcome()), name_of(GetParam().outcome)) << outcome.summary();
  EXPECT_THAT(outcome.summary(), HasSubstr(GetParam().summary));
  for (const Check& check : outcome.checks) {
    if (check.outcome == Outcome::fail) {
      EXPECT_EQ(check.id, "tls.version");
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Table, TlsProbeVersions, testing::ValuesIn(kVersions),
                         [](const auto& row) { return std::string(row.param.name); });

Awaitable<void> close_at_once(std::shared_ptr<Peer> peer) {
  std::array<char, 64> some{};
  error_code ignored;
  co_await peer->socket.async_read_some(asio::buffer(some),
                                        asio::redirect_error(asio::use_awaitable, ignored));
  peer->reset();
}
Awaitable<void> hang(std::shared_ptr<Peer> peer) { co_await peer->wait(); }
Awaitable<void> speak_http(std::shared_ptr<Peer> peer) {
  co_await peer->write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  co_await peer->wait();
}

// What a server does with each connection in turn: null for TLS as usual; the last goes for all that follow.
using Treatment = Awaitable<void> (*)(std::shared_ptr<Peer>);
Awaitable<bool> treat(std::shared_ptr<Peer> peer, Treatment treatment) {
  if (treatment) co_await treatment(peer);
  co_return treatment == nullptr;
}
Before in_turn(std::vector<Treatment> treatments) {
  return [treatments, count = std::size_t{0}](std::shared_ptr<Peer> peer) mutable {
    return treat(std::move(peer), treatments[std::min(count++, treatments.size() - 1)]);
  };
}

TEST(TlsProbe, ClosingOnAnOldVersionIsARefusalWhereTheServerLivesOn) {
  const Issued issued = issue(good());
  const Trusted trusted(issued);
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued);
  server.before = in_turn({nullptr, close_at_once, nullptr});
  const ProbeOutcome outcome = run(stage, server.address());
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_EQ(outcome.requests, 4);
}

TEST(TlsProbe, AServerThatDiesOfAnOldVersionHasNotRefusedIt) {
  const Issued issued = issue(good());
  const Trusted trusted(issued);
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued);
  server.before = in_turn({nullptr, close_at_once});
  const ProbeOutcome outcome = run(stage, server.address());
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_EQ(outcome.worst()->id, "tls.handshake");
}

TEST(TlsProbe, SilenceOnAnOldVersionIsNoRefusal) {
  const Issued issued = issue(good());
  const Trusted trusted(issued);
  Stage stage = stage_without_http();
  TlsServer server(stage.loop, issued);
  server.before = in_turn({nullptr, nullptr, hang});
  const ProbeOutcome outcome = run(stage, server.address(), "timeout = \"100ms\"");
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_EQ(outcome.worst()->id, "tls.version");
  EXPECT_THAT(outcome.summary(),
              HasSubstr("whether TLS 1.1 is refused could not be seen: no TLS handshake in time"));
}

// --- nothing to see

TEST(TlsProbe, NobodyThereIsInconclusive) {
  Stage stage = stage_without_http();
  const tcp::socket bound(stage.loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const ProbeOutcome outcome = run(stage, "127.0.0.1:" + std::to_string(bound.local_endpoint().port()));
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_TRUE(ids_of(outcome, Outcome::pass).empty());
  EXPECT_EQ(outcome.worst()->id,
            "tls.handshake");  // the old versions that were not seen either come after it
  EXPECT_THAT(outcome.summary(), HasSubstr("connection refused"));
}

TEST(TlsProbe, APeerThatSpeaksAnotherProtocolIsInconclusive) {
  Stage stage = stage_without_http();
  const RawServer server(stage.loop, speak_http);
  const ProbeOutcome outcome = run(stage, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_TRUE(ids_of(outcome, Outcome::pass).empty());
  EXPECT_THAT(find(outcome, "tls.handshake")->summary, HasSubstr("speaks no TLS"));
}

TEST(TlsProbe, AtStartupItEndsWithTheFirstHandshake) {
  Stage stage = stage_without_http();
  stage.pace = Pace::startup;
  const RawServer server(stage.loop, hang);
  const ProbeOutcome outcome = run(stage, "127.0.0.1:" + std::to_string(server.port()), "timeout = \"50ms\"");
  EXPECT_EQ(outcome.checks.size(), 1u);
  EXPECT_EQ(outcome.requests, 1);
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
}

// --- http to https

struct DestinationRow {
  const char* location;
  const char* scheme;
  const char* host;
};
TEST(TlsRedirect, ALocationIsReadAsBrowsersDo) {
  const DestinationRow rows[] = {
      {"https://orders.example.com/", "https", "orders.example.com"},
      {"HTTPS://Orders.Example.com:443/x", "https", "orders.example.com"},
      {"https://orders.example.com./", "https", "orders.example.com"},
      {"https://[::1]:8443/", "https", "[::1]"},
      {"https://orders.example.com@evil.test/", "https", "evil.test"},
      {"https:\\\\evil.test\\@orders.example.com", "https", "evil.test"},
      {"https://evil.test?orders.example.com", "https", "evil.test"},
      {"//evil.test/", "", "evil.test"},
      {"///evil.test/", "", "evil.test"},
      {"https:evil.test", "https", "evil.test"},
      {"https:/evil.test", "https", "evil.test"},
      {"/login", "", ""},
      {"/x?next=https://orders.example.com/", "", ""},
      {"", "", ""},
  };
  for (const auto& [location, scheme, host] : rows) {
    EXPECT_EQ(tls_probe::destination_of(location).scheme, scheme) << location;
    EXPECT_EQ(tls_probe::destination_of(location).host, host) << location;
  }
}

Response redirect(const std::string& location, int status = 301) {
  return answer(status, "", {{"Location", location}});
}

struct RedirectRow {
  const char* name;
  Response response;
  Outcome outcome;
};
class TlsRedirectAnswer : public testing::TestWithParam<RedirectRow> {};
const RedirectRow kRedirects[] = {
    {"ToHttps", redirect("https://orders.example.com/"), Outcome::pass},
    {"Temporarily", redirect("https://orders.example.com/", 307), Outcome::pass},
    {"ToAnotherPort", redirect("https://orders.example.com:8443/"), Outcome::pass},
    {"ToAnotherHost", redirect("https://evil.test/"), Outcome::fail},
    {"ToHttp", redirect("http://orders.example.com/home"), Outcome::fail},
    {"ToAPathOverHttp", redirect("/home"), Outcome::fail},
    {"ToWhereItCameFrom", redirect("//orders.example.com/"), Outcome::fail},
    {"Served", answer(200, "hello"), Outcome::fail},
    {"ARedirectInThePageIsNone",
     answer(200, "<meta http-equiv=refresh content='0;https://orders.example.com'>"), Outcome::fail},
    {"Refused", answer(403), Outcome::inconclusive},
    {"NotThere", answer(404), Outcome::inconclusive},
    {"Broken", answer(503), Outcome::inconclusive},
    {"NotModifiedIsNoRedirect", redirect("https://orders.example.com/", 304), Outcome::inconclusive},
    {"NoLocation", answer(301), Outcome::inconclusive},
    {"NoAnswer", no_answer(Ended::refused), Outcome::inconclusive},
    {"NoAnswerInTime", no_answer(Ended::timeout), Outcome::inconclusive},
};
TEST_P(TlsRedirectAnswer, IsJudged) {
  const Check check = tls_probe::judge_redirect("GET /", GetParam().response, "orders.example.com");
  EXPECT_EQ(name_of(check.outcome), name_of(GetParam().outcome)) << check.summary;
}
INSTANTIATE_TEST_SUITE_P(Table, TlsRedirectAnswer, testing::ValuesIn(kRedirects),
                         [](const auto& row) { return std::string(row.param.name); });

// A run with https_redirect, beside a server in order.
ProbeOutcome run_redirect(const std::string& url, std::vector<Sent>* sent,
                          std::function<Response(const Sent&)> script) {
  static const testing_support::FakeEnvironment kEmpty;
  const Issued issued = issue(good());
  const Trusted trusted(issued);
  Stage stage(std::move(script), kEmpty);
  TlsServer server(stage.loop, issued);
  const ProbeOutcome outcome = run(stage, server.address(), "https_redirect = \"" + url + "\"");
  if (sent) *sent = stage.client.sent;
  return outcome;
}

TEST(TlsRedirect, IsAskedForAsFlysProxyWould) {
  std::vector<Sent> sent;
  const ProbeOutcome outcome = run_redirect("http://127.0.0.1:3000/shop", &sent, [](const Sent&) {
    return redirect("https://orders.example.com/shop");
  });
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_EQ(outcome.requests, 5);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].request.target, "/shop");
  EXPECT_EQ(sent[0].header("Host"), "orders.example.com");
  EXPECT_EQ(sent[0].header("X-Forwarded-Proto"), "http");
  EXPECT_EQ(sent[0].header("Fly-Forwarded-Proto"), "http");
  EXPECT_EQ(sent[0].header("X-Forwarded-Host"), "");
  EXPECT_EQ(sent[1].header("X-Forwarded-Host"), "holdshort.invalid");
}

TEST(TlsRedirect, AnotherPublicNameMustStayItself) {
  std::vector<Sent> sent;
  EXPECT_EQ(run_redirect("http://www.example.com/", &sent,
                         [](const Sent&) { return redirect("https://www.example.com/"); })
                .outcome(),
            Outcome::pass);
  EXPECT_EQ(sent.at(0).header("Host"), "www.example.com");
}

TEST(TlsRedirect, AServerThatGoesWhereAHeaderSaysFails) {
  const ProbeOutcome outcome = run_redirect("http://orders.example.com/", nullptr, [](const Sent& sent) {
    const std::string host = sent.header("X-Forwarded-Host");
    return redirect("https://" + (host.empty() ? "orders.example.com" : host) + "/");
  });
  EXPECT_THAT(ids_of(outcome, Outcome::fail), ElementsAre("tls.redirect_host"));
}

TEST(TlsRedirect, WhatIsServedOverHttpFails) {
  const ProbeOutcome outcome =
      run_redirect("http://orders.example.com/", nullptr, [](const Sent&) { return answer(200, "hello"); });
  EXPECT_THAT(ids_of(outcome, Outcome::fail), ElementsAre("tls.redirect"));
}

// --- its keys

TEST(TlsProbe, RefusesWhatCannotBe) {
  const std::pair<const char*, const char*> rows[] = {
      {"address = \"db\"", "\"address\": expected host:port"},
      {"https_redirect = \"https://a.test/\"", "is no http URL"},
      {"min_version = \"1.1\"", "expected \"1.2\" or \"1.3\""},
      {"path = \"/\"", "unknown key \"path\""},
  };
  for (const auto& [keys, said] : rows) {
    testing_support::FakeEnvironment environment;
    const Loaded loaded = parse_config(
        "f", "[app]\nurl = \"http://127.0.0.1:1\"\n[probes.p]\ntype = \"tls\"\n" + std::string(keys),
        environment, {});
    ASSERT_EQ(loaded.diagnostics.size(), 1u) << keys;
    EXPECT_THAT(loaded.diagnostics[0].message, HasSubstr(said)) << keys;
  }
}

}  // namespace
}  // namespace holdshort
