// Pages on loopback: who fetches one is seen, nobody else is, and no stranger costs more than a moment.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/kit/loopback_pages.h"
#include "tests/support/raw_server.h"

namespace holdshort {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;
namespace asio = boost::asio;

// Runs `visit` beside open pages until it is done.
template <class Visit>
void beside(Visit visit, std::chrono::milliseconds deadline = 2s) {
  asio::io_context loop;
  LoopbackPages pages(deadline);
  bool is_done = false;
  asio::co_spawn(loop, pages.open(), [&](std::exception_ptr, const Result<void>& opened) {
    ASSERT_TRUE(opened);
    asio::co_spawn(loop, visit(pages), [&](std::exception_ptr) { is_done = true; });
  });
  while (!is_done && loop.run_one() > 0) {
  }
}

std::uint16_t port_of(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.find(':', 6) + 1)));
}

// What `request` gets; "" where the connection is closed without a word.
Awaitable<std::string> ask(std::string url, std::string request) {
  testing_support::Peer peer(asio::ip::tcp::socket(co_await asio::this_coro::executor));
  boost::system::error_code failed;
  co_await peer.socket.async_connect({asio::ip::address_v4::loopback(), port_of(url)},
                                     asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return "refused";
  co_await peer.write(std::move(request));
  std::string answer, more(4096, '\0');
  while (!failed) {
    const std::size_t count = co_await peer.socket.async_read_some(
        asio::buffer(more), asio::redirect_error(asio::use_awaitable, failed));
    answer += more.substr(0, count);
  }
  co_return answer;
}
std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"; }

Awaitable<void> fetch_all(LoopbackPages& pages) {
  const std::string keys = pages.add("a1/jwks", "application/json", R"({"keys":[]})");
  const std::string chain = pages.add("b2/chain", "application/x-pem-file", "PEM");
  EXPECT_THAT(keys, StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(keys, testing::EndsWith("/a1/jwks"));
  EXPECT_THAT(co_await ask(keys, get("/")), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(co_await ask(keys, get("/b2")), StartsWith("HTTP/1.1 404"));
  EXPECT_FALSE(pages.was_fetched(keys));
  const std::string answer = co_await ask(keys, get("/a1/jwks"));
  EXPECT_THAT(answer,
              StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\n{\"keys\":[]}"));
  EXPECT_TRUE(pages.was_fetched(keys));
  EXPECT_FALSE(pages.was_fetched(chain));
  EXPECT_THAT(co_await ask(chain, get("http://127.0.0.1/b2/chain?x=1")), HasSubstr("\r\n\r\nPEM"));
  EXPECT_TRUE(pages.was_fetched(chain));
}
TEST(LoopbackPages, WhoFetchesOneIsSeenAndNobodyElse) { beside(fetch_all); }

Awaitable<void> fetch_the_head(LoopbackPages& pages) {
  const std::string url = pages.add("a", "text/plain", "body");
  const std::string answer = co_await ask(url, "HEAD /a HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
  EXPECT_TRUE(pages.was_fetched(url));
}
TEST(LoopbackPages, AHeadIsAFetchToo) { beside(fetch_the_head); }

Awaitable<void> be_a_nuisance(LoopbackPages& pages) {
  const std::string url = pages.add("a", "text/plain", "body");
  EXPECT_EQ(co_await ask(url, ""), "");  // says nothing: closed at the deadline
  EXPECT_EQ(co_await ask(url, "GET /a HTTP/1.1\r\nX: " + std::string(LoopbackPages::kMaxHeadBytes, 'x')), "");
  EXPECT_THAT(co_await ask(url, "\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_FALSE(pages.was_fetched(url));
}
TEST(LoopbackPages, SilenceAndAnEndlessHeadAreClosed) { beside(be_a_nuisance, 20ms); }

Awaitable<void> come_in_numbers(LoopbackPages& pages) {
  const std::string url = pages.add("a", "text/plain", "body");
  const auto executor = co_await asio::this_coro::executor;
  std::vector<asio::ip::tcp::socket> crowd;
  boost::system::error_code failed;
  for (std::size_t i = 0; i < LoopbackPages::kMaxVisitors; ++i)
    co_await crowd.emplace_back(executor).async_connect({asio::ip::address_v4::loopback(), port_of(url)},
                                                        asio::redirect_error(asio::use_awaitable, failed));
  EXPECT_EQ(co_await ask(url, get("/a")), "");
  crowd.clear();
}
TEST(LoopbackPages, NoMoreThanEightVisitAtATime) { beside(come_in_numbers); }

TEST(LoopbackPages, AreGoneWithTheirRun) {
  asio::io_context loop;
  std::string url, answer;
  {
    LoopbackPages pages;
    asio::co_spawn(loop, pages.open(), [&](std::exception_ptr, const Result<void>&) {
      url = pages.add("a", "text/plain", "body");
      loop.stop();
    });
    loop.run();
  }
  loop.restart();
  asio::co_spawn(loop, ask(url, get("/a")), [&](std::exception_ptr, std::string got) { answer = got; });
  loop.run();
  EXPECT_EQ(answer, "refused");
}

}  // namespace
}  // namespace holdshort
