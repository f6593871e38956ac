// The listeners probe on Machines made of tables in /proc.
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/listeners/sockets.h"
#include "tests/support/configured_probe.h"

namespace holdshort {
namespace {

using listeners::Listener;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_support::ConfiguredProbe;
using testing_support::find;
using testing_support::Stage;

// --- the table

constexpr std::string_view kTitle =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

std::string line(const std::string& local, std::uint64_t inode, const std::string& state = "0A",
                 int user = 0) {
  const std::string zeros(local.size() - 5, '0');
  return "   0: " + local + " " + zeros + ":0000 " + state + " 00000000:00000000 00:00000000 00000000  " +
         std::to_string(user) + "        0 " + std::to_string(inode) + " 1 0000000000000000 100 0 0 10 0\n";
}

std::vector<Listener> listed(const std::string& lines) {
  std::vector<Listener> found;
  EXPECT_TRUE(listeners::read_table(std::string(kTitle) + lines, found));
  return found;
}

struct AddressRow {
  const char* name;
  const char* local;
  const char* text;
  bool is_loopback;
};
class ListenerAddress : public testing::TestWithParam<AddressRow> {};
const AddressRow kAddresses[] = {
    {"AnyIpv4", "00000000:1F90", "0.0.0.0:8080", false},
    {"LoopbackIpv4", "0100007F:0BB8", "127.0.0.1:3000", true},
    {"AllOfTheLoopbackNetwork", "3500007F:0035", "127.0.0.53:53", true},
    {"PrivateIpv4IsBeyond", "0201A8C0:0016", "192.168.1.2:22", false},
    {"AnyIpv6", "00000000000000000000000000000000:1F90", "[::]:8080", false},
    {"LoopbackIpv6", "00000000000000000000000001000000:0BB8", "[::1]:3000", true},
    {"MappedLoopback", "0000000000000000FFFF00000100007F:0BB8", "[::ffff:127.0.0.1]:3000", true},
    {"MappedAddressIsBeyond", "0000000000000000FFFF00000201A8C0:0BB8", "[::ffff:192.168.1.2]:3000", false},
    {"Fly6pn", "0000AAFD00000000000000000300000A:0016", "[fdaa::a00:3]:22", false},
    {"LinkLocalIsBeyond", "000080FE000000000000000001000000:0050", "[fe80::1]:80", false},
};
TEST_P(ListenerAddress, IsReadInTheMachinesOrder) {
  const std::vector<Listener> found = listed(line(GetParam().local, 7, "0A", 104));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].text(), GetParam().text);
  EXPECT_EQ(found[0].is_loopback(), GetParam().is_loopback);
  EXPECT_EQ(found[0].inode, 7u);
  EXPECT_EQ(found[0].user, 104);
}
INSTANTIATE_TEST_SUITE_P(Table, ListenerAddress, testing::ValuesIn(kAddresses),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Listeners, ConnectionsAreNone) {
  EXPECT_TRUE(listed(line("00000000:1F90", 1, "01") + line("00000000:1F91", 2, "06")).empty());
}

TEST(Listeners, WhatIsNoSuchTableIsRefused) {
  for (const char* table : {"", "nonsense", "title\nnonsense\n", "title\n 0: 0100007F 0 0A\n"}) {
    std::vector<Listener> found;
    EXPECT_EQ(listeners::read_table(table, found), std::string_view(table) == "nonsense") << table;
  }
}

TEST(Listeners, TheMachinesOwnTableCanBeRead) {
  const SystemEnvironment environment;
  EXPECT_TRUE(listeners::all_listeners(environment).has_value());
}

// --- the probe

// A Machine whose app, node, listens on 127.0.0.1:3000.
struct Machine {
  Machine() : configured("[probes.p]\ntype = \"listeners\"\n") { start(); }
  explicit Machine(const std::string& keys) : configured("[probes.p]\ntype = \"listeners\"\n" + keys) {
    start();
  }

  void start() {
    process(12, "node", {1001});
    configured.environment.sockets[0] = {9001};
    add(line("0100007F:0BB8", 1001));
  }
  void process(int pid, const std::string& name, std::vector<std::uint64_t> sockets) {
    configured.environment.running.push_back({{pid, name, {name}}, std::vector<std::string>()});
    configured.environment.sockets[pid] = std::move(sockets);
  }
  void add(const std::string& entry) {
    const bool is_v6 = entry.find(':', entry.find(':') + 1) > 30;
    std::string& table = configured.environment.files[is_v6 ? "/proc/net/tcp6" : "/proc/net/tcp"].contents;
    if (table.empty()) table = kTitle;
    table += entry;
  }
  ProbeOutcome run() {
    Stage stage(
        [](const testing_support::Sent&) -> Response { throw std::logic_error("nothing is to be sent"); },
        configured.environment);
    stage.app = configured.config.app;
    stage.app.private_ip = private_ip;
    return configured.run(stage);
  }

