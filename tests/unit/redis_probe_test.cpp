// The redis probe against a server that refuses strangers, ones that do not, that lie, hang, speak nonsense
// and are not there; and against a real one.
#include "probes/redis/redis.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/kit/redis_client.h"
#include "tests/support/configured_probe.h"
#include "tests/support/fake_redis.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_support::FakeEnvironment;
using testing_support::FakeRedis;
using testing_support::find;
using testing_support::no_answer;
using testing_support::RawServer;
using testing_support::RedisCommand;
using testing_support::scan_reply;
using testing_support::Sent;
using testing_support::Stage;

const std::string kPassword = "t2Zq8mVb4Xw9Lk3R";

// --- URLs

TEST(RedisUrl, IsReadAsClientsDo) {
  struct Row {
    const char* text;
    const char* address;
    bool is_tls;
    const char* user;
    const char* password;
    int database;
  };
  const Row rows[] = {
      {"redis://127.0.0.1", "127.0.0.1:6379", false, "", "", 0},
      {"redis://:p%40ss@db.internal:6380/3", "db.internal:6380", false, "", "p@ss", 3},
      {"rediss://default:a:b@fly-x.upstash.io:6379", "fly-x.upstash.io:6379", true, "default", "a:b", 0},
      {"REDIS://user@[fdaa::3]", "[fdaa::3]:6379", false, "user", "", 0},
      {"redis://h:1/?family=6", "h:1", false, "", "", 0},
      {"redis://h/0", "h:6379", false, "", "", 0},
      {"unix:/run/redis.sock", "unix:/run/redis.sock", false, "", "", 0},
  };
  for (const Row& row : rows) {
    const Result<RedisUrl> url = RedisUrl::parse(row.text);
    ASSERT_TRUE(url) << row.text;
    EXPECT_EQ(url->address.text(), row.address) << row.text;
    EXPECT_EQ(url->is_tls, row.is_tls) << row.text;
    EXPECT_EQ(url->user, row.user) << row.text;
    EXPECT_EQ(url->password.reveal(), row.password) << row.text;
    EXPECT_EQ(url->database, row.database) << row.text;
  }
}

TEST(RedisUrl, IsRefusedWithoutBeingQuoted) {
  for (const char* text : {"", "redis", "http://u:hunter2@h", "redis:h", "redis://", "redis://u:hunter2@",
                           "redis://u:hunter2@h:0", "redis://u:hunter2@h/x", "redis://u:hunter2@h/-1"}) {
    const Result<RedisUrl> url = RedisUrl::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_THAT(url.error().message, Not(HasSubstr("hunter2"))) << text;
  }
}

// --- the protocol

// What RedisClient makes of `bytes` as the answer to one PING.
Result<std::vector<RedisReply>> replies_to(const std::string& bytes,
                                           std::chrono::milliseconds deadline = 20s) {
  asio::io_context loop;
  RawServer server(loop, [&bytes](std::shared_ptr<testing_support::Peer> peer) {
    struct Serve {
      static Awaitable<void> all(std::shared_ptr<testing_support::Peer> to, std::string text) {
        co_await to->write(std::move(text));
        co_await to->wait();
      }
    };
    return Serve::all(std::move(peer), bytes);
  });
  struct Ask {
    static Awaitable<Result<std::vector<RedisReply>>> ping(std::uint16_t port,
                                                           std::chrono::milliseconds deadline) {
      Channel channel(deadline);
      Address address{"127.0.0.1", port, {}};
      co_await channel.connect(std::move(address), "");
      RedisClient client(channel);
      std::vector<RedisClient::Command> commands{{"PING"}};
      co_return co_await client.ask(std::move(commands));
    }
  };
  std::optional<Result<std::vector<RedisReply>>> replies;
  asio::co_spawn(
      loop, Ask::ping(server.port(), deadline),
      [&](const std::exception_ptr&, Result<std::vector<RedisReply>> got) { replies = std::move(got); });
  while (!replies && loop.run_one() > 0) {
  }
  return *replies;
}

