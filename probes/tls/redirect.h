// What a plain http URL does: it must send its caller to https, on the same host.
#pragma once

#include <string>
#include <string_view>

#include "probes/kit/http.h"
#include "probes/probe.h"

namespace holdshort::tls_probe {

// Scheme and host of a Location; both "" where it names none. Lower case, without port; read as browsers do:
// a backslash is a slash, what stands before "@" is no host.
struct Destination {
  std::string scheme, host;
};
Destination destination_of(std::string_view location);

// `host`: where the redirect must stay.
Check judge_redirect(const std::string& request, const Response& response, std::string_view host);
// The answer to the same request with X-Forwarded-Host: `foreign`.
Check judge_foreign_host(const std::string& request, const Response& response, std::string_view foreign);

}  // namespace holdshort::tls_probe