  ConfiguredProbe configured;
  std::string private_ip;
};

TEST(ListenersProbe, PassesWhereOnlyLoopbackListens) {
  const ProbeOutcome outcome = Machine().run();
  EXPECT_EQ(outcome.outcome(), Outcome::pass) << outcome.summary();
  EXPECT_EQ(outcome.requests, 0);
  EXPECT_EQ(outcome.summary(), "nothing but what is allowed listens beyond loopback");
}

TEST(ListenersProbe, WhatListensEverywhereIsNamedWithItsProcess) {
  Machine machine;
  machine.process(31, "redis-server", {2001});
  machine.add(line("00000000:18EB", 2001, "0A", 104));
  const ProbeOutcome outcome = machine.run();
  EXPECT_EQ(outcome.outcome(), Outcome::fail);
  EXPECT_EQ(outcome.worst()->id, "listeners.beyond_loopback");
  EXPECT_EQ(outcome.worst()->observed, "0.0.0.0:6379 (redis-server, PID 31)");
  EXPECT_THAT(outcome.worst()->references, testing::Contains("CWE-668"));
}

TEST(ListenersProbe, AnAppThatShouldBeOnLoopbackAndIsEverywhereFails) {
  Machine machine;
  machine.configured.environment.files["/proc/net/tcp"].contents =
      std::string(kTitle) + line("00000000:0BB8", 1001);
  EXPECT_THAT(machine.run().summary(), HasSubstr("0.0.0.0:3000 (node, PID 12) listens beyond loopback"));
}

TEST(ListenersProbe, AllAddressesOfIpv6AreBeyondLoopback) {
  Machine machine;
  machine.add(line("00000000000000000000000000000000:1538", 2001));
  EXPECT_EQ(machine.run().outcome(), Outcome::fail);
}

struct AllowRow {
  const char* name;
  const char* allow;
  Outcome outcome;
};
class ListenersAllowed : public testing::TestWithParam<AllowRow> {};
const AllowRow kAllowed[] = {
    {"TheDefaultIs8080", "", Outcome::pass},
    {"NothingAtAll", "allow = []", Outcome::fail},
    {"ThePort", "allow = [\"3000\", \"8080\"]", Outcome::pass},
    {"AnotherPort", "allow = [\"8081\"]", Outcome::fail},
    {"TheAddress", "allow = [\"0.0.0.0:8080\"]", Outcome::pass},
    {"AnotherAddress", "allow = [\"192.168.1.2:8080\"]", Outcome::fail},
};
TEST_P(ListenersAllowed, Holds) {
  Machine machine(std::string(GetParam().allow) + "\n");
  machine.add(line("00000000:1F90", 2001));
  EXPECT_EQ(name_of(machine.run().outcome()), name_of(GetParam().outcome));
}
INSTANTIATE_TEST_SUITE_P(Table, ListenersAllowed, testing::ValuesIn(kAllowed),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ListenersProbe, AnAllowedAddressMayBeSpeltAnotherWay) {
  Machine machine("allow = [\"[FDAA:0:0::0A00:3]:9100\"]\n");
  machine.add(line("0000AAFD00000000000000000300000A:238C", 2001));
  EXPECT_EQ(machine.run().outcome(), Outcome::pass);
}

TEST(ListenersProbe, HoldshortsOwnListenersAreNoAlarm) {
  Machine machine;
  machine.add(line("00000000000000000000000000000000:2382", 9001));  // ours, of this very process
  machine.process(77, "holdshort", {9002});
  machine.add(
      line("00000000000000000000000000000000:1FA4", 9002));  // the agent's, seen by a `check` beside it
  EXPECT_EQ(machine.run().outcome(), Outcome::pass);
}

TEST(ListenersProbe, TheAgentsPortIsTheAgentsWhereItsOwnerCannotBeSeen) {
  Machine machine;
  machine.add(line("00000000000000000000000000000000:2382", 3001));  // [::]:9090, the default of agent.listen
  EXPECT_EQ(machine.run().outcome(), Outcome::pass);
  machine.process(55, "prometheus", {3001});
  EXPECT_EQ(machine.run().outcome(), Outcome::fail);
}

TEST(ListenersProbe, FlysOwnSshServerIsNoAlarm) {
  Machine machine;
  machine.add(line("0000AAFD00000000000000000300000A:0016", 2001));
  EXPECT_EQ(machine.run().outcome(), Outcome::fail);
  machine.private_ip = "fdaa:0:0:0:0:0:0a00:3";
  EXPECT_EQ(machine.run().outcome(), Outcome::pass);
  machine.add(line("00000000:0016", 2002));
  EXPECT_EQ(machine.run().outcome(), Outcome::fail);
}