TEST(RedisClient, ReadsEveryKindOfReply) {
  const auto one = [](const std::string& bytes) { return replies_to(bytes)->at(0); };
  EXPECT_TRUE(one("+PONG\r\n").is("PONG"));
  EXPECT_EQ(one("-NOAUTH Authentication required.\r\n").code(), "NOAUTH");
  EXPECT_EQ(one(":-1\r\n").integer, -1);
  EXPECT_EQ(one(std::string("$3\r\na\0b\r\n", 9)).text, std::string("a\0b", 3));
  EXPECT_EQ(one("$-1\r\n").kind, RedisReply::Kind::nothing);
  const RedisReply list = one("*2\r\n:5\r\n*1\r\n$1\r\nx\r\n");
  ASSERT_EQ(list.items.size(), 2u);
  EXPECT_EQ(list.items[1].items.at(0).text, "x");
}

TEST(RedisClient, TakesOnlyCapitalsForACode) {
  const auto code = [](const std::string& bytes) { return replies_to(bytes)->at(0).code(); };
  EXPECT_EQ(code("-ERR x\r\n"), "ERR");
  EXPECT_EQ(code("-WRONGPASS\r\n"), "WRONGPASS");
  EXPECT_EQ(code("-hunter2 is wrong\r\n"), "");
  EXPECT_EQ(code("-THISISMUCHTOOLONGTOBEACODE x\r\n"), "");
  EXPECT_EQ(code("+OK\r\n"), "");
}

TEST(RedisClient, WhatIsNoReplyIsAnError) {
  for (const char* bytes :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "\x15\x03\x01\x02\x02", "*1\r\n!x\r\n", "garbage\r\n"}) {
    const auto replies = replies_to(bytes);
    ASSERT_FALSE(replies) << bytes;
    EXPECT_EQ(replies.error().message, "what answers does not speak Redis") << bytes;
  }
}

TEST(RedisClient, WhatAPeerPromisesIsBounded) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "*1\r\n";
  EXPECT_FALSE(replies_to(deep));
  EXPECT_FALSE(replies_to("*1000000000\r\n"));
  EXPECT_FALSE(replies_to("*" + std::to_string(RedisClient::kMaxItems + 1) + "\r\n"));
  const auto endless = replies_to("$1000000000\r\n" + std::string(2 * RedisClient::kMaxReplyBytes, 'x'));
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().message, "its reply is longer than 1048576 bytes");
}

TEST(RedisClient, ALongListThatFitsIsRead) {
  std::string list = "*" + std::to_string(RedisClient::kMaxItems) + "\r\n";
  for (std::size_t i = 0; i < RedisClient::kMaxItems; ++i) list += ":1\r\n";
  const auto replies = replies_to(list);
  ASSERT_TRUE(replies) << replies.error().message;
  EXPECT_EQ(replies->at(0).items.size(), RedisClient::kMaxItems);
}

TEST(RedisClient, HalfAReplyIsNone) {
  const auto replies = replies_to("$10\r\nhalf", 50ms);
  ASSERT_FALSE(replies);
  EXPECT_EQ(replies.error().message, "no answer in time");
}

// --- a store

// A store as Redis is, with the counters and their times to live that it holds.
struct Store {
  std::string password = kPassword;  // "": none is wanted
  std::vector<std::pair<std::string, int>> keys = {};
  std::map<std::string, std::string> instead = {};  // answers by command, or by "stranger PING"
  std::size_t page = 1000;                          // keys in an answer to SCAN

