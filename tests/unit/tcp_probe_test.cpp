// The tcp probe, and the dialling that it shares with all clients: what each end of an attempt to connect
// says of a port.
#include "probes/tcp/tcp.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/configured_probe.h"
#include "tests/support/raw_server.h"

namespace holdshort {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using tcp_probe::Expect;
using testing::HasSubstr;
using testing_support::ConfiguredProbe;
using testing_support::Stage;

struct Row {
  const char* name;
  Expect expect;
  Reached how;
  Outcome outcome;
  const char* observed;
};
class TcpProbe : public testing::TestWithParam<Row> {};

// Silence says nothing of a port, whatever it should be.
const Row kRows[] = {
    {"OpenAsDeclared", Expect::open, Reached::open, Outcome::pass, "open"},
    {"OpenThoughItShouldBeClosed", Expect::closed, Reached::open, Outcome::fail, "open"},
    {"RefusedIsClosed", Expect::closed, Reached::refused, Outcome::pass, "closed"},
    {"RefusedIsNotOpen", Expect::open, Reached::refused, Outcome::fail, "closed"},
    {"SilenceIsNotOpen", Expect::open, Reached::timeout, Outcome::inconclusive, "filtered"},
    {"SilenceIsNotClosed", Expect::closed, Reached::timeout, Outcome::inconclusive, "filtered"},
    {"NoRouteIsNotOpen", Expect::open, Reached::unreachable, Outcome::inconclusive, "not reached"},
    {"NoRouteIsNotClosed", Expect::closed, Reached::unreachable, Outcome::inconclusive, "not reached"},
    {"NoNameIsNotOpen", Expect::open, Reached::unresolved, Outcome::inconclusive, "no such name"},
    {"NoNameIsNotClosed", Expect::closed, Reached::unresolved, Outcome::inconclusive, "no such name"},
};
TEST_P(TcpProbe, Judges) {
  const Row& row = GetParam();
  const Address address = *Address::parse("db.internal:5432");
  const Check check = tcp_probe::judge(address, row.expect, {row.how, "the system's words"});
  EXPECT_EQ(name_of(check.outcome), name_of(row.outcome));
  EXPECT_THAT(check.observed, HasSubstr(row.observed));
  EXPECT_EQ(check.id, "tcp.port");
  EXPECT_EQ(check.request, "connect to db.internal:5432");
  EXPECT_THAT(check.summary, HasSubstr("db.internal:5432"));
}
INSTANTIATE_TEST_SUITE_P(Table, TcpProbe, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

// A run of a probe of that table.
ProbeOutcome run(const std::string& keys, const std::string& private_ip = "") {
  ConfiguredProbe configured("[probes.p]\ntype = \"tcp\"\n" + keys + "\n");
  Stage stage([](const testing_support::Sent&) { return Response(); }, configured.environment);
  stage.app.private_ip = private_ip;
  return configured.run(stage);
}

// Listens, and has room for that many connections that nobody accepts.
struct Listener {
  explicit Listener(const tcp::endpoint& at = {asio::ip::address_v4::loopback(), 0}, int backlog = 16)
      : acceptor(loop) {
    acceptor.open(at.protocol());
    acceptor.bind(at);
    acceptor.listen(backlog);
  }
  std::string port() const { return std::to_string(acceptor.local_endpoint().port()); }
  asio::io_context loop;
  tcp::acceptor acceptor;
};

// A port where nobody listens, and nobody else gets it meanwhile: it is bound.
struct ClosedPort {
  ClosedPort() : socket(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
  std::string port() const { return std::to_string(socket.local_endpoint().port()); }
  asio::io_context loop;
  tcp::socket socket;
};

std::string address_key(const std::string& address) { return "address = \"" + address + "\"\n"; }

TEST(TcpProbeRun, AListeningPortIsOpen) {
  const Listener listener;
  const ProbeOutcome outcome = run(address_key("127.0.0.1:" + listener.port()));
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_EQ(outcome.requests, 1);
  EXPECT_EQ(run(address_key("localhost:" + listener.port()) + "expect = \"closed\"").outcome(),
            Outcome::fail);
}

TEST(TcpProbeRun, APortWhereNobodyListensIsClosed) {
  const ClosedPort closed;
  EXPECT_EQ(run(address_key("127.0.0.1:" + closed.port()) + "expect = \"closed\"").outcome(), Outcome::pass);
  const ProbeOutcome outcome = run(address_key("127.0.0.1:" + closed.port()));
  EXPECT_EQ(outcome.outcome(), Outcome::fail);
  EXPECT_EQ(outcome.summary(),
            "127.0.0.1:" + closed.port() + " is closed: connection refused, expected open");
}

TEST(TcpProbeRun, AnAddressWithoutAnswerIsInconclusiveEitherWay) {
  // Linux drops what comes to a full queue, as a packet filter would.
  const Listener busy({asio::ip::address_v4::loopback(), 0}, 0);
  asio::io_context loop;
  std::vector<std::unique_ptr<tcp::socket>> queued;
  for (int i = 0; i < 4; ++i) {
    queued.push_back(std::make_unique<tcp::socket>(loop));
    queued.back()->async_connect(busy.acceptor.local_endpoint(), [](const boost::system::error_code&) {});
  }
  loop.poll();
  for (const char* expect : {"open", "closed"}) {
    const ProbeOutcome outcome =
        run(address_key("127.0.0.1:" + busy.port()) + "timeout = \"50ms\"\nexpect = \"" + expect + "\"");
    EXPECT_EQ(outcome.outcome(), Outcome::inconclusive) << expect;
    EXPECT_THAT(outcome.summary(), HasSubstr("no answer: filtered, or too busy to accept"));
  }
}

TEST(TcpProbeRun, ANameThatDoesNotExistIsInconclusive) {
  // RFC 6761 6.4; a resolver that does not answer ends at the deadline, which is inconclusive too.
  const ProbeOutcome outcome =
      run(address_key("holdshort.invalid:1") + "expect = \"closed\"\ntimeout = \"2s\"");
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive) << outcome.summary();
}

TEST(TcpProbeRun, AUnixSocketIsOpenWhereSomebodyListensAndClosedWhereItIsMissing) {
  const std::string path = testing::TempDir() + "holdshort_tcp_" + std::to_string(::getpid()) + ".sock";
  ::unlink(path.c_str());
  EXPECT_EQ(run(address_key("unix:" + path) + "expect = \"closed\"").outcome(), Outcome::pass);
  EXPECT_EQ(run(address_key("unix:" + path)).outcome(), Outcome::fail);
  asio::io_context loop;
  {
    const asio::local::stream_protocol::acceptor acceptor(loop, asio::local::stream_protocol::endpoint(path));
    EXPECT_EQ(run(address_key("unix:" + path)).outcome(), Outcome::pass);
  }
  // Left behind by a process that has ended.
  EXPECT_EQ(run(address_key("unix:" + path)).outcome(), Outcome::fail);
  ::unlink(path.c_str());
}

TEST(TcpProbeRun, ViaPrivateReachesWhatANeighbourReaches) {
  const Listener on_loopback({asio::ip::make_address("127.0.0.1"), 0});
  // The address of the "private" network is another one of this machine's.
  const std::string keys = address_key("127.0.0.1:" + on_loopback.port()) + "via = \"private\"\n";
  const ProbeOutcome outcome = run(keys + "expect = \"closed\"", "127.0.0.2");
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_EQ(outcome.checks.at(0).request, "connect to 127.0.0.2:" + on_loopback.port());
}

TEST(TcpProbeRun, RefusesAnAddressThatIsNone) {
  for (const char* address :
       {"5432", "db", "db:0", "db:70000", "http://db:80", "fdaa::3:5432", "unix:relative"}) {
    testing_support::FakeEnvironment environment;
    const Loaded loaded = parse_config(
        "f", "[app]\nurl = \"http://127.0.0.1:1\"\n[probes.p]\ntype = \"tcp\"\n" + address_key(address),
        environment, {});
    ASSERT_EQ(loaded.diagnostics.size(), 1u) << address;
    EXPECT_THAT(loaded.diagnostics[0].message, HasSubstr("\"address\": ")) << address;
    EXPECT_EQ(loaded.diagnostics[0].place.line, 5) << address;
  }
}

}  // namespace
}  // namespace holdshort