TEST(ListenersProbe, ADebuggerBeyondLoopbackFailsByItsName) {
  Machine machine;
  machine.process(12, "node", {4001});
  machine.add(line("00000000:240D", 4001));
  const ProbeOutcome outcome = machine.run();
  EXPECT_EQ(outcome.outcome(), Outcome::fail);
  ASSERT_NE(find(outcome, "listeners.debugger"), nullptr);
  EXPECT_THAT(find(outcome, "listeners.debugger")->summary, HasSubstr("the Node.js inspector"));
  EXPECT_EQ(find(outcome, "listeners.beyond_loopback"), nullptr);
}

TEST(ListenersProbe, ADebuggerOnLoopbackIsToldButNoAlarm) {
  Machine machine;
  machine.process(13, "java", {4001});
  machine.add(line("0100007F:138D", 4001));
  const ProbeOutcome outcome = machine.run();
  EXPECT_EQ(outcome.outcome(), Outcome::pass);
  EXPECT_THAT(outcome.summary(), HasSubstr("127.0.0.1:5005 (java, PID 13)"));
  ASSERT_NE(find(outcome, "listeners.debugger"), nullptr);
  EXPECT_EQ(find(outcome, "listeners.debugger")->outcome, Outcome::skipped);
}

TEST(ListenersProbe, AProcessThatCannotBeSeenIsCalledByItsUser) {
  Machine machine;
  machine.add(line("00000000:1538", 2001, "0A", 104));
  EXPECT_THAT(machine.run().summary(), HasSubstr("0.0.0.0:5432 (a process of user 104 that cannot be seen)"));
}

TEST(ListenersProbe, WithoutTheAppAmongThemNothingIsSeen) {
  Machine machine;
  machine.configured.environment.files["/proc/net/tcp"].contents = kTitle;
  const ProbeOutcome outcome = machine.run();
  EXPECT_EQ(outcome.outcome(), Outcome::inconclusive);
  EXPECT_EQ(outcome.worst()->id, "listeners.app");
  // What is exposed is exposed all the same.
  machine.add(line("00000000:1538", 2001));
  EXPECT_EQ(machine.run().outcome(), Outcome::fail);
}

TEST(ListenersProbe, TablesThatCannotBeReadAreInconclusive) {
  Machine machine;
  machine.configured.environment.files["/proc/net/tcp"].readable = false;
  EXPECT_EQ(machine.run().outcome(), Outcome::inconclusive);
  machine.configured.environment.files.clear();
  EXPECT_EQ(machine.run().outcome(), Outcome::inconclusive);
  machine.configured.environment.files["/proc/net/tcp"].contents = "garbage\ngarbage\n";
  EXPECT_EQ(machine.run().outcome(), Outcome::inconclusive);
}

TEST(ListenersProbe, ManyConnectionsBehindTheListenersDoNotHideThem) {
  Machine machine;
  std::string connections;
  while (connections.size() < listeners::kMaxTableBytes) connections += line("0100007F:0BB8", 5, "01");
  machine.add(connections);
  EXPECT_EQ(machine.run().outcome(), Outcome::pass);
  std::string many;
  while (many.size() < listeners::kMaxTableBytes) many += line("0100007F:0BB8", 5);
  machine.configured.environment.files["/proc/net/tcp"].contents = std::string(kTitle) + many;
  EXPECT_EQ(machine.run().outcome(), Outcome::inconclusive);
}

TEST(ListenersProbe, ManyOffendersGetAFewChecks) {
  Machine machine;
  for (std::uint64_t i = 0; i < 40; ++i) machine.add(line("00000000:1538", 2000 + i));
  const ProbeOutcome outcome = machine.run();
  EXPECT_EQ(outcome.checks.size(), 16u);
  EXPECT_EQ(outcome.checks.back().observed, "25 more");
}

TEST(ListenersProbe, AProcessNameIsShownOnOneLine) {
  Machine machine;
  machine.process(14, "x\n\x1b[31m", {2001});
  machine.add(line("00000000:1538", 2001));
  EXPECT_THAT(machine.run().summary(), Not(testing::AnyOf(HasSubstr("\n"), HasSubstr("\x1b"))));
}

TEST(ListenersProbe, RefusesWhatIsNoPort) {
  for (const char* item : {"http", "0", "70000", "", "localhost:22", "unix:/x", "fdaa::3"}) {
    testing_support::FakeEnvironment environment;
    const Loaded loaded =
        parse_config("f",
                     "[app]\nurl = \"http://127.0.0.1:1\"\n[probes.p]\ntype = \"listeners\"\n"
                     "allow = [\"" +
                         std::string(item) + "\"]\n",
                     environment, {});
    ASSERT_EQ(loaded.diagnostics.size(), 1u) << item;
    EXPECT_THAT(loaded.diagnostics[0].message, HasSubstr("is neither a port nor address:port")) << item;
  }
}

}  // namespace
}  // namespace holdshort
