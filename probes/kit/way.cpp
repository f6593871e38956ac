#include "probes/kit/way.h"

#include <utility>

namespace holdshort {

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Via via_of(const Values& values) {
  return values.string("via") == "private" ? Via::private_ip : Via::loopback;
}

Way way_to(Address address, Via via, const App& app) {
  if (via == Via::loopback || !address.path.empty()) return Way{std::move(address), {}};
  if (is_loopback(address.host)) address.host = app.private_ip;
  return Way{std::move(address), app.private_ip};
}

}  // namespace holdshort
