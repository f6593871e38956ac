#include "agent/gate/wire.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace holdshort::gate {

namespace {

// Asio's descriptors are const here, their sockets are not.
int native(const Descriptor& descriptor) { return const_cast<Descriptor&>(descriptor).native_handle(); }

}  // namespace

void Wire::close(Ending ending) {
  if (!is_open()) return;
  if (ending == Ending::reset) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(native(descriptor_), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  ++sockets_;
  reading_ = writing_ = false;
}

void Wire::end_writing() { shutdown(native(descriptor_), SHUT_WR); }

std::ptrdiff_t Wire::receive(char* to, std::size_t size) {
  return ::recv(native(descriptor_), to, size, MSG_DONTWAIT);
}

std::ptrdiff_t Wire::send(std::string_view bytes) {
  return ::send(native(descriptor_), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

std::size_t Wire::bytes_in_flight() const {
  int bytes = 0;
  return ioctl(native(descriptor_), SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

int Wire::take_error() {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(native(descriptor_), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : 0;
}

}  // namespace holdshort::gate
