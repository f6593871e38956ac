// The table of checks against the probes: what a row says, and that each of the many that only differ in what
// is sent fails where that alone is let in. Which ids were seen to end how is collected from all tests
// (tests/support/seen_checks.h).
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/ssl.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/kit/classify.h"
#include "probes/kit/crypto.h"
#include "probes/registry.h"
#include "tests/support/certificates.h"
#include "tests/support/configured_probe.h"
#include "tests/support/fake_redis.h"
#include "tests/support/token_verifier.h"

namespace holdshort {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing_support::answer;
using testing_support::ConfiguredProbe;
using testing_support::find;
using testing_support::Sent;
using testing_support::Stage;
namespace asio = boost::asio;
using App = std::function<Response(const Sent&)>;

// --- the rows

void expect_rows(std::string_view start, std::span<const CheckRow> rows) {
  std::set<std::string_view> ids;
  for (const CheckRow& row : rows) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id << " is declared twice";
    EXPECT_TRUE(row.id.starts_with(start)) << row.id;
    EXPECT_TRUE(row.says.ends_with('.')) << row.id << " has no sentence";
    for (const std::string_view text : {row.says, row.references})
      EXPECT_EQ(text.find_first_of("|\n"), text.npos) << row.id << ": no cell of a table";
  }
}

TEST(CheckRows, AreThereForEveryTypeEachIdOnceWithASentence) {
  for (const ProbeType& type : probe_types()) {
    EXPECT_THAT(type.checks, Not(IsEmpty())) << type.name;
    expect_rows(std::string(type.name) + ".", type.checks);
  }
  expect_rows("", common_checks());
}

TEST(CheckRows, CiteAStandardWhereTheCheckCanFailUnlessTheUserSetTheExpectation) {
  const std::set<std::string_view> by_expectation = {"http", "tcp", "exec"};
  for (const ProbeType& type : probe_types()) {
    if (by_expectation.count(type.name) > 0) continue;
    for (const CheckRow& row : type.checks) {
      const bool can_fail = row.ends == CheckRow::Ends::either || row.ends == CheckRow::Ends::never_passes;
      if (can_fail) {
        EXPECT_THAT(std::string(row.references), testing::HasSubstr("CWE-")) << row.id;
      }
    }
  }
}

TEST(CheckRows, KnowEveryIdThatARemedyIsFor) {
  for (const ProbeType& type : probe_types()) {
    for (const Remedy& remedy : type.explanation.remedies) {
      const bool is_for_one = std::any_of(type.checks.begin(), type.checks.end(), [&](const CheckRow& row) {
        return row.id.substr(0, row.id.find('*')).starts_with(remedy.check) ||
               find_check(remedy.check) == &row;
      });
      EXPECT_TRUE(is_for_one) << remedy.check;
    }
  }
}

TEST(CheckRows, AreFoundByIdAlsoWhereTheRunEndsIt) {
  ASSERT_NE(find_check("jwt.alg_none"), nullptr);
  EXPECT_EQ(find_check("jwt.alg_none")->id, "jwt.alg_none");
  EXPECT_EQ(find_check("rate_limit.spoof")->id, "rate_limit.spoof");
  EXPECT_EQ(find_check("rate_limit.spoof.x_real_ip")->id, "rate_limit.spoof.*");
  EXPECT_EQ(find_check("tls.via")->id, "*.via");
  EXPECT_EQ(find_check("internal")->id, "internal");
  for (const char* none :
       {"", "jwt", "jwt.", "jwt.alg_non", "jwt.alg_none2", "rate_limit.spoof.", "ssh.login"})
    EXPECT_EQ(find_check(none), nullptr) << none;
}

// --- one request let in alone

