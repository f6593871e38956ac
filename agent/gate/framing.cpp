#include "agent/gate/framing.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "probes/kit/ascii.h"

namespace holdshort::gate {
namespace {

constexpr std::string_view kProxyV1 = "PROXY ";
constexpr std::size_t kMaxProxyV1Bytes = 107;  // its line and CRLF
constexpr std::string_view kProxyV2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kProxyV2HeaderBytes = 16;
constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113 3.4
constexpr std::size_t kMaxSizeDigits = 15;                                      // of a chunk
constexpr std::size_t kMaxLengthDigits = 18;                                    // of a body

// Classes of bytes, looked up: every byte of every head passes here.
enum : std::uint8_t { kToken = 1, kValue = 2, kTarget = 4 };
constexpr auto kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    std::uint8_t set = 0;
    if (ascii::is_token_character(c)) set |= kToken;
    if (!ascii::is_control(c) || c == '\t') set |= kValue;
    if (!ascii::is_control(c) && c != ' ') set |= kTarget;
    classes[static_cast<std::size_t>(i)] = set;
  }
  return classes;
}();

bool all(std::string_view text, std::uint8_t wanted) {
  return std::all_of(text.begin(), text.end(),
                     [=](char c) { return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0; });
}

// Ignores case; `name` is in lower case.
bool is(std::string_view text, std::string_view name) {
  return text.size() == name.size() && std::equal(text.begin(), text.end(), name.begin(),
                                                  [](char a, char b) { return ascii::to_lower(a) == b; });
}

// Of spaces. A tab would be allowed beside them (RFC 9110 5.6.3), but not all readers take it.
std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  const std::size_t end = text.find_last_not_of(' ');
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

bool begins_alike(std::string_view a, std::string_view b) {
  const std::size_t n = std::min(a.size(), b.size());
  return a.substr(0, n) == b.substr(0, n);
}

Method method_of(std::string_view name) {
  if (name == "GET") return Method::get;
  if (name == "HEAD") return Method::head;
  return name == "CONNECT" ? Method::connect : Method::other;
}

// Gateways that turn "-" into "_" (CGI, WSGI) turn these into a length or an encoding.
bool is_disguised_framing(std::string_view name) {
  return is(name, "content_length") || is(name, "transfer_encoding");
}

bool is_transfer_coding(std::string_view name) {  // RFC 9112 7.2, but for chunked
  return is(name, "gzip") || is(name, "x-gzip") || is(name, "deflate") || is(name, "compress") ||
         is(name, "x-compress");
}

}  // namespace

// --- requests

RequestFraming::Step RequestFraming::next(std::string_view bytes) {
  switch (state_) {
    case State::head:
      return read_head(bytes);
    case State::tunnel:
      return {Part::tunnel, bytes.size()};
    case State::length: {
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      left_ -= n;
      if (left_ == 0) state_ = State::head;
      return {Part::body, n};
    }
    default:
      return read_chunks(bytes);
  }
}

void RequestFraming::take_head() {
  left_ = 0;
  switch (head_.body) {
    case BodyKind::none:
      state_ = State::head;
      break;
    case BodyKind::length:
      left_ = head_.length;
      state_ = left_ > 0 ? State::length : State::head;
      break;
    case BodyKind::chunked:
      spent_ = 0;
      state_ = State::size_first;
      break;
    case BodyKind::tunnel:
      state_ = State::tunnel;
      break;
  }
  const State entered = state_;
  const std::uint64_t left = left_;
  *this = RequestFraming();
  state_ = entered;
  left_ = left;
  first_ = false;
}

