// The classifier on bodies and statuses that real servers sent (controls.md 0.2, 8.2, 8.3).
#include "probes/kit/classify.h"

#include <gtest/gtest.h>

namespace holdshort {
namespace {

Response answer(int status, std::string body = "", std::vector<Header> headers = {}) {
  Response response;
  response.ended = Ended::complete;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

const char* const kAdmin =
    R"({"section":"admin","orders":[{"id":1001,"owner":"alice"}],"revenue":{"month":"18230.55"}})";
const char* const kStartPage =
    "<!doctype html><html><head><title>Orders</title></head><body><div id=\"root\"></div></body></html>";

Judge judge_of(const Response& served, const Response& unrouted, std::optional<Marker> marker = {}) {
  Judge judge(std::move(marker), {"orders.example.com", "127.0.0.1:3000"});
  judge.learn_unrouted(unrouted);
  judge.learn_served(served);
  return judge;
}

struct Row {
  const char* name;
  Response response;
  Seen seen;
};

class Classify : public testing::TestWithParam<Row> {};

TEST_P(Classify, NamesTheResponse) {
  const Judge judge = judge_of(answer(200, kAdmin), answer(404, R"({"error":"not found"})"));
  EXPECT_EQ(name_of(judge.see(GetParam().response, "/admin")), name_of(GetParam().seen));
}

Response ended(Ended how, Response response) {
  response.ended = how;
  return response;
}

INSTANTIATE_TEST_SUITE_P(
    Responses, Classify,
    testing::Values(
        Row{"NoStatusLineIsNoResponse", ended(Ended::timeout, answer(0)), Seen::no_response},
        Row{"AShortBodyIsNoResponse", ended(Ended::cut_short, answer(401, "x")), Seen::no_response},
        Row{"FiveHundredIsNoRefusal", answer(500, "boom"), Seen::server_error},
        Row{"UnknownMethodIsNoServerError", answer(501), Seen::wrong_method},
        Row{"TooManyRequests", answer(429), Seen::limited},
        Row{"Unauthenticated", answer(401, R"({"error":"unauthenticated"})"), Seen::unauthenticated},
        Row{"Forbidden", answer(403), Seen::forbidden}, Row{"NotFound", answer(404), Seen::not_found},
        Row{"UnprocessableIsAClientError", answer(422), Seen::client_error},
        Row{"RedirectToLogin",
            answer(302, "", {{"Location", "https://orders.example.com/users/sign_in?next=%2Fadmin"}}),
            Seen::to_login},
        Row{"ForeignLogin", answer(302, "", {{"Location", "https://idp.example.net/oauth2/authorize"}}),
            Seen::to_login},
        Row{"TrailingSlashIsTheSamePath", answer(301, "", {{"Location", "/admin/"}}), Seen::to_same},
        Row{"SamePathOnTheAppsHost", answer(308, "", {{"Location", "http://127.0.0.1:3000/Admin"}}),
            Seen::to_same},
        Row{"SamePathElsewhereIsElsewhere", answer(301, "", {{"Location", "https://evil.test/admin/"}}),
            Seen::elsewhere},
        Row{"HomeIsElsewhere", answer(302, "", {{"Location", "/"}}), Seen::elsewhere},
        Row{"NoLocation", answer(302), Seen::elsewhere},
        Row{"TheSameContentIsAGrant", answer(200, kAdmin), Seen::granted},
        Row{"LiveDataIsTheSameContent",
            answer(200,
                   R"({"section":"admin","orders":[{"id":7,"owner":"bob"}],"revenue":{"month":"1.00"}})"),
            Seen::granted},
        Row{"AnErrorInA200IsASoftDenial", answer(200, R"({"success":false,"error":"login required"})"),
            Seen::soft_denial},
        Row{"ALoginFormIsASoftDenial", answer(200, "<form><input name=p type=\"password\"></form>"),
            Seen::soft_denial},
        Row{"OtherContentProvesNothing", answer(200, R"({"products":[1,2,3],"page":1})"), Seen::unknown},
        Row{"AnEmptyAnswerProvesNothing", answer(204), Seen::unknown}),
    [](const auto& row) { return row.param.name; });

TEST(ClassifySpa, TheStartPageIsWhatAnyPathGets) {
  const Judge judge = judge_of(answer(200, kAdmin), answer(200, kStartPage));
  EXPECT_EQ(judge.see(answer(200, kStartPage), "/admin"), Seen::fallback);
  EXPECT_EQ(judge.see(answer(200, kAdmin), "/admin"), Seen::granted);
  EXPECT_TRUE(judge.served_differs());
}

TEST(ClassifySpa, ARouteThatServesTheStartPageCannotBeToldApart) {
  EXPECT_FALSE(judge_of(answer(200, kStartPage), answer(200, kStartPage)).served_differs());
}

TEST(ClassifySpa, APageThatReflectsItsPathIsStillWhatAnyPathGets) {
  const Judge judge =
      judge_of(answer(200, kAdmin),
               answer(200,
                      "<h1>Sorry</h1> We looked for the page /hs-1234 in all our shelves and "
                      "found nothing, but here is the shop front with the lamps and desks and sofas"));
  EXPECT_EQ(judge.see(answer(200,
                             "<h1>Sorry</h1> We looked for the page /admin in all our shelves and found "
                             "nothing, but here is "
                             "the shop front with the lamps and desks and sofas"),
                      "/x"),
            Seen::fallback);
}

Marker marker(const char* pattern) {
  Marker marker;
  marker.pattern = *Pattern::compile(pattern);
  return marker;
}

TEST(ClassifyMarker, TheMarkerAloneGrants) {
  const Judge judge = judge_of(answer(200, kAdmin), answer(404), marker("revenue"));
  EXPECT_EQ(judge.see(answer(200, "revenue of the month"), "/admin"), Seen::granted);
  EXPECT_EQ(judge.see(answer(200, R"({"section":"admin","orders":[]})"), "/admin"), Seen::soft_denial);
}

TEST(ClassifyMarker, ACutBodyDoesNotProveThatTheMarkerIsMissing) {
  const Judge judge = judge_of(answer(200, kAdmin), answer(404), marker("revenue"));
  EXPECT_EQ(judge.see(ended(Ended::capped, answer(200, "aaaa")), "/admin"), Seen::unknown);
  EXPECT_EQ(judge.see(answer(200, "aaaa", {{"Content-Encoding", "gzip"}}), "/admin"), Seen::unknown);
}

TEST(ClassifyLeak, ARefusalThatCarriesTheContentIsNone) {
  const Judge judge = judge_of(answer(200, kAdmin), answer(404, R"({"error":"not found"})"));
  EXPECT_TRUE(judge.leaks(answer(401, kAdmin)));
  EXPECT_FALSE(judge.leaks(answer(401, R"({"error":"unauthenticated"})")));
}

TEST(ClassifyLeak, TheContentIsRecognisedInsideOfAnythingElse) {
  const std::string order = R"({"id":1001,"owner":"alice","sku":"LAMP-100","open":true,"n":2})";
  const Judge judge = judge_of(answer(200, order), answer(404, R"({"error":"not found"})"));
  EXPECT_TRUE(judge.leaks(answer(403, R"({"error":"not yours","order":)" + order + "}")));
  EXPECT_TRUE(judge.leaks(answer(403, "<h1>Forbidden</h1><pre>" + order + "</pre>")));
  EXPECT_FALSE(judge.leaks(answer(403, R"({"error":"1001 belongs to alice","retry":true})")));
}

TEST(ClassifyLeak, FewOrShortValuesStandInAnyText) {
  const Judge few = judge_of(answer(200, R"({"role":"admin","state":"active","n":17})"), answer(404));
  EXPECT_FALSE(few.leaks(answer(403, R"({"error":"17 active accounts, none is admin"})")));
  const Judge common = judge_of(answer(200, R"({"app":"orders","site":"Example","id":1001,"by":"alice"})"),
                                answer(404, R"({"app":"orders","site":"Example"})"));
  EXPECT_FALSE(common.leaks(answer(403, R"({"app":"orders","site":"Example","error":"1001"})")));
}

TEST(ClassifyLeak, ARefusalOfTheSameShapeIsARefusal) {
  const Judge judge = judge_of(answer(200, R"({"code":0,"message":"ok","data":"lamps"})"), answer(404));
  EXPECT_FALSE(judge.leaks(answer(401, R"({"code":401,"message":"no","data":null})")));
}

TEST(ClassifyLeak, TheSitesOwnLayoutIsNoLeak) {
  std::string layout;
  for (int n = 0; n < 60; ++n) layout += "<li>entry" + std::to_string(n) + " of the menu</li>";
  const Judge judge = judge_of(
      answer(200,
             layout + "<p>Revenue was high, orders came from Anna, Bert, Carl, Dora, Emil and Fritz</p>"),
      answer(404, "not found"));
  EXPECT_FALSE(judge.leaks(answer(403, layout + "<p>Please go away</p>")));
}

TEST(ClassifyVolatile, ASecondAnswerTellsWhatChangesByItself) {
  Judge judge = judge_of(answer(200, R"({"token":"aaaa"})"), answer(404));
  EXPECT_EQ(judge.see(answer(200, R"({"token":"bbbb"})"), "/t"), Seen::unknown);
  judge.learn_served(answer(200, R"({"token":"cccc"})"));
  EXPECT_EQ(judge.see(answer(200, R"({"token":"bbbb"})"), "/t"), Seen::granted);
}

TEST(SamePath, SpellingsOfOnePathAreOnePath) {
  for (const char* spelling :
       {"/admin", "/ADMIN/", "//admin", "/./admin", "/x/../admin", "/%61dmin", "/admin?x=1", "\\admin"})
    EXPECT_TRUE(same_path(spelling, "/admin")) << spelling;
  for (const char* other : {"/", "/admin/users", "/adminx", "/x/admin"})
    EXPECT_FALSE(same_path(other, "/admin")) << other;
}

}  // namespace
}  // namespace holdshort
