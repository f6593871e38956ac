// A connected socket on the gate's loop: read and written directly, waited for through Asio.
//
// What waits owns no buffer, so an idle connection costs its descriptor and little else.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

namespace holdshort::gate {

using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

// How a connection ends: after its last byte, or as one that was cut (RST).
enum class Ending { orderly, reset };

class Wire {
 public:
  explicit Wire(boost::asio::io_context& loop) : descriptor_(loop.get_executor()) {}

  void open(int descriptor) { descriptor_.assign(descriptor); }
  bool is_open() const { return descriptor_.is_open(); }
  void close(Ending ending);
  void end_writing();  // FIN

  // As recv(2) and send(2), without waiting and without SIGPIPE: -1 and errno. errno is EAGAIN where it would
  // have to wait.
  std::ptrdiff_t receive(char* to, std::size_t size);
  std::ptrdiff_t send(std::string_view bytes);
  std::size_t bytes_in_flight() const;  // written, not yet acknowledged by the peer
  int take_error();                     // SO_ERROR

  // Calls `handler()`, which keeps *this alive, once there is something to read, an end or an error too; not
  // after close(). One wait of each kind at a time: another one while it lasts is none.
  template <class Handler>
  void wait_to_read(Handler handler) {
    if (!std::exchange(reading_, true)) wait(Descriptor::wait_read, reading_, std::move(handler));
  }
  template <class Handler>
  void wait_to_write(Handler handler) {
    if (!std::exchange(writing_, true)) wait(Descriptor::wait_write, writing_, std::move(handler));
  }

 private:
  // What was waited for on an earlier socket is nothing to this one.
  template <class Handler>
  void wait(Descriptor::wait_type type, bool& waits, Handler handler) {
    descriptor_.async_wait(type, [this, &waits, socket = sockets_, handler = std::move(handler)](
                                     const boost::system::error_code& error) mutable {
      if (socket != sockets_) return;
      waits = false;
      if (!error) handler();
    });
  }

  Descriptor descriptor_;
  unsigned sockets_ = 0;  // closed so far
  bool reading_ = false, writing_ = false;
};

}  // namespace holdshort::gate
