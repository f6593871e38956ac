// The probes' client against peers that answer, lie, dribble, flood, hang, reset and are not there.
#include "probes/kit/http_client.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>

#include <gtest/gtest.h>

#include "tests/support/certificates.h"
#include "tests/support/raw_server.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using testing_support::Peer;
using testing_support::RawServer;
using PeerPtr = std::shared_ptr<Peer>;

// Where the outcome depends on no clock: so long that only a hang reaches it.
constexpr std::chrono::milliseconds kAmple = 20s;

Endpoint at(std::uint16_t port) {
  Endpoint endpoint;
  endpoint.url.host = "127.0.0.1";
  endpoint.url.port = port;
  return endpoint;
}

Endpoint tls_at(std::uint16_t port) {
  Endpoint endpoint = at(port);
  endpoint.url.scheme = Url::Scheme::https;
  return endpoint;
}

Request get(std::string target = "/") {
  Request request;
  request.target = std::move(target);
  request.headers = {{"Host", "x"}, {"Connection", "close"}};
  return request;
}

// More than the buffers of a loopback connection hold.
Request large_post() {
  Request request = get();
  request.method = "POST";
  request.body.assign(std::size_t{32} * 1024 * 1024, 'x');
  request.headers.push_back({"Content-Length", std::to_string(request.body.size())});
  return request;
}

Limits within(std::chrono::milliseconds deadline) {
  Limits limits;
  limits.deadline = deadline;
  return limits;
}

// Runs the loop until `asked` has its answer.
template <class T>
T wait_for(asio::io_context& loop, Awaitable<T> asked) {
  std::optional<T> answer;
  std::exception_ptr thrown;
  asio::co_spawn(loop, std::move(asked), [&](std::exception_ptr exception, T got) {
    thrown = exception;
    answer = std::move(got);
  });
  while (!answer && loop.run_one() > 0) {
  }
  EXPECT_FALSE(thrown) << "the client threw";
  return answer ? std::move(*answer) : T();
}

Response exchange(asio::io_context& loop, Endpoint endpoint, Request request,
                  Limits limits = within(kAmple)) {
  const auto client = make_http_client();
  return wait_for(loop, client->send(std::move(endpoint), std::move(request), limits));
}

enum class Then { close, reset, hang };

// Reads the head, writes `answer`, ends as told.
Awaitable<void> play(PeerPtr peer, std::string answer, Then then) {
  co_await peer->read_head();
  co_await peer->write(std::move(answer));
  if (then == Then::reset) peer->reset();
  if (then == Then::hang) co_await peer->wait();
}

RawServer::Script playing(std::string answer, Then then = Then::close) {
  return [answer = std::move(answer), then](PeerPtr peer) { return play(std::move(peer), answer, then); };
}

struct Row {
  const char* name;
  std::string answer;
  Then then;
  Ended ended;
  int status;
  std::string body;
  const char* method = "GET";
};

class HttpClientAnswers : public testing::TestWithParam<Row> {};

TEST_P(HttpClientAnswers, EndAsTheFramingSays) {
  const Row& row = GetParam();
  asio::io_context loop;
  RawServer server(loop, playing(row.answer, row.then));
  Request request = get();
  request.method = row.method;
  const Response response = exchange(loop, at(server.port()), std::move(request));
  EXPECT_EQ(name_of(response.ended), name_of(row.ended)) << response.error;
  EXPECT_EQ(response.status, row.status);
  EXPECT_EQ(response.body, row.body);
  EXPECT_EQ(response.error.empty(), row.ended == Ended::complete);
}

