// How many descriptors clients may take, so that probes, the health path and established connections always
// find one.
#pragma once

#include <cstddef>

namespace holdshort::gate {

// Raises this process's soft limit of descriptors to its hard one. Returns the soft limit as it was: what a
// supervised app has to get.
std::size_t raise_descriptor_limit();
std::size_t descriptor_limit();  // the soft one
// What of `limit` the clients and their app connections may take, where `probes` may run at a time.
std::size_t descriptors_for_clients(std::size_t limit, int probes);

inline constexpr std::size_t kDescriptorsOfAgent = 320;  // the health endpoint's clients, files, loops
inline constexpr std::size_t kDescriptorsOfAProbe = 10;  // those that send several requests at a time

}  // namespace holdshort::gate
