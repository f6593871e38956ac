// docs/reference.md: every table and key of the configuration, written from the rows that the parser reads.
#pragma once

#include <string>

namespace holdshort {

// The whole page, Markdown. The same for the same rows.
std::string reference_markdown();

}  // namespace holdshort