  FakeRedis::Answer answer() {
    return
        [this, authenticated = std::map<int, bool>()](int connection, const RedisCommand& command) mutable {
          const bool is_owner = password.empty() || authenticated[connection];
          const std::string& name = command.at(0);
          if (!is_owner && instead.contains("stranger " + name)) return instead["stranger " + name];
          if (is_owner && instead.contains(name)) return instead[name];
          if (name == "AUTH" && password.empty())
            return std::string(
                "-ERR AUTH <password> called without any password configured for the default user.\r\n");
          if (name == "AUTH") {
            authenticated[connection] = command.back() == password;
            return std::string(command.back() == password ? "+OK\r\n"
                                                          : "-WRONGPASS invalid username-password pair\r\n");
          }
          if (!is_owner) return std::string("-NOAUTH Authentication required.\r\n");
          if (name == "SELECT") return std::string("+OK\r\n");
          if (name == "PING") return std::string("+PONG\r\n");
          if (name == "SCAN") return scan(command);
          if (name == "TTL") return ttl(command.at(1));
          return std::string("-ERR unknown command\r\n");
        };
  }
  std::string scan(const RedisCommand& command) const {
    const std::size_t begin = std::stoul(command.at(1));
    std::vector<std::string> names;
    for (std::size_t i = begin; i < std::min(begin + page, keys.size()); ++i) names.push_back(keys[i].first);
    const std::size_t next = begin + page < keys.size() ? begin + page : 0;
    return scan_reply(std::to_string(next), names);
  }
  std::string ttl(const std::string& key) {
    for (auto& [name, seconds] : keys)
      if (name == key) return ":" + std::to_string(seconds) + "\r\n";
    return ":-2\r\n";
  }
};

// One probe on one store, for any number of runs.
struct Bench {
  explicit Bench(Store declared, const std::string& keys = "",
                 const std::string& login = ":" + kPassword + "@")
      : store(std::move(declared)),
        stage([](const Sent&) { return no_answer(Ended::refused); }, environment),
        server(stage.loop, store.answer()) {
    const std::string url = "redis://" + login + "127.0.0.1:" + std::to_string(server.port()) + "/2";
    environment.variables["REDIS_URL"] = url;
    const Loaded loaded = parse_config(
        "f", "[app]\nurl = 'http://127.0.0.1:1'\n[probes.p]\ntype = 'redis'\n" + keys, environment, {});
    if (!loaded.config) throw std::runtime_error(loaded.diagnostics.at(0).message);
    probe = loaded.config->probes.at(0).make();
  }
  ProbeOutcome run() { return stage.run(*probe); }

  Store store;
  FakeEnvironment environment;
  Stage stage;
  FakeRedis server;
  std::unique_ptr<Probe> probe;
};

const std::string kCounters = "key_pattern = 'rl:*'\n";

std::vector<std::string> ids_of(const ProbeOutcome& outcome, Outcome which) {
  std::vector<std::string> ids;
  for (const Check& check : outcome.checks)
    if (check.outcome == which) ids.push_back(check.id);
  return ids;
}

TEST(RedisProbe, PassesAStoreThatIsInOrder) {
  Bench bench({.keys = {{"rl:1", 60}, {"rl:2", 1}}}, kCounters);
  const ProbeOutcome outcome = bench.run();
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_THAT(ids_of(outcome, Outcome::pass), ElementsAre("redis.unauthenticated", "redis.wrong_password",
                                                          "redis.authenticated", "redis.expiry"));
}

TEST(RedisProbe, AStrangerSendsPingAndOneWrongPasswordAndNothingElse) {
  Bench bench({.keys = {{"rl:1", 60}}}, kCounters);
  bench.run();
  ASSERT_EQ(bench.server.seen.size(), 2u);
  const auto& stranger = bench.server.seen[0];
  ASSERT_EQ(stranger.size(), 2u);
  EXPECT_THAT(stranger[0], ElementsAre("PING"));
  EXPECT_THAT(stranger[1], ElementsAre("AUTH", testing::StartsWith("holdshort-")));
  const auto& owner = bench.server.seen[1];
  EXPECT_THAT(
      owner,
      ElementsAre(ElementsAre("AUTH", kPassword), ElementsAre("SELECT", "2"), ElementsAre("PING"),
                  ElementsAre("SCAN", "0", "MATCH", "rl:*", "COUNT", "1000"), ElementsAre("TTL", "rl:1")));
}

TEST(RedisProbe, AUserIsNamedWithEveryPassword) {
  Bench bench({}, "", "limiter:" + kPassword + "@");
  EXPECT_EQ(bench.run().outcome(), Outcome::pass);
  EXPECT_THAT(bench.server.seen[0][1], ElementsAre("AUTH", "limiter", testing::_));
  EXPECT_THAT(bench.server.seen[1][0], ElementsAre("AUTH", "limiter", kPassword));
}

