#include "agent/config/names.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/kit/ascii.h"

namespace holdshort {
namespace {

constexpr std::size_t kMaxName = 63;

bool is_bare(char c) { return ascii::is_digit(c) || ascii::is_letter(c) || c == '_' || c == '-'; }

}  // namespace

bool check_name(const Node::Entry& entry, std::string_view thing, Diagnostics& diagnostics) {
  const bool is_right = entry.key.size() <= kMaxName &&
                        ascii::is_made_of(entry.key, [](char c) { return is_bare(c) || c == '.'; });
  if (!is_right)
    diagnostics.error(
        entry.place,
        fmt::format("{} is no name for {}, expected 1 to {} letters, digits, \"_\", \".\" or \"-\"",
                    in_quotes(entry.key), thing, kMaxName));
  return is_right;
}

std::string table_title(std::string_view section, std::string_view name) {
  const bool needs_quotes = !ascii::is_made_of(name, is_bare);
  return fmt::format("[{}.{}]", section, needs_quotes ? in_quotes(name) : std::string(name));
}

}  // namespace holdshort
