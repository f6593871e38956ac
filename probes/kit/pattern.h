// Regular expressions from users and data: RE2, so that no pattern and no body can make a match take long.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/result.h"

namespace re2 {
class RE2;
}

namespace holdshort {

// A compiled pattern; copies share it. Invalid UTF-8 in the subject is matched as Latin-1, never refused.
class Pattern {
 public:
  [[nodiscard]] static Result<Pattern> compile(std::string_view source);
  // Anywhere in `subject`.
  bool found_in(std::string_view subject) const;
  // The text of the whole match and of each group of the first match; empty where there is none.
  std::vector<std::string> match(std::string_view subject) const;
  const std::string& source() const;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace holdshort