TEST(RedisProbe, AStoreThatServesStrangersFails) {
  Bench bench({.password = ""});
  const ProbeOutcome outcome = bench.run();
  EXPECT_THAT(ids_of(outcome, Outcome::fail), ElementsAre("redis.unauthenticated"));
  EXPECT_THAT(ids_of(outcome, Outcome::pass), ElementsAre("redis.authenticated"));
  Bench declared({.password = ""}, "require_auth = false\n");
  EXPECT_EQ(declared.run().outcome(), Outcome::pass);
  EXPECT_EQ(declared.server.seen.size(), 1u);
}

TEST(RedisProbe, AStoreThatTakesAnyPasswordFails) {
  Bench bench({.instead = {{"stranger AUTH", "+OK\r\n"}}});
  EXPECT_THAT(ids_of(bench.run(), Outcome::fail), ElementsAre("redis.wrong_password"));
}

struct StrangerRow {
  const char* name;
  const char* answer;
  Outcome outcome;
};
class RedisStranger : public testing::TestWithParam<StrangerRow> {};
const StrangerRow kStrangers[] = {
    {"Refused", "-NOAUTH Authentication required.\r\n", Outcome::pass},
    {"Served", "+PONG\r\n", Outcome::fail},
    {"ServedSomething", "$5\r\nhello\r\n", Outcome::fail},
    {"ProtectedModeIsNoPassword", "-DENIED Redis is running in protected mode\r\n", Outcome::inconclusive},
    {"LoadingIsNoRefusal", "-LOADING Redis is loading the dataset in memory\r\n", Outcome::inconclusive},
    {"AnyErrorIsNoRefusal", "-ERR max number of clients reached\r\n", Outcome::inconclusive},
    {"ADefaultUserWithoutRightsIsNoRefusal", "-NOPERM this user has no permissions\r\n",
     Outcome::inconclusive},
    {"AnotherNodeIsNoRefusal", "-MOVED 3999 127.0.0.1:6381\r\n", Outcome::inconclusive},
    {"AnotherProtocolIsNoRefusal", "HTTP/1.1 401 Unauthorized\r\n\r\n", Outcome::inconclusive},
    {"HangingUpIsNoRefusal", "(hang up)", Outcome::inconclusive},
};
TEST_P(RedisStranger, IsJudged) {
  Bench bench({.instead = {{"stranger PING", GetParam().answer}}});
  const ProbeOutcome outcome = bench.run();
  EXPECT_EQ(name_of(outcome.outcome()), name_of(GetParam().outcome)) << outcome.summary();
  EXPECT_EQ(name_of(find(outcome, "redis.unauthenticated")->outcome), name_of(GetParam().outcome));
}
INSTANTIATE_TEST_SUITE_P(Table, RedisStranger, testing::ValuesIn(kStrangers),
                         [](const auto& row) { return std::string(row.param.name); });

