// The `tcp` probe: a port that is open, or one that is closed. One connection, no byte.
#include "probes/tcp/tcp.h"

#include <fmt/format.h>

#include "probes/kit/channel.h"
#include "probes/kit/way.h"

namespace holdshort::tcp_probe {
namespace {

constexpr std::string_view kExpectations[] = {"open", "closed"};
constexpr Field kOwnFields[] = {
    {.name = "address",
     .kind = Kind::string,
     .doc = "where to connect: host:port, [IPv6]:port or unix:/path",
     .min = 1,
     .required = true},
    {.name = "expect",
     .kind = Kind::choice,
     .fallback = R"("open")",
     .doc = "what the port must be",
     .choices = kExpectations},
};

std::string seen_of(const Dialled& dialled) {
  switch (dialled.how) {
    case Reached::open:
      return "open";
    case Reached::refused:
      return "closed: " + dialled.error;
    case Reached::timeout:
      return "no answer: filtered, or too busy to accept";
    case Reached::unreachable:
      return "not reached: " + dialled.error;
    case Reached::unresolved:
      return "no such name: " + dialled.error;
  }
  return "";
}

class TcpProbe final : public Probe {
 public:
  TcpProbe(Address address, Expect expect, const Values& values)
      : address_(std::move(address)),
        expect_(expect),
        timeout_(values.duration("timeout")),
        via_(via_of(values)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    ProbeOutcome outcome;
    Way way = way_to(address_, via_, context.app);
    Channel channel(timeout_);
    const Dialled dialled = co_await channel.connect(way.address, std::move(way.source));
    outcome.requests = 1;
    outcome.add(judge(way.address, expect_, dialled));
    co_return outcome;
  }

 private:
  const Address address_;
  const Expect expect_;
  const std::chrono::milliseconds timeout_;
  const Via via_;
};

}  // namespace

Check judge(const Address& address, Expect expect, const Dialled& dialled) {
  const bool is_seen = dialled.how == Reached::open || dialled.how == Reached::refused;
  const bool is_as_expected = (dialled.how == Reached::open) == (expect == Expect::open);
  const std::string wanted = expect == Expect::open ? "open" : "closed";
  Check check{.id = "tcp.port",
              .outcome = !is_seen         ? Outcome::inconclusive
                         : is_as_expected ? Outcome::pass
                                          : Outcome::fail,
              .request = "connect to " + address.text(),
              .expected = wanted,
              .observed = seen_of(dialled)};
  if (expect == Expect::closed) check.references = {"OWASP API8:2023", "ASVS 13.4.5", "CWE-668"};
  check.summary = fmt::format("{} is {}", address.text(), check.observed);
  if (!is_seen) check.summary = fmt::format("{}: {}", address.text(), check.observed);
  if (check.outcome != Outcome::pass) check.summary += fmt::format(", expected {}", wanted);
  return check;
}

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"",
     "open though it should be closed: stop what listens there, or bind it to 127.0.0.1; closed though it "
     "should be open: start the service",
     "something drops packets on the way, or the service hangs: restart it, or let the filter reject instead "
     "of dropping"},
};

const Explanation kExplanation{
    .control = "A port is open, or closed, as it is declared to be.",
    .sends =
        "One TCP connection (or one to a unix socket), closed at once, without a byte. About 0.1 ms on the "
        "Machine.\n"
        "The peer may log an empty connection. With via = \"private\" it comes from FLY_PRIVATE_IP, and an "
        "address on\n"
        "loopback is replaced by it: what a neighbour on 6PN reaches.",
    .passes =
        "open: the connection is accepted. closed: it is refused (a reset; a unix socket that is not there).",
    .fails = "open: it is refused. closed: it is accepted.",
    .unclear =
        "No answer within `timeout`: a packet filter drops what comes, or the listener's queue is full. No "
        "route, or no\n"
        "such name. Silence proves neither: for a port behind a filter that drops, let the filter reject.",
    .example =
        "[probes.postgres_is_private]\ntype = \"tcp\"\naddress = \"127.0.0.1:5432\"\nexpect = "
        "\"closed\"\nvia = \"private\"\n",
    .references = "OWASP API8:2023; ASVS 5.0 13.4.5; CWE-668",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics& diagnostics) {
  const Values& values = settings.values;
  Result<Address> address = Address::parse(values.string("address"));
  if (!address) {
    if (!values.string("address").empty())
      diagnostics.error(values.place("address"), "\"address\": " + address.error().message);
    return nullptr;
  }
  const Expect expect = values.string("expect") == "closed" ? Expect::closed : Expect::open;
  return std::make_unique<TcpProbe>(std::move(*address), expect, values);
}

}  // namespace holdshort::tcp_probe
