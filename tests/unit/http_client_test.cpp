// The probes' client against peers that answer, lie, dribble, flood, hang and are not there.
#include "probes/kit/http_client.h"

#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>

#include <gtest/gtest.h>

#include "tests/support/raw_server.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing_support::Peer;
using testing_support::RawServer;
namespace asio = boost::asio;
using PeerPtr = std::shared_ptr<Peer>;

Endpoint at(std::uint16_t port) {
  Endpoint endpoint;
  endpoint.url.host = "127.0.0.1";
  endpoint.url.port = port;
  return endpoint;
}

Request get(std::string target = "/") {
  Request request;
  request.target = std::move(target);
  request.headers = {{"Host", "x"}, {"Connection", "close"}};
  return request;
}

Limits within(std::chrono::milliseconds deadline) {
  Limits limits;
  limits.deadline = deadline;
  return limits;
}

// Runs one exchange to its end.
Response exchange(asio::io_context& loop, Endpoint endpoint, Request request, Limits limits = {}) {
  const auto client = make_http_client();
  Response response;
  asio::co_spawn(loop, client->send(std::move(endpoint), std::move(request), limits),
                 [&](std::exception_ptr, Response got) {
                   response = std::move(got);
                   loop.stop();
                 });
  loop.run();
  loop.restart();
  return response;
}

// Against a server that reads the head and then writes `bytes`, closes, or resets.
enum class Then { close, reset, hang };
Awaitable<void> play(PeerPtr peer, std::string bytes, Then then) {
  co_await peer->read_head();
  co_await peer->write(std::move(bytes));
  if (then == Then::reset) peer->reset();
  if (then == Then::hang) co_await peer->wait();
}

struct Row {
  const char* name;
  std::string answer;
  Ended ended;
  int status = 0;
  const char* body = "";
  Then then = Then::close;
  const char* method = "GET";
};

class HttpClientAnswers : public testing::TestWithParam<Row> {};

