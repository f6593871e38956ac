#include "agent/gate/poller.h"

#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

namespace holdshort::gate {

namespace {

constexpr int kEventsAtATime = 128;
constexpr int kRounds = 4;  // of events, before the loop's timers and new clients get their turn

}  // namespace

Poller::Poller(boost::asio::io_context& loop) : loop_(loop), epoll_(loop.get_executor()) {
  const int descriptor = epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  epoll_.assign(descriptor);
  wait();
}

void Poller::wait() {
  epoll_.async_wait(Descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    run();
    wait();
  });
}

void Poller::run() {
  running_ = true;
  int round = 0;
  while (take_events() > 0 && ++round < kRounds) {
  }
  running_ = false;
  if (after_events_) after_events_();
  if (scheduled_.empty() || std::exchange(posted_, true)) return;
  boost::asio::post(loop_, [this] {
    posted_ = false;
    run();
  });
}

// Those who have been told something, or need not wait, get their turn.
std::size_t Poller::take_events() {
  std::array<epoll_event, kEventsAtATime> events;
  const int n = epoll_wait(epoll_.native_handle(), events.data(), kEventsAtATime, 0);
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    Wire* wire = find(event.data.u64);
    if (!wire) continue;
    wire->note(event.events);
    if (!std::exchange(wire->scheduled_, true)) scheduled_.push_back(wire);
  }
  turn_.clear();
  turn_.swap(scheduled_);
  for (Wire* wire : turn_) wire->scheduled_ = false;
  for (Wire* wire : turn_) wire->take_turn();
  return turn_.size();
}

Wire* Poller::find(std::uint64_t key) const {
  const Slot& slot = slots_[key & 0xffffffff];
  return slot.uses == key >> 32 ? slot.wire : nullptr;
}

void Poller::watch(Wire& wire, std::uint32_t events) {
  const bool is_new = wire.watched_ == 0;
  if (is_new) {
    if (free_slots_.empty()) {
      free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    wire.slot_ = free_slots_.back();
    free_slots_.pop_back();
    slots_[wire.slot_].wire = &wire;
  }
  wire.watched_ |= events;
  epoll_event event{};
  event.events = wire.watched_ | EPOLLET;
  event.data.u64 = std::uint64_t{slots_[wire.slot_].uses} << 32 | wire.slot_;
  epoll_ctl(epoll_.native_handle(), is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, wire.descriptor_, &event);
}

void Poller::schedule(Wire& wire) {
  if (std::exchange(wire.scheduled_, true)) return;
  scheduled_.push_back(&wire);
  if (running_ || std::exchange(posted_, true)) return;
  boost::asio::post(loop_, [this] {
    posted_ = false;
    run();
  });
}

void Poller::forget(Wire& wire) {
  if (std::exchange(wire.scheduled_, false)) std::erase(scheduled_, &wire);
  if (std::exchange(wire.watched_, 0) == 0) return;
  slots_[wire.slot_] = {nullptr, slots_[wire.slot_].uses + 1};
  free_slots_.push_back(wire.slot_);
}

// --- one socket

void Wire::close(Ending ending) {
  if (!is_open()) return;
  if (ending == Ending::reset) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  poller_.forget(*this);
  ::close(std::exchange(descriptor_, -1));
  readable_ = writable_ = ending_ = wants_to_read_ = wants_to_write_ = false;
}

void Wire::end_writing() { shutdown(descriptor_, SHUT_WR); }

// A short read has emptied the socket: epoll tells of what comes after it, but not again of an end that it
// has told already.
std::ptrdiff_t Wire::receive(char* to, std::size_t size) {
  const std::ptrdiff_t n = ::recv(descriptor_, to, size, MSG_DONTWAIT);
  const bool empty = n < 0 ? errno == EAGAIN : static_cast<std::size_t>(n) < size && n > 0 && !ending_;
  if (empty) readable_ = false;
  return n;
}

std::ptrdiff_t Wire::send(std::string_view bytes, After after) {
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (after == After::end ? MSG_MORE : 0);
  const std::ptrdiff_t n = ::send(descriptor_, bytes.data(), bytes.size(), flags);
  if (n < static_cast<std::ptrdiff_t>(bytes.size())) writable_ = false;
  return n;
}

std::size_t Wire::bytes_in_flight() const {
  int bytes = 0;
  return ioctl(descriptor_, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void Wire::wait_to_read() {
  wants_to_read_ = true;
  watch(EPOLLIN | EPOLLRDHUP);
  if (readable_) poller_.schedule(*this);
}

void Wire::wait_to_write() {
  wants_to_write_ = true;
  watch(EPOLLOUT);
  if (writable_) poller_.schedule(*this);
}

void Wire::watch(std::uint32_t events) {
  if ((watched_ & events) != events) poller_.watch(*this, events);
}

void Wire::note(std::uint32_t events) {
  if (!is_open()) return;
  const bool ends = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  ending_ = ending_ || ends;
  readable_ = readable_ || ends || (events & EPOLLIN) != 0;
  writable_ = writable_ || (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
}

void Wire::take_turn() {
  if (writable_ && std::exchange(wants_to_write_, false)) owner_.on_writable(*this);
  if (readable_ && std::exchange(wants_to_read_, false)) owner_.on_readable(*this);
}

}  // namespace holdshort::gate
