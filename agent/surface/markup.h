// Text from elsewhere inside XML and HTML: what a hostile app answers must neither break a report nor script
// a page.
#pragma once

#include <string>
#include <string_view>

namespace holdshort {

// As element content or as the value of a quoted attribute, XML 1.0 and HTML alike. Bytes that are no UTF-8,
// characters that XML 1.0 does not have (control characters, U+FFFE, U+FFFF), and marks that reverse the
// order in which the rest of a line is shown become U+FFFD.
std::string escaped(std::string_view text);

}  // namespace holdshort
