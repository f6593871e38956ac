#include "agent/cli/demo_app.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <httplib.h>

namespace holdshort {

namespace {

constexpr const char* kLoopback = "127.0.0.1";
constexpr std::size_t kThreads = 8;              // as many as rate_limit sends at the same moment
constexpr std::chrono::seconds kReadTimeout{1};  // of a silent client: the longest that stopping may take

// A port of ours that nobody listens on: bound, so that no other process gets it, and shared with the server,
// which binds it a second time.
class ReservedPort {
 public:
  static Result<ReservedPort> take() {
    ReservedPort port(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    const bool bound =
        port.socket_ >= 0 && ::setsockopt(port.socket_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
        ::bind(port.socket_, generic, size) == 0 && ::getsockname(port.socket_, generic, &size) == 0;
    if (!bound) return failure(fmt::format("no free port on {}: {}", kLoopback, std::strerror(errno)));
    port.number_ = ntohs(address.sin_port);
    return port;
  }
  ReservedPort(ReservedPort&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), number_(other.number_) {}
  ReservedPort& operator=(ReservedPort&&) = delete;
  ~ReservedPort() {
    if (socket_ >= 0) ::close(socket_);
  }
  std::uint16_t number() const { return number_; }

 private:
  explicit ReservedPort(int socket) : socket_(socket) {}
  int socket_;
  std::uint16_t number_ = 0;
};

// The route that a path leads to: "/ADMIN/" is "/admin".
std::string route_of(std::string path) {
  for (char& c : path)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

void answer(httplib::Response& response, int status, const char* json) {
  response.status = status;
  response.set_content(json, "application/json");
}

}  // namespace

struct DemoApp::Impl {
  Impl(ReservedPort reserved, std::string token) : port(std::move(reserved)), admin_token(std::move(token)) {
    server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server.set_keep_alive_max_count(1);
    server.set_read_timeout(kReadTimeout);
    // Before httplib's own routing, which would compare the path's case.
    server.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      serve(request, response);
      return httplib::Server::HandlerResponse::Handled;
    });
  }

  ~Impl() { server.stop(); }

  void serve(const httplib::Request& request, httplib::Response& response) {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const std::string route = reads ? route_of(request.path) : "";
    if (route == "/healthz") return answer(response, 200, R"({"status":"ok"})");
    if (route == "/orders") return answer(response, 200, R"({"orders":[{"id":1041,"item":"propeller"}]})");
    if (route == "/admin") return serve_admin(request, response);
    if (route == "/search") return serve_search(request, response);
    answer(response, 404, R"({"error":"not found"})");
  }

  void serve_admin(const httplib::Request& request, httplib::Response& response) {
    const bool guarded = guard == Guard::by_route || (guard == Guard::by_text && request.path == "/admin");
    if (guarded && request.get_header_value("Authorization") != "Bearer " + admin_token) {
      response.set_header("WWW-Authenticate", "Bearer");
      return answer(response, 401, R"({"error":"authentication required"})");
    }
    answer(response, 200, R"({"users":[{"name":"amelia","role":"owner"},{"name":"bessie","role":"staff"}]})");
  }

  void serve_search(const httplib::Request& request, httplib::Response& response) {
    if (admits(request)) return answer(response, 200, R"({"found":["propeller","rudder"]})");
    response.set_header("Retry-After", "60");
    answer(response, 429, R"({"error":"too many searches"})");
  }

  bool admits(const httplib::Request& request) {
    const std::lock_guard lock(mutex);
    if (limiter == Limiter::off) return true;
    const std::string forwarded = request.get_header_value("X-Forwarded-For");
    const std::string client = limiter == Limiter::by_fly_client_ip
                                   ? request.get_header_value("Fly-Client-IP")
                                   : forwarded.substr(0, forwarded.find(','));
    int& count = searches[client];
    if (count == kSearchLimit) return false;
    ++count;
    return true;
  }

  const ReservedPort port;
  const std::string admin_token;
  std::atomic<Guard> guard = Guard::none;
  std::mutex mutex;  // of the two below
  Limiter limiter = Limiter::off;
  std::map<std::string, int> searches;  // let through, by client
  httplib::Server server;
  std::jthread listener;  // joined first: stop() has ended it
};

DemoApp::DemoApp(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DemoApp::~DemoApp() = default;

Result<std::unique_ptr<DemoApp>> DemoApp::create(std::string admin_token) {
  Result<ReservedPort> port = ReservedPort::take();
  if (!port) return tl::unexpected(port.error());
  return std::unique_ptr<DemoApp>(
      new DemoApp(std::make_unique<Impl>(std::move(*port), std::move(admin_token))));
}

std::uint16_t DemoApp::port() const { return impl_->port.number(); }

Result<void> DemoApp::start() {
  if (!impl_->server.bind_to_port(kLoopback, port()))
    return failure(fmt::format("cannot listen on {}:{}", kLoopback, port()));
  impl_->listener = std::jthread([this] { impl_->server.listen_after_bind(); });
  impl_->server.wait_until_ready();
  return {};
}

void DemoApp::set(Guard guard) { impl_->guard = guard; }

void DemoApp::set(Limiter limiter) {
  const std::lock_guard lock(impl_->mutex);
  impl_->limiter = limiter;
  impl_->searches.clear();
}

}  // namespace holdshort
