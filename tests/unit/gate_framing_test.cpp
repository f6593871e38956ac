// Where the gate sees requests and responses begin and end, whatever pieces the bytes come in.
#include "agent/gate/framing.h"

#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace holdshort::gate {
namespace {

using Part = RequestFraming::Part;

// What a gate that lets everything through sees of a stream.
struct Seen {
  std::vector<std::string> requests;  // "GET /path + 5 bytes"
  std::string passed;
  std::string end;  // "between", "in a head", "in a body", "tunnel", "malformed", "too large"
};

class Reader {
 public:
  void feed(std::string_view piece) {
    rest_ += piece;
    while (!rest_.empty() && seen_.end.empty()) {
      const RequestFraming::Step step = framing_.next(rest_);
      if (step.part == Part::incomplete) return;
      if (step.part == Part::malformed) seen_.end = "malformed";
      if (step.part == Part::too_large) seen_.end = "too large";
      if (step.part == Part::head) begin(framing_.head());
      if (step.part == Part::body) body_ += step.bytes;
      seen_.passed += rest_.substr(0, step.bytes);
      rest_.erase(0, step.bytes);
    }
  }

  Seen end() {
    close_request();
    if (!seen_.end.empty()) return seen_;
    seen_.end = "between";
    if (!rest_.empty()) seen_.end = "in a head";
    if (framing_.is_in_body()) seen_.end = "in a body";
    if (framing_.is_tunnel()) seen_.end = "tunnel";
    return seen_;
  }

 private:
  void begin(const RequestHead& head) {
    close_request();
    request_ = rest_.substr(0, head.bytes).substr(head.target_at, head.target_bytes);
    request_ = (head.method == Method::get       ? "GET "
                : head.method == Method::head    ? "HEAD "
                : head.method == Method::connect ? "CONNECT "
                                                 : "") +
               request_ + (head.upgrades ? " upgrades" : "") + (head.replayed ? " replayed" : "") +
               (head.closes ? " closes" : "");
    open_ = true;
    framing_.take_head();
  }
  void close_request() {
    if (open_) seen_.requests.push_back(fmt::format("{} + {}", request_, body_));
    open_ = false;
    body_ = 0;
  }

  RequestFraming framing_;
  Seen seen_;
  std::string rest_, request_;
  std::size_t body_ = 0;
  bool open_ = false;
};

Seen read_in(std::string_view stream, const std::vector<std::size_t>& cuts) {
  Reader reader;
  std::size_t at = 0;
  for (const std::size_t cut : cuts) {
    reader.feed(stream.substr(at, cut - at));
    at = cut;
  }
  reader.feed(stream.substr(at));
  return reader.end();
}

// The whole at once, cut at every place, and byte by byte: all the same.
Seen read(const std::string& stream) {
  const Seen whole = read_in(stream, {});
  std::vector<std::size_t> every;
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    EXPECT_EQ(read_in(stream, {cut}).requests, whole.requests) << "cut at " << cut;
    EXPECT_EQ(read_in(stream, {cut}).end, whole.end) << "cut at " << cut;
    every.push_back(cut);
  }
  const Seen bytewise = read_in(stream, every);
  EXPECT_EQ(bytewise.end, whole.end);
  EXPECT_EQ(bytewise.requests, whole.requests);
  EXPECT_TRUE(stream.starts_with(whole.passed)) << "the bytes pass unchanged";
  EXPECT_TRUE(stream.starts_with(bytewise.passed));
  const bool all = whole.end == "between" || whole.end == "tunnel";
  EXPECT_EQ(whole.passed, all ? stream : whole.passed);
  return whole;
}

std::string request(const std::string& fields, const std::string& body = "",
                    const std::string& line = "POST / HTTP/1.1") {
  return line + "\r\nHost: a\r\n" + fields + "\r\n" + body;
}

// --- requests

struct Row {
  const char* name;
  std::string stream;
  std::vector<std::string> requests;
  std::string end = "between";
};

const std::string kV2("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1\x12\x34\0\x50", 28);

