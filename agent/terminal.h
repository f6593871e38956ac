// Text from elsewhere on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace holdshort {

// On one line, and without anything a terminal would obey: a message may quote the app.
std::string printable(std::string_view text);

}  // namespace holdshort
