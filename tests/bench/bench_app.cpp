// The app that the benchmarks are run against: guarded, limited, and ready only after a while. usage:
// bench_app PORT READY_AFTER_MS
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include <httplib.h>

namespace {

constexpr int kLimit = 10;

using Clock = std::chrono::steady_clock;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto ready_at = Clock::now() + std::chrono::milliseconds(std::atoi(argv[2]));
  const std::string token =
      std::string("Bearer ") + (std::getenv("ADMIN_TOKEN") ? std::getenv("ADMIN_TOKEN") : "none");
  std::mutex mutex;
  std::map<std::string, int> counts;

  httplib::Server server;
  server.set_tcp_nodelay(true);
  server.set_pre_routing_handler([&](const httplib::Request&, httplib::Response& response) {
    if (Clock::now() >= ready_at) return httplib::Server::HandlerResponse::Unhandled;
    response.status = 503;
    return httplib::Server::HandlerResponse::Handled;
  });
  std::atomic<int> asked = 0;
  server.Get("/healthz", [&](const httplib::Request&, httplib::Response& response) {
    ++asked;
    response.set_content("ok\n", "text/plain");
  });
  server.Get("/count", [&](const httplib::Request&, httplib::Response& response) {
    response.set_content(std::to_string(asked), "text/plain");
  });
  server.Get("/admin", [&](const httplib::Request& request, httplib::Response& response) {
    const bool allowed = request.get_header_value("Authorization") == token;
    response.status = allowed ? 200 : 401;
    response.set_content(allowed ? R"({"section":"admin","orders":[1,2,3],"revenue":18230})"
                                 : R"({"error":"unauthenticated"})",
                         "application/json");
  });
  server.Get(R"(/search\d*)", [&](const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex);
    const bool served = ++counts[request.path + request.get_header_value("Fly-Client-IP")] <= kLimit;
    response.status = served ? 200 : 429;
    response.set_content(served ? R"({"products":["lamp","desk"]})" : "slow down", "application/json");
  });
  std::printf("ready in %s ms\n", argv[2]);
  return server.listen("127.0.0.1", std::atoi(argv[1])) ? 0 : 1;
}
