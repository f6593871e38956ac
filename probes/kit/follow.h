// A request as a legitimate caller makes it, whichever way the app spells its path.
#pragma once

#include <string>

#include "probes/kit/classify.h"
#include "probes/kit/exchange.h"

namespace holdshort {

// Sends `call` as `identity` ("" : nobody). A redirect to another spelling of the same path on the app's own
// host is followed once, as the same caller, where it keeps the method (GET, HEAD; 307, 308).
Awaitable<Response> send_and_follow(Exchange& exchange, const Judge& judge, std::string identity, Call call);

}  // namespace holdshort
