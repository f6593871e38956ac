#include "agent/gate/http2.h"

#include "probes/kit/ascii.h"

namespace holdshort::gate::http2 {

namespace {

enum class Type : std::uint8_t { headers = 1, settings = 4, goaway = 7 };
constexpr std::uint8_t kAck = 0x1;                           // of SETTINGS
constexpr std::uint8_t kEndStream = 0x1, kEndHeaders = 0x4;  // of HEADERS
constexpr std::size_t kFrameHead = 9;
constexpr std::size_t kMaxPayload =
    16384;  // what we take before our SETTINGS say otherwise, which they do not

std::uint32_t number(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

std::string four_bytes(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string frame(Type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
  std::string bytes = four_bytes(static_cast<std::uint32_t>(payload.size())).substr(1);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  return bytes += four_bytes(stream) += payload;
}

std::string goaway(std::uint32_t last, ErrorCode error) {
  return frame(Type::goaway, 0, 0, four_bytes(last) + four_bytes(static_cast<std::uint32_t>(error)));
}

// A string of HPACK as it is; ours are shorter than 127 bytes (RFC 7541 5.2).
std::string literal(std::string_view text) { return std::string(1, static_cast<char>(text.size())) += text; }

// "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n...": fields without indexing, with names of their
// own (RFC 7541 6.2.2).
std::string fields_of(std::string_view head) {
  constexpr std::string_view kProtocol = "HTTP/1.1 ";
  std::string fields;
  const auto add = [&](std::string_view name, std::string_view value) {
    fields += '\0';
    fields += literal(name) += literal(value);
  };
  add(":status", head.substr(kProtocol.size(), 3));
  for (head.remove_prefix(head.find("\r\n") + 2); !head.starts_with("\r\n");
       head.remove_prefix(head.find("\r\n") + 2)) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::string name = ascii::lowered(line.substr(0, line.find(':')));
    if (name == "connection" || name.starts_with("content-")) continue;
    add(name, line.substr(name.size() + 2));
  }
  return fields;
}

}  // namespace

First first_request(std::string_view frames) {
  for (bool is_first = true; frames.size() >= kFrameHead; is_first = false) {
    const std::size_t size = number(frames.substr(0, 3));
    const auto type = static_cast<Type>(frames[3]);
    const std::uint32_t stream = number(frames.substr(5, 4)) & 0x7fffffff;
    if (size > kMaxPayload || (is_first && type != Type::settings)) return {First::Kind::broken};
    if (frames.size() < kFrameHead + size) break;
    if (type == Type::headers)
      return stream % 2 == 1 ? First{First::Kind::request, stream} : First{First::Kind::broken};
    frames.remove_prefix(kFrameHead + size);
  }
  return {First::Kind::incomplete};
}

std::string answer(std::uint32_t stream, std::string_view head) {
  return frame(Type::settings, 0, 0, "") + frame(Type::settings, kAck, 0, "") +
         frame(Type::headers, kEndStream | kEndHeaders, stream, fields_of(head)) +
         goaway(stream, ErrorCode::no_error);
}

std::string goodbye(ErrorCode error) { return frame(Type::settings, 0, 0, "") + goaway(0, error); }

}  // namespace holdshort::gate::http2
