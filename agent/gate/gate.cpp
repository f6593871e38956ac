#include "agent/gate/gate.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/gate/connection.h"
#include "agent/gate/descriptors.h"
#include "agent/listening.h"

namespace holdshort {

namespace asio = boost::asio;
using namespace gate;

namespace {

constexpr int kAcceptedAtATime = 64, kExpiredAtATime = 64;
constexpr std::chrono::milliseconds kNext{0};
constexpr std::chrono::milliseconds kTick{50};  // how late a deadline may be, and the news of an old verdict
constexpr std::chrono::milliseconds kSlowTick{1000};    // while there is no client
constexpr std::chrono::milliseconds kHurryEvery{1000};  // while requests are held
constexpr std::chrono::milliseconds kAcceptPause{20};   // when there is no descriptor and nobody to let go
constexpr std::chrono::milliseconds kLastAnswers{250};  // for those who connected just before the end

}  // namespace

struct Gate::Impl {
  Impl(const GateConfig& config, const Url& app, World w)
      : world(std::move(w)),
        hub(std::make_unique<Hub>(loop, world.board, config)),
        listener(loop.get_executor()),
        timer(loop.get_executor()),
        pause(loop.get_executor()) {
    hub->upstream.set(app);
    hub->max_descriptors = descriptors_for_clients(descriptor_limit(), world.probes);
    hub->hurry = [this] { hurry(); };
    hub->poller.set_after_events([this] { hub->gone.clear(); });
  }

  void start(int descriptor) {
    port = port_of(descriptor);
    prepare(descriptor);
    listener.assign(descriptor);
    world.board.on_publish([this] { asio::post(loop, [this] { look(); }); });
    asio::post(loop, [this] {
      look();
      wait_for_clients();
      tick();
    });
    thread = std::jthread([this] { loop.run(); });
  }

  // What those that it accepts take over: bytes go at once, and a peer that is no more is noticed.
  static void prepare(int descriptor) {
    const int on = 1, idle = 60, every = 15, times = 4;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
  }

  void stop() {
    world.board.on_publish(nullptr);
    loop.stop();
    if (thread.joinable()) thread.join();
    for (Connections& list : hub->phases)
      while (!list.empty()) {
        Connection& connection = *list.front();
        connection.end_of_drain();
        connection.drop();
      }
  }

  // --- clients come

  void wait_for_clients() {
    if (!listener.is_open()) return;
    listener.async_wait(Descriptor::wait_read, [this](const boost::system::error_code& error) {
      if (!error) accept();
    });
  }

  void accept() {
    for (int i = 0; i < kAcceptedAtATime; ++i) {
      const int client = accept4(listener.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client >= 0) {
        make_room();
        Connection::start(*hub, client);
        if (slow) tick();
        continue;
      }
      if (errno == EAGAIN) break;
      if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) continue;
      if (!shed()) return pause_accepting();
    }
    wait_for_clients();
  }

  void pause_accepting() {
    pause.expires_after(kAcceptPause);
    pause.async_wait([this](const boost::system::error_code& error) {
      if (!error) accept();
    });
  }

  // Clients that have said nothing, or been told all, give way to new ones. Those that are served never do;
  // beyond the limit there is always some room for whoever asks for the health path.
  void make_room() {
    const std::size_t sheddable = hub->in(Phase::fresh).size() + hub->in(Phase::linger).size();
    const bool full = hub->connections() >= static_cast<std::size_t>(hub->config.max_connections) ||
                      hub->descriptors >= hub->max_descriptors;
    if (full && sheddable >= kSpareConnections) shed();
  }

  bool shed() {
    for (const Phase phase : {Phase::linger, Phase::fresh}) {
      if (hub->in(phase).empty()) continue;
      if (phase == Phase::fresh) hub->counters.count(Answer::shed);
      hub->in(phase).front()->drop();
      return true;
    }
    return false;
  }

  // --- time, and the verdict

