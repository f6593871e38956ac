// Whether a secret stands in files where it does not belong: what is in the image is in its registry and its
// history.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "probes/kit/environment.h"

namespace holdshort::secret_probe {

inline constexpr std::size_t kMaxFiles = 2000;
inline constexpr std::size_t kMaxFileBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxTotalBytes = 200 * 1024 * 1024;

struct Search {
  std::string found_in;  // the first file with any of the forms; "" where there is none
  std::string unseen;    // why some could not be searched: "src: more than 2000 files"; "" where all were
  std::size_t files = 0;
};
// `paths` are files or folders; `own` is left out, being where the secret belongs. What does not exist holds
// nothing, so it is searched, unless its folder does not exist either: then the path may be wrong. May block.
Search search_files(const Environment& environment, const std::vector<std::string>& paths,
                    const std::vector<std::string>& forms, const std::string& own);

}  // namespace holdshort::secret_probe