RequestFraming::Step RequestFraming::read_head(std::string_view bytes) {
  if (whole_) return {Part::head, head_.bytes};
  const auto unfinished = [&]() -> Step {
    return {bytes.size() > kMaxHeadBytes ? Part::too_large : Part::incomplete, 0};
  };
  if (first_ && !preamble_read_) {
    const Part part = read_preamble(bytes);
    if (part == Part::incomplete) return unfinished();
    if (part != Part::head) return {part, 0};
    preamble_read_ = true;
    line_ = scanned_ = begin_;
  }
  if (line_ == begin_ && line_ < bytes.size()) {  // nothing of the head has been read
    if (first_) {
      const Part part = read_http2_preface(bytes);
      if (part == Part::incomplete) return unfinished();
      if (part == Part::malformed) return {part, 0};
    }
    if (whole_) return {Part::head, head_.bytes};
    // One empty line before a request is none (RFC 9112 2.2).
    const std::string_view rest = bytes.substr(begin_);
    if (rest == "\r") return unfinished();
    if (rest.starts_with("\r\n")) line_ = scanned_ = begin_ + 2;
  }
  while (scanned_ < bytes.size()) {
    const std::size_t lf = bytes.find('\n', scanned_);
    const std::size_t end = std::min(lf, bytes.size());
    if (end > kMaxHeadBytes) return {Part::too_large, 0};
    if (lf == std::string_view::npos) {
      // No line yet, but what no line can hold is refused at once: TLS, for one.
      const std::size_t checked = bytes.back() == '\r' ? end - 1 : end;
      if (checked > scanned_ && !all(bytes.substr(scanned_, checked - scanned_), kValue))
        return {Part::malformed, 0};
      scanned_ = checked;
      return unfinished();
    }
    if (lf == line_ || bytes[lf - 1] != '\r') return {Part::malformed, 0};  // a bare LF
    const std::string_view line = bytes.substr(line_, lf - 1 - line_);
    line_ = scanned_ = lf + 1;
    if (line.empty() && request_line_read_) {
      if (!finish_head(lf + 1)) return {Part::malformed, 0};
      if (head_.bytes > kMaxHeadBytes) return {Part::too_large, 0};
      return {Part::head, head_.bytes};
    }
    if (!read_line(bytes, line)) return {Part::malformed, 0};
  }
  return unfinished();
}

// `head`: whatever preamble there is has been read.
RequestFraming::Part RequestFraming::read_preamble(std::string_view bytes) {
  if (begins_alike(bytes, kProxyV1)) return read_proxy_v1(bytes);
  if (bytes.front() == '\r' && begins_alike(bytes, kProxyV2)) return read_proxy_v2(bytes);
  return Part::head;
}

// "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "PROXY UNKNOWN ...\r\n".
RequestFraming::Part RequestFraming::read_proxy_v1(std::string_view bytes) {
  const std::size_t lf = bytes.substr(0, kMaxProxyV1Bytes).find('\n');
  if (lf == std::string_view::npos)
    return bytes.size() < kMaxProxyV1Bytes ? Part::incomplete : Part::malformed;
  if (bytes[lf - 1] != '\r') return Part::malformed;
  std::string_view line = bytes.substr(kProxyV1.size(), lf - 1 - kProxyV1.size());
  if (!all(line, kValue) || line.find("HTTP/") != std::string_view::npos) return Part::malformed;
  begin_ = lf + 1;
  if (line.starts_with("UNKNOWN")) {
    line.remove_prefix(7);
    return line.empty() || line.front() == ' ' ? Part::head : Part::malformed;
  }
  if (!line.starts_with("TCP4 ") && !line.starts_with("TCP6 ")) return Part::malformed;
  line.remove_prefix(5);
  const bool plain = std::all_of(line.begin(), line.end(), [](char c) {
    return ascii::hex_digit(c) >= 0 || c == ':' || c == '.' || c == ' ';
  });
  return plain && std::count(line.begin(), line.end(), ' ') == 3 ? Part::head : Part::malformed;
}

RequestFraming::Part RequestFraming::read_proxy_v2(std::string_view bytes) {
  if (bytes.size() < kProxyV2HeaderBytes) return Part::incomplete;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (byte(12) != 0x20 && byte(12) != 0x21) return Part::malformed;  // version 2, LOCAL or PROXY
  const std::size_t length = kProxyV2HeaderBytes + byte(14) * 256U + byte(15);
  if (length > kMaxHeadBytes) return Part::too_large;
  if (bytes.size() < length) return Part::incomplete;
  begin_ = length;
  return Part::head;
}

