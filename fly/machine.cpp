#include "fly/machine.h"

namespace holdshort::fly {

Machine Machine::from(const std::function<std::optional<std::string>(std::string_view)>& variable) {
  const auto text = [&](std::string_view name) { return variable(name).value_or(""); };
  return {.app = text("FLY_APP_NAME"),
          .region = text("FLY_REGION"),
          .machine_id = text("FLY_MACHINE_ID"),
          .private_ip = text("FLY_PRIVATE_IP"),
          .image_ref = text("FLY_IMAGE_REF"),
          .release = text("FLY_MACHINE_VERSION")};
}

}  // namespace holdshort::fly
