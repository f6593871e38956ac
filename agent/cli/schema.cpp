#include "agent/cli/schema.h"

#include <fmt/format.h>

#include "agent/config/schema.h"

namespace holdshort {

int run_schema() {
  fmt::print("{}", config_schema());
  return 0;
}

}  // namespace holdshort
