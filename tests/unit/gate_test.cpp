// The gate between a client and an app, over real sockets: the test is both of them, so it knows what has
// reached the app and what has not.
#include "agent/gate/gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/gate/descriptors.h"
#include "agent/listening.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using gate::Answer;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::chrono::milliseconds kPatience{10'000};  // of a test, before it calls something lost

// A blocking socket of the test's.
class Peer {
 public:
  explicit Peer(int descriptor) : descriptor_(descriptor) {}
  Peer(Peer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Peer& operator=(Peer&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Peer() { close(); }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  // As much as goes without waiting.
  std::size_t send_some(std::string_view bytes) const {
    const ssize_t n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  bool is_readable(std::chrono::milliseconds patience) const {
    pollfd wanted{descriptor_, POLLIN, 0};
    return poll(&wanted, 1, static_cast<int>(patience.count())) == 1;
  }
  // Exactly `size` bytes, or fewer where the other side ends.
  std::string read(std::size_t size) const {
    std::string bytes(size, '\0');
    std::size_t got = 0;
    while (got < size && is_readable(kPatience)) {
      const ssize_t n = recv(descriptor_, bytes.data() + got, size - got, 0);
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    bytes.resize(got);
    return bytes;
  }
  std::string read_to(std::string_view end) const {
    std::string bytes;
    while (!bytes.ends_with(end)) {
      const std::string byte = read(1);
      if (byte.empty()) break;
      bytes += byte;
    }
    return bytes;
  }
  // Until the other side ends; "... RESET" where it does so by a reset, "... SILENT" where it does not.
  std::string read_all() const {
    std::string bytes;
    std::array<char, 4096> some;
    while (is_readable(kPatience)) {
      const ssize_t n = recv(descriptor_, some.data(), some.size(), 0);
      if (n == 0) return bytes;
      if (n < 0) return bytes + "RESET";
      bytes.append(some.data(), static_cast<std::size_t>(n));
    }
    return bytes + "SILENT";
  }
  void end() const { shutdown(descriptor_, SHUT_WR); }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  void reset() {
    const linger at_once{1, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

 private:
  int descriptor_;
};

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

GateConfig config_of(WhenClosed when_closed = WhenClosed::reject) {
  GateConfig config;
  config.listen = *ListenAddress::parse("127.0.0.1:0");
  config.when_closed = when_closed;
  config.hold_timeout = 10s;
  config.drain = 10s;
  config.idle_timeout = 10s;
  config.health_path = "/.holdshort/readyz";
  return config;
}

// A gate, and the port of an app that accepts only when the test says so.
class Front {
 public:
  explicit Front(GateConfig config = config_of(), const std::string& app = "") {
    listener_ = *listen_on(*ListenAddress::parse("127.0.0.1:0"), "x");
    const std::string url = app.empty() ? "http://127.0.0.1:" + std::to_string(port_of(listener_)) : app;
    auto started = Gate::start(config, *Url::parse(url), {board_, log_, 1, [this] { ++hurried_; }});
    if (!started) throw std::runtime_error(started.error().message);
    gate_ = std::move(*started);
  }
  ~Front() {
    gate_.reset();
    if (listener_ >= 0) close(listener_);
  }

  void publish(bool ready, Monotonic valid_until = Monotonic::max()) {
    auto status = std::make_shared<Status>();
    status->ready = ready;
    status->valid_until = valid_until;
    status->clock_offset = Instant::now().offset();
    board_.publish(std::move(status));
  }
  // The gate has noticed.
  void publish_and_wait(bool ready) {
    publish(ready);
    for (int i = 0; i < 2000 && gate_->counters().open != ready; ++i) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(gate_->counters().open, ready);
  }
  Peer client() const { return Peer(connect_to(gate_->port())); }
  std::string ask(const std::string& request) const {
    const Peer peer = client();
    peer.send(request);
    return peer.read_all();
  }
  Peer app() const {
    pollfd wanted{listener_, POLLIN, 0};
    if (poll(&wanted, 1, static_cast<int>(kPatience.count())) != 1) return Peer(-1);
    return Peer(accept(listener_, nullptr, nullptr));
  }
  bool app_was_asked() const {
    pollfd wanted{listener_, POLLIN, 0};
    return poll(&wanted, 1, 0) == 1;
  }
  void stop_app() { close(std::exchange(listener_, -1)); }
  std::uint64_t count(Answer answer) const { return gate_->counters().of(answer); }
  std::int64_t connections() const { return gate_->counters().connections; }
  void wait_for_connections(std::int64_t wanted) const {
    for (int i = 0; i < 5000 && connections() != wanted; ++i) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(connections(), wanted);
  }
  Gate& gate() { return *gate_; }
  int hurried() const { return hurried_; }
  std::string logged() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  static int connect_to(std::uint16_t port) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("the gate does not listen");
    return descriptor;
  }

  StatusBoard board_;
  std::mutex mutex_;
  std::string lines_;
  Log log_{LogLevel::info, LogFormat::json,
           [this](std::string_view line) {
             const std::lock_guard lock(mutex_);
             lines_ += line;
           },
           [] { return Wall(); }};
  std::atomic<int> hurried_{0};
  int listener_ = -1;
  std::unique_ptr<Gate> gate_;
};

// --- closed

TEST(Gate, LetsNothingThroughBeforeItIsReady) {
  const Front front;
  const std::string answer = front.ask(get("/"));
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("\r\nRetry-After: 1\r\n")));
  EXPECT_LE(answer.size() - answer.find("\r\n\r\n") - 4, 200U);
  EXPECT_FALSE(front.app_was_asked());
  EXPECT_EQ(front.count(Answer::rejected), 1U);
}

TEST(Gate, LetsNothingThroughOnAVerdictThatIsTooOld) {
  Front front;
  front.publish(true, std::chrono::steady_clock::now() - 1ms);
  EXPECT_THAT(front.ask(get("/")), StartsWith("HTTP/1.1 503 "));
  EXPECT_FALSE(front.app_was_asked());
}

TEST(Gate, AnswersAHeadRequestWithoutABody) {
  const Front front;
  EXPECT_THAT(front.ask("HEAD / HTTP/1.1\r\n\r\n"), AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\r\n\r\n")));
}

TEST(Gate, AnswersWhoeverStillSendsABody) {
  const Front front;
  const Peer client = front.client();
  client.send("POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'x'));
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\n")));
}

TEST(Gate, AsksFlyForAnotherMachineOnce) {
  const Front front(config_of(WhenClosed::replay));
  EXPECT_THAT(front.ask(get("/")),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("\r\nfly-replay: elsewhere=true\r\n")));
  EXPECT_THAT(front.ask(get("/", "fly-replay-src: instance=1;region=fra;t=1\r\n")),
              AllOf(StartsWith("HTTP/1.1 503 "), Not(HasSubstr("fly-replay"))));
  EXPECT_EQ(front.count(Answer::replayed), 1U);
  EXPECT_EQ(front.count(Answer::rejected), 1U);
}

TEST(Gate, HoldsARequestUntilItOpens) {
  Front front(config_of(WhenClosed::hold));
  const Peer client = front.client();
  client.send(get("/held"));
  for (int i = 0; i < 5000 && front.hurried() == 0; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_GT(front.hurried(), 0) << "the probes run at once";
  EXPECT_FALSE(front.app_was_asked());
  front.publish(true);
  const Peer app = front.app();
  EXPECT_EQ(app.read_to("\r\n\r\n"), get("/held"));
  app.send(kOk);
  EXPECT_EQ(client.read(kOk.size()), kOk);
  EXPECT_EQ(front.count(Answer::held), 1U);
  EXPECT_EQ(front.count(Answer::relayed), 1U);
}

TEST(Gate, HoldsNoLongerThanItMay) {
  GateConfig config = config_of(WhenClosed::hold);
  config.hold_timeout = 20ms;
  const Front front(config);
  EXPECT_THAT(front.ask(get("/")), StartsWith("HTTP/1.1 503 "));
}

TEST(Gate, NeitherHoldsNorReplaysTheHealthPath) {
  for (const WhenClosed when_closed : {WhenClosed::hold, WhenClosed::replay}) {
    const Front front(config_of(when_closed));
    EXPECT_THAT(
        front.ask(get("/.holdshort/readyz")),
        AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\r\n\r\nnot ready"), Not(HasSubstr("fly-replay"))));
  }
}

// --- the health path

TEST(Gate, AnswersTheHealthPathItself) {
  Front front;
  EXPECT_THAT(front.ask(get("/.holdshort/readyz")),
              AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\r\n\r\nnot ready")));
  front.publish(true);
  EXPECT_THAT(front.ask(get("/.holdshort/readyz")),
              AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\nready")));
  EXPECT_THAT(front.ask(get("/.holdshort/readyz?x=1")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(front.ask("HEAD /.holdshort/readyz HTTP/1.1\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("\r\n\r\n")));
  EXPECT_THAT(front.ask("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + get("/.holdshort/readyz")),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_FALSE(front.app_was_asked());
  EXPECT_EQ(front.count(Answer::health), 5U);
}

TEST(Gate, ComparesTheHealthPathExactly) {
  Front front;
  front.publish(true);
  for (const std::string& request :
       {get("/.holdshort/readyz/"), get("/.holdshort//readyz"), get("/.HOLDSHORT/readyz"),
        get("/.holdshort/ready%7a"), get("http://a/.holdshort/readyz"), get("/x?/.holdshort/readyz"),
        get("/.holdshort"), get("/readyz"), get("/status"),
        std::string("POST /.holdshort/readyz HTTP/1.1\r\nContent-Length: 0\r\n\r\n")}) {
    const Peer client = front.client();
    client.send(request);
    EXPECT_EQ(front.app().read(request.size()), request);
  }
}

TEST(Gate, LeavesALaterHealthPathOfAConnectionToTheApp) {
  Front front;
  front.publish_and_wait(true);
  const Peer client = front.client();
  client.send(get("/"));
  const Peer app = front.app();
  app.read_to("\r\n\r\n");
  app.send(kOk);
  client.read(kOk.size());
  client.send(get("/.holdshort/readyz"));
  EXPECT_EQ(app.read_to("\r\n\r\n"), get("/.holdshort/readyz"));
}

// --- open

TEST(Gate, PassesBytesUnchangedInBothDirections) {
  Front front;
  front.publish(true);
  const Peer client = front.client();
  const std::string request =
      "pOsT /a%2F..?q HTTP/1.1\r\nhOST:a\r\nX:  two \t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n";
  client.send(request);
  const Peer app = front.app();
  EXPECT_EQ(app.read(request.size()), request);
  const std::string response = "HTTP/1.1 200 fine\nX:y\nContent-Length: 3\n\nabc";
  app.send(response);
  EXPECT_EQ(client.read(response.size()), response);
}

TEST(Gate, PassesABodyAndAnInterimResponseWithoutWaiting) {
  Front front;
  front.publish(true);
  const Peer client = front.client();
  const std::string head = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  client.send(head);
  const Peer app = front.app();
  EXPECT_EQ(app.read(head.size()), head);
  app.send("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.read(25), "HTTP/1.1 100 Continue\r\n\r\n");
  for (const char* byte : {"h", "e", "l", "l", "o"}) {
    client.send(byte);
    EXPECT_EQ(app.read(1), byte);
  }
  app.send("HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n");  // as server-sent events come
  EXPECT_EQ(client.read(28), "HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n");
  app.send("data: 2\n\n");
  EXPECT_EQ(client.read(9), "data: 2\n\n");
}

TEST(Gate, PassesPipelinedRequests) {
  Front front;
  front.publish_and_wait(true);
  const Peer client = front.client();
  std::string all;
  for (int i = 0; i < 200; ++i) all += get("/" + std::to_string(i));  // more than may be outstanding
  client.send(all);
  const Peer app = front.app();
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(app.read_to("\r\n\r\n"), get("/" + std::to_string(i)));
    app.send(kOk);
    EXPECT_EQ(client.read(kOk.size()), kOk);
  }
}

TEST(Gate, BoundsWhatItStoresForASlowApp) {
  Front front;
  front.publish(true);
  const Peer client = front.client();
  constexpr std::size_t kSize = 64 * 1024 * 1024;
  const std::string head = "PUT / HTTP/1.1\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n";
  client.send(head);
  const Peer app = front.app();
  app.read(head.size());
  std::string piece(1024 * 1024, '\0');
  for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<char>(i * 31 + i / 251);
  std::size_t sent = 0;
  int idle = 0;
  while (idle < 100 && sent < kSize) {  // until nothing has moved for a while
    const std::size_t n = client.send_some(std::string_view(piece).substr(sent % piece.size()));
    sent += n;
    idle = n > 0 ? 0 : idle + 1;
    if (n == 0) std::this_thread::sleep_for(1ms);
  }
  EXPECT_LT(sent, kSize) << "somebody has stored all of it";
  std::thread rest([&] {
    while (sent < kSize) {
      const std::size_t n = std::min(piece.size() - sent % piece.size(), kSize - sent);
      client.send(std::string_view(piece).substr(sent % piece.size(), n));
      sent += n;
    }
  });
  std::size_t equal = 0;
  for (std::size_t i = 0; i < kSize / piece.size(); ++i) equal += app.read(piece.size()) == piece ? 1 : 0;
  rest.join();
  EXPECT_EQ(equal, kSize / piece.size());
}

TEST(Gate, PassesHttp2AndPreamblesAsTheyAre) {
  Front front;
  front.publish(true);
  const Peer client = front.client();
  const std::string stream = std::string("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16) +
                             "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\n", 6);
  client.send(stream);
  const Peer app = front.app();
  EXPECT_EQ(app.read(stream.size()), stream);
  app.send("\1\2\3");
  EXPECT_EQ(client.read(3), "\1\2\3");
}

std::string frame(char type, char flags, char stream, const std::string& payload) {
  return std::string{'\0', '\0', static_cast<char>(payload.size()), type, flags, '\0', '\0', '\0', stream} +
         payload;
}
std::string goaway(char last, char error) {
  return frame(7, 0, 0, std::string{'\0', '\0', '\0', last, '\0', '\0', '\0', error});
}
const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", kSettings = frame(4, 0, 0, "");
const std::string kRequest = frame(1, 5, 3, "\x82\x86\x84");

TEST(Gate, AnswersInHttp2WhoeverSpeaksIt) {
  const Front front;
  const Peer client = front.client();
  client.send(kPreface + kSettings);
  EXPECT_FALSE(client.is_readable(50ms)) << "there is no request yet";
  client.send(kRequest.substr(0, 5));
  client.send(kRequest.substr(5) + frame(1, 5, 5, "\x82"));
  const std::string answer = client.read_all();
  EXPECT_THAT(answer, StartsWith(kSettings + frame(4, 1, 0, "")));
  EXPECT_THAT(answer, HasSubstr(std::string("\0\7:status\003503\0\013retry-after\0011", 28)));
  EXPECT_THAT(answer, EndsWith(goaway(3, 0))) << "the other request may be tried again";
  EXPECT_EQ(front.count(Answer::rejected), 1U);
}

TEST(Gate, EndsAnHttp2ConnectionWithoutARequest) {
  const std::string settings_missing = frame(6, 0, 0, "01234567"), even = frame(1, 5, 2, "\x82");
  for (const std::string& broken : {settings_missing, kSettings + even, std::string("GET / HTTP")}) {
    const Front front;
    const Peer client = front.client();
    client.send(kPreface + broken);
    EXPECT_EQ(client.read_all(), kSettings + goaway(0, 1));
  }
  const Front front;
  const Peer silent = front.client(), ended = front.client();
  silent.send(kPreface + kSettings);
  ended.send(kPreface + kSettings);
  ended.end();
  EXPECT_EQ(ended.read_all(), kSettings + goaway(0, 0));
  EXPECT_EQ(silent.read_all(), kSettings + goaway(0, 0)) << "after two seconds";
}

TEST(Gate, HoldsHttp2Too) {
  GateConfig config = config_of(WhenClosed::hold);
  Front front(config);
  const Peer client = front.client();
  client.send(kPreface + kSettings + kRequest);
  EXPECT_FALSE(client.is_readable(50ms));
  front.publish(true);
  const Peer app = front.app();
  EXPECT_EQ(app.read(kPreface.size() + kSettings.size() + kRequest.size()), kPreface + kSettings + kRequest);

  config.hold_timeout = 50ms;
  Front shorter(config);
  const Peer late = shorter.client();
  late.send(kPreface + kSettings + kRequest);
  EXPECT_THAT(late.read_all(), EndsWith(goaway(3, 0)));
}

TEST(Gate, OpensATunnelOnlyOnceTheAppHasSwitched) {
  Front front;
  front.publish_and_wait(true);
  const std::string upgrade = get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
  const Peer client = front.client();
  client.send(upgrade + "\x81\x01x");
  const Peer app = front.app();
  EXPECT_EQ(app.read(upgrade.size()), upgrade);
  EXPECT_FALSE(app.is_readable(50ms)) << "what follows may be no HTTP";
  app.send("HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x01y");
  EXPECT_EQ(app.read(3), "\x81\x01x");
  EXPECT_EQ(client.read_to("\r\n\r\n"), "HTTP/1.1 101 Switching Protocols\r\n\r\n");
  EXPECT_EQ(client.read(3), "\x81\x01y");
  client.end();
  EXPECT_EQ(app.read_all(), "");
  app.send("bye");
  EXPECT_EQ(client.read(3), "bye");
}

TEST(Gate, JudgesWhatFollowsAnUpgradeThatWasDeclined) {
  Front front;
  front.publish_and_wait(true);
  const Peer client = front.client();
  client.send(get("/ws", "Upgrade: h2c\r\n") + "\x81\x01x");
  const Peer app = front.app();
  app.read_to("\r\n\r\n");
  app.send(kOk);
  EXPECT_THAT(client.read_all(), AllOf(StartsWith(kOk), HasSubstr("HTTP/1.1 400 ")));
  EXPECT_EQ(app.read_all(), "");
}

TEST(Gate, PassesHalfCloses) {
  Front front;
  front.publish(true);
  const Peer client = front.client();
  client.send(get("/"));
  client.end();
  const Peer app = front.app();
  EXPECT_EQ(app.read_all(), get("/"));
  app.send(kOk);
  EXPECT_EQ(client.read_all().substr(0, kOk.size()), kOk);
}

TEST(Gate, PassesAResetAsAReset) {
  Front front;
  front.publish(true);
  Peer client = front.client();
  client.send(get("/"));
  Peer app = front.app();
  app.read_to("\r\n\r\n");
  app.send("HTTP/1.1 200 OK\r\n\r\nhalf");
  EXPECT_EQ(client.read(23), "HTTP/1.1 200 OK\r\n\r\nhalf");
  app.reset();
  EXPECT_EQ(client.read_all(), "RESET");

  client = front.client();
  client.send(get("/"));
  app = front.app();
  app.read_to("\r\n\r\n");
  client.reset();
  EXPECT_EQ(app.read_all(), "RESET");
}

TEST(Gate, PassesTheEndOfAResponseAsAnEnd) {
  Front front;
  front.publish(true);
  const Peer client = front.client();
  client.send(get("/"));
  Peer app = front.app();
  app.read_to("\r\n\r\n");
  app.send("HTTP/1.0 200 OK\r\n\r\nall");
  app.close();
  EXPECT_EQ(client.read_all(), "HTTP/1.0 200 OK\r\n\r\nall");
}

TEST(Gate, LosesNoAnswerThatComesBeforeTheRequestHasEnded) {
  Front front;
  front.publish(true);
  const Peer client = front.client();
  client.send("POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + std::string(100'000, 'x'));
  Peer app = front.app();
  app.read_to("\r\n\r\n");
  const std::string early = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  app.send(early);
  app.close();  // with unread bytes: a reset follows
  EXPECT_THAT(client.read_all(), StartsWith(early));
}

TEST(Gate, PassesAnAnswerAndItsEndAtOnceWhereTheRequestGoesOn) {
  Front front;
  front.publish(true);
  for (const std::string fields : {"Connection: close\r\n", "Connection: close\r\nContent-Length: 9\r\n"}) {
    const Peer client = front.client();
    client.send(get("/", fields));
    Peer app = front.app();
    app.read_to("\r\n\r\n");
    const auto began = std::chrono::steady_clock::now();
    app.send(kOk);
    app.close();
    EXPECT_EQ(client.read_all(), kOk);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  }
}

TEST(Gate, SaysThatAnAppCannotBeReached) {
  Front front;
  front.publish(true);
  front.stop_app();
  EXPECT_THAT(front.ask(get("/")), StartsWith("HTTP/1.1 502 "));
}

TEST(Gate, LeavesNobodyWaitingBehindAResponseThatItCannotFollow) {
  GateConfig config = config_of();
  config.idle_timeout = 50ms;
  Front front(config);
  front.publish_and_wait(true);
  const Peer client = front.client();
  client.send(get("/1"));
  const Peer app = front.app();
  app.read_to("\r\n\r\n");
  const std::string odd = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok";
  app.send(odd);
  EXPECT_EQ(client.read(odd.size()), odd);
  client.send(get("/2"));
  EXPECT_EQ(app.read_all(), "") << "where the second response would begin nobody knows";
  EXPECT_EQ(client.read_all().substr(0, 5), "");
}

TEST(Gate, ReachesAnAppOnASocket) {
  const std::string path = testing::TempDir() + "gate_test.sock";
  std::filesystem::remove(path);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  Front front(config_of(), "unix:" + path);
  front.publish(true);
  const Peer client = front.client();
  client.send(get("/"));
  const Peer app(accept(listener, nullptr, nullptr));
  EXPECT_EQ(app.read_to("\r\n\r\n"), get("/"));
  close(listener);
  std::filesystem::remove(path);
}

// --- what is no clear request

TEST(Gate, RefusesWhatTwoReadersCouldUnderstandDifferently) {
  Front front;
  front.publish(true);
  for (const char* request : {
           "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
           "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
           "POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\n",
           "GET / HTTP/1.1\nHost: a\n\n",
           "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
           "\x16\x03\x01",
       })
    EXPECT_THAT(front.ask(request), StartsWith("HTTP/1.1 400 ")) << request;
  EXPECT_FALSE(front.app_was_asked());
  EXPECT_EQ(front.count(Answer::bad_request), 6U);
}

TEST(Gate, AnswersEarlierRequestsBeforeItRefusesOne) {
  Front front;
  front.publish_and_wait(true);
  const Peer client = front.client();
  client.send(get("/1") + "BAD\r\n\r\n");
  const Peer app = front.app();
  EXPECT_EQ(app.read_to("\r\n\r\n"), get("/1"));
  app.send(kOk);
  EXPECT_THAT(client.read_all(), AllOf(StartsWith(kOk + "HTTP/1.1 400 ")));
  EXPECT_EQ(app.read_all(), "") << "of the second nothing has come";
}

TEST(Gate, CutsARequestWhoseBodyCannotBeFollowed) {
  Front front;
  front.publish(true);
  const Peer client = front.client();
  client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  const Peer app = front.app();
  app.read_to("hello\r\n");
  client.send("x\r\n");
  EXPECT_EQ(app.read_all(), "RESET");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 400 "));
}

TEST(Gate, RefusesAHeadThatIsTooLarge) {
  Front front;
  front.publish(true);
  EXPECT_THAT(front.ask("GET / HTTP/1.1\r\nX: " + std::string(17'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_FALSE(front.app_was_asked());
}

TEST(Gate, WaitsTwoSecondsForAHead) {
  Front front;
  front.publish_and_wait(true);
  const auto began = std::chrono::steady_clock::now();
  const Peer silent = front.client(), dribbling = front.client(), kept = front.client();
  dribbling.send("GET / HT");
  kept.send(get("/"));
  const Peer app = front.app();
  app.read_to("\r\n\r\n");
  app.send(kOk);
  EXPECT_EQ(kept.read(kOk.size()), kOk);
  kept.send("G");
  EXPECT_THAT(silent.read_all(), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(dribbling.read_all(), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(kept.read_all(), StartsWith("HTTP/1.1 408 "));
  EXPECT_GE(std::chrono::steady_clock::now() - began, Gate::kHeadDeadline);
}

TEST(Gate, ClosesAConnectionThatHasBeenIdleForTooLong) {
  GateConfig config = config_of();
  config.idle_timeout = 20ms;
  Front front(config);
  front.publish_and_wait(true);
  const Peer client = front.client();
  client.send(get("/"));
  const Peer app = front.app();
  app.read_to("\r\n\r\n");
  std::this_thread::sleep_for(150ms);  // a response that takes its time is not idle
  app.send(kOk);
  EXPECT_EQ(client.read_all(), kOk);
  EXPECT_EQ(app.read_all(), "");
}

// --- readiness is lost

TEST(Gate, ClosesAnIdleConnectionWhenReadinessIsLost) {
  Front front;
  front.publish_and_wait(true);
  const Peer client = front.client();
  client.send(get("/"));
  const Peer app = front.app();
  app.read_to("\r\n\r\n");
  app.send(kOk);
  EXPECT_EQ(client.read(kOk.size()), kOk);
  front.publish(false);
  EXPECT_EQ(client.read_all(), "");
  EXPECT_EQ(app.read_all(), "");
  EXPECT_THAT(front.logged(), AllOf(HasSubstr("\"gate.opened\""), HasSubstr("\"gate.closed\"")));
}

TEST(Gate, RelaysNoFurtherRequestOnAKeptConnectionAfterReadinessIsLost) {
  Front front;
  front.publish_and_wait(true);
  const Peer client = front.client();
  client.send(get("/1"));
  const Peer app = front.app();
  EXPECT_EQ(app.read_to("\r\n\r\n"), get("/1"));
  front.publish(false);
  client.send(get("/2"));
  app.send(kOk);
  EXPECT_THAT(client.read_all(), StartsWith(kOk));
  EXPECT_EQ(app.read_all(), "");
}

TEST(Gate, LetsWhatIsUnderWayEndWhole) {
  Front front;
  front.publish_and_wait(true);
  const Peer client = front.client();
  client.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhello");
  const Peer app = front.app();
  app.read_to("hello");
  front.publish_and_wait(false);
  client.send("world");
  EXPECT_EQ(app.read(5), "world");
  app.send(kOk);
  EXPECT_EQ(client.read_all(), kOk);
}

TEST(Gate, EndsTunnelsAndResponsesWhenTheDrainHasPassed) {
  GateConfig config = config_of();
  config.drain = 100ms;
  Front front(config);
  front.publish_and_wait(true);
  const Peer tunnel = front.client();
  tunnel.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const Peer app_of_tunnel = front.app();
  app_of_tunnel.read(24);
  const Peer client = front.client();
  client.send(get("/"));
  const Peer app = front.app();
  app.read_to("\r\n\r\n");
  app.send("HTTP/1.1 200 OK\r\n\r\nendless");
  EXPECT_EQ(client.read(26), "HTTP/1.1 200 OK\r\n\r\nendless");
  front.publish(false);
  EXPECT_EQ(client.read_all(), "RESET") << "it must not look whole";
  EXPECT_EQ(tunnel.read_all(), "");
  EXPECT_EQ(app_of_tunnel.read_all(), "");
}

TEST(Gate, OpensAgain) {
  Front front;
  front.publish_and_wait(true);
  front.publish_and_wait(false);
  EXPECT_THAT(front.ask(get("/")), StartsWith("HTTP/1.1 503 "));
  front.publish(true);
  const Peer client = front.client();
  client.send(get("/"));
  EXPECT_EQ(front.app().read_to("\r\n\r\n"), get("/"));
}

TEST(Gate, TellsWhenItHasDrained) {
  Front front;
  front.publish_and_wait(true);
  const Peer client = front.client();
  client.send(get("/"));
  const Peer app = front.app();
  app.read_to("\r\n\r\n");
  std::mutex mutex;
  std::condition_variable told;
  bool drained = false;
  front.gate().shut([&] {
    const std::lock_guard lock(mutex);
    drained = true;
    told.notify_all();
  });
  for (int i = 0; i < 2000 && front.gate().counters().open; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_THAT(front.ask(get("/")), StartsWith("HTTP/1.1 503 ")) << "still answered";
  std::unique_lock lock(mutex);
  EXPECT_FALSE(drained) << "a response is under way";
  app.send(kOk);
  EXPECT_TRUE(told.wait_for(lock, kPatience, [&] { return drained; }));
  EXPECT_EQ(client.read_all(), kOk);
}

// --- bounds

TEST(Gate, LetsSilentClientsGoFirst) {
  GateConfig config = config_of();
  config.max_connections = 100;
  Front front(config);
  front.publish_and_wait(true);
  std::vector<Peer> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(front.client());
  front.wait_for_connections(100);
  const Peer served = front.client();
  served.send(get("/"));
  const Peer app = front.app();
  EXPECT_EQ(app.read_to("\r\n\r\n"), get("/"));
  EXPECT_EQ(silent.front().read_all(), "") << "the one that has been silent longest";
  app.send(kOk);
  EXPECT_EQ(served.read(kOk.size()), kOk);
  EXPECT_EQ(front.count(Answer::shed), 1U);
}

TEST(Gate, AnswersTheHealthPathWhenThereIsNoRoomForOthers) {
  GateConfig config = config_of();
  config.max_connections = 4;
  Front front(config);
  front.publish_and_wait(true);
  std::vector<Peer> clients, apps;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(front.client());
    clients.back().send(get("/"));
    apps.push_back(front.app());
    apps.back().read_to("\r\n\r\n");
  }
  EXPECT_THAT(front.ask(get("/")), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(front.count(Answer::shed), 1U);
  EXPECT_THAT(front.ask(get("/.holdshort/readyz")), StartsWith("HTTP/1.1 200 "));
  for (std::size_t i = 0; i < 4; ++i) {
    apps[i].send(kOk);
    EXPECT_EQ(clients[i].read(kOk.size()), kOk) << "the established ones are kept";
  }
}

TEST(Gate, LeavesDescriptorsToTheOthers) {
  EXPECT_EQ(gate::descriptors_for_clients(10'000, 16), 10'000 - gate::kDescriptorsOfAgent - 160);
  EXPECT_EQ(gate::descriptors_for_clients(256, 16), 128U);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  gate::raise_descriptor_limit();
  EXPECT_EQ(gate::descriptor_limit(), std::min<std::size_t>(before.rlim_max, 1'048'576));
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Gate, NamesAPortThatCannotBeBound) {
  const Front front;
  StatusBoard board;
  Log log(
      LogLevel::info, LogFormat::json, [](std::string_view) {}, [] { return Wall(); });
  GateConfig config = config_of();
  const int taken = *listen_on(config.listen, "x");
  config.listen.port = port_of(taken);
  const auto gate = Gate::start(config, *Url::parse("http://127.0.0.1:1"), {board, log, 1, {}});
  ASSERT_FALSE(gate);
  EXPECT_EQ(gate.error().message,
            "cannot listen on " + config.listen.text() +
                ": the address is in use; stop what listens there, or change [gate].listen");
  close(taken);
}

TEST(Gate, ListensOnIPv4WhereItListensOnIPv6) {
  const int both = *listen_on(*ListenAddress::parse("[::]:0"), "x");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_of(both));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(client);
  close(both);
}

}  // namespace
}  // namespace holdshort