// `head`: there is none, or it is read and the head is whole_.
RequestFraming::Part RequestFraming::read_http2_preface(std::string_view bytes) {
  const std::string_view rest = bytes.substr(begin_);
  if (!begins_alike(rest, kHttp2Preface)) return Part::head;
  if (rest.size() < kHttp2Preface.size()) return Part::incomplete;
  head_ = {};
  head_.bytes = begin_ + kHttp2Preface.size();
  head_.body = BodyKind::tunnel;
  whole_ = true;
  return Part::head;
}

bool RequestFraming::read_line(std::string_view bytes, std::string_view line) {
  if (request_line_read_) return read_field(line);
  request_line_read_ = true;
  return read_request_line(bytes, line);
}

// method SP request-target SP HTTP-version, and nothing else (RFC 9112 3).
bool RequestFraming::read_request_line(std::string_view bytes, std::string_view line) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos || first == 0) return false;
  const std::size_t second = line.find(' ', first + 1);
  if (second == std::string_view::npos || second == first + 1) return false;
  const std::string_view method = line.substr(0, first), version = line.substr(second + 1);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  if (!all(method, kToken) || !all(target, kTarget)) return false;
  http_1_0_ = version == "HTTP/1.0";
  if (!http_1_0_ && version != "HTTP/1.1") return false;
  head_.method = method_of(method);
  head_.target_at = static_cast<std::size_t>(target.data() - bytes.data());
  head_.target_bytes = target.size();
  return true;
}

bool RequestFraming::read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  // Neither space before the colon nor a folded line: both begin with or hold what no name does.
  if (!all(name, kToken) || !all(line.substr(colon + 1), kValue)) return false;
  const std::string_view value = trimmed(line.substr(colon + 1));
  switch (name.size()) {
    case 7:
      if (is(name, "upgrade")) head_.upgrades = true;
      return true;
    case 10:
      if (is(name, "connection")) head_.closes = is(value, "close");
      return true;
    case 14:
      if (is(name, "content-length")) return read_content_length(value);
      if (is(name, "fly-replay-src")) head_.replayed = true;
      return !is_disguised_framing(name);
    case 17:
      if (is(name, "transfer-encoding")) return read_transfer_encoding(value);
      return !is_disguised_framing(name);
    default:
      return true;
  }
}

bool RequestFraming::read_content_length(std::string_view value) {
  if (has_length_ || !ascii::is_made_of(value, ascii::is_digit) || value.size() > kMaxLengthDigits)
    return false;
  has_length_ = true;
  std::from_chars(value.data(), value.data() + value.size(), head_.length);
  return true;
}

// One field that ends in chunked, once; before it only codings that everybody knows.
bool RequestFraming::read_transfer_encoding(std::string_view value) {
  if (has_encoding_) return false;
  has_encoding_ = true;
  for (std::size_t comma = value.find(','); comma != std::string_view::npos; comma = value.find(',')) {
    if (!is_transfer_coding(trimmed(value.substr(0, comma)))) return false;
    value = trimmed(value.substr(comma + 1));
  }
  return is(value, "chunked");
}

bool RequestFraming::finish_head(std::size_t end) {
  if (has_encoding_ && (has_length_ || http_1_0_)) return false;  // RFC 9112 6.1
  const bool has_body = has_encoding_ || (has_length_ && head_.length > 0);
  if (head_.method == Method::connect && has_body) return false;  // RFC 9110 9.3.6: it has no meaning
  head_.bytes = end;
  if (has_length_) head_.body = BodyKind::length;
  if (has_encoding_) head_.body = BodyKind::chunked;
  whole_ = true;
  return true;
}

RequestFraming::Step RequestFraming::read_chunks(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::head) {
    if (state_ == State::data) {
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
      left_ -= n;
      at += n;
      if (left_ == 0) state_ = State::data_cr;
      continue;
    }
    if (!read_chunk_byte(bytes[at])) {
      state_ = State::broken;
      return at > 0 ? Step{Part::body, at} : Step{Part::malformed, 0};
    }
    ++at;
  }
  return {Part::body, at};
}

