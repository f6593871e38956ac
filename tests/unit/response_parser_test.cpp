// How answers are read, byte by byte and at once, from peers that keep the rules and from those that do not.
#include "probes/kit/response_parser.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace holdshort {
namespace {

// In pieces of `piece` bytes, and then the peer closes.
Response parse(std::string_view bytes, std::size_t piece, const char* method = "GET",
               const Limits& limits = {}) {
  ResponseParser parser(method, limits);
  while (!bytes.empty()) {
    parser.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  parser.close();
  EXPECT_TRUE(parser.done());
  return parser.take();
}

struct Row {
  const char* name;
  std::string bytes;
  Ended ended;
  int status;
  std::string body;
  const char* method = "GET";
};

std::string ok(const std::string& fields, const std::string& body = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}
std::string chunked(const std::string& body) { return ok("Transfer-Encoding: chunked\r\n", body); }
const std::string kNul(1, '\0');

class ResponseParserReads : public testing::TestWithParam<Row> {};

// The pieces in which bytes arrive change nothing.
TEST_P(ResponseParserReads, InPiecesOfAnySize) {
  const Row& row = GetParam();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, row.bytes.size() + 1}) {
    const Response response = parse(row.bytes, piece, row.method);
    EXPECT_EQ(name_of(response.ended), name_of(row.ended)) << response.error << ", pieces of " << piece;
    EXPECT_EQ(response.status, row.status) << "pieces of " << piece;
    EXPECT_EQ(response.body, row.body) << "pieces of " << piece;
    EXPECT_EQ(response.error.empty(), row.ended == Ended::complete);
  }
}

const auto by_name = [](const auto& row) { return std::string(row.param.name); };

INSTANTIATE_TEST_SUITE_P(
    Head, ResponseParserReads,
    testing::Values(Row{"ReasonMayBeMissing", "HTTP/1.1 401\r\n\r\n", Ended::complete, 401, ""},
                    Row{"ReasonMayBeEmpty", "HTTP/1.1 401 \r\n\r\n", Ended::complete, 401, ""},
                    Row{"OldVersion", "HTTP/1.0 200 OK\r\n\r\nhi", Ended::complete, 200, "hi"},
                    Row{"BareLineFeeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", Ended::complete, 200,
                        "hi"},
                    Row{"HighestStatus", "HTTP/1.1 599 No\r\n\r\n", Ended::complete, 599, ""},
                    Row{"StatusTooHigh", "HTTP/1.1 600 No\r\n\r\n", Ended::not_http, 0, ""},
                    Row{"StatusTooLow", "HTTP/1.1 099 No\r\n\r\n", Ended::not_http, 0, ""},
                    Row{"StatusOfFourDigits", "HTTP/1.1 2000 OK\r\n\r\n", Ended::not_http, 0, ""},
                    Row{"StatusOfTwoDigits", "HTTP/1.1 20 OK\r\n\r\n", Ended::not_http, 0, ""},
                    Row{"NextVersion", "HTTP/2.0 200 OK\r\n\r\n", Ended::not_http, 0, ""},
                    Row{"NoStatusLineAtAll", "<html>hello</html>", Ended::not_http, 0, ""},
                    Row{"EmptyLineFirst", "\r\nHTTP/1.1 200 OK\r\n\r\n", Ended::not_http, 0, ""},
                    Row{"OtherProtocol", "\x16\x03\x01", Ended::not_http, 0, ""},
                    Row{"NulInAField", ok("X: a" + kNul + "b\r\n"), Ended::not_http, 0, ""},
                    Row{"NulInTheReason", "HTTP/1.1 200 O" + kNul + "K\r\n\r\n", Ended::not_http, 0, ""},
                    Row{"BareCarriageReturn", ok("X: a\rb\r\n"), Ended::not_http, 0, ""},
                    Row{"FieldWithoutColon", ok("X\r\n"), Ended::not_http, 0, ""},
                    Row{"FieldWithoutName", ok(": a\r\n"), Ended::not_http, 0, ""},
                    Row{"SpaceBeforeTheColon", ok("Content-Length : 5\r\n"), Ended::not_http, 0, ""},
                    Row{"FoldBeforeTheFirstField", ok(" a\r\n"), Ended::not_http, 0, ""},
                    Row{"EndInTheStatusLine", "HTTP/1.1 20", Ended::cut_short, 0, ""},
                    Row{"EndInTheFields", "HTTP/1.1 200 OK\r\nX: a\r\n", Ended::cut_short, 0, ""},
                    Row{"EndAtOnce", "", Ended::cut_short, 0, ""}),
    by_name);

INSTANTIATE_TEST_SUITE_P(
    Interim, ResponseParserReads,
    testing::Values(
        Row{"IsSkipped",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
            Ended::complete, 204, ""},
        Row{"AloneIsNoAnswer", "HTTP/1.1 100 Continue\r\n\r\n", Ended::cut_short, 0, ""},
        Row{"SwitchingProtocolsIsFinal", "HTTP/1.1 101 Switching\r\n\r\n\x81\x05hello", Ended::complete, 101,
            ""}),
    by_name);

