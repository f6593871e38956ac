// What Fly tells a Machine about itself.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace holdshort::fly {

// Empty strings off Fly.
struct Machine {
  std::string app, region, machine_id, private_ip, image_ref, release;
  static Machine from(const std::function<std::optional<std::string>(std::string_view)>& variable);
};

}  // namespace holdshort::fly
