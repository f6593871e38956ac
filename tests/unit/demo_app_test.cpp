// The sample app of `holdshort demo` behaves as each of its switches says: else the demo would show something
// else than it tells.
#include "agent/cli/demo_app.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <httplib.h>

namespace holdshort {
namespace {

const std::string kToken = "ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5";

class DemoAppTest : public testing::Test {
 protected:
  DemoAppTest() : app_(std::move(*DemoApp::create(kToken))), client_("127.0.0.1", app_->port()) {}

  // 0: no answer.
  int status_of(const std::string& path, const httplib::Headers& headers = {}) {
    const auto result = client_.Get(path, headers);
    return result ? result->status : 0;
  }
  // The statuses of one search more than the limit allows.
  std::vector<int> searches(const std::string& fly_client_ip, const std::string& forwarded_for) {
    std::vector<int> statuses;
    for (int n = 0; n <= DemoApp::kSearchLimit; ++n)
      statuses.push_back(
          status_of("/search", {{"Fly-Client-IP", fly_client_ip}, {"X-Forwarded-For", forwarded_for}}));
    return statuses;
  }

  std::unique_ptr<DemoApp> app_;
  httplib::Client client_;
};

const httplib::Headers kNobody, kAdmin{{"Authorization", "Bearer " + kToken}},
    kWrong{{"Authorization", "Bearer x.y.z"}};
const std::vector<int> kServed(DemoApp::kSearchLimit + 1, 200);
const std::vector<int> kLimited = [] {
  std::vector<int> statuses(DemoApp::kSearchLimit, 200);
  statuses.push_back(429);
  return statuses;
}();

TEST_F(DemoAppTest, RefusesConnectionsOnItsPortUntilItStarts) {
  const auto refused = client_.Get("/healthz");
  EXPECT_EQ(refused.error(), httplib::Error::Connection);
  ASSERT_TRUE(app_->start());
  EXPECT_EQ(status_of("/healthz"), 200);
}

TEST_F(DemoAppTest, NoOtherAppGetsItsPort) {
  const auto other = DemoApp::create(kToken);
  ASSERT_TRUE(other);
  EXPECT_NE((*other)->port(), app_->port());
}

TEST_F(DemoAppTest, HealthAndOrdersAreOpenWhateverTheSwitchesSay) {
  ASSERT_TRUE(app_->start());
  app_->set(DemoApp::Guard::by_route);
  app_->set(DemoApp::Limiter::by_fly_client_ip);
  for (int n = 0; n <= DemoApp::kSearchLimit; ++n) {
    EXPECT_EQ(status_of("/healthz"), 200);
    EXPECT_EQ(status_of("/orders"), 200);
  }
  EXPECT_EQ(status_of("/nothing"), 404);
}

struct GuardRow {
  const char* name;
  DemoApp::Guard guard;
  const char* path;
  const httplib::Headers* headers;
  int status;
};
class DemoGuard : public DemoAppTest, public testing::WithParamInterface<GuardRow> {};

const GuardRow kGuardRows[] = {
    {"WithoutGuardAnybodyIsServed", DemoApp::Guard::none, "/admin", &kNobody, 200},
    {"ByRouteNobodyIsRefused", DemoApp::Guard::by_route, "/admin", &kNobody, 401},
    {"ByRouteAWrongTokenIsRefused", DemoApp::Guard::by_route, "/admin", &kWrong, 401},
    {"ByRouteTheTokenIsServed", DemoApp::Guard::by_route, "/admin", &kAdmin, 200},
    {"ByRouteAnotherCaseIsRefused", DemoApp::Guard::by_route, "/ADMIN", &kNobody, 401},
    {"ByRouteASlashAtTheEndIsRefused", DemoApp::Guard::by_route, "/admin/", &kNobody, 401},
    {"ByTextNobodyIsRefused", DemoApp::Guard::by_text, "/admin", &kNobody, 401},
    {"ByTextTheTokenIsServed", DemoApp::Guard::by_text, "/admin", &kAdmin, 200},
    {"ByTextAnotherCaseIsServedToAnybody", DemoApp::Guard::by_text, "/ADMIN", &kNobody, 200},
};
TEST_P(DemoGuard, Answers) {
  ASSERT_TRUE(app_->start());
  app_->set(GetParam().guard);
  EXPECT_EQ(status_of(GetParam().path, *GetParam().headers), GetParam().status);
}
INSTANTIATE_TEST_SUITE_P(Table, DemoGuard, testing::ValuesIn(kGuardRows),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(DemoAppTest, WithoutLimiterEverySearchIsServed) {
  ASSERT_TRUE(app_->start());
  EXPECT_EQ(searches("203.0.113.1", "203.0.113.1"), kServed);
}

TEST_F(DemoAppTest, FlyClientIpIsCountedWhateverTheClientWrites) {
  ASSERT_TRUE(app_->start());
  app_->set(DemoApp::Limiter::by_fly_client_ip);
  EXPECT_EQ(searches("203.0.113.1", "203.0.113.1"), kLimited);
  EXPECT_EQ(status_of("/search", {{"Fly-Client-IP", "203.0.113.1"}, {"X-Forwarded-For", "203.0.113.9"}}),
            429);
  EXPECT_EQ(searches("203.0.113.2", "203.0.113.1"), kLimited) << "another client has a count of its own";
}

TEST_F(DemoAppTest, TheFirstForwardedAddressIsCountedAndResetsTheLimit) {
  ASSERT_TRUE(app_->start());
  app_->set(DemoApp::Limiter::by_forwarded_for);
  EXPECT_EQ(searches("203.0.113.1", "203.0.113.1, 192.0.2.1"), kLimited);
  EXPECT_EQ(searches("203.0.113.1", "203.0.113.9, 203.0.113.1, 192.0.2.1"), kLimited);
}

TEST_F(DemoAppTest, AnotherLimiterForgetsTheCounts) {
  ASSERT_TRUE(app_->start());
  app_->set(DemoApp::Limiter::by_forwarded_for);
  EXPECT_EQ(searches("203.0.113.1", "203.0.113.1"), kLimited);
  app_->set(DemoApp::Limiter::by_fly_client_ip);
  EXPECT_EQ(searches("203.0.113.1", "203.0.113.1"), kLimited);
}

TEST_F(DemoAppTest, SearchesThatArriveTogetherAreCountedOneByOne) {
  ASSERT_TRUE(app_->start());
  app_->set(DemoApp::Limiter::by_fly_client_ip);
  std::atomic<int> served = 0;
  {
    std::vector<std::jthread> clients;
    for (int n = 0; n < 3 * DemoApp::kSearchLimit; ++n) {
      clients.emplace_back([&] {
        httplib::Client client("127.0.0.1", app_->port());
        const auto result = client.Get("/search", {{"Fly-Client-IP", "203.0.113.1"}});
        if (result && result->status == 200) ++served;
      });
    }
  }
  EXPECT_EQ(served, DemoApp::kSearchLimit);
}

}  // namespace
}  // namespace holdshort