struct OwnerRow {
  const char* name;
  const char* command;
  const char* answer;
  const char* summary;
};
class RedisOwner : public testing::TestWithParam<OwnerRow> {};
// The strangers were refused, and it proves nothing.
const OwnerRow kOwners[] = {
    {"AllAreRefused", "stranger AUTH", "-WRONGPASS invalid username-password pair\r\n",
     "it is not the right one"},
    {"OldServersSayItOtherwise", "stranger AUTH", "-ERR invalid password\r\n", "it is not the right one"},
    {"Loading", "PING", "-LOADING Redis is loading the dataset in memory\r\n",
     "it is still loading its data"},
    {"ClusterHasOneDatabase", "SELECT", "-ERR SELECT is not allowed in cluster mode\r\n",
     "answers its owner with ERR"},
    {"Garbage", "PING", "@@@\r\n", "does not speak Redis"},
    {"HangsUp", "PING", "(hang up)", "it hung up"},
};
TEST_P(RedisOwner, WhoIsNotServedMakesARefusalWorthless) {
  Bench bench({.instead = {{GetParam().command, GetParam().answer}}}, kCounters);
  const ProbeOutcome outcome = bench.run();
  EXPECT_EQ(name_of(outcome.outcome()), "inconclusive") << outcome.summary();
  EXPECT_EQ(outcome.worst()->id, "redis.authenticated");
  EXPECT_THAT(outcome.summary(), HasSubstr(GetParam().summary));
  EXPECT_EQ(find(outcome, "redis.expiry"), nullptr);
}
INSTANTIATE_TEST_SUITE_P(Table, RedisOwner, testing::ValuesIn(kOwners),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(RedisProbe, AUrlWithoutThePasswordThatIsWantedIsInconclusive) {
  Bench bench({}, "", "");
  const ProbeOutcome outcome = bench.run();
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_THAT(outcome.summary(), HasSubstr("$REDIS_URL has no password, and the store wants one"));
}

TEST(RedisProbe, AServerThatHangsIsInconclusive) {
  Bench bench({.instead = {{"stranger PING", ""}}}, "timeout = '50ms'\n");
  const ProbeOutcome outcome = bench.run();
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_THAT(outcome.summary(), HasSubstr("no answer in time"));
}

TEST(RedisProbe, NobodyThereIsInconclusiveAndAskedOnce) {
  FakeEnvironment environment;
  Stage stage([](const Sent&) { return no_answer(Ended::refused); }, environment);
  const tcp::socket bound(stage.loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  environment.variables["REDIS_URL"] = "redis://127.0.0.1:" + std::to_string(bound.local_endpoint().port());
  const Loaded loaded =
      parse_config("f", "[app]\nurl = 'http://127.0.0.1:1'\n[probes.p]\ntype = 'redis'\n", environment, {});
  const ProbeOutcome outcome = stage.run(*loaded.config->probes.at(0).make());
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_EQ(outcome.checks.size(), 1u);
  EXPECT_THAT(outcome.summary(), HasSubstr("connection refused"));
}

// --- TLS

TEST(RedisProbe, APlainStoreFailsWhereTlsIsRequired) {
  Bench bench({}, "require_tls = true\n");
  EXPECT_THAT(ids_of(bench.run(), Outcome::fail), ElementsAre("redis.tls"));
}

TEST(RedisProbe, AServerWithoutTlsIsSentNoPassword) {
  Bench bench({});
  bench.environment.variables["REDIS_URL"].replace(0, 8, "rediss://");
  const Loaded loaded =
      parse_config("f", "[app]\nurl = 'http://127.0.0.1:1'\n[probes.p]\ntype = 'redis'\ntimeout = '50ms'\n",
                   bench.environment, {});
  EXPECT_EQ(bench.stage.run(*loaded.config->probes.at(0).make()).outcome(), Outcome::inconclusive);
  for (const auto& connection : bench.server.seen) EXPECT_THAT(connection, IsEmpty());
}

// --- counters

TEST(RedisProbe, ACounterWithoutExpiryFailsAndIsNotNamed) {
  Bench bench({.keys = {{"rl:1", 60}, {"rl:victim@example.com", -1}}}, kCounters);
  const ProbeOutcome outcome = bench.run();
  EXPECT_THAT(ids_of(outcome, Outcome::fail), ElementsAre("redis.expiry"));
  EXPECT_THAT(outcome.summary(), HasSubstr("1 of 2 keys that match rl:* have no expiry"));
  for (const Check& check : outcome.checks)
    for (const std::string* text : {&check.request, &check.expected, &check.observed, &check.summary})
      EXPECT_THAT(*text, Not(HasSubstr("victim")));
}

TEST(RedisProbe, ACounterThatGetsItsExpiryAMomentLaterIsNoAlarm) {
  // INCR was seen before its EXPIRE.
  Bench bench({.keys = {{"rl:1", -1}}}, kCounters);
  int asked = 0;
  bench.store.instead = {};
  FakeRedis late(bench.stage.loop,
                 [&, answer = bench.store.answer()](int connection, const RedisCommand& command) mutable {
                   if (command.at(0) == "TTL") return std::string(asked++ == 0 ? ":-1\r\n" : ":60\r\n");
                   return answer(connection, command);
                 });
  bench.environment.variables["REDIS_URL"] =
      "redis://:" + kPassword + "@127.0.0.1:" + std::to_string(late.port());
  const Loaded loaded =
      parse_config("f", "[app]\nurl = 'http://127.0.0.1:1'\n[probes.p]\ntype = 'redis'\n" + kCounters,
                   bench.environment, {});
  const Monotonic before = bench.stage.clock.now();
  EXPECT_EQ(bench.stage.run(*loaded.config->probes.at(0).make()).outcome(), Outcome::pass);
  EXPECT_EQ(bench.stage.clock.now() - before, redis_probe::kSettles);
  EXPECT_EQ(asked, 2);
}

TEST(RedisProbe, AKeyThatHasGoneMeanwhileIsNoAlarm) {
  Bench bench({.keys = {{"rl:1", -2}, {"rl:2", 5}}}, kCounters);
  EXPECT_EQ(bench.run().outcome(), Outcome::pass);
}

TEST(RedisProbe, WithoutCountersOrAPatternThereIsNothingToJudge) {
  Bench none({}, kCounters);
  EXPECT_EQ(find(none.run(), "redis.expiry")->outcome, Outcome::skipped);
  Bench undeclared({.keys = {{"rl:1", -1}}});
  EXPECT_EQ(find(undeclared.run(), "redis.expiry")->outcome, Outcome::skipped);
  EXPECT_EQ(undeclared.server.seen[1].size(), 3u);  // AUTH, SELECT, PING
  Bench unwanted({.keys = {{"rl:1", -1}}}, kCounters + "require_ttl = false\n");
  EXPECT_EQ(unwanted.run().outcome(), Outcome::pass);
}

TEST(RedisProbe, AScanIsBoundedAndGoesOnWhereItEnded) {
  Store store;
  for (int i = 0; i < 25; ++i) store.keys.emplace_back("rl:" + std::to_string(i), 60);
  store.keys.back().second = -1;
  store.page = 1;
  Bench bench(store, kCounters);
  bench.stage.pace = Pace::steady;
  const auto scans = [&](std::size_t connection) {
    std::vector<std::string> cursors;
    for (const RedisCommand& command : bench.server.seen.at(connection))
      if (command[0] == "SCAN") cursors.push_back(command[1]);
    return cursors;
  };
  EXPECT_EQ(bench.run().outcome(), Outcome::pass);
  EXPECT_EQ(scans(1).size(), static_cast<std::size_t>(redis_probe::kScanRounds));
  EXPECT_EQ(bench.run().outcome(), Outcome::pass);
  EXPECT_EQ(scans(3).front(), "10");
  EXPECT_EQ(bench.run().outcome(), Outcome::fail);
  // The repeat that confirms a failure must see it too.
  EXPECT_EQ(bench.run().outcome(), Outcome::fail);
  EXPECT_EQ(scans(7).front(), "20");
  bench.store.keys.back().second = 60;
  EXPECT_EQ(bench.run().outcome(), Outcome::pass);
  EXPECT_EQ(bench.run().outcome(), Outcome::pass);
  EXPECT_EQ(scans(11).front(), "0");
}

TEST(RedisProbe, NoMoreThanTheSampleIsLookedAt) {
  Store store;
  for (int i = 0; i < 250; ++i) store.keys.emplace_back("rl:" + std::to_string(i), 60);
  Bench bench(store, kCounters + "sample = 30\n");
  EXPECT_THAT(find(bench.run(), "redis.expiry")->observed, HasSubstr("30 keys"));
  std::size_t looked_at = 0;
  for (const RedisCommand& command : bench.server.seen.at(1)) looked_at += command[0] == "TTL" ? 1 : 0;
  EXPECT_EQ(looked_at, 30u);
}

struct ExpiryRow {
  const char* name;
  const char* command;
  std::string answer;
};
class RedisExpiry : public testing::TestWithParam<ExpiryRow> {};
const ExpiryRow kExpiries[] = {
    {"NotAllowedToScan", "SCAN", "-NOPERM this user has no permissions to run the 'scan' command\r\n"},
    {"NotAllowedToAskForTtl", "TTL", "-NOPERM this user has no permissions to run the 'ttl' command\r\n"},
    {"ScanAnswersNonsense", "SCAN", "+OK\r\n"},
    {"ScanHasNoCursor", "SCAN", "*2\r\n$1\r\nx\r\n*0\r\n"},
    {"TtlAnswersNonsense", "TTL", "+soon\r\n"},
    {"ScanHangsUp", "SCAN", "(hang up)"},
};
TEST_P(RedisExpiry, ThatCannotBeSeenIsInconclusive) {
  Bench bench({.keys = {{"rl:1", 60}}, .instead = {{GetParam().command, GetParam().answer}}}, kCounters);
  const ProbeOutcome outcome = bench.run();
  EXPECT_EQ(name_of(outcome.outcome()), "inconclusive") << outcome.summary();
  EXPECT_EQ(outcome.worst()->id, "redis.expiry");
}
INSTANTIATE_TEST_SUITE_P(Table, RedisExpiry, testing::ValuesIn(kExpiries),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(RedisProbe, AKeyOfAnotherNodeIsNoFault) {
  Bench bench({.keys = {{"rl:1", 60}}, .instead = {{"TTL", "-MOVED 3999 127.0.0.1:6381\r\n"}}}, kCounters);
  EXPECT_EQ(bench.run().outcome(), Outcome::pass);
}

TEST(RedisProbe, NoSecretIsRepeatedByAServerThatTalks) {
  Bench bench({.instead = {{"stranger AUTH", "-ERR " + kPassword + " is wrong\r\n"},
                           {"stranger PING", "-" + kPassword + "\r\n"}}});
  for (const Check& check : bench.run().checks)
    for (const std::string* text : {&check.request, &check.expected, &check.observed, &check.summary})
      EXPECT_THAT(*text, Not(HasSubstr(kPassword)));
}

// --- its keys

TEST(RedisProbe, TheStoreIsRedisUrlUnlessSaidOtherwise) {
  FakeEnvironment environment;
  const std::string table = "[app]\nurl = 'http://127.0.0.1:1'\n[probes.p]\ntype = 'redis'\n";
  const Loaded missing = parse_config("f", table, environment, {});
  ASSERT_EQ(missing.diagnostics.size(), 1u);
  EXPECT_EQ(missing.diagnostics[0].message,
            "\"store\" refers to the variable \"REDIS_URL\", which is not set");
  EXPECT_EQ(missing.diagnostics[0].place.line, 3);
  EXPECT_FALSE(missing.config);
  LoadOptions validating;
  validating.missing = MissingSecret::is_warning;
  EXPECT_TRUE(parse_config("f", table, environment, validating).config);
  environment.variables["REDIS_URL"] = "redis://127.0.0.1";
  EXPECT_TRUE(parse_config("f", table, environment, {}).config);
}

TEST(RedisProbe, AStoreThatIsNoUrlIsRefusedUnquoted) {
  FakeEnvironment environment;
  environment.variables["REDIS_URL"] = "postgres://u:hunter2@h";
  const Loaded loaded =
      parse_config("f", "[app]\nurl = 'http://127.0.0.1:1'\n[probes.p]\ntype = 'redis'\n", environment, {});
  ASSERT_EQ(loaded.diagnostics.size(), 1u);
  EXPECT_THAT(loaded.diagnostics[0].message, HasSubstr("$REDIS_URL, which is no URL of a Redis server"));
  EXPECT_THAT(loaded.diagnostics[0].message, Not(HasSubstr("hunter2")));
}

// --- a real one

// redis-server on an address of loopback that no other process of these tests uses.
class RealRedis {
 public:
  explicit RealRedis(std::vector<std::string> arguments) {
    const int pid = static_cast<int>(::getpid());
    host_ = "127." + std::to_string(1 + pid % 200) + "." + std::to_string(pid / 200 % 250) + "." +
            std::to_string(1 + pid / 50'000 % 250);
    std::vector<std::string> words{"redis-server", "--bind", host_,   "--port", "6379",
                                   "--save",       "",       "--dir", "/tmp"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (::posix_spawnp(&pid_, words[0].c_str(), &actions, nullptr, pointers.data(), environ) != 0) pid_ = 0;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    is_ready_ = pid_ > 0 && says_ready(ends[0]);
    output_ = ends[0];
  }
  ~RealRedis() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(output_);
  }
  RealRedis(const RealRedis&) = delete;
  RealRedis& operator=(const RealRedis&) = delete;
  bool is_installed() const { return pid_ > 0; }
  bool is_ready() const { return is_ready_; }
  const std::string& host() const { return host_; }

 private:
  static bool says_ready(int output) {
    std::string said;
    std::array<char, 4096> bytes{};
    ssize_t count = 0;
    while ((count = ::read(output, bytes.data(), bytes.size())) > 0) {
      said.append(bytes.data(), static_cast<std::size_t>(count));
      if (said.find("Ready to accept connections") != said.npos) return true;
    }
    return false;
  }
  std::string host_;
  pid_t pid_ = 0;
  int output_ = -1;
  bool is_ready_ = false;
};

ProbeOutcome run_on(const RealRedis& server, const std::string& login, const std::string& keys) {
  FakeEnvironment environment;
  environment.variables["REDIS_URL"] = "redis://" + login + server.host() + ":6379/1";
  const Loaded loaded = parse_config(
      "f", "[app]\nurl = 'http://127.0.0.1:1'\n[probes.p]\ntype = 'redis'\n" + keys, environment, {});
  Stage stage([](const Sent&) { return no_answer(Ended::refused); }, environment);
  return stage.run(*loaded.config->probes.at(0).make());
}

// Sends commands as the app would.
void fill(const RealRedis& server, std::vector<RedisClient::Command> commands) {
  struct Fill {
    static Awaitable<void> all(std::string host, std::vector<RedisClient::Command> commands) {
      Channel channel(20s);
      Address address{std::move(host), 6379, {}};
      co_await channel.connect(std::move(address), "");
      RedisClient client(channel);
      const auto replies = co_await client.ask(std::move(commands));
      EXPECT_TRUE(replies);
    }
  };
  asio::io_context loop;
  asio::co_spawn(loop, Fill::all(server.host(), std::move(commands)), [](const std::exception_ptr&) {});
  loop.run();
}

TEST(RealRedis, WithAPasswordAndExpiringCountersPasses) {
  const RealRedis server({"--requirepass", kPassword});
  if (!server.is_installed()) GTEST_SKIP() << "no redis-server here: script/bootstrap --ci installs it";
  ASSERT_TRUE(server.is_ready());
  fill(server, {{"AUTH", kPassword}, {"SELECT", "1"}, {"SET", "rl:1", "5", "EX", "60"}});
  const ProbeOutcome outcome = run_on(server, ":" + kPassword + "@", kCounters);
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_EQ(outcome.summary(), "4 checks passed");
  fill(server, {{"AUTH", kPassword}, {"SELECT", "1"}, {"INCR", "rl:2"}});
  EXPECT_THAT(ids_of(run_on(server, ":" + kPassword + "@", kCounters), Outcome::fail),
              ElementsAre("redis.expiry"));
  EXPECT_EQ(run_on(server, ":other@", kCounters).outcome(), Outcome::inconclusive);
  EXPECT_EQ(run_on(server, "", kCounters).outcome(), Outcome::inconclusive);
}

TEST(RealRedis, WithoutAPasswordFails) {
  const RealRedis server({});
  if (!server.is_installed()) GTEST_SKIP() << "no redis-server here: script/bootstrap --ci installs it";
  ASSERT_TRUE(server.is_ready());
  for (const std::string& login : {std::string(), ":" + kPassword + "@"}) {
    const ProbeOutcome outcome = run_on(server, login, "");
    EXPECT_THAT(ids_of(outcome, Outcome::fail), ElementsAre("redis.unauthenticated")) << outcome.summary();
  }
}

TEST(RealRedis, WithUsersIsJudgedByThem) {
  const RealRedis server({"--user", "default", "off", "--user", "limiter", "on", ">" + kPassword, "~rl:*",
                          "+ping", "+select", "+scan", "+ttl", "--user", "open", "on", "nopass", "~*",
                          "+@all"});
  if (!server.is_installed()) GTEST_SKIP() << "no redis-server here: script/bootstrap --ci installs it";
  ASSERT_TRUE(server.is_ready());
  const ProbeOutcome outcome = run_on(server, "limiter:" + kPassword + "@", kCounters);
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_THAT(ids_of(run_on(server, "open:x@", ""), Outcome::fail), ElementsAre("redis.wrong_password"));
}

}  // namespace
}  // namespace holdshort
