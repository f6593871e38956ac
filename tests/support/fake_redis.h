// A Redis server that does what a test says: it reads commands and answers each with bytes.
#pragma once

#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/raw_server.h"

namespace holdshort::testing_support {

using RedisCommand = std::vector<std::string>;

inline std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}
inline std::string scan_reply(const std::string& cursor, const std::vector<std::string>& keys) {
  std::string reply = "*2\r\n" + bulk(cursor) + "*" + std::to_string(keys.size()) + "\r\n";
  for (const std::string& key : keys) reply += bulk(key);
  return reply;
}

// Takes the first whole command off `bytes`; nothing where there is none yet.
inline std::optional<RedisCommand> take_command(std::string& bytes) {
  std::size_t at = 0;
  const auto number = [&](char kind) -> std::optional<std::size_t> {
    const std::size_t end = bytes.find("\r\n", at);
    if (end == std::string::npos || bytes[at] != kind) return std::nullopt;
    const std::size_t value = std::strtoul(bytes.c_str() + at + 1, nullptr, 10);
    at = end + 2;
    return value;
  };
  const std::optional<std::size_t> words = number('*');
  if (!words) return std::nullopt;
  RedisCommand command;
  for (std::size_t i = 0; i < *words; ++i) {
    const std::optional<std::size_t> size = number('$');
    if (!size || bytes.size() < at + *size + 2) return std::nullopt;
    command.push_back(bytes.substr(at, *size));
    at += *size + 2;
  }
  bytes.erase(0, at);
  return command;
}

class FakeRedis {
 public:
  // `connection` counts from 0. An answer of kHangUp closes, "" leaves the client waiting.
  using Answer = std::function<std::string(int connection, const RedisCommand& command)>;
  inline static const std::string kHangUp = "(hang up)";

  FakeRedis(asio::io_context& loop, Answer answer)
      : answer_(std::move(answer)),
        server_(loop, [this](std::shared_ptr<Peer> peer) { return serve(std::move(peer), this); }) {}
  std::uint16_t port() const { return server_.port(); }

  std::vector<std::vector<RedisCommand>> seen;  // by connection

 private:
  static Awaitable<void> serve(std::shared_ptr<Peer> peer, FakeRedis* self) {
    const std::size_t number = self->seen.size();
    self->seen.emplace_back();
    std::string bytes;
    boost::system::error_code error;
    while (!error) {
      while (std::optional<RedisCommand> command = take_command(bytes)) {
        self->seen[number].push_back(*command);
        std::string reply = self->answer_(static_cast<int>(number), *command);
        if (reply == kHangUp) co_return;
        co_await peer->write(std::move(reply));
      }
      std::string more(4096, '\0');
      const std::size_t count = co_await peer->socket.async_read_some(
          asio::buffer(more), asio::redirect_error(asio::use_awaitable, error));
      bytes.append(more, 0, count);
    }
  }
  Answer answer_;
  RawServer server_;
};

}  // namespace holdshort::testing_support
