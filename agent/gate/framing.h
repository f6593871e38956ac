// Where requests begin and end in a stream of bytes, so that the gate can judge each of them.
//
// The bytes themselves pass unchanged. So the gate and the app must agree on every boundary: whatever two
// readers could understand differently (RFC 9112 11.2, CWE-444) is malformed here. Responses come from the
// app, which is trusted: they are followed leniently, and only so far as to know which are outstanding.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdshort::gate {

inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;          // of a request, a PROXY preamble included
inline constexpr std::size_t kMaxTrailerBytes = 16 * 1024;       // of a request
inline constexpr std::size_t kMaxChunkLineBytes = 4 * 1024;      // of a request: size and extensions
inline constexpr std::size_t kMaxResponseHeadBytes = 64 * 1024;  // beyond: passed on, but not followed

enum class Method { get, head, connect, other };
enum class BodyKind { none, length, chunked, tunnel };

// What the gate must know of a request's head.
struct RequestHead {
  std::size_t bytes = 0;  // a PROXY preamble included
  Method method = Method::other;
  std::size_t target_at = 0,
              target_bytes = 0;  // where the target lies in the head; none for HTTP/2's preface
  BodyKind body = BodyKind::none;
  std::uint64_t length = 0;  // of the body, where it is `length`
  bool closes = false;       // says that no other request follows
  bool upgrades = false;     // has an Upgrade field: what follows is HTTP/1 only if the response says no
  bool replayed = false;     // has fly-replay-src: another Machine sent it here

  bool is_http2() const { return body == BodyKind::tunnel && target_bytes == 0; }  // its preface
};

// The requests of one connection. Pure; give it what has not been taken yet.
class RequestFraming {
 public:
  enum class Part {
    incomplete,  // more bytes are needed to tell
    head,        // a whole head, see head(); stays at the front until take_head()
    body,        // of the request whose head was taken last; these bytes are taken
    tunnel,      // no HTTP/1 any more; these bytes are taken
    malformed,   // nor can anything that follows be understood
    too_large,   // the head
  };
  struct Step {
    Part part;
    std::size_t bytes;  // of it, at the front
  };

  // What lies at the front of `bytes`, which are not empty. They begin with the first byte that was not
  // taken; a longer view of an incomplete head is read on from where the shorter one ended.
  Step next(std::string_view bytes);
  const RequestHead& head() const { return head_; }
  void take_head();
  // The response has switched protocols, or opened the tunnel of a CONNECT.
  void become_tunnel() { state_ = State::tunnel; }
  bool is_tunnel() const { return state_ == State::tunnel; }
  bool is_in_head() const { return state_ == State::head; }  // or between two requests
  bool is_in_body() const { return state_ >= State::length && state_ != State::tunnel; }
  std::uint64_t bytes_to_come() const { return state_ == State::length ? left_ : 0; }  // of a body, if known

 private:
  enum class State {
    head,
    length,
    size_first,  // the first digit of a chunk's size
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    broken,  // a chunk
    tunnel,
  };

  Step read_head(std::string_view bytes);
  Part read_preamble(std::string_view bytes);
  Part read_proxy_v1(std::string_view bytes);
  Part read_proxy_v2(std::string_view bytes);
  Part read_http2_preface(std::string_view bytes);
  bool read_line(std::string_view bytes, std::string_view line);
  bool read_request_line(std::string_view bytes, std::string_view line);
  bool read_field(std::string_view line);
  bool read_content_length(std::string_view value);
  bool read_transfer_encoding(std::string_view value);
  bool finish_head(std::size_t end);
  Step read_chunks(std::string_view bytes);
  bool read_chunk_byte(char c);
  void begin_chunk_data();

  State state_ = State::head;
  RequestHead head_;
  bool first_ = true;   // a preamble or HTTP/2's preface may come
  bool whole_ = false;  // head_ is
  bool preamble_read_ = false;
  bool request_line_read_ = false;
  bool http_1_0_ = false, has_length_ = false, has_encoding_ = false;
  std::size_t begin_ = 0;    // of the head behind its preamble
  std::size_t line_ = 0;     // of the first line that has not been read
  std::size_t scanned_ = 0;  // no line ends before
  std::uint64_t left_ = 0;   // of a body, of a chunk
  std::size_t spent_ = 0;    // bytes of the chunk's line, of the trailers
};

// Which responses of one connection are outstanding. Pure.
class ResponseTracking {
 public:
  static constexpr std::size_t kMaxOutstanding = 64;

  // A request has been passed to the app. Not when is_full().
  void expect(const RequestHead& request);
  bool is_full() const { return count_ == kMaxOutstanding; }
  std::size_t outstanding() const { return count_; }
  // The last request may turn the connection into a tunnel: what follows it cannot be understood yet.
  bool awaits_switch() const { return count_ > 0 && awaiting_switch_ > 0; }
  // Bytes of the response that is due have been seen.
  bool has_begun() const { return begun_; }

  void feed(std::string_view bytes);
  void end();  // the app sends no more

  // The connection is a tunnel now, from some byte of the last feed() on.
  bool is_tunnel() const { return state_ == State::tunnel; }
  // What comes belongs to no request or cannot be followed: everything up to the end, and it ends nothing.
  bool is_lost() const { return state_ == State::lost; }

 private:
  enum class State {
    head,
    length,
    size,
    size_line,
    data,
    data_end,
    trailer_start,
    trailer,
    until_end,
    tunnel,
    lost
  };
  enum class Kind : std::uint8_t { plain, head, connect, upgrade };

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_chunk(std::string_view bytes);
  void read_head(std::string_view head);
  void complete();

  State state_ = State::head;
  bool begun_ = false;
  std::uint64_t left_ = 0;
  std::string partial_;  // the beginning of a head
  std::array<Kind, kMaxOutstanding> kinds_{};
  std::size_t first_ = 0, count_ = 0, awaiting_switch_ = 0;
};

}  // namespace holdshort::gate