const Row kGood[] = {
    {"OneRequest", "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n", {"GET /a?b + 0"}},
    {"NoFieldAtAll", "GET / HTTP/1.0\r\n\r\n", {"GET / + 0"}},
    {"PipelinedRequests",
     "GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n",
     {"GET /1 + 0", "HEAD /2 + 0", "GET /3 + 0"}},
    {"ABodyOfALength",
     request("content-length:  5 \r\n", "abcdeGET / HTTP/1.1\r\n\r\n"),
     {"/ + 5", "GET / + 0"}},
    {"ABodyThatLooksLikeARequest",
     request("Content-Length: 19\r\n", "GET /x HTTP/1.1\r\n\r\n") + request(""),
     {"/ + 19", "/ + 0"}},
    {"ALengthOfZero", request("Content-Length: 0\r\n") + request(""), {"/ + 0", "/ + 0"}},
    {"AChunkedBody",
     request("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n") +
         request(""),
     {"/ + 36", "/ + 0"}},
    {"Trailers",
     request("Transfer-Encoding: Chunked\r\n", "1\r\nx\r\n000\r\nA: b\r\nC:\r\n\r\n") + request(""),
     {"/ + 23", "/ + 0"}},
    {"CodingsBeforeChunked", request("Transfer-Encoding: gzip , chunked\r\n", "0\r\n\r\n"), {"/ + 5"}},
    {"AnEmptyLineBeforeARequest",
     request("Content-Length: 1\r\n", "x") + "\r\n" + request(""),
     {"/ + 1", "/ + 0"}},
    {"UpgradeIsSeen", request("Connection: Upgrade\r\nUpgrade: websocket\r\n"), {"/ upgrades + 0"}},
    {"UpgradeInsecureRequestsIsNone", request("Upgrade-Insecure-Requests: 1\r\n"), {"/ + 0"}},
    {"AReplayIsSeen", request("Fly-Replay-Src: instance=1\r\n"), {"/ replayed + 0"}},
    {"TheLastRequestIsSeen", request("Connection: Close\r\n"), {"/ closes + 0"}},
    {"Connect", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", {"CONNECT a:443 + 0"}},
    {"ObsoleteTextInValues", request("X: \xc3\xa4\r\n"), {"/ + 0"}},
    {"AbsoluteForm", "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", {"GET http://a/b + 0"}},
    {"Http2PriorKnowledge",
     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4", 4),
     {" + 0"},
     "tunnel"},
    {"ProxyV1", "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET /p HTTP/1.1\r\n\r\n", {"GET /p + 0"}},
    {"ProxyV1ForIPv6", "PROXY TCP6 2001:db8::1 ::1 56324 443\r\nGET /p HTTP/1.1\r\n\r\n", {"GET /p + 0"}},
    {"ProxyV1Unknown", "PROXY UNKNOWN\r\nGET /p HTTP/1.1\r\n\r\n", {"GET /p + 0"}},
    {"ProxyV2", kV2 + "GET /p HTTP/1.1\r\n\r\n", {"GET /p + 0"}},
    {"ProxyV2AndHttp2", kV2 + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {" + 0"}, "tunnel"},
    {"AHeadThatIsNotWhole", "GET / HTTP/1.1\r\nHost: a\r\n", {}, "in a head"},
    {"ABodyThatIsNotWhole", request("Content-Length: 5\r\n", "abc"), {"/ + 3"}, "in a body"},
    {"AMethodThatBeginsAsAPreambleDoes", "P / HTTP/1.1\r\n\r\nPRIX / HTTP/1.1\r\n\r\n", {"/ + 0", "/ + 0"}},
};

class GoodRequests : public testing::TestWithParam<Row> {};
TEST_P(GoodRequests, AreFollowed) {
  const Seen seen = read(GetParam().stream);
  EXPECT_EQ(seen.requests, GetParam().requests);
  EXPECT_EQ(seen.end, GetParam().end);
}
INSTANTIATE_TEST_SUITE_P(Framing, GoodRequests, testing::ValuesIn(kGood),
                         [](const auto& instance) { return std::string(instance.param.name); });

const Row kBad[] = {
    {"TwoLengths", request("Content-Length: 1\r\nContent-Length: 1\r\n", "x"), {}},
    {"TwoLengthsInOneField", request("Content-Length: 1, 1\r\n", "x"), {}},
    {"LengthAndChunked", request("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), {}},
    {"ChunkedAndLength", request("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), {}},
    {"SignedLength", request("Content-Length: +5\r\n", "abcde"), {}},
    {"NegativeLength", request("Content-Length: -5\r\n"), {}},
    {"HexLength", request("Content-Length: 0x5\r\n", "abcde"), {}},
    {"EmptyLength", request("Content-Length:\r\n"), {}},
    {"LengthBeyondAllMeasure", request("Content-Length: 9223372036854775808\r\n"), {}},
    {"LengthAndMore", request("Content-Length: 5 5\r\n", "abcde"), {}},
    {"SpaceBeforeColon", request("Content-Length : 5\r\n", "abcde"), {}},
    {"SpaceBeforeColonOfEncoding", request("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), {}},
    {"UnderscoreForDash", request("Content_Length: 5\r\n", "abcde"), {}},
    {"UnderscoreForDashInEncoding", request("Transfer_Encoding: chunked\r\n", "0\r\n\r\n"), {}},
    {"BareLfAfterRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", {}},
    {"BareLfAfterAField", "GET / HTTP/1.1\r\nHost: a\n\r\n", {}},
    {"BareLfAsEnd", "GET / HTTP/1.1\r\nHost: a\r\n\n", {}},
    {"BareCrInAValue", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", {}},
    {"NulInAValue", "GET / HTTP/1.1\r\nHost: a" + std::string(1, '\0') + "\r\n\r\n", {}},
    {"AFoldedLine", request("X: a\r\n b\r\n"), {}},
    {"AFoldedFirstLine", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", {}},
    {"AFoldedEncoding", request("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), {}},
    {"NoColon", request("Host\r\n"), {}},
    {"NoName", request(": a\r\n"), {}},
    {"NotEndingInChunked", request("Transfer-Encoding: chunked, gzip\r\n"), {}},
    {"Identity", request("Transfer-Encoding: identity\r\n"), {}},
    {"ChunkedTwice", request("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), {}},
    {"AnUnknownCoding", request("Transfer-Encoding: x, chunked\r\n", "0\r\n\r\n"), {}},
    {"AlmostChunked", request("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), {}},
    {"VerticalTabBeforeChunked",
     request("Transfer-Encoding: \x0b"
             "chunked\r\n",
             "0\r\n\r\n"),
     {}},
    {"TabBesideChunked", request("Transfer-Encoding: chunked\t\r\n", "0\r\n\r\n"), {}},
    {"TabBeforeALength", request("Content-Length:\t5\r\n", "abcde"), {}},
    {"EmptyEncoding", request("Transfer-Encoding:\r\n"), {}},
    {"ListWithAnEmptyEntry", request("Transfer-Encoding: , chunked\r\n", "0\r\n\r\n"), {}},
    {"TwoEncodings",
     request("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
     {}},
    {"TwoEncodingsThatAgree",
     request("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
     {}},
    {"ChunkedInHttp10", request("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "POST / HTTP/1.0"), {}},
    {"NoVersion", "GET /\r\n\r\n", {}},
    {"UnknownVersion", "GET / HTTP/1.2\r\n\r\n", {}},
    {"TwoDigitVersion", "GET / HTTP/1.10\r\n\r\n", {}},
    {"LowerCaseVersion", "GET / http/1.1\r\n\r\n", {}},
    {"TwoSpaces", "GET  / HTTP/1.1\r\n\r\n", {}},
    {"SpaceInTarget", "GET /a b HTTP/1.1\r\n\r\n", {}},
    {"SpaceAtTheEnd", "GET / HTTP/1.1 \r\n\r\n", {}},
    {"TabForSpace", "GET\t/ HTTP/1.1\r\n\r\n", {}},
    {"NoMethod", " / HTTP/1.1\r\n\r\n", {}},
    {"BadMethod", "G(T / HTTP/1.1\r\n\r\n", {}},
    {"TwoEmptyLinesFirst", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", {}},
    {"ConnectWithABody", "CONNECT a:1 HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde", {}},
    {"Tls", "\x16\x03\x01\x02" + std::string(1, '\0') + "\x01", {}},
    {"Ssh", "SSH-2.0-OpenSSH_9.2\r\n", {}},
    {"Http2PrefaceThatIsNone", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", {}},
    {"Http2PrefaceLater", "GET / HTTP/1.1\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {"GET / + 0"}},
    {"ProxyPreambleLater", "GET / HTTP/1.1\r\n\r\nPROXY UNKNOWN\r\nGET / HTTP/1.1\r\n\r\n", {"GET / + 0"}},
    {"ProxyV1WithARequestLine", "PROXY UNKNOWN / HTTP/1.1\r\nGET / HTTP/1.1\r\n\r\n", {}},
    {"ProxyV1AsAMethod", "PROXY / HTTP/1.1\r\nHost: a\r\n\r\n", {}},
    {"ProxyV1WithoutPorts", "PROXY TCP4 192.0.2.1 192.0.2.2\r\nGET / HTTP/1.1\r\n\r\n", {}},
    {"ProxyV1ByBareLf", "PROXY UNKNOWN\nGET / HTTP/1.1\r\n\r\n", {}},
    {"ProxyV1WithoutEnd", "PROXY UNKNOWN " + std::string(100, 'x'), {}},
    {"ProxyV2OfAnotherVersion", std::string("\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0", 16), {}},
    {"ProxyTwice", "PROXY UNKNOWN\r\nPROXY UNKNOWN\r\nGET / HTTP/1.1\r\n\r\n", {}},
};

class BadRequests : public testing::TestWithParam<Row> {};
TEST_P(BadRequests, AreMalformed) {
  const Seen seen = read(GetParam().stream);
  EXPECT_EQ(seen.end, "malformed");
  EXPECT_EQ(seen.requests, GetParam().requests);
}
INSTANTIATE_TEST_SUITE_P(Framing, BadRequests, testing::ValuesIn(kBad),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(ChunkedRequests, AreMalformedWhereReadersDisagree) {
  for (const std::string& body : std::vector<std::string>{
           "5\nhello\r\n0\r\n\r\n",          // a bare LF ends no size
           "5\r\nhello\n0\r\n\r\n",          // nor data
           "5\r\nhello0\r\n\r\n",            // no end of data
           "5\r\nhelloXX0\r\n\r\n",          // nor this
           "5\rXhello\r\n0\r\n\r\n",         //
           " 5\r\nhello\r\n0\r\n\r\n",       // space before
           "5 \r\nhello\r\n0\r\n\r\n",       // and after a size
           "0x5\r\nhello\r\n0\r\n\r\n",      //
           "+5\r\nhello\r\n0\r\n\r\n",       //
           "-1\r\nhello\r\n0\r\n\r\n",       //
           "\r\nhello\r\n0\r\n\r\n",         // no size
           ";x\r\nhello\r\n0\r\n\r\n",       //
           "1000000000000005\r\nhello",      // more digits than anybody needs
           "0000000000000005\r\nhello",      // even if they are zeros
           "5;a\nb\r\nhello\r\n0\r\n\r\n",   // a bare LF in an extension
           "5;a\x01\r\nhello\r\n0\r\n\r\n",  //
           "0\r\n\n",                        // the end by a bare LF
           "0\n\r\n",                        //
           "0\r\nA: b\n\r\n",                // and in trailers
           "0\r\nA : b\r\n\r\n",             //
           "0\r\n A: b\r\n\r\n",             //
           "0\r\nA\r\n\r\n",                 //
           "0\r\nA: b\rC: d\r\n\r\n",        //
           "0\r\n\rX",                       //
       }) {
    const std::string stream = request("Transfer-Encoding: chunked\r\n", body);
    EXPECT_EQ(read(stream).end, "malformed") << body;
  }
}

TEST(ChunkedRequests, HaveBoundedLinesAndTrailers) {
  const std::string head = request("Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(read_in(head + "1;" + std::string(kMaxChunkLineBytes - 10, 'x') + "\r\na\r\n0\r\n\r\n", {}).end,
            "between");
  EXPECT_EQ(read_in(head + "1;" + std::string(kMaxChunkLineBytes, 'x'), {}).end, "malformed");
  EXPECT_EQ(read_in(head + "0\r\nA: " + std::string(kMaxTrailerBytes - 10, 'x') + "\r\n\r\n", {}).end,
            "between");
  EXPECT_EQ(read_in(head + "0\r\nA: " + std::string(kMaxTrailerBytes, 'x'), {}).end, "malformed");
  std::string many = head + "0\r\n";
  for (std::size_t i = 0; i < kMaxTrailerBytes / 6 + 2; ++i) many += "A: b\r\n";
  EXPECT_EQ(read_in(many, {}).end, "malformed");
}

TEST(RequestHeads, HaveABound) {
  const std::string line = "GET / HTTP/1.1\r\nX: ";
  const std::string fits = line + std::string(kMaxHeadBytes - line.size() - 4, 'x') + "\r\n\r\n";
  ASSERT_EQ(fits.size(), kMaxHeadBytes);
  EXPECT_EQ(read_in(fits, {}).end, "between");
  EXPECT_EQ(read_in(fits, {100, 5000}).end, "between");
  const std::string beyond = line + std::string(kMaxHeadBytes - line.size() - 3, 'x') + "\r\n\r\n";
  EXPECT_EQ(read_in(beyond, {}).end, "too large");
  EXPECT_EQ(read_in(beyond, {100, 5000}).end, "too large");
  EXPECT_EQ(read_in(line + std::string(kMaxHeadBytes, 'x'), {}).end, "too large");
  std::string many = "GET / HTTP/1.1\r\n";
  while (many.size() <= kMaxHeadBytes) many += "A: b\r\n";
  EXPECT_EQ(read_in(many, {}).end, "too large");
  std::string preamble = kV2.substr(0, 16);
  preamble[14] = '\x40';  // 16 KiB of addresses
  EXPECT_EQ(read_in(preamble, {}).end, "too large");
}

// Whatever comes, in whatever pieces: what is passed on is what came, as far as it was understood.
TEST(RequestFraming, PassesBytesUnchangedHoweverTheyCome) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int round = 0; round < 2000; ++round) {
    std::string stream;
    for (std::size_t i = 0, n = 1 + below(5); i < n; ++i) stream += kGood[below(9)].stream;
    if (below(3) == 0) stream[below(stream.size())] = static_cast<char>(below(256));
    const Seen whole = read_in(stream, {});
    std::vector<std::size_t> cuts;
    for (std::size_t at = 1 + below(40); at < stream.size(); at += 1 + below(40)) cuts.push_back(at);
    const Seen pieces = read_in(stream, cuts);
    EXPECT_EQ(pieces.end, whole.end) << stream;
    EXPECT_EQ(pieces.requests, whole.requests) << stream;
    EXPECT_TRUE(stream.starts_with(pieces.passed));
  }
}

// --- responses

RequestHead asked(Method method = Method::get, bool upgrades = false) {
  RequestHead head;
  head.method = method;
  head.upgrades = upgrades;
  return head;
}

struct Outstanding {
  std::size_t count;
  bool tunnel = false, lost = false;
  bool operator==(const Outstanding&) const = default;
};
void PrintTo(const Outstanding& it, std::ostream* out) {
  *out << it.count << (it.tunnel ? " tunnel" : "") << (it.lost ? " lost" : "");
}

// At once, cut everywhere, and byte by byte.
Outstanding after(const std::vector<RequestHead>& requests, const std::string& stream) {
  const auto run = [&](std::size_t step, std::size_t first) {
    ResponseTracking tracking;
    for (const RequestHead& request : requests) tracking.expect(request);
    std::string_view rest = stream;
    tracking.feed(rest.substr(0, first));
    rest.remove_prefix(std::min(first, rest.size()));
    for (; !rest.empty(); rest.remove_prefix(std::min(step, rest.size())))
      tracking.feed(rest.substr(0, step));
    return Outstanding{tracking.outstanding(), tracking.is_tunnel(), tracking.is_lost()};
  };
  const Outstanding whole = run(stream.size() + 1, 0);
  EXPECT_EQ(run(1, 0), whole);
  for (std::size_t cut = 1; cut < stream.size(); ++cut) EXPECT_EQ(run(stream.size(), cut), whole) << cut;
  return whole;
}

TEST(Responses, EndWhereTheirFramingSays) {
  const RequestHead get = asked(), head = asked(Method::head);
  const std::string length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  EXPECT_EQ(after({get, get}, length), (Outstanding{1}));
  EXPECT_EQ(after({get, get}, length + length), (Outstanding{0}));
  EXPECT_EQ(after({get}, length.substr(0, length.size() - 1)), (Outstanding{1}));
  EXPECT_EQ(after({get, get}, "HTTP/1.1 204 No Content\r\n\r\n"), (Outstanding{1}));
  EXPECT_EQ(after({get, get}, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), (Outstanding{1}));
  EXPECT_EQ(after({head, get}, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + length), (Outstanding{0}));
  EXPECT_EQ(after({get}, "HTTP/1.1 100 Continue\r\n\r\n"), (Outstanding{1}));
  EXPECT_EQ(after({get}, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + length),
            (Outstanding{0}));
  EXPECT_EQ(after({get, get},
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA ; x\r\n0123456789\r\n"
                  "0\r\nA: b\r\n\r\n" +
                      length),
            (Outstanding{0}));
  EXPECT_EQ(after({get}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
            (Outstanding{1}));
  EXPECT_EQ(after({get}, "HTTP/1.0 200 OK\r\n\r\neverything until the end"), (Outstanding{1}));
  EXPECT_EQ(after({get}, "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), (Outstanding{0}));
}

TEST(Responses, ThatLastUntilTheEndEndWithIt) {
  ResponseTracking tracking;
  tracking.expect(asked());
  tracking.feed("HTTP/1.0 200 OK\r\n\r\nabc");
  EXPECT_EQ(tracking.outstanding(), 1U);
  tracking.end();
  EXPECT_EQ(tracking.outstanding(), 0U);
  ResponseTracking cut;
  cut.expect(asked());
  cut.feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
  cut.end();
  EXPECT_EQ(cut.outstanding(), 1U);
}

TEST(Responses, OpenTunnels) {
  EXPECT_TRUE(
      after({asked(Method::get, true)}, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\1\2").tunnel);
  EXPECT_TRUE(after({asked(Method::connect)}, "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").tunnel);
  EXPECT_FALSE(after({asked(Method::connect)}, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").tunnel);
  EXPECT_FALSE(after({asked(Method::get, true)}, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").tunnel);
}

TEST(Responses, NothingIsAskedBehindOneThatMaySwitchProtocols) {
  ResponseTracking tracking;
  tracking.expect(asked());
  EXPECT_FALSE(tracking.awaits_switch());
  tracking.expect(asked(Method::get, true));
  EXPECT_TRUE(tracking.awaits_switch());
  tracking.feed("HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
  EXPECT_TRUE(tracking.awaits_switch());
  tracking.feed("x");
  EXPECT_FALSE(tracking.awaits_switch());
}

TEST(Responses, ThatCannotBeFollowedAreGivenUp) {
  EXPECT_TRUE(after({}, "HTTP/1.1 408 Request Timeout\r\n\r\n").lost);  // nobody has asked
  EXPECT_TRUE(after({asked()}, "SMTP ready\r\n\r\n").lost);
  EXPECT_TRUE(after({asked()}, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab").lost);
  EXPECT_TRUE(after({asked()}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc").lost);
  ResponseTracking endless;
  endless.expect(asked());
  endless.feed("HTTP/1.1 200 OK\r\nX: " + std::string(kMaxResponseHeadBytes, 'x'));
  EXPECT_TRUE(endless.is_lost());
}

TEST(Responses, AreCountedUpToABound) {
  ResponseTracking tracking;
  for (std::size_t i = 0; i < ResponseTracking::kMaxOutstanding; ++i) {
    EXPECT_FALSE(tracking.is_full());
    tracking.expect(asked());
  }
  EXPECT_TRUE(tracking.is_full());
  tracking.feed("HTTP/1.1 204 No\r\n\r\n");
  EXPECT_FALSE(tracking.is_full());
  tracking.expect(asked(Method::head));
  for (std::size_t i = 1; i < ResponseTracking::kMaxOutstanding; ++i)
    tracking.feed("HTTP/1.1 204 No\r\n\r\n");
  EXPECT_EQ(tracking.outstanding(), 1U);
  tracking.feed("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
  EXPECT_EQ(tracking.outstanding(), 0U);
}

}  // namespace
}  // namespace holdshort::gate
