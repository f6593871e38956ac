#include "probes/kit/loopback_pages.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "probes/kit/dial.h"

namespace holdshort {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

struct Page {
  std::string path, media_type, body;
  bool fetched = false;
};

// The timer's callback may outlive the connection by a turn of the loop.
struct Visitor {
  Visitor(tcp::socket accepted, std::chrono::milliseconds deadline)
      : socket(std::move(accepted)), timer(socket.get_executor(), deadline) {}
  void close() {
    error_code ignored;
    socket.close(ignored);
    timer.cancel();
  }
  tcp::socket socket;
  asio::steady_timer timer;
};

// "GET /path?query HTTP/1.1" -> "/path"; also of the absolute form, which proxies are sent.
std::string path_of(const std::string& head) {
  const std::size_t start = std::min(head.find(' '), head.size() - 1) + 1;
  std::string target = head.substr(start, head.find(' ', start) - start);
  if (const std::size_t scheme = target.find("://"); scheme != std::string::npos && !target.starts_with('/'))
    target.erase(0, std::min(target.find('/', scheme + 3), target.size()));
  return target.substr(0, target.find('?'));
}

}  // namespace

struct LoopbackPages::State {
  State(const asio::any_io_executor& executor, std::chrono::milliseconds each)
      : acceptor(executor), deadline(each) {}

  Page* find(const std::string& path) {
    const auto page = std::find_if(pages.begin(), pages.end(), [&](const Page& p) { return p.path == path; });
    return page == pages.end() ? nullptr : &*page;
  }

  void close() {
    error_code ignored;
    acceptor.close(ignored);
    for (const std::shared_ptr<Visitor>& visitor : visitors) visitor->close();
  }

  std::string answer(const std::string& head) {
    Page* page = find(path_of(head));
    if (!page) return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    page->fetched = true;
    return fmt::format(
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        page->media_type, page->body.size(), head.starts_with("HEAD ") ? "" : page->body);
  }

  static Awaitable<void> accept(std::shared_ptr<State> state) {
    while (state->acceptor.is_open()) {
      error_code failed;
      tcp::socket socket =
          co_await state->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failed));
      if (failed == asio::error::connection_aborted) continue;
      if (failed) co_return;  // closed, or out of descriptors: then nothing more is seen
      if (state->visitors.size() >= kMaxVisitors) continue;
      auto visitor = std::make_shared<Visitor>(std::move(socket), state->deadline);
      state->visitors.push_back(visitor);
      asio::co_spawn(state->acceptor.get_executor(), serve(state, std::move(visitor)), asio::detached);
    }
  }

  static Awaitable<void> serve(std::shared_ptr<State> state, std::shared_ptr<Visitor> visitor) {
    visitor->timer.async_wait([visitor](const error_code& cancelled) {
      if (!cancelled) visitor->close();
    });
    error_code failed;
    std::string head;
    while (!failed && head.size() < kMaxHeadBytes && head.find("\r\n\r\n") == std::string::npos) {
      std::string more(kMaxHeadBytes - head.size(), '\0');
      more.resize(co_await visitor->socket.async_read_some(
          asio::buffer(more), asio::redirect_error(asio::use_awaitable, failed)));
      head += more;
    }
    if (head.find("\r\n\r\n") != std::string::npos) {
      const std::string answer = state->answer(head);
      co_await asio::async_write(visitor->socket, asio::buffer(answer),
                                 asio::redirect_error(asio::use_awaitable, failed));
    }
    visitor->close();
    std::erase(state->visitors, visitor);
  }

  tcp::acceptor acceptor;
  const std::chrono::milliseconds deadline;
  std::vector<Page> pages;
  std::vector<std::shared_ptr<Visitor>> visitors;
};

LoopbackPages::LoopbackPages(std::chrono::milliseconds deadline) : deadline_(deadline) {}

LoopbackPages::~LoopbackPages() {
  if (state_) state_->close();
}

Awaitable<Result<void>> LoopbackPages::open() {
  auto state = std::make_shared<State>(co_await asio::this_coro::executor, deadline_);
  const tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);
  error_code failed;
  state->acceptor.open(any_port.protocol(), failed);
  if (!failed) state->acceptor.bind(any_port, failed);
  if (!failed) state->acceptor.listen(kMaxVisitors, failed);
  Result<void> result;
  if (failed) {
    result = failure(words_of(failed));
    co_return result;
  }
  state_ = state;
  asio::co_spawn(state->acceptor.get_executor(), State::accept(state), asio::detached);
  co_return result;
}

bool LoopbackPages::is_open() const { return state_ && state_->acceptor.is_open(); }

std::string LoopbackPages::add(const std::string& secret_path, std::string media_type, std::string body) {
  error_code ignored;
  const auto port = state_->acceptor.local_endpoint(ignored).port();
  state_->pages.push_back({"/" + secret_path, std::move(media_type), std::move(body)});
  return fmt::format("http://127.0.0.1:{}/{}", port, secret_path);
}

bool LoopbackPages::was_fetched(const std::string& url) const {
  const std::size_t path = url.find('/', std::string_view("http://").size());
  const Page* page = state_ && path != std::string::npos ? state_->find(url.substr(path)) : nullptr;
  return page && page->fetched;
}

}  // namespace holdshort
