// Reads one HTTP/1 response as a hostile peer may send it. It knows no socket, so that tables and a fuzzer
// reach it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "probes/kit/http.h"

namespace holdshort {

// Strict about framing (RFC 9112 6.3), bounded by the sizes of Limits whatever is fed; 1xx answers are
// skipped, but 101, which ends HTTP on the connection. A bare LF ends a line too (RFC 9112 2.2): with one
// request on a connection that nobody shares there is nothing to smuggle. Trailers are read and dropped.
class ResponseParser {
 public:
  // `method` as it was sent: HEAD and CONNECT change the framing.
  ResponseParser(std::string_view method, const Limits& limits);

  // What was read next. Ignored once done().
  void feed(std::string_view bytes);
  // The peer closed in good order.
  void close();
  // There is nothing more to read: records why. The first reason stands. `error` is for humans and holds
  // nothing of what was sent.
  void give_up(Ended ended, std::string_view error);
  bool done() const { return done_; }

  // What was seen. Status and headers are those of a whole head, else 0 and none. Leaves *this empty.
  Response take();

  // Of one chunk-size line with its extensions.
  static constexpr std::size_t kMaxChunkLine = 4096;

 private:
  enum class State {
    status_line,
    fields,
    sized_body,
    body_to_close,
    chunk_size,
    chunk_data,
    chunk_end,
    trailers
  };

  bool take_line(std::string_view& bytes);
  bool fits(std::size_t more);
  void on_line(std::string_view line);
  void on_status_line(std::string_view line);
  void on_field(std::string_view line);
  void on_end_of_head();
  void choose_framing();
  void on_chunk_size(std::string_view line);
  void take_body(std::string_view& bytes);
  void on_body_end();
  bool head_is_whole() const { return state_ != State::status_line && state_ != State::fields; }
  void malformed(std::string_view what) { give_up(Ended::not_http, what); }

  const bool is_head_;
  const bool is_connect_;
  const std::size_t max_header_bytes_, max_headers_, max_body_bytes_;
  State state_ = State::status_line;
  bool done_ = false;
  std::string line_;              // the line under way, without its end
  std::size_t header_bytes_ = 0;  // all heads and trailers so far
  int status_ = 0;
  bool is_http_1_0_ = false;
  std::uint64_t remaining_ = 0;  // of the body or the chunk
  Response response_;
};

}  // namespace holdshort
