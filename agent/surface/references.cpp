#include "agent/surface/references.h"

#include <fmt/format.h>

#include "probes/kit/ascii.h"

namespace holdshort {

namespace {

// In the list's order, from API1:2023 on.
constexpr std::string_view kOwaspApi2023[] = {
    "0xa1-broken-object-level-authorization",
    "0xa2-broken-authentication",
    "0xa3-broken-object-property-level-authorization",
    "0xa4-unrestricted-resource-consumption",
    "0xa5-broken-function-level-authorization",
    "0xa6-unrestricted-access-to-sensitive-business-flows",
    "0xa7-server-side-request-forgery",
    "0xa8-security-misconfiguration",
    "0xa9-improper-inventory-management",
    "0xaa-unsafe-consumption-of-apis",
};

// What follows `prefix` where that is a number; else "".
std::string_view number_after(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return "";
  text.remove_prefix(prefix.size());
  return ascii::is_made_of(text, ascii::is_digit) ? text : "";
}

}  // namespace

std::string link_of(std::string_view reference) {
  if (const auto cwe = number_after(reference, "CWE-"); !cwe.empty())
    return fmt::format("https://cwe.mitre.org/data/definitions/{}.html", cwe);
  if (const auto rfc = number_after(reference, "RFC "); !rfc.empty())
    return fmt::format("https://www.rfc-editor.org/rfc/rfc{}", rfc);
  for (std::size_t n = 0; n < std::size(kOwaspApi2023); ++n)
    if (reference == fmt::format("OWASP API{}:2023", n + 1))
      return fmt::format("https://owasp.org/API-Security/editions/2023/en/{}/", kOwaspApi2023[n]);
  return "";
}

}  // namespace holdshort
