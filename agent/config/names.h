// Names that the configuration gives to probes and identities.
#pragma once

#include <string>
#include <string_view>

#include "probes/kit/diagnostics.h"

namespace holdshort {

// [A-Za-z0-9_.-]{1,63}; else it is reported as no name for `thing` ("a probe").
bool check_name(const Node::Entry& entry, std::string_view thing, Diagnostics& diagnostics);
// "[probes.admin_locked]", or [probes."a.b"] where TOML needs quotes.
std::string table_title(std::string_view section, std::string_view name);

}  // namespace holdshort
