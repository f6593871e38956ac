// The secret probe; registered in probes/registry.cpp.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "probes/registry.h"
#include "probes/secret/sources.h"

namespace holdshort::secret_probe {

extern const std::span<const Field> kFields;
extern const std::span<const Alternatives> kAlternatives;
extern const Explanation kExplanation;
std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics& diagnostics);

struct Settings {
  Source source;
  std::size_t min_length = 16;  // bytes
  double min_entropy_bits = 64;
  std::vector<std::string> deny = {};
  std::vector<std::string> not_in_files = {};  // files or folders
  bool allow_test_keys = false;
};
std::unique_ptr<Probe> make_probe(Settings settings);

}  // namespace holdshort::secret_probe
