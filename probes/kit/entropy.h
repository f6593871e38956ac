// How hard a secret is to guess. Shannon's entropy per character cannot say: "0123456789abcdef" has more of
// it than most random hex. What counts is the shortest description of the text in terms that a guesser tries:
// characters of a class, words, runs, keyboard rows, years, copies of what came before; or of what it decodes
// to, if that is shorter. A random value cannot be described k bits below its own entropy but with a chance
// of about 2^-k, so a threshold well below it raises no false alarm.
#pragma once

#include <cstddef>
#include <string_view>

namespace holdshort {

struct Strength {
  double bits = 0;
  // Made of words as people write them, about secrets or in sentences: "my-super-secret-jwt-key". No
  // generator does.
  bool is_prose = false;
};

// Of a value as it stands: base64, hex, UUID, JWT and the well-known prefixes of tokens are seen through.
// Only the first kMaxJudgedBytes count: more text can only add to the bits.
Strength strength_of(std::string_view text);

inline constexpr std::size_t kMaxJudgedBytes = 1024;

}  // namespace holdshort
