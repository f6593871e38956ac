// Takes secrets out of text that leaves the process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/secret.h"

namespace holdshort {

class Redactor {
 public:
  Redactor() = default;
  // Secrets shorter than kShortest are left out: they would blank ordinary words.
  explicit Redactor(const std::vector<Secret>& secrets);
  // `text` with "***" wherever a secret stands in it, as it is or as a JSON string writes it.
  std::string clean(std::string text) const;

  static constexpr std::size_t kShortest = 8;

 private:
  std::vector<Secret> forms_;  // the longest first: one may begin with another
};

}  // namespace holdshort