// One byte that is not a chunk's data (RFC 9112 7.1). A bare LF never ends a line, nor does space follow a
// size.
bool RequestFraming::read_chunk_byte(char c) {
  ++spent_;
  const auto expect = [&](char wanted, State then) {
    state_ = then;
    return c == wanted;
  };
  const std::uint8_t classes = kClasses[static_cast<unsigned char>(c)];
  switch (state_) {
    case State::size_first:
      spent_ = 1;
      left_ = 0;
      state_ = State::size;
      [[fallthrough]];
    case State::size:
      if (const int digit = ascii::hex_digit(c); digit >= 0) {
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return spent_ <= kMaxSizeDigits;
      }
      if (spent_ == 1) return false;
      if (c == ';') {
        state_ = State::extension;
        return true;
      }
      return expect('\r', State::size_lf);
    case State::extension:
      if (c == '\r') return expect('\r', State::size_lf);
      return (classes & kValue) != 0 && spent_ <= kMaxChunkLineBytes;
    case State::size_lf:
      begin_chunk_data();
      return c == '\n';
    case State::data_cr:
      return expect('\r', State::data_lf);
    case State::data_lf:
      return expect('\n', State::size_first);
    case State::trailer_start:
      if (c == '\r') return expect('\r', State::end_lf);
      state_ = State::trailer_name;
      return (classes & kToken) != 0 && spent_ <= kMaxTrailerBytes;
    case State::trailer_name:
      if (c == ':') return expect(':', State::trailer_value);
      return (classes & kToken) != 0 && spent_ <= kMaxTrailerBytes;
    case State::trailer_value:
      if (c == '\r') return expect('\r', State::trailer_lf);
      return (classes & kValue) != 0 && spent_ <= kMaxTrailerBytes;
    case State::trailer_lf:
      return expect('\n', State::trailer_start);
    case State::end_lf:
      return expect('\n', State::head);
    default:
      return false;
  }
}

void RequestFraming::begin_chunk_data() {
  state_ = left_ > 0 ? State::data : State::trailer_start;
  spent_ = 0;
}

// --- responses

void ResponseTracking::expect(const RequestHead& request) {
  Kind kind = Kind::plain;
  if (request.method == Method::head) kind = Kind::head;
  if (request.upgrades) kind = Kind::upgrade;
  if (request.method == Method::connect) kind = Kind::connect;
  if (kind >= Kind::connect) ++awaiting_switch_;
  kinds_[(first_ + count_++) % kMaxOutstanding] = kind;
  if (request.body == BodyKind::tunnel) state_ = State::tunnel;
}

void ResponseTracking::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t n = bytes.size();
    switch (state_) {
      case State::head:
        if (count_ == 0) {
          state_ = State::lost;
          return;
        }
        begun_ = true;
        n = feed_head(bytes);
        break;
      case State::length:
        n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
        left_ -= n;
        if (left_ == 0) complete();
        break;
      case State::until_end:
      case State::tunnel:
      case State::lost:
        return;
      default:
        n = feed_chunk(bytes);
    }
    bytes.remove_prefix(n);
  }
}

void ResponseTracking::end() {
  if (state_ == State::until_end) complete();
}

namespace {

// One past the empty line that ends a head; npos where there is none. Looks from `from` on.
std::size_t end_of_head(std::string_view bytes, std::size_t from) {
  for (std::size_t lf = bytes.find('\n', from); lf != std::string_view::npos; lf = bytes.find('\n', lf + 1)) {
    if (bytes.substr(lf + 1, 1) == "\n") return lf + 2;
    if (bytes.substr(lf + 1, 2) == "\r\n") return lf + 3;
  }
  return std::string_view::npos;
}

}  // namespace

std::size_t ResponseTracking::feed_head(std::string_view bytes) {
  if (partial_.empty()) {
    const std::size_t end = end_of_head(bytes, 0);
    if (end != std::string_view::npos) {
      read_head(bytes.substr(0, end));
      return end;
    }
  }
  const std::size_t before = partial_.size();
  partial_.append(bytes);
  const std::size_t end = end_of_head(partial_, before < 3 ? 0 : before - 3);
  if (end == std::string_view::npos) {
    if (partial_.size() > kMaxResponseHeadBytes) state_ = State::lost;
    return bytes.size();
  }
  const std::string head = std::move(partial_);
  partial_.clear();
  read_head(std::string_view(head).substr(0, end));
  return end - before;
}

