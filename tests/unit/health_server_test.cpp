// The health endpoint over real sockets: what it answers, whom, and what slow or greedy clients get.
#include "agent/surface/health_server.h"

#include <httplib.h>
#include <poll.h>

#include <array>
#include <list>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <gtest/gtest.h>

namespace holdshort {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::shared_ptr<Status> ready_status(bool ready) {
  auto status = std::make_shared<Status>();
  auto probe = std::make_shared<ProbeStatus>();
  probe->name = "admin_locked";
  probe->state = ready ? State::passing : State::failing;
  status->probes = {probe};
  status->ready = ready;
  if (!ready) status->holding = {"admin_locked"};
  status->clock_offset = Instant::now().offset();
  return status;
}

struct Endpoint9090 {
  explicit Endpoint9090(std::optional<Secret> token = std::nullopt, Commands commands = {}) {
    board.beat(std::chrono::steady_clock::now());
    auto started = HealthServer::start(*ListenAddress::parse("127.0.0.1:0"), board, std::move(token),
                                       std::move(commands));
    if (!started) throw std::runtime_error(started.error().message);
    server = std::move(*started);
  }
  httplib::Client client() const { return httplib::Client("127.0.0.1", server->port()); }
  httplib::Result get(const std::string& path, const httplib::Headers& headers = {}) const {
    return client().Get(path, headers);
  }
  // Sends bytes as they are and reads until the server closes.
  std::string raw(const std::string& bytes) const {
    asio::io_context loop;
    tcp::socket socket(loop);
    socket.connect({asio::ip::address_v4::loopback(), server->port()});
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes), error);
    std::string answer;
    std::array<char, 4096> buffer;
    while (!error) {
      const std::size_t n = socket.read_some(asio::buffer(buffer), error);
      answer.append(buffer.data(), n);
    }
    return answer;
  }

  StatusBoard board;
  std::unique_ptr<HealthServer> server;
};

TEST(HealthServer, Answers503BeforeAnythingWasSeen) {
  const Endpoint9090 endpoint;
  EXPECT_EQ(endpoint.get("/readyz")->status, 503);
  EXPECT_EQ(endpoint.get("/livez")->status, 200);
}

TEST(HealthServer, AnswersFromTheBoard) {
  Endpoint9090 endpoint;
  endpoint.board.publish(ready_status(true));
  EXPECT_EQ(endpoint.get("/readyz")->status, 200);
  EXPECT_EQ(endpoint.get("/readyz")->body, "ready\n");
  endpoint.board.publish(ready_status(false));
  EXPECT_EQ(endpoint.get("/readyz")->status, 503);
  EXPECT_EQ(endpoint.get("/readyz/admin_locked")->status, 503);
  EXPECT_EQ(endpoint.get("/readyz/none")->status, 404);
}

TEST(HealthServer, TheStatusDependsOnNothingTheClientAsksFor) {
  Endpoint9090 endpoint;
  for (const bool ready : {true, false}) {
    endpoint.board.publish(ready_status(ready));
    const int right = ready ? 200 : 503;
    for (const char* path :
         {"/readyz", "/readyz?verbose", "/readyz?verbose=0", "/readyz?format=x&exclude=admin_locked"})
      EXPECT_EQ(endpoint.get(path)->status, right) << path;
    for (const httplib::Headers& headers :
         {httplib::Headers{{"Accept", "application/vnd.goss-structured"}},
          httplib::Headers{{"Range", "bytes=0-0"}}, httplib::Headers{{"Range", "bytes=9999-"}},
          httplib::Headers{{"If-None-Match", "*"}}})
      EXPECT_EQ(endpoint.get("/readyz", headers)->status, right) << headers.begin()->second;
  }
}

TEST(HealthServer, HeadHasTheStatusAndNoBody) {
  Endpoint9090 endpoint;
  endpoint.board.publish(ready_status(true));
  const auto answer = endpoint.client().Head("/readyz");
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "");
}

TEST(HealthServer, OtherMethodsAreNotAllowed) {
  const Endpoint9090 endpoint;
  const auto answer = endpoint.client().Post("/readyz", "x", "text/plain");
  EXPECT_EQ(answer->status, 405);
  EXPECT_EQ(answer->get_header_value("Allow"), "GET, HEAD");
}