INSTANTIATE_TEST_SUITE_P(
    Framing, HttpClientAnswers,
    testing::Values(
        Row{"BytesAfterAWholeBodyAreIgnored", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloEXTRA",
            Then::hang, Ended::complete, 200, "hello"},
        Row{"WholeAnswerThenResetIsComplete", "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno", Then::reset,
            Ended::complete, 401, "no"},
        Row{"ChunkedWithTrailers",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n",
            Then::hang, Ended::complete, 200, "hello"},
        Row{"UntilClose", "HTTP/1.0 200 OK\r\n\r\nhello", Then::close, Ended::complete, 200, "hello"},
        Row{"HeadHasNoBody", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", Then::hang, Ended::complete,
            200, "", "HEAD"},
        Row{"NoContentHasNoBody", "HTTP/1.1 204 No Content\r\n\r\n", Then::hang, Ended::complete, 204, ""},
        Row{"InterimAnswersAreSkipped",
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
            Then::hang, Ended::complete, 200, "a"},
        Row{"ConflictingLengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            Then::hang, Ended::not_http, 200, ""},
        Row{"ShortBody", "HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\nshort", Then::close, Ended::cut_short,
            401, "short"},
        Row{"Garbage", "SSH-2.0-OpenSSH_9.2", Then::hang, Ended::not_http, 0, ""},
        Row{"HalfAHead", "HTTP/1.1 200 OK\r\nServer: x", Then::close, Ended::cut_short, 0, ""},
        Row{"NothingAtAll", "", Then::close, Ended::cut_short, 0, ""},
        Row{"ResetBeforeTheAnswer", "", Then::reset, Ended::reset, 0, ""}),
    [](const auto& row) { return row.param.name; });

Awaitable<void> record(PeerPtr peer, std::string* seen) {
  *seen = co_await peer->read_head();
  co_await peer->write("HTTP/1.1 204 No\r\n\r\n");
}

TEST(HttpClientRequest, IsWrittenByteForByte) {
  asio::io_context loop;
  std::string seen;
  RawServer server(loop, [&](PeerPtr peer) { return record(std::move(peer), &seen); });
  for (const char* target : {"//x/admin", "/%61dmin", "/admin/..;/", "http://x/admin", "\\admin", "/a\x85"}) {
    Request request = get(target);
    request.headers = {{"Host", "x"}, {"X-Twice", "1"}, {"x-twice", "2"}, {"X_Under", ""}};
    exchange(loop, at(server.port()), std::move(request));
    EXPECT_EQ(seen, std::string("GET ") + target +
                        " HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nx-twice: 2\r\nX_Under: \r\n\r\n");
  }
}

TEST(HttpClientRedirect, IsNotFollowed) {
  asio::io_context loop;
  RawServer server(loop, playing("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"));
  const Response response = exchange(loop, at(server.port()), get());
  EXPECT_EQ(response.status, 302);
  EXPECT_EQ(*response.header("location"), "/login");
}

TEST(HttpClientTiming, GrowsFromPhaseToPhase) {
  asio::io_context loop;
  RawServer server(loop, playing("HTTP/1.1 204 No\r\n\r\n"));
  const Timing timing = exchange(loop, at(server.port()), get()).timing;
  EXPECT_GT(timing.connect, 0us);
  EXPECT_EQ(timing.tls, 0us);
  EXPECT_GE(timing.first_byte, timing.connect);
  EXPECT_GE(timing.total, timing.first_byte);
}

TEST(HttpClientDeadline, IsNotStretchedBySilence) {
  asio::io_context loop;
  RawServer server(loop, playing("", Then::hang));
  const Response response = exchange(loop, at(server.port()), get(), within(50ms));
  EXPECT_EQ(response.ended, Ended::timeout);
  EXPECT_GE(response.timing.total, 50ms);
  EXPECT_FALSE(response.error.empty());
}

TEST(HttpClientDeadline, IsNotStretchedByASilentTlsPeer) {
  asio::io_context loop;
  RawServer server(loop, [](PeerPtr peer) { return play(std::move(peer), "", Then::hang); });
  EXPECT_EQ(exchange(loop, tls_at(server.port()), get(), within(50ms)).ended, Ended::timeout);
}

TEST(HttpClientDeadline, IsNotStretchedByAPeerThatReadsNothing) {
  asio::io_context loop;
  tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const Response response = exchange(loop, at(acceptor.local_endpoint().port()), large_post(), within(50ms));
  EXPECT_EQ(response.ended, Ended::timeout);
}

// The client may see status and body so far, though the answer never became whole.
TEST(HttpClientDeadline, KeepsWhatWasSeen) {
  asio::io_context loop;
  RawServer server(loop, playing("HTTP/1.1 401 No\r\nX: y\r\nContent-Length: 9\r\n\r\nhalf", Then::hang));
  const Response response = exchange(loop, at(server.port()), get(), within(50ms));
  EXPECT_EQ(response.ended, Ended::timeout);
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.body, "half");
  EXPECT_NE(response.header("X"), nullptr);
}

