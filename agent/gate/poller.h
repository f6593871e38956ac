// Edge-triggered readiness of many sockets for one thread, on an Asio loop.
//
// Asio alone re-arms epoll before each wait, twice for every request that is relayed, and takes three more
// calls for every socket. Here a socket is registered once, when it first has to wait; what it reports is
// kept until it is asked for. Asio waits for the one descriptor of all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

namespace holdshort::gate {

using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

class Wire;

// Loop thread only.
class Poller {
 public:
  explicit Poller(boost::asio::io_context& loop);
  // Called between events, when nobody is inside a wire: what has ended may be destroyed.
  void set_after_events(std::function<void()> action) { after_events_ = std::move(action); }

 private:
  friend class Wire;
  // What epoll keeps for a socket is a slot and how often it has been used: a process that was forked at the
  // wrong moment keeps closed sockets in epoll's list.
  struct Slot {
    Wire* wire = nullptr;
    std::uint32_t uses = 0;
  };
  void watch(Wire& wire, std::uint32_t events);
  Wire* find(std::uint64_t key) const;
  void schedule(Wire& wire);  // it need not wait: its turn comes without an event
  void forget(Wire& wire);
  void wait();
  void run();
  std::size_t take_events();

  boost::asio::io_context& loop_;
  Descriptor epoll_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<Wire*> scheduled_, turn_;
  std::function<void()> after_events_;
  bool running_ = false, posted_ = false;
};

// How a connection ends: after its last byte, or as one that was cut (RST).
enum class Ending { orderly, reset };

// What comes at once after bytes that are sent: they and the end that follows them go as one packet, and wake
// the peer once.
enum class After { nothing, end };

// A connected socket, read and written directly. What waits owns no buffer: an idle connection costs its
// descriptor and little else.
class Wire {
 public:
  class Owner {
   public:
    virtual void on_readable(Wire& wire) = 0;  // or at its end, or broken
    virtual void on_writable(Wire& wire) = 0;

   protected:
    ~Owner() = default;
  };

  // The owner outlives its wire's last event: see Poller::set_after_events.
  Wire(Poller& poller, Owner& owner) : poller_(poller), owner_(owner) {}
  Wire(const Wire&) = delete;
  ~Wire() { close(Ending::orderly); }

  void open(int descriptor) { descriptor_ = descriptor; }
  bool is_open() const { return descriptor_ >= 0; }
  // The peer has ended, or an error has come: a read does not wait.
  bool is_ending() const { return ending_; }
  int descriptor() const { return descriptor_; }
  void close(Ending ending);
  void end_writing();  // FIN

  // As recv(2) and send(2), without waiting and without SIGPIPE: -1 and errno. errno is EAGAIN where it would
  // have to wait.
  std::ptrdiff_t receive(char* to, std::size_t size);
  std::ptrdiff_t send(std::string_view bytes, After after = After::nothing);
  std::size_t bytes_in_flight() const;  // written, not yet acknowledged by the peer

  // The owner hears of it once. On its own turn, never from inside.
  void wait_to_read();
  void wait_to_write();

 private:
  friend class Poller;
  void note(std::uint32_t events);
  void take_turn();
  void watch(std::uint32_t events);

  Poller& poller_;
  Owner& owner_;
  int descriptor_ = -1;
  std::uint32_t watched_ = 0, slot_ = 0;
  bool readable_ = false, writable_ = false;  // as far as epoll has said and nobody has seen otherwise
  bool ending_ = false;                       // it has said that the end or an error is near
  bool wants_to_read_ = false, wants_to_write_ = false;
  bool scheduled_ = false;
};

}  // namespace holdshort::gate
