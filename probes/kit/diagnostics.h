// Everything that is wrong with a configuration, collected so that it can be reported in one go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/node.h"

namespace holdshort {

struct Diagnostic {
  enum class Level { error, warning };
  Level level = Level::error;
  Place place;
  std::string message;  // which key, what was expected, what to write instead. Quotes no secret.
};

class Diagnostics {
 public:
  void error(Place place, std::string message);
  void warning(Place place, std::string message);
  bool has_errors() const;
  // In the file's order, each once: a fault in [defaults] meets every probe.
  std::vector<Diagnostic> sorted() const;

 private:
  std::vector<Diagnostic> all_;
};

// "; did you mean \"interval\"?" where one of `known` is close to `word`, else "".
std::string suggestion(std::string_view word, const std::vector<std::string_view>& known);
// A key's or a thing's name in quotes: on one line and cut where it is long. Not for values: they may be
// secret.
std::string in_quotes(std::string_view name);
// For messages: "a", "b" or "c".
std::string one_of(const std::vector<std::string_view>& words);

}  // namespace holdshort