// Ids of the checks that failed, over as many runs as the first one sends requests: in the n-th, the n-th
// request alone is answered by `let_in`.
std::set<std::string> failed_where_one_is_let_in(const std::string& toml, const App& app, const App& let_in) {
  std::set<std::string> failed;
  std::size_t requests = 1;
  for (std::size_t n = 0; n <= requests; ++n) {
    ConfiguredProbe configured(toml);
    std::size_t count = 0;
    Stage stage([&](const Sent& sent) { return ++count == n ? let_in(sent) : app(sent); },
                configured.environment);
    const ProbeOutcome outcome = configured.run(stage);
    if (n == 0) {
      EXPECT_EQ(name_of(outcome.outcome()), "pass") << outcome.summary();
      requests = count;
    }
    for (const Check& check : outcome.checks)
      if (check.outcome == Outcome::fail) failed.insert(check.id);
  }
  return failed;
}

// --- what the tests of each type leave

const char* const kAdmin =
    R"({"section":"admin","orders":[{"id":1001,"owner":"alice"}],"revenue":"18230.55"})";

App guarded_by(const std::string& credentials) {
  return [=](const Sent& sent) {
    if (!same_path(sent.request.target, "/admin")) return answer(404, R"({"error":"not found"})");
    return sent.header("Authorization") == credentials ? answer(200, kAdmin)
                                                       : answer(401, R"({"error":"unauthenticated"})");
  };
}

TEST(EveryCheck, OfABasicIdentityAndOfDefaultAccountsFailsWhereItAloneIsLetIn) {
  const std::set<std::string> failed = failed_where_one_is_let_in(
      "[identities.ops]\nbasic = { user = \"ops\", password = { env = \"ADMIN_TOKEN\" } }\n"
      "[probes.p]\ntype = \"authentication\"\npath = \"/admin\"\nas = \"ops\"\ndefault_credentials = true\n",
      guarded_by("Basic b3BzOm9wc185ZksyeFE3dkI0bVo4c1Qxd1I2eUwzbkQ1"),
      [](const Sent& sent) { return answer(200, sent.request.method == "HEAD" ? "" : kAdmin); });
  for (const CheckRow& row : find_probe_type("authentication")->checks) {
    const bool is_meant =
        row.id.starts_with("authentication.default_account.") || row.id.ends_with("_password");
    if (is_meant) {
      EXPECT_THAT(failed, Contains(std::string(row.id)));
    }
  }
}

// Serves the first token that it sees, and whatever `also` takes.
App serving_the_first_token(std::function<bool(const testing_support::SeenToken&)> also = {}) {
  auto first = std::make_shared<std::string>();
  return [=](const Sent& sent) {
    const std::string credentials = sent.header("Authorization");
    if (sent.request.target != "/me" || !credentials.starts_with("Bearer ")) return answer(401);
    if (first->empty()) *first = credentials;
    const bool is_taken = also && also(testing_support::take_apart(credentials.substr(7)));
    return credentials == *first || is_taken ? answer(200, kAdmin) : answer(401);
  };
}