TEST(HealthServer, OnLoopbackTheStatusAnswersOnlyToItsOwnNames) {
  const Endpoint9090 endpoint;
  EXPECT_EQ(endpoint.get("/status")->status, 200);
  for (const char* host : {"localhost:9090", "127.0.0.1", "[::1]:9090"})
    EXPECT_EQ(endpoint.get("/status", {{"Host", host}})->status, 200) << host;
  EXPECT_EQ(endpoint.get("/status", {{"Host", "evil.test"}})->status, 403);
  EXPECT_EQ(endpoint.get("/readyz", {{"Host", "evil.test"}})->status, 503);
}

TEST(HealthServer, TheTokenOpensTheStatusAsBearerAndAsPassword) {
  const Endpoint9090 endpoint(Secret("correct-horse"));
  EXPECT_EQ(
      endpoint.get("/status", {{"Host", "a.internal"}, {"Authorization", "Bearer correct-horse"}})->status,
      200);
  EXPECT_EQ(
      endpoint.get("/status", {{"Host", "a.internal"}, {"Authorization", "Basic eDpjb3JyZWN0LWhvcnNl"}})
          ->status,
      200);
  EXPECT_EQ(endpoint.get("/status", {{"Host", "a.internal"}, {"Authorization", "Bearer wrong"}})->status,
            401);
}

TEST(HealthServer, AfterFiveWrongTokensOnlyWrongOnesAreHeldBack) {
  const Endpoint9090 endpoint(Secret("correct-horse"));
  for (int n = 0; n < 5; ++n)
    EXPECT_EQ(endpoint.get("/status", {{"Authorization", "Bearer wrong"}})->status, 401);
  EXPECT_EQ(endpoint.get("/status", {{"Authorization", "Bearer wrong"}})->status, 429);
  EXPECT_EQ(endpoint.get("/status", {{"Authorization", "Bearer correct-horse"}})->status, 200);
}

// --- POST

const httplib::Headers kToken{{"Authorization", "Bearer correct-horse"}};
constexpr const char* kDrain = R"({"ready": false, "reason": "a drill", "ttl": "30m"})";

// What was asked of the agent.
struct Asked {
  Commands commands() {
    return {.recheck =
                [this](const std::optional<std::string>& probe) {
                  rechecks.push_back(probe.value_or("all"));
                  return answers;
                },
            .set_override =
                [this](const Override& by_hand) {
                  overrides.push_back(by_hand.reason);
                  return answers;
                }};
  }
  std::vector<std::string> rechecks, overrides;
  bool answers = true;
};

int post(const Endpoint9090& endpoint, const std::string& path, const httplib::Headers& headers,
         const std::string& body = kDrain) {
  return endpoint.client().Post(path, headers, body, "application/json")->status;
}

TEST(HealthServerPost, WithTheTokenItIsDone) {
  Asked asked;
  Endpoint9090 endpoint(Secret("correct-horse"), asked.commands());
  endpoint.board.publish(ready_status(true));
  EXPECT_EQ(post(endpoint, "/recheck", kToken, ""), 202);
  EXPECT_EQ(post(endpoint, "/recheck?probe=admin_locked", kToken, ""), 202);
  EXPECT_EQ(post(endpoint, "/recheck?probe=none", kToken, ""), 404);
  EXPECT_EQ(asked.rechecks, (std::vector<std::string>{"all", "admin_locked"}));
  const auto answer = endpoint.client().Post("/override", kToken, kDrain, "application/json");
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
  EXPECT_NE(answer->body.find("\"reason\": \"a drill\""), std::string::npos) << answer->body;
  EXPECT_EQ(post(endpoint, "/override", kToken, "{}"), 400);
  EXPECT_EQ(asked.overrides, std::vector<std::string>{"a drill"});
}

TEST(HealthServerPost, NobodyMayWhereNoTokenIsConfigured) {
  Asked asked;
  const Endpoint9090 endpoint(std::nullopt, asked.commands());
  for (const char* path : {"/recheck", "/override"}) {
    EXPECT_EQ(post(endpoint, path, {}), 403) << path;
    EXPECT_EQ(post(endpoint, path, kToken), 403) << path;
  }
  EXPECT_TRUE(asked.rechecks.empty() && asked.overrides.empty());
}

