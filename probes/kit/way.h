// Where a probe connects that speaks another protocol than HTTP, and from where.
#pragma once

#include <string>
#include <string_view>

#include "probes/kit/fields.h"
#include "probes/kit/url.h"
#include "probes/probe.h"

namespace holdshort {

bool is_loopback(std::string_view host);  // by its address, or by the name of RFC 6761 6.3

enum class Via { loopback, private_ip };
Via via_of(const Values& values);

struct Way {
  Address address;
  std::string source;  // the address to bind; "": the system chooses
};
// Through FLY_PRIVATE_IP the connection comes from there, and an address on loopback is replaced by it, so
// that it arrives as a neighbour's would. There is one: else the run is not begun (agent/probe_run.h).
Way way_to(Address address, Via via, const App& app);

}  // namespace holdshort