TEST(EveryCheck, OfJwtThatIsAdvicePassesWhereNothingButTheGenuineTokenIsServed) {
  ConfiguredProbe configured(
      "[probes.p]\ntype = \"jwt\"\npath = \"/me\"\nsecret = { env = \"ADMIN_TOKEN\" }\n"
      "claims = { sub = \"probe\" }\nforgeries = \"thorough\"\n");
  Stage stage(serving_the_first_token(), configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  for (const CheckRow& row : find_probe_type("jwt")->checks) {
    // What a given token says of its end is read, not tried.
    if (row.ends != CheckRow::Ends::advice || row.id == "jwt.lifetime") continue;
    const Check* check = find(outcome, row.id);
    ASSERT_NE(check, nullptr) << row.id;
    EXPECT_EQ(name_of(check->outcome), "pass") << check->summary;
  }
}

TEST(EveryCheck, OfAPublicKeyAsItIsShownFailsWithItsLineBreakToo) {
  const std::string pem = testing_support::rsa_pem(2048);
  const std::string public_pem = testing_support::public_pem_of(testing_support::key_of(pem).get());
  const std::string shown =
      R"({"keys":[)" + crypto::read_public_keys(public_pem).value().at(0).key.jwk() + "]}";
  ConfiguredProbe configured(
      "[probes.p]\ntype = \"jwt\"\npath = \"/me\"\nprivate_key = { env = \"RSA_KEY\" }\n"
      "public_key = { env = \"JWKS\" }\nclaims = { sub = \"probe\" }\n",
      [&](testing_support::FakeEnvironment& machine) {
        machine.variables["RSA_KEY"] = pem;
        machine.variables["JWKS"] = shown;
      });
  Stage stage(serving_the_first_token([&](const testing_support::SeenToken& token) {
                return token.algorithm() == "HS256" && testing_support::hmac_verifies(token, shown + "\n");
              }),
              configured.environment);
  const ProbeOutcome outcome = configured.run(stage);
  ASSERT_NE(outcome.worst(), nullptr);
  EXPECT_EQ(outcome.worst()->id, "jwt.public_key_as_secret_as_shown_line") << outcome.summary();
  EXPECT_EQ(outcome.outcome(), Outcome::fail);
}

TEST(EveryCheck, OfAFormFailsWhereItsBodyAloneIsAccepted) {
  const std::string body = "sku=LAMP-100&quantity=2", type = "application/x-www-form-urlencoded";
  const App strict = [=](const Sent& sent) {
    if (sent.request.target != "/orders") return answer(404, "not found");
    const bool is_valid = sent.request.body == body && sent.header("Content-Type") == type;
    return is_valid ? answer(201, kAdmin) : answer(422, R"({"error":"invalid"})");
  };
  const std::set<std::string> failed = failed_where_one_is_let_in(
      "[probes.p]\ntype = \"input_validation\"\npath = \"/orders\"\nmutations = \"strict\"\nmax_body = "
      "\"4KB\"\n"
      "content_type = \"" +
          type + "\"\nbody = \"" + body + "\"\n",
      strict, [](const Sent&) { return answer(201, kAdmin); });
  for (const char* id : {"input_validation.bad_escape", "input_validation.deep_brackets",
                         "input_validation.unknown_property", "input_validation.proto"})
    EXPECT_THAT(failed, Contains(id));
}

TEST(EveryCheck, OfASpellingThatIsCountedApartFails) {
  const std::pair<const char*, std::function<bool(const std::string&)>> kApart[] = {
      {"rate_limit.path.query", [](const std::string& target) { return target.find('?') != target.npos; }},
      {"rate_limit.path.case", [](const std::string& target) { return target == "/SEARCH"; }},
      {"rate_limit.path.trailing_slash", [](const std::string& target) { return target == "/search/"; }},
      {"rate_limit.path.encoded_letter",
       [](const std::string& target) { return target.find('%') != target.npos; }},
  };
  for (const auto& [id, is_apart] : kApart) {
    ConfiguredProbe configured(
        "[probes.p]\ntype = \"rate_limit\"\npath = \"/search\"\nlimit = 10\nwindow = \"1m\"\n");
    std::map<std::string, int> counts;
    Stage stage(
        [&, is_apart = is_apart](const Sent& sent) {
          if (!same_path(sent.request.target, "/search")) return answer(404);
          const std::string bucket =
              sent.header("Fly-Client-IP") + (is_apart(sent.request.target) ? sent.request.target : "");
          return ++counts[bucket] > 10 ? answer(429) : answer(200, "found");
        },
        configured.environment);
    const ProbeOutcome outcome = configured.run(stage);
    ASSERT_NE(outcome.worst(), nullptr);
    EXPECT_EQ(outcome.worst()->id, id) << outcome.summary();
    EXPECT_EQ(outcome.outcome(), Outcome::fail) << id;
  }
}

TEST(EveryCheck, OfAnIdentityThatCannotLogInSaysSo) {
  const std::pair<const char*, const char*> kTypes[] = {
      {"http", ""}, {"cors", ""}, {"rate_limit", "limit = 10\nwindow = \"1m\"\n"}};
  for (const auto& [type, keys] : kTypes) {
    ConfiguredProbe configured(
        "[identities.ops]\nlogin = { path = \"/login\", body = \"{}\", token = \"/token\" }\n"
        "[probes.p]\nas = \"ops\"\ntype = \"" +
        std::string(type) + "\"\n" + keys);
    Stage stage(testing_support::always(answer(404)), configured.environment);
    const ProbeOutcome outcome = configured.run(stage);
    ASSERT_NE(outcome.worst(), nullptr);
    EXPECT_EQ(outcome.worst()->id, std::string(type) + ".identity") << outcome.summary();
    EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  }
}

TEST(EveryCheck, OfTheMarkerAndOfForbiddenWordsPasses) {
  ConfiguredProbe marked("[probes.p]\ntype = \"http\"\nmarker = { json = \"/revenue\" }\n");
  Stage shown(testing_support::always(answer(200, kAdmin)), marked.environment);
  const ProbeOutcome seen = marked.run(shown);
  ASSERT_NE(find(seen, "http.marker"), nullptr);
  EXPECT_EQ(find(seen, "http.marker")->outcome, Outcome::pass);
  ConfiguredProbe forbidding("[probes.p]\ntype = \"exposure\"\nforbid = [\"internal use only\"]\n");
  Stage clean(testing_support::always(answer(404, "not found")), forbidding.environment);
  const ProbeOutcome looked = forbidding.run(clean);
  ASSERT_NE(find(looked, "exposure.forbidden"), nullptr);
  EXPECT_EQ(find(looked, "exposure.forbidden")->outcome, Outcome::pass);
}

// --- a store that speaks TLS

class TlsRedis {
 public:
  TlsRedis(asio::io_context& loop, const testing_support::Issued& issued, std::string password)
      : password_(std::move(password)), server_(loop, [this](std::shared_ptr<testing_support::Peer> peer) {
          return serve(std::move(peer), this);
        }) {
    testing_support::use(context_.native_handle(), issued);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }

 private:
  static Awaitable<void> serve(std::shared_ptr<testing_support::Peer> peer, TlsRedis* self) {
    asio::ssl::stream<asio::ip::tcp::socket&> stream(peer->socket, self->context_);
    boost::system::error_code error;
    co_await stream.async_handshake(asio::ssl::stream_base::server,
                                    asio::redirect_error(asio::use_awaitable, error));
    bool is_owner = false;
    std::string bytes;
    while (!error) {
      std::string replies;
      while (const auto command = testing_support::take_command(bytes)) {
        const bool is_auth = command->at(0) == "AUTH";
        if (is_auth) is_owner = command->back() == self->password_;
        const char* const good = command->at(0) == "PING" ? "+PONG\r\n" : "+OK\r\n";
        const char* const bad = is_auth ? "-WRONGPASS invalid\r\n" : "-NOAUTH Authentication required.\r\n";
        replies += is_owner ? good : bad;
      }
      if (!replies.empty())
        co_await asio::async_write(stream, asio::buffer(replies),
                                   asio::redirect_error(asio::use_awaitable, error));
      std::string more(4096, '\0');
      const std::size_t count = co_await stream.async_read_some(
          asio::buffer(more), asio::redirect_error(asio::use_awaitable, error));
      bytes.append(more, 0, count);
    }
  }

  const std::string password_;
  asio::ssl::context context_{asio::ssl::context::tls_server};
  testing_support::RawServer server_;
};

TEST(EveryCheck, OfAStoreWithACertificateThatVerifiesPasses) {
  const testing_support::Issued issued = testing_support::issue({});
  const testing_support::Trusted trusted(issued);
  testing_support::FakeEnvironment machine;
  Stage stage(testing_support::always(answer(404)), machine);
  const TlsRedis server(stage.loop, issued, "right");
  machine.variables["REDIS_URL"] = "rediss://:right@" + server.address();
  const Loaded loaded = parse_config(
      "holdshort.toml",
      "[app]\nurl = \"http://127.0.0.1:1\"\n[probes.p]\ntype = \"redis\"\nrequire_tls = true\n", machine, {});
  ASSERT_TRUE(loaded.config);
  const std::unique_ptr<Probe> probe = loaded.config->probes.at(0).make();
  const ProbeOutcome outcome = stage.run(*probe);
  EXPECT_EQ(name_of(outcome.outcome()), "pass") << outcome.summary();
  ASSERT_NE(find(outcome, "redis.tls"), nullptr);
  EXPECT_EQ(find(outcome, "redis.tls")->outcome, Outcome::pass);
}

}  // namespace
}  // namespace holdshort
