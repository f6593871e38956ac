// Words that people make secrets of. What is in here costs a guesser little; what is not costs him its
// letters.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace holdshort {

struct Word {
  enum class Rank : std::uint8_t {
    naming,    // says what the secret is: "secret", "key", "your"
    frequent,  // tried first
    ordinary,  // the rest of a passphrase's vocabulary
  };
  std::string_view text;  // lower case; a few have digits
  Rank rank = Rank::ordinary;
};

// Sorted by text, each once. Made when first asked for; never changes.
const std::vector<Word>& dictionary();

}  // namespace holdshort