TEST(HealthServerPost, LoopbackAloneIsNotEnoughAndWrongTokensAreHeldBack) {
  Asked asked;
  const Endpoint9090 endpoint(Secret("correct-horse"), asked.commands());
  EXPECT_EQ(post(endpoint, "/override", {}), 401);
  for (int n = 0; n < 5; ++n)
    EXPECT_EQ(post(endpoint, "/override", {{"Authorization", "Bearer wrong"}}), 401);
  EXPECT_EQ(post(endpoint, "/recheck", {{"Authorization", "Bearer wrong"}}), 429);
  EXPECT_TRUE(asked.overrides.empty());
  EXPECT_EQ(post(endpoint, "/override", kToken), 200);
}

TEST(HealthServerPost, APageOfAnotherSiteMayNotEvenWithTheToken) {
  Asked asked;
  const Endpoint9090 endpoint(Secret("correct-horse"), asked.commands());
  const auto with = [&](const char* name, const char* value) {
    httplib::Headers headers = kToken;
    headers.emplace("Host", "machine.internal:9090");
    headers.emplace(name, value);
    return post(endpoint, "/override", headers);
  };
  for (const char* origin : {"http://evil.test", "null", "http://machine.internal:9091",
                             "http://machine.internal", "http://machine.internal:9090.evil.test", ""})
    EXPECT_EQ(with("Origin", origin), 403) << origin;
  for (const char* site : {"cross-site", "same-site", "anything"})
    EXPECT_EQ(with("Sec-Fetch-Site", site), 403) << site;
  EXPECT_TRUE(asked.overrides.empty());
  EXPECT_EQ(with("Origin", "http://machine.internal:9090"), 200);
  EXPECT_EQ(with("Origin", "https://Machine.internal:9090"), 200);
  EXPECT_EQ(with("Sec-Fetch-Site", "same-origin"), 200);
  EXPECT_EQ(with("Sec-Fetch-Site", "none"), 200);
}

TEST(HealthServerPost, AnAgentThatDoesNotGetToItIsSaid) {
  Asked asked;
  asked.answers = false;
  const Endpoint9090 endpoint(Secret("correct-horse"), asked.commands());
  EXPECT_EQ(post(endpoint, "/override", kToken), 503);
  EXPECT_EQ(post(endpoint, "/recheck", kToken), 503);
}

TEST(HealthServerPost, IsTheOnlyMethodThere) {
  const Endpoint9090 endpoint(Secret("correct-horse"));
  for (const char* path : {"/recheck", "/override"}) {
    const auto answer = endpoint.get(path, kToken);
    EXPECT_EQ(answer->status, 405);
    EXPECT_EQ(answer->get_header_value("Allow"), "POST");
  }
}

TEST(HealthServer, MetricsAreForAllUnderAnyName) {
  Endpoint9090 endpoint(Secret("correct-horse"));
  endpoint.server->set_gate([] { return GateCounts{.open = true, .connections = 3, .answers = {}}; });
  const auto answer = endpoint.get("/metrics", {{"Host", "evil.test"}});
  EXPECT_EQ(answer->status, 200);
  EXPECT_NE(answer->body.find("holdshort_ready 0\n"), std::string::npos);
  EXPECT_NE(answer->body.find("holdshort_gate_connections 3\n"), std::string::npos);
  EXPECT_NE(answer->body.find("process_resident_memory_bytes "), std::string::npos);
}

TEST(HealthServerBounds, AHeadThatIsTooLargeIsRefused) {
  const Endpoint9090 endpoint;
  const std::string answer = endpoint.raw(
      "GET /readyz HTTP/1.1\r\nHost: x\r\nX: " + std::string(HealthServer::kMaxHeadBytes, 'a') + "\r\n\r\n");
  EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 431")) << answer;
}

TEST(HealthServerBounds, AHeadThatDoesNotComeWholeInTimeIsCutWhileOthersAreServed) {
  const Endpoint9090 endpoint;
  asio::io_context loop;
  tcp::socket slow(loop);
  slow.connect({asio::ip::address_v4::loopback(), endpoint.server->port()});
  asio::write(slow, asio::buffer("GET /readyz HTTP/1.1\r\nX: ", 25));
  EXPECT_EQ(endpoint.get("/readyz")->status, 503);
  const auto began = std::chrono::steady_clock::now();
  std::string answer;
  boost::system::error_code error;
  asio::read(slow, asio::dynamic_buffer(answer), error);  // until the server closes
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408")) << answer;
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2 * HealthServer::kHeadDeadline);
}