Awaitable<void> dribble(PeerPtr peer, std::string head) {
  co_await peer->read_head();
  bool there = co_await peer->write(std::move(head));
  while (there) {
    asio::steady_timer pause(peer->socket.get_executor(), 5ms);
    co_await pause.async_wait(asio::use_awaitable);
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
      {"sized body", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
      {"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "8\r\naaaaaaaa\r\n"},
      {"trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
       "X-Endless: aaaaaaaaaaaaa\r\n"},
      {"body to close", "HTTP/1.1 200 OK\r\n\r\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}};
  for (const Flood& kind : floods) {
    asio::io_context loop;
    RawServer server(loop, [&](PeerPtr peer) { return flood(std::move(peer), kind.head, kind.unit); });
    const Response response = exchange(loop, at(server.port()), get());
    EXPECT_EQ(name_of(response.ended), name_of(Ended::capped)) << kind.name;
    EXPECT_LE(response.body.size(), Limits{}.max_body_bytes) << kind.name;
    EXPECT_FALSE(response.shows_all()) << kind.name;
  }
}

TEST(HttpClientEarlyAnswer, IsReadWhereTheBodyIsNeverTaken) {
  asio::io_context loop;
  RawServer server(loop, playing("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", Then::hang));
  const Response response = exchange(loop, at(server.port()), large_post());
  EXPECT_EQ(response.ended, Ended::complete) << response.error;
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.body, "no");
}

TEST(HttpClientEarlyAnswer, IsReadWhereAResetFollows) {
  asio::io_context loop;
  RawServer server(loop,
                   playing("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"));  // closed with our body unread
  const Response response = exchange(loop, at(server.port()), large_post());
  EXPECT_EQ(response.ended, Ended::complete) << response.error;
  EXPECT_EQ(response.status, 401);
}

TEST(HttpClientReset, KeepsHeadAndBodyBeforeIt) {
  asio::io_context loop;
  RawServer server(loop, playing("HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 9\r\n\r\nhalf", Then::reset));
  const Response response = exchange(loop, at(server.port()), get());
  EXPECT_EQ(response.ended, Ended::reset);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "half");
}

// Answers, takes nothing, and resets once the client's writing has come to a halt.
Awaitable<void> reset_a_stalled_write(PeerPtr peer, std::string answer) {
  constexpr int kTurnsOfAHalt = 100;  // of the loop, without a byte more
  co_await peer->read_head();
  co_await peer->write(std::move(answer));
  std::size_t arrived = 0;
  for (int turns = 0; turns < kTurnsOfAHalt; ++turns) {
    co_await asio::post(peer->socket.get_executor(), asio::use_awaitable);
    if (std::exchange(arrived, peer->socket.available()) != arrived) turns = 0;
  }
  peer->reset();
}

// A body that ends with the connection is whole only where the end was orderly.
TEST(HttpClientReset, IsNoOrderlyEnd) {
  asio::io_context loop;
  RawServer server(loop, playing("HTTP/1.1 200 OK\r\n\r\nhalf", Then::reset));
  const Response response = exchange(loop, at(server.port()), get());
  EXPECT_EQ(response.ended, Ended::reset);
  EXPECT_EQ(response.body, "half");
}

// Our write is the first to meet it and takes it from the socket, which then reads as if closed in good
// order.
TEST(HttpClientReset, MetByOurWriteIsNoOrderlyEnd) {
  asio::io_context loop;
  RawServer server(loop, [](PeerPtr peer) {
    return reset_a_stalled_write(std::move(peer), "HTTP/1.1 200 OK\r\n\r\nhalf");
  });
  const Response response = exchange(loop, at(server.port()), large_post());
  EXPECT_EQ(name_of(response.ended), name_of(Ended::reset));
  EXPECT_EQ(response.body, "half");
  EXPECT_FALSE(response.shows_all());
}

TEST(HttpClientConnection, RefusedIsSaid) {
  asio::io_context loop;
  std::uint16_t port = 0;
  {
    const tcp::acceptor gone(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    port = gone.local_endpoint().port();
  }
  const Response response = exchange(loop, at(port), get());
  EXPECT_EQ(response.ended, Ended::refused);
  EXPECT_EQ(response.text(), "no answer: connection refused");
}

TEST(HttpClientConnection, TriesIpv4AndIpv6ForLocalhost) {
  for (const auto& address : {asio::ip::address(asio::ip::address_v4::loopback()),
                              asio::ip::address(asio::ip::address_v6::loopback())}) {
    asio::io_context loop;
    tcp::acceptor acceptor(loop);
    error_code failed;
    acceptor.open(tcp::endpoint(address, 0).protocol(), failed);
    if (!failed) acceptor.bind(tcp::endpoint(address, 0), failed);
    if (failed) continue;  // no IPv6 here
    acceptor.listen();
    tcp::socket peer(loop);
    const std::string answer = "HTTP/1.1 204 No\r\n\r\n";
    acceptor.async_accept(peer, [&](error_code) { asio::write(peer, asio::buffer(answer)); });
    Endpoint endpoint = at(acceptor.local_endpoint().port());
    endpoint.url.host = "localhost";
    EXPECT_EQ(exchange(loop, endpoint, get()).status, 204) << address.to_string();
    endpoint.url.host = address.to_string();
    acceptor.async_accept(peer = tcp::socket(loop),
                          [&](error_code) { asio::write(peer, asio::buffer(answer)); });
    EXPECT_EQ(exchange(loop, endpoint, get()).status, 204) << address.to_string();
  }
}

// "127.1" is no literal address for us, but getaddrinfo knows it without asking anybody.
TEST(HttpClientConnection, ResolvesNames) {
  asio::io_context loop;
  RawServer server(loop, playing("HTTP/1.1 204 No\r\n\r\n"));
  Endpoint endpoint = at(server.port());
  endpoint.url.host = "127.1";
  EXPECT_EQ(exchange(loop, endpoint, get()).status, 204);
}

// A label of 64 letters fails in the resolver itself, without a server.
TEST(HttpClientConnection, NameThatDoesNotResolveIsRefused) {
  asio::io_context loop;
  Endpoint endpoint = at(80);
  endpoint.url.host = std::string(64, 'a') + ".invalid";
  const Response response = exchange(loop, endpoint, get());
  EXPECT_EQ(response.ended, Ended::refused);
  EXPECT_FALSE(response.error.empty());
}

Awaitable<void> note_address(PeerPtr peer, std::string* seen) {
  *seen = peer->socket.remote_endpoint().address().to_string();
  co_await peer->read_head();
  co_await peer->write("HTTP/1.1 204 No\r\n\r\n");
}

TEST(HttpClientConnection, ComesFromTheChosenAddress) {
  asio::io_context loop;
  std::string seen;
  RawServer server(loop, [&](PeerPtr peer) { return note_address(std::move(peer), &seen); });
  Endpoint endpoint = at(server.port());
  endpoint.source_address = "127.0.0.2";
  EXPECT_EQ(exchange(loop, endpoint, get()).status, 204);
  EXPECT_EQ(seen, "127.0.0.2");
}

TEST(HttpClientConnection, SourceAddressThatIsNotOursIsRefused) {
  asio::io_context loop;
  RawServer server(loop, playing("HTTP/1.1 204 No\r\n\r\n"));
  for (const char* source : {"192.0.2.1", "::1", "no address"}) {
    Endpoint endpoint = at(server.port());
    endpoint.source_address = source;
    const Response response = exchange(loop, endpoint, get());
    EXPECT_EQ(response.ended, Ended::refused) << source;
    EXPECT_FALSE(response.error.empty()) << source;
  }
}

TEST(HttpClientConnection, WithoutDescriptorsItIsRefused) {
  asio::io_context loop;
  const asio::steady_timer loop_has_its_own(loop);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Response response = exchange(loop, at(80), get());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(response.ended, Ended::refused);
  EXPECT_EQ(response.error, "too many open files");
}

// A socket's path that goes with the test.
struct SocketPath {
  std::string text = "/tmp/holdshort-test-" + std::to_string(::getpid()) + ".sock";
  SocketPath() { ::unlink(text.c_str()); }
  ~SocketPath() { ::unlink(text.c_str()); }
};

TEST(HttpClientConnection, GoesThroughAUnixSocket) {
  asio::io_context loop;
  const SocketPath path;
  asio::local::stream_protocol::acceptor acceptor(loop, asio::local::stream_protocol::endpoint(path.text));
  asio::local::stream_protocol::socket peer(loop);
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  acceptor.async_accept(peer, [&](error_code) { asio::write(peer, asio::buffer(answer)); });
  Endpoint endpoint;
  endpoint.url = *Url::parse("unix:" + path.text);
  EXPECT_EQ(exchange(loop, endpoint, get()).body, "hi");
}

TEST(HttpClientConnection, UnixSocketThatIsNotThereIsRefused) {
  asio::io_context loop;
  Endpoint endpoint;
  endpoint.url.scheme = Url::Scheme::unix_socket;
  for (const std::string& path :
       {std::string("/tmp/holdshort-nothing-here.sock"), "/" + std::string(300, 'a')}) {
    endpoint.url.path = path;
    EXPECT_EQ(exchange(loop, endpoint, get()).ended, Ended::refused) << path;
  }
}

// A self-signed certificate for app.test and 127.0.0.1, made anew; the server reports the SNI it was sent.
class TlsServer {
 public:
  explicit TlsServer(asio::io_context& loop)
      : server_(loop, [this](PeerPtr peer) { return serve(std::move(peer), this); }) {
    use(context_.native_handle(), issued);
  }
  std::uint16_t port() const { return server_.port(); }
  const testing_support::Issued issued = testing_support::issue({});
  std::string seen_name;
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure";

 private:
  static Awaitable<void> serve(PeerPtr peer, TlsServer* self) {
    ssl::stream<tcp::socket&> stream(peer->socket, self->context_);
    error_code failed;
    co_await stream.async_handshake(ssl::stream_base::server,
                                    asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return;
    if (const char* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name)) {
      self->seen_name = name;
    }
    std::string head;
    co_await asio::async_read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n",
                                    asio::redirect_error(asio::use_awaitable, failed));
    co_await asio::async_write(stream, asio::buffer(self->answer),
                               asio::redirect_error(asio::use_awaitable, failed));
  }
  ssl::context context_{ssl::context::tls_server};
  RawServer server_;
};

TEST(HttpClientTls, WithoutVerifyingAnyCertificateDoes) {
  asio::io_context loop;
  TlsServer server(loop);
  Endpoint endpoint = tls_at(server.port());
  endpoint.tls_skip_verify = true;
  endpoint.tls_server_name = "other.test";
  const Response response = exchange(loop, endpoint, get());
  EXPECT_EQ(response.body, "secure") << response.error;
  EXPECT_EQ(server.seen_name, "other.test");
  EXPECT_GE(response.timing.tls, response.timing.connect);
  EXPECT_GE(response.timing.first_byte, response.timing.tls);
}

TEST(HttpClientTls, CertificateOfNobodyKnownFails) {
  asio::io_context loop;
  TlsServer server(loop);
  const Response response = exchange(loop, tls_at(server.port()), get());
  EXPECT_EQ(response.ended, Ended::tls_failed);
  EXPECT_EQ(response.status, 0);
  EXPECT_NE(response.error.find("self"), std::string::npos) << response.error;  // "self-signed certificate"
}

TEST(HttpClientTls, CertificateMustBeForTheNameOrTheAddress) {
  asio::io_context loop;
  TlsServer server(loop);
  const testing_support::Trusted trusted(server.issued);
  const std::pair<const char*, Ended> rows[] = {{"app.test", Ended::complete},
                                                {"", Ended::complete},  // the url's host: 127.0.0.1
                                                {"other.test", Ended::tls_failed},
                                                {"127.0.0.2", Ended::tls_failed}};
  for (const auto& [name, ended] : rows) {
    server.seen_name.clear();
    Endpoint endpoint = tls_at(server.port());
    endpoint.tls_server_name = name;
    const Response response = exchange(loop, endpoint, get());
    EXPECT_EQ(name_of(response.ended), name_of(ended)) << name << response.error;
    if (ended == Ended::tls_failed) {
      EXPECT_NE(response.error.find("mismatch"), std::string::npos) << response.error;
    }
  }
  EXPECT_EQ(server.seen_name, "") << "an address is not sent as SNI (RFC 6066 3)";
}

TEST(HttpClientTls, EndWithoutCloseNotifyIsNoWholeBody) {
  asio::io_context loop;
  TlsServer server(loop);
  server.answer = "HTTP/1.1 200 OK\r\n\r\nhalf";
  Endpoint endpoint = tls_at(server.port());
  endpoint.tls_skip_verify = true;
  const Response response = exchange(loop, endpoint, get());
  EXPECT_EQ(response.ended, Ended::cut_short);
  EXPECT_EQ(response.body, "half");
}

// Speaks first, as the client's handshake holds no head to wait for.
Awaitable<void> answer_unasked(PeerPtr peer) {
  co_await peer->write("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
  co_await peer->wait();
}

TEST(HttpClientTls, APlainServerIsNoTlsServer) {
  asio::io_context loop;
  RawServer server(loop, answer_unasked);
  const Response response = exchange(loop, tls_at(server.port()), get());
  EXPECT_EQ(response.ended, Ended::tls_failed);
  EXPECT_EQ(response.status, 0);
}

std::vector<Request> numbered(std::size_t count) {
  std::vector<Request> requests;
  for (std::size_t n = 0; n < count; ++n) requests.push_back(get("/" + std::to_string(n)));
  return requests;
}

std::vector<Response> burst(asio::io_context& loop, std::uint16_t port, std::vector<Request> requests,
                            std::chrono::milliseconds deadline) {
  const auto client = make_http_client();
  return wait_for(loop, client->burst(at(port), std::move(requests), within(deadline)));
}

std::size_t wire_bytes(const Request& request) {
  std::size_t bytes =
      request.method.size() + request.target.size() + std::string("  HTTP/1.1\r\n\r\n").size();
  for (const Header& header : request.headers) bytes += header.name.size() + header.value.size() + 4;
  return bytes + request.body.size();
}

// A server that leaves one large request unread until all small ones have come but for their last byte.
struct Burst {
  explicit Burst(asio::io_context& loop)
      : all_are_waiting(loop, std::chrono::steady_clock::time_point::max()) {}
  std::size_t small_bytes = 0, large_bytes = 0, small_requests = 0;
  std::size_t waiting = 0, whole = 0;
  std::size_t released_early = 0;  // bytes or requests
  asio::steady_timer all_are_waiting;
};

// The request's first bytes; false where the peer has gone.
Awaitable<bool> read_bytes(PeerPtr peer, std::string* bytes, std::size_t count) {
  bytes->resize(count);
  error_code failed;
  co_await asio::async_read(peer->socket, asio::buffer(*bytes),
                            asio::redirect_error(asio::use_awaitable, failed));
  co_return !failed;
}

Awaitable<void> serve_burst(PeerPtr peer, Burst* burst) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  std::string seen;
  if (!co_await read_bytes(peer, &seen, 6)) co_return;
  const std::string target = seen.substr(4, 2);
  if (seen.starts_with("POST")) {
    error_code woken;
    if (burst->waiting < burst->small_requests) {
      co_await burst->all_are_waiting.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    burst->released_early += burst->whole;
    if (!co_await read_bytes(peer, &seen, burst->large_bytes - 6)) co_return;
    co_await peer->write(answer + "ok");
    co_return;
  }
  if (!co_await read_bytes(peer, &seen, burst->small_bytes - 7)) co_return;
  burst->released_early += peer->socket.available();
  if (++burst->waiting == burst->small_requests) burst->all_are_waiting.cancel();
  if (!co_await read_bytes(peer, &seen, 1)) co_return;
  ++burst->whole;
  co_await peer->write(answer + target);
}

TEST(HttpClientBurst, ReleasesItsRequestsByTheirLastByte) {
  asio::io_context loop;
  constexpr std::size_t kSmall = 8;
  std::vector<Request> requests = numbered(kSmall);
  requests.push_back(large_post());
  Burst seen(loop);
  seen.small_requests = kSmall;
  seen.small_bytes = wire_bytes(requests.front());
  seen.large_bytes = wire_bytes(requests.back());
  RawServer server(loop, [&](PeerPtr peer) { return serve_burst(std::move(peer), &seen); });
  const std::vector<Response> responses = burst(loop, server.port(), std::move(requests), kAmple);
  EXPECT_EQ(seen.waiting, kSmall);
  EXPECT_EQ(seen.released_early, 0U);
  ASSERT_EQ(responses.size(), kSmall + 1);
  for (std::size_t n = 0; n < kSmall; ++n) EXPECT_EQ(responses[n].body, "/" + std::to_string(n));
  EXPECT_EQ(responses.back().body, "ok");
}

TEST(HttpClientBurst, HasOneDeadlineForAll) {
  asio::io_context loop;
  RawServer server(loop, playing("", Then::hang));
  const std::vector<Response> responses = burst(loop, server.port(), numbered(4), 60ms);
  ASSERT_EQ(responses.size(), 4U);
  for (const Response& response : responses) EXPECT_EQ(response.ended, Ended::timeout);
}

TEST(HttpClientBurst, OfNothingIsNothing) {
  asio::io_context loop;
  EXPECT_TRUE(burst(loop, 80, {}, kAmple).empty());
}

// One whose body is never taken, and is answered all the same, does not hold up the others.
TEST(HttpClientBurst, IsNotHeldUpByAnEarlyAnswer) {
  asio::io_context loop;
  RawServer server(loop, playing("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n", Then::hang));
  std::vector<Request> requests = numbered(2);
  requests[0] = large_post();
  for (const Response& response : burst(loop, server.port(), std::move(requests), kAmple)) {
    EXPECT_EQ(response.ended, Ended::complete) << response.error;
    EXPECT_EQ(response.status, 413);
  }
}

// The agent stops: the loop is destroyed under pending exchanges. LeakSanitizer looks on.
TEST(HttpClientStop, LeavesNothingBehind) {
  const auto client = make_http_client();
  auto loop = std::make_unique<asio::io_context>();
  int accepted = 0;
  int ended = 0;
  auto server = std::make_unique<RawServer>(*loop, [&](PeerPtr peer) {
    ++accepted;
    return play(std::move(peer), "", Then::hang);
  });
  asio::co_spawn(*loop, client->send(at(server->port()), large_post(), within(kAmple)),
                 [&](std::exception_ptr, const Response&) { ++ended; });
  asio::co_spawn(*loop, client->burst(at(server->port()), numbered(3), within(kAmple)),
                 [&](std::exception_ptr, const std::vector<Response>&) { ++ended; });
  while (accepted < 4) loop->run_one();
  server.reset();
  loop.reset();
  EXPECT_EQ(ended, 0);
}

}  // namespace
}  // namespace holdshort
