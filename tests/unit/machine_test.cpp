#include "fly/machine.h"

#include <gtest/gtest.h>

#include <map>

namespace holdshort::fly {
namespace {

TEST(Machine, IsWhatFlysVariablesSay) {
  const std::map<std::string, std::string, std::less<>> variables = {
      {"FLY_APP_NAME", "orders"},    {"FLY_REGION", "fra"},      {"FLY_MACHINE_ID", "148e"},
      {"FLY_PRIVATE_IP", "fdaa::3"}, {"FLY_IMAGE_REF", "r/o:1"}, {"FLY_MACHINE_VERSION", "01H"}};
  const Machine machine = Machine::from([&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
  EXPECT_EQ(machine.app, "orders");
  EXPECT_EQ(machine.region, "fra");
  EXPECT_EQ(machine.machine_id, "148e");
  EXPECT_EQ(machine.private_ip, "fdaa::3");
  EXPECT_EQ(machine.image_ref, "r/o:1");
  EXPECT_EQ(machine.release, "01H");
}

TEST(Machine, IsEmptyOffFly) {
  const Machine machine = Machine::from([](std::string_view) { return std::nullopt; });
  EXPECT_EQ(machine.app + machine.region + machine.machine_id + machine.private_ip, "");
}

}  // namespace
}  // namespace holdshort::fly
