// The least that a probe run can cost: one request on a connection of its own, nothing read into the answer.
// What it takes is the kernel's; below it no prober gets. usage: bare_client PORT RUNS; prints CPU seconds a
// run, at 200 runs a second as in bench.py.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace {

constexpr std::string_view kRequest = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
constexpr std::int64_t kGapNanoseconds = 5'000'000;

bool ask(const sockaddr_in& server) {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  char answer[4096];
  const bool answered = ::connect(client, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0 &&
                        ::send(client, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0 &&
                        ::recv(client, answer, sizeof answer, 0) > 0;
  ::close(client);
  return answered;
}

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int runs = std::atoi(argv[2]);
  timespec due{};
  ::clock_gettime(CLOCK_MONOTONIC, &due);
  const double before = cpu_seconds();
  for (int i = 0; i < runs; ++i) {
    if (!ask(server)) return 1;
    due.tv_nsec += kGapNanoseconds;
    if (due.tv_nsec >= 1'000'000'000)
      due = {.tv_sec = due.tv_sec + 1, .tv_nsec = due.tv_nsec - 1'000'000'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
  }
  std::printf("%.9f\n", (cpu_seconds() - before) / runs);
  return 0;
}
