#include "probes/kit/status_set.h"

#include <gtest/gtest.h>

namespace holdshort {
namespace {

TEST(StatusSet, AClassHoldsItsHundredStatusesAndNoOther) {
  StatusSet set;
  ASSERT_TRUE(set.add("2xx"));
  EXPECT_FALSE(set.contains(199));
  EXPECT_TRUE(set.contains(200));
  EXPECT_TRUE(set.contains(299));
  EXPECT_FALSE(set.contains(300));
}

TEST(StatusSet, NothingOutsideItsRangeIsContained) {
  StatusSet set;
  for (const char* item : {"1xx", "2xx", "3xx", "4xx", "5xx"}) ASSERT_TRUE(set.add(item));
  for (const int status : {-1, 0, 99, 600, 1000}) EXPECT_FALSE(set.contains(status)) << status;
}

TEST(StatusSet, WhatIsNoStatusFrom100To599IsRefused) {
  for (const char* item :
       {"", "0", "99", "600", "6xx", "0xx", "2x", "2xxx", "20x", "200 ", "+20", "-200", "2x0", "abc"}) {
    StatusSet set;
    EXPECT_FALSE(set.add(item)) << item;
    EXPECT_TRUE(set.empty()) << item;
  }
}

TEST(StatusSet, IsWrittenAsPeopleSayIt) {
  EXPECT_EQ(StatusSet({401}).text(), "401");
  EXPECT_EQ(StatusSet({403, 401}).text(), "401 or 403");
  EXPECT_EQ(StatusSet({401, 403, 404}).text(), "401, 403 or 404");
  EXPECT_EQ(StatusSet().text(), "");
  StatusSet set{404};
  ASSERT_TRUE(set.add("2XX"));
  ASSERT_TRUE(set.add("301"));
  EXPECT_EQ(set.text(), "2xx, 301 or 404");
}

}  // namespace
}  // namespace holdshort