  void tick() {
    const Monotonic now = std::chrono::steady_clock::now();
    look();
    const bool more = expire(now);
    for_each(Phase::connecting, [](Connection& connection) { connection.retry(); });
    for_each(Phase::cut, [](Connection& connection) { connection.try_cut(); });
    if (!hub->in(Phase::held).empty()) hurry();
    if (!hub->open && now >= closed_since + hub->config.drain) end_of_drain();
    if (hub->shutting) look_whether_drained(now);
    hub->gone.clear();
    slow = hub->connections() == 0 && !hub->shutting;
    timer.expires_after(more ? kNext : slow ? kSlowTick : kTick);
    timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) tick();
    });
  }

  // Whether more are late: ten thousand that came together must not keep others waiting when they go.
  bool expire(Monotonic now) {
    int left = kExpiredAtATime;
    for (Connections& list : hub->phases) {
      while (!list.empty() && list.front()->deadline() <= now) {
        if (left-- == 0) return true;
        Connection& late = *list.front();
        late.expire();
        if (!list.empty() && list.front().get() == &late) late.drop();
      }
    }
    return false;
  }

  template <class Action>
  void for_each(Phase phase, Action action) {
    std::vector<Connection*> now;  // the list changes meanwhile; what ends is kept
    for (const auto& connection : hub->in(phase)) now.push_back(connection.get());
    for (Connection* connection : now) action(*connection);
  }

  // Whether the verdict has changed, or grown too old.
  void look() {
    const bool open = hub->lets_through();
    if (open == hub->open) return;
    hub->open = open;
    hub->counters.open.store(open, std::memory_order_relaxed);
    closed_since = std::chrono::steady_clock::now();
    drained_once = false;
    tell(open);
    for_each(open ? Phase::held : Phase::idle, [](Connection& connection) { connection.gate_changed(); });
  }

  void tell(bool open) {
    const std::string address = hub->config.listen.text();
    const auto connections = static_cast<std::int64_t>(hub->connections());
    if (open)
      world.log.write(LogLevel::info, "gate.opened", fmt::format("requests on {} reach the app", address),
                      {{"listen", address}});
    else
      world.log.write(LogLevel::warn, "gate.closed",
                      fmt::format("no further request on {} reaches the app; {} connections are open",
                                  address, connections),
                      {{"listen", address}, {"connections", connections}});
  }

  void hurry() {
    const Monotonic now = std::chrono::steady_clock::now();
    if (!world.hurry || now < hurried + kHurryEvery) return;
    hurried = now;
    world.hurry();
  }

  // --- the end

  void end_of_drain() {
    if (std::exchange(drained_once, true)) return;
    for_each(Phase::active, [](Connection& connection) { connection.end_of_drain(); });
  }

  void look_whether_drained(Monotonic now) {
    if (!drained) return;
    std::size_t under_way = 0;
    for (const Phase phase :
         {Phase::active, Phase::held, Phase::connecting, Phase::head, Phase::idle, Phase::cut})
      under_way += hub->in(phase).size();
    const bool quiet = under_way == 0 && (hub->connections() == 0 || now >= closed_since + kLastAnswers);
    if (!quiet && now < closed_since + hub->config.drain) return;
    std::exchange(drained, nullptr)();
  }

  void shut(std::function<void()> when_drained) {
    drained = std::move(when_drained);
    if (!hub->open) closed_since = std::chrono::steady_clock::now();
    hub->shutting = true;
    for_each(Phase::held, [](Connection& connection) { connection.end_of_drain(); });
    tick();
  }

  World world;
  asio::io_context loop{1};
  std::unique_ptr<Hub> hub;  // before its connections' handlers are gone
  Descriptor listener;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             asio::io_context::executor_type>
      timer, pause;
  std::uint16_t port = 0;
  bool slow = false;          // the next tick is far away
  bool drained_once = false;  // since the gate has closed
  Monotonic closed_since = std::chrono::steady_clock::now();
  Monotonic hurried = Monotonic::min();
  std::function<void()> drained;
  std::jthread thread;
};

Gate::Gate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gate::~Gate() { impl_->stop(); }

Result<std::unique_ptr<Gate>> Gate::start(const GateConfig& config, const Url& app, World world) {
  const Result<int> descriptor = listen_on(config.listen, "[gate].listen");
  if (!descriptor) return tl::unexpected(descriptor.error());
  auto impl = std::make_unique<Impl>(config, app, std::move(world));
  impl->start(*descriptor);
  return std::unique_ptr<Gate>(new Gate(std::move(impl)));
}

std::uint16_t Gate::port() const { return impl_->port; }
const Counters& Gate::counters() const { return impl_->hub->counters; }

void Gate::reload(const GateConfig& config, const Url& app) {
  asio::post(impl_->loop, [impl = impl_.get(), config = config, app]() mutable {
    config.listen = impl->hub->config.listen;
    impl->hub->config = std::move(config);
    impl->hub->upstream.set(app);
  });
}

void Gate::shut(std::function<void()> drained) {
  asio::post(impl_->loop, [impl = impl_.get(), drained = std::move(drained)]() mutable {
    impl->shut(std::move(drained));
  });
}

}  // namespace holdshort
