// A port to listen on, for the health endpoint and the gate.
#pragma once

#include <cstdint>
#include <string_view>

#include "probes/kit/result.h"
#include "probes/kit/url.h"

namespace holdshort {

// Binds and listens; "[::]" takes IPv4 too, and stands for 0.0.0.0 where the kernel has no IPv6. The
// descriptor is the caller's, does not block and is closed on exec. `key` names the setting in a failure's
// message: "[agent].listen".
[[nodiscard]] Result<int> listen_on(const ListenAddress& address, std::string_view key);

// The port a listening descriptor has; 0 where it has none.
std::uint16_t port_of(int descriptor);

}  // namespace holdshort
