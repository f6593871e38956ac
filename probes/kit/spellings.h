// Ways to write one path that a guard, a limiter and a router may read differently; in the order of what each
// found on real servers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdshort {

struct Spelling {
  std::string id;      // "case", "encoded_letter"
  std::string target;  // byte for byte
};

enum class Extent { standard, thorough };

// `path` is origin-form, with or without a query, which is kept. `host` is for the absolute form. No two have
// the same id, none is `path` itself; paths with as many segments have the same ids, unless a segment has no
// letter.
std::vector<Spelling> spellings(std::string_view path, std::string_view host, Extent extent);
// A path of the same shape that no app has: `word` (letters) in place of each segment.
std::string same_shape(std::string_view path, std::string_view word);

}  // namespace holdshort
