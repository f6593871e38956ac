#include "probes/kit/redis_client.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "probes/kit/ascii.h"
#include "probes/kit/text.h"

namespace holdshort {
namespace {

constexpr std::string_view kForm = "expected redis://[[user]:password@]host[:port][/database]";
constexpr std::uint16_t kPort = 6379;
constexpr int kMaxDatabase = 1'000'000;
constexpr std::size_t kReadBytes = 16 * 1024;

std::optional<int> database_of(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return is_number && number >= 0 && number <= kMaxDatabase ? std::optional(number) : std::nullopt;
}

struct FreeReply {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

using ReplyFunctions = redisReplyObjectFunctions;

// Lists are made before their items have come, so what the peer promises is bounded here. A captureless
// generic lambda, because the type of `count` differs between hiredis 0.14 and 1.x.
ReplyFunctions bounded(const ReplyFunctions& functions) {
  static ReplyFunctions original;
  original = functions;
  ReplyFunctions result = functions;
  result.createArray = [](const redisReadTask* task, auto count) -> void* {
    int depth = 0;
    for (const redisReadTask* above = task; above; above = above->parent) ++depth;
    const bool fits =
        static_cast<std::uint64_t>(count) <= RedisClient::kMaxItems && depth <= RedisClient::kMaxDepth;
    return fits ? original.createArray(task, count) : nullptr;
  };
  return result;
}

// False where it has what RESP2 has not.
bool convert(const redisReply& from, RedisReply& to) {
  using Kind = RedisReply::Kind;
  switch (from.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      to.kind = from.type == REDIS_REPLY_ERROR ? Kind::error : Kind::text;
      to.text.assign(from.str, static_cast<std::size_t>(from.len));
      return true;
    case REDIS_REPLY_INTEGER:
      to.kind = Kind::integer;
      to.integer = from.integer;
      return true;
    case REDIS_REPLY_NIL:
      return true;
    case REDIS_REPLY_ARRAY:
      to.kind = Kind::list;
      to.items.resize(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i)
        if (!convert(*from.element[i], to.items[i])) return false;
      return true;
    default:
      return false;
  }
}

// "" where it cannot be written.
std::string written(const RedisClient::Command& command) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string& word : command) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* bytes = nullptr;
  const auto size =
      ::redisFormatCommandArgv(&bytes, static_cast<int>(words.size()), words.data(), sizes.data());
  if (size < 0) return "";
  std::string text(bytes, static_cast<std::size_t>(size));
  ::redisFreeCommand(bytes);
  return text;
}

}  // namespace

Result<RedisUrl> RedisUrl::parse(std::string_view text) {
  RedisUrl url;
  const std::size_t colon = text.find(':');
  const std::string scheme = ascii::lowered(text.substr(0, std::min(colon, text.size())));
  if (colon != text.npos && scheme == "unix") {
    const Result<Address> address = Address::parse(text);
    if (!address) return tl::unexpected(address.error());
    url.address = *address;
    return url;
  }
  if ((scheme != "redis" && scheme != "rediss") || !text.substr(scheme.size()).starts_with("://"))
    return failure(std::string(kForm));
  url.is_tls = scheme == "rediss";
  std::string_view rest = text.substr(scheme.size() + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));  // what clients tune there says nothing of the server
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view path = rest.substr(slash);
  std::string_view authority = rest.substr(0, slash);
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
    const std::string_view login = authority.substr(0, at);
    const std::size_t split = std::min(login.find(':'), login.size());
    url.user = percent_decode(login.substr(0, split));
    url.password = Secret(percent_decode(login.substr(std::min(split + 1, login.size()))));
    authority.remove_prefix(at + 1);
  }
  const bool has_port = authority.rfind(':') != authority.npos && !authority.ends_with(']');
  const Result<Address> address = Address::parse(
      has_port ? std::string(authority) : std::string(authority) + ":" + std::to_string(kPort));
  if (!address) return failure(std::string(kForm));
  url.address = *address;
  if (path.size() > 1) {
    const std::optional<int> database = database_of(path.substr(1));
    if (!database) return failure("the database is no number; " + std::string(kForm));
    url.database = *database;
  }
  return url;
}

std::string RedisReply::code() const {
  const std::string word = text.substr(0, text.find(' '));
  constexpr std::size_t kMaxCode = 20;
  const bool is_code = kind == Kind::error && word.size() <= kMaxCode &&
                       ascii::is_made_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
  return is_code ? word : "";
}

struct RedisClient::Reader {
  Reader() : reader(::redisReaderCreate()), functions(bounded(*reader->fn)) { reader->fn = &functions; }
  ~Reader() { ::redisReaderFree(reader); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // The next whole reply; nothing where more bytes are wanted.
  Result<std::optional<RedisReply>> next() {
    void* raw = nullptr;
    if (::redisReaderGetReply(reader, &raw) != REDIS_OK) return failure("what answers does not speak Redis");
    const Reply whole(static_cast<redisReply*>(raw));
    if (!whole) return std::nullopt;
    RedisReply reply;
    if (!convert(*whole, reply)) return failure("what answers does not speak Redis");
    return reply;
  }

  redisReader* const reader;
  ReplyFunctions functions;
};

RedisClient::RedisClient(Channel& channel) : channel_(channel), reader_(std::make_unique<Reader>()) {}
RedisClient::~RedisClient() = default;

Awaitable<Result<std::vector<RedisReply>>> RedisClient::ask(std::vector<Command> commands) {
  Result<std::vector<RedisReply>> replies;
  std::string wire;
  for (const Command& command : commands) wire += written(command);
  const Result<void> sent = co_await channel_.write(std::move(wire));
  std::size_t taken = 0;
  while (replies && replies->size() < commands.size()) {
    Result<std::optional<RedisReply>> next = reader_->next();
    if (!next) {
      replies = tl::unexpected(next.error());
    } else if (*next) {
      replies->push_back(std::move(**next));
    } else if (taken >= kMaxReplyBytes) {
      replies = failure("its reply is longer than " + std::to_string(kMaxReplyBytes) + " bytes");
    } else {
      // Read even where writing failed: a server that refuses says so and hangs up.
      const Result<std::string> bytes = co_await channel_.read(kReadBytes);
      if (!bytes || bytes->empty()) {
        replies = failure(!bytes ? bytes.error().message : !sent ? sent.error().message : "it hung up");
      } else {
        taken += bytes->size();
        ::redisReaderFeed(reader_->reader, bytes->data(), bytes->size());
      }
    }
  }
  co_return replies;
}

}  // namespace holdshort