TEST_P(HttpClientAnswers, EndAsTheFramingSays) {
  asio::io_context loop;
  RawServer server(loop,
                   [](PeerPtr peer) { return play(std::move(peer), GetParam().answer, GetParam().then); });
  Request request = get();
  request.method = GetParam().method;
  const Response response = exchange(loop, at(server.port()), std::move(request), within(2s));
  EXPECT_EQ(name_of(response.ended), name_of(GetParam().ended)) << response.error;
  EXPECT_EQ(response.status, GetParam().status);
  if (GetParam().ended == Ended::complete) {
    EXPECT_EQ(response.body, GetParam().body);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Framing, HttpClientAnswers,
    testing::Values(
        Row{"Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloEXTRA", Ended::complete, 200, "hello",
            Then::hang},
        Row{"Chunked",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: "
            "1\r\n\r\n",
            Ended::complete, 200, "hello!", Then::hang},
        Row{"UntilClose", "HTTP/1.0 200 OK\r\n\r\nhello", Ended::complete, 200, "hello"},
        Row{"HeadHasNoBody", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", Ended::complete, 200, "",
            Then::hang, "HEAD"},
        Row{"NoContent", "HTTP/1.1 204 No Content\r\n\r\n", Ended::complete, 204, "", Then::hang},
        Row{"NoReason", "HTTP/1.1 401\r\nContent-Length: 0\r\n\r\n", Ended::complete, 401, "", Then::hang},
        Row{"InterimAnswersAreSkipped",
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
            Ended::complete, 200, "a", Then::hang},
        Row{"RepeatedEqualLengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            Ended::complete, 200, "a", Then::hang},
        Row{"ConflictingLengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            Ended::not_http, 200},
        Row{"LengthAndChunked",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Ended::not_http, 200},
        Row{"ShortBody", "HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\nshort", Ended::cut_short, 401},
        Row{"NoLastChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            Ended::cut_short, 200},
        Row{"Garbage", "\x16\x03\x01 this is no HTTP\r\n\r\n", Ended::not_http},
        Row{"HalfAHead", "HTTP/1.1 200 OK\r\nServer: x", Ended::cut_short},
        Row{"Nothing", "", Ended::cut_short}, Row{"Reset", "", Ended::reset, 0, "", Then::reset}),
    [](const auto& row) { return row.param.name; });

TEST(HttpClientRequest, IsWrittenByteForByte) {
  asio::io_context loop;
  std::string seen;
  RawServer server(loop, [&](PeerPtr peer) -> Awaitable<void> {
    seen = co_await peer->read_head();
    co_await peer->write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  for (const char* target : {"//x/admin", "/%61dmin", "/admin/..;/", "http://x/admin", "\\admin", "/a\x85"}) {
    Request request = get(target);
    request.headers = {{"Host", "x"}, {"X-Twice", "1"}, {"x-twice", "2"}, {"X_Under", ""}};
    exchange(loop, at(server.port()), std::move(request));
    EXPECT_EQ(seen, std::string("GET ") + target +
                        " HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nx-twice: 2\r\nX_Under: \r\n\r\n");
  }
}

TEST(HttpClientDeadline, IsNotStretchedBySilence) {
  asio::io_context loop;
  RawServer server(loop, [](PeerPtr peer) { return play(std::move(peer), "", Then::hang); });
  EXPECT_EQ(exchange(loop, at(server.port()), get(), within(50ms)).ended, Ended::timeout);
}

Awaitable<void> dribble(PeerPtr peer, std::string head) {
  co_await peer->read_head();
  bool there = co_await peer->write(std::move(head));
  while (there) {
    asio::steady_timer timer(peer->socket.get_executor(), 5ms);
    co_await timer.async_wait(asio::use_awaitable);
    there = co_await peer->write("a");
  }
}

TEST(HttpClientDeadline, IsNotStretchedByADribble) {
  for (const char* head : {"HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"}) {
    asio::io_context loop;
    RawServer server(loop, [&](PeerPtr peer) { return dribble(std::move(peer), head); });
    const Response response = exchange(loop, at(server.port()), get(), within(60ms));
    EXPECT_EQ(response.ended, Ended::timeout);
    EXPECT_GE(response.timing.total, 60ms);
  }
}

// Writes `unit` again and again until the client has had enough.
Awaitable<void> flood(PeerPtr peer, std::string head, std::string unit) {
  co_await peer->read_head();
  bool there = co_await peer->write(std::move(head));
  while (there) there = co_await peer->write(unit);
}

struct Flood {
  const char *name, *head, *unit;
};

TEST(HttpClientCaps, EndAFloodOfAnyKind) {
  const Flood floods[] = {
      {"fields", "HTTP/1.1 200 OK\r\n", "X-Endless: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"},
      {"one field", "HTTP/1.1 200 OK\r\nX: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
      {"interim answers", "", "HTTP/1.1 100 Continue\r\n\r\n"},
      {"body", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
      {"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "8\r\naaaaaaaa\r\n"},
      {"body to close", "HTTP/1.1 200 OK\r\n\r\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}};
  for (const Flood& kind : floods) {
    asio::io_context loop;
    RawServer server(loop, [&](PeerPtr peer) { return flood(std::move(peer), kind.head, kind.unit); });
    const Response response = exchange(loop, at(server.port()), get(), within(10s));
    EXPECT_EQ(response.ended, Ended::capped) << kind.name;
    EXPECT_LE(response.body.size(), Limits{}.max_body_bytes) << kind.name;
    EXPECT_FALSE(response.shows_all()) << kind.name;
  }
}

TEST(HttpClientEarlyAnswer, IsReadEvenWhereWritingFails) {
  asio::io_context loop;
  RawServer server(loop, [](PeerPtr peer) -> Awaitable<void> {
    co_await peer->read_head();
    co_await peer->write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    peer->socket.close();  // with our body unread: the kernel resets
  });
  Request request = get();
  request.method = "POST";
  request.body.assign(8 * 1024 * 1024, 'x');
  request.headers.push_back({"Content-Length", std::to_string(request.body.size())});
  const Response response = exchange(loop, at(server.port()), std::move(request), within(5s));
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.body, "no");
}

TEST(HttpClientConnection, RefusedIsSaid) {
  asio::io_context loop;
  std::uint16_t port = 0;
  {
    RawServer gone(loop, [](PeerPtr peer) { return play(std::move(peer), "", Then::close); });
    port = gone.port();
  }
  const Response response = exchange(loop, at(port), get());
  EXPECT_EQ(response.ended, Ended::refused);
  EXPECT_NE(response.error.find("refused"), std::string::npos) << response.error;
}

TEST(HttpClientConnection, ComesFromTheChosenAddress) {
  asio::io_context loop;
  std::string seen;
  RawServer server(loop, [&](PeerPtr peer) -> Awaitable<void> {
    seen = peer->socket.remote_endpoint().address().to_string();
    co_await peer->read_head();
    co_await peer->write("HTTP/1.1 204 No\r\n\r\n");
  });
  Endpoint endpoint = at(server.port());
  endpoint.source_address = "127.0.0.2";
  EXPECT_EQ(exchange(loop, endpoint, get()).status, 204);
  EXPECT_EQ(seen, "127.0.0.2");
}

TEST(HttpClientConnection, GoesThroughAUnixSocket) {
  asio::io_context loop;
  const std::string path = "/tmp/holdshort-test-" + std::to_string(::getpid()) + ".sock";
  ::unlink(path.c_str());
  asio::local::stream_protocol::acceptor acceptor(loop, asio::local::stream_protocol::endpoint(path));
  asio::local::stream_protocol::socket peer(loop);
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  acceptor.async_accept(peer, [&](boost::system::error_code) {
    asio::async_write(peer, asio::buffer(answer), [](auto, auto) {});
  });
  Endpoint endpoint;
  endpoint.url = *Url::parse("unix:" + path);
  EXPECT_EQ(exchange(loop, endpoint, get()).body, "hi");
  ::unlink(path.c_str());
}

TEST(HttpClientTls, APlainServerIsNoTlsServer) {
  asio::io_context loop;
  RawServer server(loop, [](PeerPtr peer) -> Awaitable<void> {
    co_await peer->write("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
  });
  Endpoint endpoint = at(server.port());
  endpoint.url.scheme = Url::Scheme::https;
  const Response response = exchange(loop, endpoint, get(), within(2s));
  EXPECT_EQ(response.ended, Ended::tls_failed);
  EXPECT_EQ(response.status, 0);
}

TEST(HttpClientBurst, ReleasesItsRequestsByTheirLastByte) {
  asio::io_context loop;
  constexpr int kRequests = 8;
  int connected = 0, whole = 0, connected_at_first_whole = 0;
  RawServer server(loop, [&](PeerPtr peer) -> Awaitable<void> {
    ++connected;
    const std::string head = co_await peer->read_head();
    if (whole++ == 0) connected_at_first_whole = connected;
    const std::string target = head.substr(4, head.find(' ', 4) - 4);
    co_await peer->write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + target);
  });
  std::vector<Request> requests;
  for (int n = 0; n < kRequests; ++n) requests.push_back(get("/" + std::to_string(n)));
  const auto client = make_http_client();
  std::vector<Response> responses;
  asio::co_spawn(loop, client->burst(at(server.port()), std::move(requests), within(5s)),
                 [&](std::exception_ptr, std::vector<Response> got) {
                   responses = std::move(got);
                   loop.stop();
                 });
  loop.run();
  EXPECT_EQ(connected_at_first_whole, kRequests);
  ASSERT_EQ(responses.size(), static_cast<std::size_t>(kRequests));
  for (int n = 0; n < kRequests; ++n)
    EXPECT_EQ(responses[static_cast<std::size_t>(n)].body, "/" + std::to_string(n));
}

}  // namespace
}  // namespace holdshort