INSTANTIATE_TEST_SUITE_P(
    Framing, ResponseParserReads,
    testing::Values(
        Row{"Length", ok("Content-Length: 2\r\n", "hiEXTRA"), Ended::complete, 200, "hi"},
        Row{"LengthOfNothing", ok("Content-Length: 0\r\n", "EXTRA"), Ended::complete, 200, ""},
        Row{"LengthTwiceTheSame", ok("Content-Length: 2\r\ncontent-length: 2\r\n", "hi"), Ended::complete,
            200, "hi"},
        Row{"LengthAsListOfTheSame", ok("Content-Length: 2, 2\r\n", "hi"), Ended::complete, 200, "hi"},
        Row{"LengthsThatConflict", ok("Content-Length: 2\r\nContent-Length: 3\r\n", "hi!"), Ended::not_http,
            200, ""},
        Row{"LengthsThatConflictInAList", ok("Content-Length: 2, 3\r\n", "hi!"), Ended::not_http, 200, ""},
        Row{"LengthBelowZero", ok("Content-Length: -1\r\n"), Ended::not_http, 200, ""},
        Row{"LengthWithSign", ok("Content-Length: +1\r\n", "a"), Ended::not_http, 200, ""},
        Row{"LengthBeyond64Bits", ok("Content-Length: 18446744073709551616\r\n"), Ended::not_http, 200, ""},
        Row{"LengthOfAWord", ok("Content-Length: two\r\n", "hi"), Ended::not_http, 200, ""},
        Row{"LengthThatIsEmpty", ok("Content-Length:\r\n", "hi"), Ended::not_http, 200, ""},
        Row{"LengthNotReached", ok("Content-Length: 9\r\n", "hi"), Ended::cut_short, 200, "hi"},
        Row{"UntilClose", ok("", "hi"), Ended::complete, 200, "hi"},
        Row{"LengthAndChunked", ok("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            Ended::not_http, 200, ""},
        Row{"ChunkedInTheOldVersion", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Ended::not_http, 200, ""},
        Row{"ChunkedTwice", ok("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), Ended::not_http, 200,
            ""},
        Row{"ChunkedLast", ok("Transfer-Encoding: gzip, Chunked\r\n", "2\r\nzz\r\n0\r\n\r\n"),
            Ended::complete, 200, "zz"},
        Row{"ChunkedNotLastIsUntilClose", ok("Transfer-Encoding: chunked, gzip\r\n", "zz"), Ended::complete,
            200, "zz"},
        Row{"HeadHasNoBody", ok("Content-Length: 9\r\n"), Ended::complete, 200, "", "HEAD"},
        Row{"ConnectHasNoBody", ok("", "tunnel"), Ended::complete, 200, "", "CONNECT"},
        Row{"ConnectRefusedHasABody", "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", Ended::complete, 403,
            "no", "CONNECT"},
        Row{"NoContentHasNoBody", "HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n", Ended::complete, 204, ""},
        Row{"NotModifiedHasNoBody", "HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", Ended::complete, 304,
            ""}),
    by_name);

INSTANTIATE_TEST_SUITE_P(
    Chunks, ResponseParserReads,
    testing::Values(
        Row{"AreJoined", chunked("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nEXTRA"), Ended::complete, 200, "hello!"},
        Row{"MayHaveExtensions", chunked("5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n"), Ended::complete, 200,
            "hello"},
        Row{"MayHaveTrailers", chunked("1\r\na\r\n0\r\nX: y\r\nZ: 1\r\n\r\n"), Ended::complete, 200, "a"},
        Row{"MayHaveLeadingZerosAndCapitals", chunked("00A\r\n0123456789\r\n000\r\n\r\n"), Ended::complete,
            200, "0123456789"},
        Row{"WithoutALastOneAreShort", chunked("5\r\nhello\r\n"), Ended::cut_short, 200, "hello"},
        Row{"EndingInsideOneAreShort", chunked("5\r\nhel"), Ended::cut_short, 200, "hel"},
        Row{"EndingAfterTheLastAreWhole", chunked("1\r\na\r\n0\r\n"), Ended::complete, 200, "a"},
        Row{"LongerThanTheirSize", chunked("1\r\nab\r\n0\r\n\r\n"), Ended::not_http, 200, "a"},
        Row{"OfNoSize", chunked("\r\n"), Ended::not_http, 200, ""},
        Row{"OfNegativeSize", chunked("-1\r\n"), Ended::not_http, 200, ""},
        Row{"OfSizeWithPrefix", chunked("0x1\r\na\r\n"), Ended::not_http, 200, ""},
        Row{"OfSizeBeyond64Bits", chunked("10000000000000000\r\n"), Ended::not_http, 200, ""}),
    by_name);

TEST(ResponseParser, KeepsFieldsInOrderWithDuplicates) {
  const Response response =
      parse(ok("Set-Cookie: a\r\nX-Empty:\r\nset-cookie: \t b \t\r\nSet-Cookie: a\r\n"), 1);
  EXPECT_EQ(
      response.headers,
      (std::vector<Header>{{"Set-Cookie", "a"}, {"X-Empty", ""}, {"set-cookie", "b"}, {"Set-Cookie", "a"}}));
}

TEST(ResponseParser, UnfoldsFields) {
  const Response response = parse(ok("X: a\r\n  b\r\n\tc\r\n"), 1);
  ASSERT_NE(response.header("x"), nullptr);
  EXPECT_EQ(*response.header("x"), "a b c");
}

TEST(ResponseParser, DropsTheFieldsOfInterimAnswersAndTrailers) {
  const Response response =
      parse("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + chunked("0\r\nX-Granted: yes\r\n\r\n"), 1);
  EXPECT_EQ(response.headers, (std::vector<Header>{{"Transfer-Encoding", "chunked"}}));
}

TEST(ResponseParser, GivesStatusAndFieldsOfAWholeHeadOnly) {
  ResponseParser parser("GET", {});
  parser.feed("HTTP/1.1 200 OK\r\nX: y\r\n");
  parser.give_up(Ended::timeout, "late");
  const Response response = parser.take();
  EXPECT_EQ(response.status, 0);
  EXPECT_TRUE(response.headers.empty());
}

TEST(ResponseParser, KeepsTheFirstReason) {
  ResponseParser parser("GET", {});
  parser.feed("HTTP/1.1 204 No\r\n\r\n");
  parser.give_up(Ended::reset, "connection reset");
  parser.feed("HTTP/1.1 200 OK\r\n\r\n");
  const Response response = parser.take();
  EXPECT_EQ(response.ended, Ended::complete);
  EXPECT_EQ(response.status, 204);
}

// What ends the reading early needs no end of line: a peer that speaks another protocol may never send one.
TEST(ResponseParser, KnowsAnotherProtocolByItsFirstBytes) {
  ResponseParser parser("GET", {});
  parser.feed("HT");
  EXPECT_FALSE(parser.done());
  parser.feed("MX");
  EXPECT_TRUE(parser.done());
}

// Each limit holds exactly: met it is complete, one beyond it is cut.
TEST(ResponseParserLimits, HeaderBytesCountAllHeadsAndTrailers) {
  const std::string bytes = "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + chunked("1\r\na\r\n0\r\nX: y\r\n\r\n");
  Limits limits;
  limits.max_header_bytes = bytes.size() - std::string("1\r\na\r\n0\r\n").size();
  EXPECT_EQ(parse(bytes, 1, "GET", limits).ended, Ended::complete);
  --limits.max_header_bytes;
  EXPECT_EQ(parse(bytes, 1, "GET", limits).ended, Ended::capped);
  EXPECT_EQ(parse(bytes, bytes.size(), "GET", limits).ended, Ended::capped);
}

TEST(ResponseParserLimits, HeadersAreCounted) {
  Limits limits;
  limits.max_headers = 2;
  EXPECT_EQ(parse(ok("A: 1\r\nB: 2\r\n"), 1, "GET", limits).ended, Ended::complete);
  const Response response = parse(ok("A: 1\r\nB: 2\r\nC: 3\r\n"), 1, "GET", limits);
  EXPECT_EQ(response.ended, Ended::capped);
  EXPECT_EQ(response.status, 0);
}

TEST(ResponseParserLimits, BodyIsCutAtItsCap) {
  Limits limits;
  limits.max_body_bytes = 4;
  const std::string whole[] = {ok("Content-Length: 4\r\n", "abcd"), ok("", "abcd"),
                               chunked("2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n")};
  const std::string longer[] = {ok("Content-Length: 5\r\n", "abcde"), ok("", "abcde"),
                                chunked("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"),
                                chunked("4\r\nabcd\r\n1\r\ne\r\n")};
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
    for (const std::string& bytes : whole) {
      const Response response = parse(bytes, piece, "GET", limits);
      EXPECT_EQ(response.ended, Ended::complete) << bytes;
      EXPECT_EQ(response.body, "abcd") << bytes;
    }
    for (const std::string& bytes : longer) {
      const Response response = parse(bytes, piece, "GET", limits);
      EXPECT_EQ(response.ended, Ended::capped) << bytes;
      EXPECT_EQ(response.body, "abcd") << bytes;
      EXPECT_EQ(response.status, 200) << bytes;
    }
  }
}

TEST(ResponseParserLimits, ChunkSizeLinesAreBounded) {
  const std::string rest = "\r\na\r\n0\r\n\r\n";
  const std::string size =
      "1;" + std::string(ResponseParser::kMaxChunkLine - std::string("1;\r\n").size(), 'x');
  EXPECT_EQ(parse(chunked(size + rest), 1).ended, Ended::complete);
  EXPECT_EQ(parse(chunked(size + "x" + rest), 1).ended, Ended::capped);
}

}  // namespace
}  // namespace holdshort
