// Where one can read what a check stands for.
#pragma once

#include <string>
#include <string_view>

namespace holdshort {

// Of "CWE-306", "RFC 9110" and "OWASP API2:2023"; "" where there is no page that has a fixed address.
std::string link_of(std::string_view reference);

}  // namespace holdshort
