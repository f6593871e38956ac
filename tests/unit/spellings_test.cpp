// The other ways to write a path, byte for byte.
#include "probes/kit/spellings.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace holdshort {
namespace {

std::string target(std::string_view path, std::string_view id, Extent extent = Extent::standard) {
  for (const Spelling& spelling : spellings(path, "orders.example.com", extent))
    if (spelling.id == id) return spelling.target;
  return "(none)";
}

struct Row {
  const char *id, *target;
};

TEST(Spellings, StandardHasAllThatTheContractNames) {
  const Row rows[] = {{"case", "/ADMIN/USERS"},
                      {"case_first", "/Admin/Users"},
                      {"case_tail", "/admin/Users"},
                      {"trailing_slash", "/admin/users/"},
                      {"tail_dot", "/admin/users/."},
                      {"double_slash", "//admin/users"},
                      {"authority", "//hs.invalid/admin/users"},
                      {"absolute_form", "http://orders.example.com/admin/users"},
                      {"encoded_letter", "/%61dmin/%75sers"},
                      {"encoded_letter_tail", "/admin/%75sers"},
                      {"encoded_slash", "/admin%2fusers"},
                      {"encoded_leading_slash", "/%2fadmin/users"},
                      {"backslash", "/admin\\users"},
                      {"dot_segment", "/./admin/users"},
                      {"parent_segment", "/hs/../admin/users"},
                      {"encoded_dot", "/%2e/admin/users"},
                      {"inner_double_slash", "/admin//users"}};
  for (const Row& row : rows) EXPECT_EQ(target("/admin/users", row.id), row.target) << row.id;
}

TEST(Spellings, ThoroughHasWhatTheStandardHasAndMore) {
  std::set<std::string> standard, thorough;
  for (const auto& s : spellings("/admin", "h", Extent::standard)) standard.insert(s.id);
  for (const auto& s : spellings("/admin", "h", Extent::thorough)) thorough.insert(s.id);
  EXPECT_TRUE(std::includes(thorough.begin(), thorough.end(), standard.begin(), standard.end()));
  EXPECT_EQ(target("/admin", "parameter_parent", Extent::thorough), "/hs/..;/admin");
  EXPECT_EQ(target("/admin", "double_encoding", Extent::thorough), "/%2561dmin");
}

TEST(Spellings, IdsAreUniqueAndNoneIsThePathItself) {
  for (const char* path : {"/", "/admin", "/Admin/", "/admin/users?tab=1", "/1/2"}) {
    std::set<std::string> ids;
    for (const Spelling& spelling : spellings(path, "h", Extent::thorough)) {
      EXPECT_TRUE(ids.insert(spelling.id).second) << path << ' ' << spelling.id;
      EXPECT_NE(spelling.target, path) << spelling.id;
    }
  }
}

TEST(Spellings, TheQueryIsKept) {
  EXPECT_EQ(target("/admin/users?tab=1", "case"), "/ADMIN/USERS?tab=1");
  EXPECT_EQ(target("/admin?tab=1", "query"), "/admin?tab=1&hs=1");
  EXPECT_EQ(target("/admin/?tab=1", "trailing_slash"), "/admin?tab=1");
}

TEST(Spellings, NoControlCharacterEndsTheRequestLine) {
  for (const Spelling& spelling : spellings("/admin", "h", Extent::thorough))
    EXPECT_EQ(spelling.target.find_first_of("\r\n "), std::string::npos) << spelling.id;
}

TEST(Spellings, APathOfTheSameShapeHasTheSameSpellings) {
  const auto a = spellings("/admin/users", "h", Extent::standard),
             b = spellings(same_shape("/admin/users", "q"), "h", Extent::standard);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].id, b[i].id);
}

}  // namespace
}  // namespace holdshort