TEST(HealthServerBounds, OneConnectionTooManyClosesTheLongestSilent) {
  const Endpoint9090 endpoint;
  asio::io_context loop;
  std::vector<tcp::socket> silent;
  for (std::size_t n = 0; n < HealthServer::kMaxConnections; ++n) {
    silent.emplace_back(loop);
    silent.back().connect({asio::ip::address_v4::loopback(), endpoint.server->port()});
  }
  EXPECT_EQ(endpoint.get("/livez")->status, 200);
  char byte = 0;
  boost::system::error_code error;
  silent.front().read_some(asio::buffer(&byte, 1), error);
  EXPECT_TRUE(error);
}

TEST(HealthServerBounds, AmbiguousBodiesAreRefused) {
  const Endpoint9090 endpoint;
  EXPECT_TRUE(endpoint.raw("GET /readyz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                  .starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(endpoint.raw("GET /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
                  .starts_with("HTTP/1.1 413"));
}

// --- server-sent events

// A client of /events. `kernel` bounds what its kernel takes for it while it does not read.
class Follower {
 public:
  explicit Follower(const Endpoint9090& endpoint, const std::string& headers = "Host: localhost\r\n",
                    std::optional<int> kernel = std::nullopt)
      : socket_(loop_) {
    socket_.open(tcp::v4());
    if (kernel) socket_.set_option(asio::socket_base::receive_buffer_size(*kernel));
    socket_.connect({asio::ip::address_v4::loopback(), endpoint.server->port()});
    asio::write(socket_, asio::buffer("GET /events HTTP/1.1\r\n" + headers + "\r\n"));
  }
  std::string head() { return until("\r\n\r\n"); }
  std::string next() { return until("\n\n"); }  // "" at the end of the stream
  std::string status_line() {
    const std::string whole = head();
    return whole.substr(0, whole.find("\r\n"));
  }
  bool is_reset() {
    pollfd fd{.fd = socket_.native_handle(), .events = 0, .revents = 0};
    return ::poll(&fd, 1, 10'000) == 1 && (fd.revents & POLLERR) != 0;
  }

 private:
  std::string until(std::string_view end) {
    boost::system::error_code error;
    const std::size_t size = asio::read_until(socket_, asio::dynamic_buffer(buffer_), end, error);
    std::string part = error ? "" : buffer_.substr(0, size);
    buffer_.erase(0, size);
    return part;
  }

  asio::io_context loop_;
  tcp::socket socket_;
  std::string buffer_;
};

constexpr const char* kServed = "HTTP/1.1 200 OK";

TEST(HealthServerEvents, TellOfAChangeAndHowToComeBack) {
  Endpoint9090 endpoint;
  endpoint.board.publish(ready_status(true));
  Follower follower(endpoint);
  EXPECT_NE(follower.head().find("Content-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_EQ(follower.next(), "retry: 2000\n\n");
  EXPECT_NE(follower.next().find("\"ready\":true,\"holding\":[]"), std::string::npos);
  const auto began = std::chrono::steady_clock::now();
  endpoint.board.publish(ready_status(false));
  const std::string event = follower.next();
  EXPECT_LT(std::chrono::steady_clock::now() - began, HealthServer::kRunsEvery)
      << "at once, not with the runs";
  EXPECT_TRUE(event.starts_with("event: status\nid: ")) << event;
  EXPECT_NE(event.find("\ndata: {\"ready\":false,\"holding\":[\"admin_locked\"]"), std::string::npos)
      << event;
}

TEST(HealthServerEvents, TellOfRunsThatChangedNothingToo) {
  Endpoint9090 endpoint;
  endpoint.board.publish(ready_status(true));
  Follower follower(endpoint);
  follower.head();
  follower.next();
  const std::string first = follower.next();
  endpoint.board.publish(ready_status(true));
  const std::string second = follower.next();
  EXPECT_NE(first, second);
  EXPECT_EQ(first.substr(first.find("data:")), second.substr(second.find("data:")));
}

TEST(HealthServerEvents, AreForWhoMaySeeTheStatusAndForNoOtherSite) {
  const Endpoint9090 endpoint(Secret("correct-horse"));
  const auto answers = [&](const std::string& headers) {
    return Follower(endpoint, headers).status_line().substr(9, 3);
  };
  EXPECT_EQ(answers("Host: localhost\r\n"), "200");
  EXPECT_EQ(answers("Host: evil.test\r\n"), "403");
  EXPECT_EQ(answers("Host: a.internal\r\nAuthorization: Bearer correct-horse\r\n"), "200");
  EXPECT_EQ(answers("Host: a.internal\r\nAuthorization: Bearer wrong\r\n"), "401");
  EXPECT_EQ(answers("Host: localhost\r\nOrigin: http://evil.test\r\n"), "403");
  EXPECT_EQ(answers("Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"), "403");
  EXPECT_EQ(answers("Host: localhost\r\nSec-Fetch-Site: same-origin\r\n"), "200");
}

TEST(HealthServerEvents, HeadAsksWithoutFollowing) {
  const Endpoint9090 endpoint;
  const std::string answer =
      endpoint.raw("HEAD /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with(kServed)) << answer;
  EXPECT_EQ(answer.find("retry:"), std::string::npos) << answer;
}

TEST(HealthServerEvents, HaveSoManyViewersAndNoMoreWhileAllElseIsAnswered) {
  Endpoint9090 endpoint;
  std::list<Follower> followers;
  for (std::size_t n = 0; n < HealthServer::kMaxViewers; ++n) {
    followers.emplace_back(endpoint);
    EXPECT_EQ(followers.back().status_line(), kServed) << n;
  }
  EXPECT_EQ(Follower(endpoint).status_line(), "HTTP/1.1 503 Service Unavailable");
  EXPECT_EQ(endpoint.get("/livez")->status, 200);
  EXPECT_EQ(endpoint.get("/status")->status, 200);
}

// Asks until there is a place: the server learns only by and by who has gone.
bool finds_a_place(const Endpoint9090& endpoint, std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  while (std::chrono::steady_clock::now() < until)
    if (Follower(endpoint).status_line() == kServed) return true;
  return false;
}

TEST(HealthServerEvents, AViewerWhoHasGoneMakesRoom) {
  Endpoint9090 endpoint;
  {
    std::list<Follower> followers;
    for (std::size_t n = 0; n < HealthServer::kMaxViewers; ++n) {
      followers.emplace_back(endpoint);
      EXPECT_EQ(followers.back().status_line(), kServed);
    }
  }
  EXPECT_TRUE(finds_a_place(endpoint, std::chrono::seconds(10)));
}

TEST(HealthServerEvents, AViewerWhoDoesNotReadIsDropped) {
  Endpoint9090 endpoint;
  auto talkative = ready_status(false);
  talkative->holding.assign(1000, std::string(63, 'x'));
  Follower deaf(endpoint, "Host: localhost\r\n", 2048);
  endpoint.board.publish(talkative);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(deaf.is_reset());
  EXPECT_LT(std::chrono::steady_clock::now() - began, 3 * HealthServer::kWriteDeadline);
  EXPECT_EQ(endpoint.get("/livez")->status, 200);
}

TEST(HealthServerEvents, EndWhereAnotherTokenComesIntoForce) {
  const Endpoint9090 endpoint(Secret("correct-horse"));
  const std::string mine = "Host: a.internal\r\nAuthorization: Bearer correct-horse\r\n";
  Follower follower(endpoint, mine);
  EXPECT_EQ(follower.status_line(), kServed);
  endpoint.server->set_status_token(Secret("battery-staple"));
  while (!follower.next().empty()) {
  }
  EXPECT_EQ(Follower(endpoint, mine).status_line().substr(9, 3), "401");
}

TEST(HealthServerEvents, EndAtOnceWithTheServer) {
  Endpoint9090 endpoint;
  Follower follower(endpoint);
  EXPECT_EQ(follower.status_line(), kServed);
  const auto began = std::chrono::steady_clock::now();
  endpoint.server.reset();
  while (!follower.next().empty()) {
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
}

TEST(HealthServerListen, APortInUseIsNamed) {
  const Endpoint9090 first;
  const std::string address = "127.0.0.1:" + std::to_string(first.server->port());
  const StatusBoard board;
  const auto second = HealthServer::start(*ListenAddress::parse(address), board, std::nullopt);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(address), std::string::npos) << second.error().message;
  EXPECT_NE(second.error().message.find("in use"), std::string::npos) << second.error().message;
}

}  // namespace
}  // namespace holdshort
