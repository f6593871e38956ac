// Talks to Redis: its protocol by hiredis, its bytes by a Channel, so that one deadline, one resolver and TLS
// are what they are for every other probe (docs/decisions/0003).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/awaitable.h"
#include "probes/kit/channel.h"
#include "probes/kit/result.h"
#include "probes/kit/secret.h"
#include "probes/kit/url.h"

namespace holdshort {

// redis://[[user]:password@]host[:port][/database], rediss:// for TLS, unix:/path.
struct RedisUrl {
  // What it says never quotes the text.
  [[nodiscard]] static Result<RedisUrl> parse(std::string_view text);
  Address address;
  bool is_tls = false;
  std::string user;  // "": the default one
  Secret password;   // empty: none
  int database = 0;
};

struct RedisReply {
  enum class Kind { text, error, integer, list, nothing };
  Kind kind = Kind::nothing;
  std::string text;  // also of an error: "NOAUTH Authentication required."
  std::int64_t integer = 0;
  std::vector<RedisReply> items;

  bool is(std::string_view status) const { return kind == Kind::text && text == status; }
  // Of an error its first word, where that is one of capitals: "NOAUTH". The rest may repeat what was sent.
  std::string code() const;
};

class RedisClient {
 public:
  // `channel` is connected, and outlives *this.
  explicit RedisClient(Channel& channel);
  ~RedisClient();
  using Command = std::vector<std::string>;
  // Sends all commands at once; as many replies, in their order. Fails where the peer does not answer in
  // time, hangs up, or sends what is no reply (RESP2) or one beyond the bounds below. Then nothing more can
  // be asked.
  Awaitable<Result<std::vector<RedisReply>>> ask(std::vector<Command> commands);

  static constexpr std::size_t kMaxReplyBytes = 1024 * 1024;  // of all replies of one ask()
  static constexpr std::size_t kMaxItems = 16 * 1024;         // of a list
  static constexpr int kMaxDepth = 4;

 private:
  struct Reader;
  Channel& channel_;
  std::unique_ptr<Reader> reader_;
};

}  // namespace holdshort
