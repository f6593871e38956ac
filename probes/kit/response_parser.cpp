// RFC 9112 as far as a client needs it that sends one request on a connection.
#include "probes/kit/response_parser.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "probes/kit/ascii.h"

namespace holdshort {
namespace {

constexpr std::string_view kVersion = "HTTP/1.";

// All of `text` as a number without sign; nothing where it does not fit.
std::optional<std::uint64_t> parse_number(std::string_view text, int base) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// The elements of all fields of that name, as one list (RFC 9110 5.3).
std::vector<std::string_view> list_of(const std::vector<Header>& headers, std::string_view name) {
  std::vector<std::string_view> elements;
  for (const Header& header : headers) {
    if (!same_name(header.name, name)) continue;
    std::string_view rest = header.value;
    while (true) {
      const std::size_t comma = rest.find(',');
      elements.push_back(ascii::trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return elements;
}

}  // namespace

ResponseParser::ResponseParser(std::string_view method, const Limits& limits)
    : is_head_(method == "HEAD"),
      is_connect_(method == "CONNECT"),
      max_header_bytes_(limits.max_header_bytes),
      max_headers_(limits.max_headers),
      max_body_bytes_(limits.max_body_bytes) {}

void ResponseParser::feed(std::string_view bytes) {
  while (!done_ && !bytes.empty()) {
    switch (state_) {
      case State::sized_body:
      case State::body_to_close:
      case State::chunk_data:
        take_body(bytes);
        break;
      default:
        if (take_line(bytes)) {
          const std::string line = std::exchange(line_, {});
          on_line(line);
        }
    }
  }
}

void ResponseParser::close() {
  switch (state_) {
    case State::body_to_close:
    case State::trailers:  // the last chunk was seen, so the body is whole (RFC 9112 8)
      return give_up(Ended::complete, "");
    case State::status_line:
      return give_up(Ended::cut_short, "closed without an answer");
    case State::fields:
      return give_up(Ended::cut_short, "closed inside the head");
    default:
      return give_up(Ended::cut_short, "closed before the body was whole");
  }
}

void ResponseParser::give_up(Ended ended, std::string_view error) {
  if (done_) return;
  done_ = true;
  response_.ended = ended;
  response_.error = error;
}

Response ResponseParser::take() {
  if (head_is_whole()) {
    response_.status = status_;
  } else {
    response_.headers.clear();
  }
  return std::move(response_);
}

// True where `more` bytes of the line may be kept; else it is over.
bool ResponseParser::fits(std::size_t more) {
  if (state_ == State::chunk_size || state_ == State::chunk_end) {
    if (more <= kMaxChunkLine - line_.size()) return true;
    give_up(Ended::capped, "a chunk's size line is too long");
    return false;
  }
  if (more > max_header_bytes_ - header_bytes_) {
    give_up(Ended::capped, "the head is too long");
    return false;
  }
  header_bytes_ += more;
  return true;
}

// Moves bytes into line_ until its end; true once it is there.
bool ResponseParser::take_line(std::string_view& bytes) {
  const std::size_t newline = bytes.find('\n');
  const std::size_t count = newline == std::string_view::npos ? bytes.size() : newline + 1;
  if (!fits(count)) return false;
  line_.append(bytes.substr(0, count));
  bytes.remove_prefix(count);
  // Anything but HTTP/1 is known by its first bytes: a peer that speaks another protocol may never send a
  // line end.
  if (state_ == State::status_line && line_.compare(0, kVersion.size(), kVersion, 0, line_.size()) != 0) {
    malformed("no HTTP/1 status line");
    return false;
  }
  if (newline == std::string_view::npos) return false;
  line_.pop_back();
  if (line_.ends_with('\r')) line_.pop_back();
  if (line_.find_first_of(std::string_view("\r\0", 2)) != std::string::npos) {
    malformed("a CR or NUL inside a line");
    return false;
  }
  return true;
}

void ResponseParser::on_line(std::string_view line) {
  switch (state_) {
    case State::status_line:
      return on_status_line(line);
    case State::fields:
      return line.empty() ? on_end_of_head() : on_field(line);
    case State::chunk_size:
      return on_chunk_size(line);
    case State::chunk_end:
      if (!line.empty()) return malformed("a chunk is longer than its size");
      state_ = State::chunk_size;
      return;
    default:  // trailers
      if (line.empty()) give_up(Ended::complete, "");
  }
}

// "HTTP/1.1 200 OK"; the reason, and the space before it, may be missing.
void ResponseParser::on_status_line(std::string_view line) {
  constexpr std::size_t kStatusAt = 9;
  constexpr std::size_t kReasonAt = 12;
  if (line.size() < kReasonAt || !ascii::is_digit(line[7]) || line[8] != ' ' ||
      (line.size() > kReasonAt && line[kReasonAt] != ' ')) {
    return malformed("no HTTP/1 status line");
  }
  const std::optional<std::uint64_t> status = parse_number(line.substr(kStatusAt, 3), 10);
  if (!status || *status < 100 || *status > 599) return malformed("a status outside 100..599");
  is_http_1_0_ = line[7] == '0';
  status_ = static_cast<int>(*status);
  state_ = State::fields;
}

void ResponseParser::on_field(std::string_view line) {
  std::vector<Header>& headers = response_.headers;
  if (line.front() == ' ' || line.front() == '\t') {  // obs-fold (RFC 9112 5.2)
    if (headers.empty()) return malformed("white space before the first field");
    headers.back().value.append(" ").append(ascii::trim(line));
    return;
  }
  if (headers.size() == max_headers_) return give_up(Ended::capped, "too many header fields");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !ascii::is_token(line.substr(0, colon)))
    return malformed("a malformed field");
  headers.push_back({std::string(line.substr(0, colon)), std::string(ascii::trim(line.substr(colon + 1)))});
}

void ResponseParser::on_end_of_head() {
  if (status_ < 200 && status_ != 101) {
    response_.headers.clear();
    state_ = State::status_line;
    return;
  }
  state_ = State::body_to_close;
  choose_framing();
}

// RFC 9112 6.3, in its order.
void ResponseParser::choose_framing() {
  const bool has_no_body = is_head_ || status_ == 101 || status_ == 204 || status_ == 304;
  if (has_no_body || (is_connect_ && status_ < 300)) return give_up(Ended::complete, "");

  const std::vector<std::string_view> codings = list_of(response_.headers, "Transfer-Encoding");
  const std::vector<std::string_view> lengths = list_of(response_.headers, "Content-Length");
  if (!codings.empty()) {
    if (!lengths.empty()) return malformed("both Transfer-Encoding and Content-Length");
    if (is_http_1_0_) return malformed("Transfer-Encoding in HTTP/1.0");
    const auto is_chunked = [](std::string_view coding) { return same_name(coding, "chunked"); };
    if (std::count_if(codings.begin(), codings.end(), is_chunked) > 1) return malformed("chunked twice");
    if (is_chunked(codings.back())) state_ = State::chunk_size;
    return;
  }
  if (lengths.empty()) return;
  const std::optional<std::uint64_t> length = parse_number(lengths.front(), 10);
  if (!length) return malformed("a malformed Content-Length");
  for (const std::string_view other : lengths) {
    if (parse_number(other, 10) != length) return malformed("conflicting Content-Length");
  }
  state_ = State::sized_body;
  remaining_ = *length;
  if (remaining_ == 0) on_body_end();
}

// Extensions after ";" say nothing that we use (RFC 9112 7.1.1).
void ResponseParser::on_chunk_size(std::string_view line) {
  const std::optional<std::uint64_t> size = parse_number(ascii::trim(line.substr(0, line.find(';'))), 16);
  if (!size) return malformed("a malformed chunk size");
  remaining_ = *size;
  state_ = remaining_ == 0 ? State::trailers : State::chunk_data;
}

// Moves what belongs to the body out of `bytes`. Over at the cap as soon as more is known to follow.
void ResponseParser::take_body(std::string_view& bytes) {
  const bool to_close = state_ == State::body_to_close;
  const std::size_t count =
      to_close ? bytes.size() : static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), remaining_));
  const std::size_t kept = std::min(count, max_body_bytes_ - response_.body.size());
  response_.body.append(bytes.substr(0, kept));
  bytes.remove_prefix(count);
  if (!to_close) remaining_ -= kept;
  const bool more = count > kept || (!to_close && remaining_ > 0);
  if (more && response_.body.size() == max_body_bytes_) return give_up(Ended::capped, "the body is too long");
  if (!to_close && remaining_ == 0) on_body_end();
}

void ResponseParser::on_body_end() {
  if (state_ == State::chunk_data) {
    state_ = State::chunk_end;
  } else {
    give_up(Ended::complete, "");
  }
}

}  // namespace holdshort
