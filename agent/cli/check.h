// holdshort check: every probe once, whole, and a report.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace holdshort {

struct CheckOptions {
  std::string config;
  std::optional<std::string> target;
  std::vector<std::string> only;
  std::chrono::milliseconds wait{};
  enum class Format { text, json, junit, sarif } format = Format::text;
  std::string output;  // a file; "": standard output
};

// Returns the exit status of the contract, section 2.
int run_check(const CheckOptions& options);

}  // namespace holdshort