namespace {

// What a response's fields say of its body.
struct ResponseBody {
  bool has_encoding = false, is_chunked = false, has_length = false;
  bool is_clear = true;  // all lengths are numbers, and the same
  std::uint64_t length = 0;

  explicit ResponseBody(std::string_view head) {
    for (std::size_t at = head.find('\n') + 1; at < head.size();) {
      const std::size_t lf = std::min(head.find('\n', at), head.size() - 1);
      std::string_view line = head.substr(at, lf - at);
      at = lf + 1;
      if (line.ends_with('\r')) line.remove_suffix(1);
      const std::size_t colon = std::min(line.find(':'), line.size());
      read(trimmed(line.substr(0, colon)), trimmed(line.substr(std::min(colon + 1, line.size()))));
    }
  }

  void read(std::string_view name, std::string_view value) {
    if (is(name, "transfer-encoding")) {
      has_encoding = true;
      is_chunked = is(trimmed(value.substr(value.rfind(',') + 1)), "chunked");
    }
    if (!is(name, "content-length")) return;
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    is_clear = is_clear && error == std::errc() && stop == value.data() + value.size() &&
               (!has_length || number == length);
    has_length = true;
    length = number;
  }
};

}  // namespace

void ResponseTracking::read_head(std::string_view head) {
  int status = 0;
  const bool is_http = head.starts_with("HTTP/1.") && head.size() > 12 &&
                       std::from_chars(head.data() + 9, head.data() + 12, status).ptr == head.data() + 12;
  if (!is_http || status < 100) {
    state_ = State::lost;
    return;
  }
  const Kind kind = kinds_[first_];
  if (status == 101 || (kind == Kind::connect && status / 100 == 2)) {
    state_ = State::tunnel;
    return;
  }
  if (status / 100 == 1) return;  // the final one is still to come
  if (kind == Kind::head || status == 204 || status == 304) return complete();

  // RFC 9112 6.3
  const ResponseBody body(head);
  left_ = 0;
  if (body.has_encoding) {
    state_ = body.is_chunked ? State::size : State::until_end;
  } else if (!body.has_length) {
    state_ = State::until_end;
  } else if (!body.is_clear) {
    state_ = State::lost;
  } else {
    state_ = State::length;
    left_ = body.length;
    if (left_ == 0) complete();
  }
}

// As far as all bytes are in the same state.
std::size_t ResponseTracking::feed_chunk(std::string_view bytes) {
  const char c = bytes.front();
  const std::size_t line = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
  const bool line_ends = bytes[line - 1] == '\n';
  switch (state_) {
    case State::size: {
      const int digit = ascii::hex_digit(c);
      if (digit < 0 || left_ > std::numeric_limits<std::uint64_t>::max() / 16) {
        state_ = State::size_line;
        return 0;
      }
      left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
      return 1;
    }
    case State::size_line:
      if (line_ends) state_ = left_ > 0 ? State::data : State::trailer_start;
      return line;
    case State::data: {
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      left_ -= n;
      if (left_ == 0) state_ = State::data_end;
      return n;
    }
    case State::data_end:
      if (c != '\r' && c != '\n') state_ = State::lost;
      if (c == '\n') state_ = State::size;
      return 1;
    case State::trailer_start:
      if (c == '\n') complete();
      if (c != '\r' && c != '\n') state_ = State::trailer;
      return c == '\r' || c == '\n' ? 1 : 0;
    default:
      if (line_ends) state_ = State::trailer_start;
      return line;
  }
}

void ResponseTracking::complete() {
  if (kinds_[first_] >= Kind::connect) --awaiting_switch_;
  first_ = (first_ + 1) % kMaxOutstanding;
  --count_;
  begun_ = false;
  state_ = State::head;
}

}  // namespace holdshort::gate
