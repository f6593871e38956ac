#include "probes/kit/entropy.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "probes/kit/dictionary.h"

namespace holdshort {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// Prices in bits, each with the choice of this kind of part.
constexpr double kSwitch = 4;  // to a class of characters, out of eleven
constexpr double kFrequentWord = 8;
constexpr double kOrdinaryWord = 12.4;
constexpr double kSuffix = 3;
constexpr double kYear = 7;
constexpr double kRun = 10;            // where it starts and which way it goes
constexpr double kRow = 11;            // the same, of the keyboard's rows
constexpr double kCopy = 2;            // without how far back and how long
constexpr double kFirstSeparator = 5;  // which one
constexpr double kSeparator = 1.5;     // the same again

constexpr std::size_t kMinRun = 3;
constexpr std::size_t kMinRow = 4;
constexpr std::size_t kMinCopy = 3;
constexpr int kMaxDecodings = 3;
constexpr std::size_t kMinDecodedBytes = 4;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_separator(char c) { return std::string_view("-_. :").find(c) != std::string_view::npos; }

struct CharacterClass {
  double bits;
  bool (*has)(char);
};
constexpr std::array kClasses{
    CharacterClass{3.32, ascii::is_digit},
    CharacterClass{4.00, [](char c) { return ascii::is_digit(c) || (c >= 'a' && c <= 'f'); }},
    CharacterClass{4.00, [](char c) { return ascii::is_digit(c) || (c >= 'A' && c <= 'F'); }},
    CharacterClass{4.70, is_lower},
    CharacterClass{4.70, is_upper},
    CharacterClass{5.17, [](char c) { return ascii::is_digit(c) || is_lower(c); }},
    CharacterClass{5.17, [](char c) { return ascii::is_digit(c) || is_upper(c); }},
    CharacterClass{5.95, [](char c) { return ascii::is_digit(c) || ascii::is_letter(c); }},
    CharacterClass{
        6.00,
        [](char c) { return ascii::is_digit(c) || ascii::is_letter(c) || c == '+' || c == '/' || c == '='; }},
    CharacterClass{6.57, [](char c) { return c == ' ' || ascii::is_visible(c); }},
    CharacterClass{8.00, [](char) { return true; }},
};

constexpr std::string_view kRows[] = {
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "qwertzuiop",
    "!@#$%^&*()",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
};

constexpr std::string_view kSuffixes[] = {"s", "es", "d", "ed", "r", "er", "ers", "ing", "ly"};

// Letters that a digit or a sign is written for.
constexpr std::string_view letters_for(char c) {
  switch (c) {
    case '0':
      return "o";
    case '1':
    case '!':
      return "il";
    case '3':
      return "e";
    case '4':
    case '@':
      return "a";
    case '5':
    case '$':
      return "s";
    case '7':
      return "t";
    default:
      return "";
  }
}

// Of a text, by the cheapest way to write it: dynamic programming over its positions.
class Description {
 public:
  explicit Description(std::string_view text)
      : text_(text), price_(text.size() + 1, kNever), parts_(text.size() + 1) {
    price_[0] = 0;
    copies_ = longest_copies();
    for (std::size_t at = 0; at < text_.size(); ++at) {
      close_characters(at);
      add_word_parts(at);
      add_year(at);
      add_run(at);
      add_rows(at);
      add_copies(at);
      add_separator(at);
      add_character(at);
    }
    close_characters(text_.size());
  }

  double bits() const { return std::min(price_.back(), bits_in_own_alphabet()); }
  bool is_prose() const;

 private:
  enum class Kind { characters, word, copy, other, separator };
  struct Part {
    std::size_t start = 0;
    Kind kind = Kind::characters;
    const Word* word = nullptr;
  };
  // Characters of one class under way.
  struct Open {
    double price = kNever;
    std::size_t start = 0;
  };

  void offer(std::size_t end, double price, Part part) {
    if (price >= price_[end]) return;
    price_[end] = price;
    parts_[end] = part;
  }

  void close_characters(std::size_t at) {
    for (const Open& open : open_) offer(at, open.price, {open.start, Kind::characters, nullptr});
  }

  void add_character(std::size_t at) {
    const double switched = price_[at] + (at == 0 ? 0 : kSwitch);
    for (std::size_t i = 0; i < kClasses.size(); ++i) {
      Open& open = open_[i];
      if (!kClasses[i].has(text_[at])) {
        // One between characters of a class changes nothing: the dashes of a UUID.
        open.price += is_separator(text_[at]) ? separator_price(at) : kNever;
        continue;
      }
      if (switched < open.price) open = {switched, at};
      open.price += kClasses[i].bits;
    }
  }

  double separator_price(std::size_t at) const {
    return text_.substr(0, at).find(text_[at]) == text_.npos ? kFirstSeparator : kSeparator;
  }
  void add_separator(std::size_t at) {
    if (is_separator(text_[at]))
      offer(at + 1, price_[at] + separator_price(at), {at, Kind::separator, nullptr});
  }

  void add_word_parts(std::size_t at) { add_words(at, 0, 0, dictionary().size(), 0); }
  // Words [low, high) of the dictionary begin like the `length` characters at `at`, `disguised` of them as
  // digits or signs.
  void add_words(std::size_t at, std::size_t length, std::size_t low, std::size_t high, int disguised) {
    const std::vector<Word>& words = dictionary();
    if (low < high && length > 0 && words[low].text.size() == length) offer_word(at, words[low++], disguised);
    if (low == high || at + length == text_.size()) return;
    const auto go_on = [&](char next, int disguise) {
      const auto first = words.begin() + static_cast<std::ptrdiff_t>(low);
      const auto last = words.begin() + static_cast<std::ptrdiff_t>(high);
      const auto begin =
          std::partition_point(first, last, [&](const Word& word) { return word.text[length] < next; });
      const auto end =
          std::partition_point(begin, last, [&](const Word& word) { return word.text[length] == next; });
      if (begin == end) return;
      add_words(at, length + 1, static_cast<std::size_t>(begin - words.begin()),
                static_cast<std::size_t>(end - words.begin()), disguised + disguise);
    };
    const char c = text_[at + length];
    go_on(ascii::to_lower(c), 0);
    for (const char letter : letters_for(c)) go_on(letter, 1);
  }
  void offer_word(std::size_t at, const Word& word, int disguised) {
    const double rank = word.rank == Word::Rank::ordinary ? kOrdinaryWord : kFrequentWord;
    const double price = price_[at] + rank + disguised + case_price(text_.substr(at, word.text.size()));
    const Part part{at, Kind::word, &word};
    const std::size_t end = at + word.text.size();
    offer(end, price, part);
    for (const std::string_view suffix : kSuffixes)
      if (text_.substr(end).starts_with(suffix)) offer(end + suffix.size(), price + kSuffix, part);
  }
  // "word" is free, "Word" and "WORD" are the next to be tried, "wOrD" is any of them.
  static double case_price(std::string_view word) {
    const auto upper = std::count_if(word.begin(), word.end(), is_upper);
    if (upper == 0) return 0;
    if (std::none_of(word.begin(), word.end(), is_lower) || (upper == 1 && is_upper(word.front()))) return 1;
    return static_cast<double>(word.size());
  }

  void add_year(std::size_t at) {
    const std::string_view year = text_.substr(at, 4);
    if (year.size() < 4 || !ascii::is_made_of(year, ascii::is_digit)) return;
    if (year >= "1950" && year <= "2049") offer(at + 4, price_[at] + kYear, {at, Kind::other, nullptr});
  }

  // abcdef, 654321, zzzzzz, bytes that count up.
  void add_run(std::size_t at) {
    const auto step = [&](std::size_t i) {
      return static_cast<unsigned char>(text_[i]) - static_cast<unsigned char>(text_[i - 1]);
    };
    if (at + kMinRun > text_.size() || std::abs(step(at + 1)) > 1) return;
    for (std::size_t end = at + 2; end <= text_.size() && step(end - 1) == step(at + 1); ++end)
      if (end - at >= kMinRun)
        offer(end, price_[at] + kRun + length_price(end - at), {at, Kind::other, nullptr});
  }

  void add_rows(std::size_t at) {
    if (at + kMinRow > text_.size()) return;
    for (const std::string_view row : kRows) {
      add_row(at, row.begin(), row.end());
      add_row(at, row.rbegin(), row.rend());
    }
  }
  template <class Iterator>
  void add_row(std::size_t at, Iterator begin, Iterator end) {
    Iterator key = std::find(begin, end, ascii::to_lower(text_[at]));
    std::size_t length = 0;
    for (; key != end && at + length < text_.size() && *key == ascii::to_lower(text_[at + length]); ++key)
      ++length;
    if (length < kMinRow) return;
    const double price = kRow + length_price(length) + case_price(text_.substr(at, length));
    offer(at + length, price_[at] + price, {at, Kind::other, nullptr});
  }

  // Of what came before, also of what it goes on to write itself: "aaaa" is an "a" and a copy from one back.
  void add_copies(std::size_t at) {
    for (std::size_t length = kMinCopy; length <= copies_[at]; ++length) {
      const double price = kCopy + std::log2(static_cast<double>(at)) + 2 * length_price(length);
      offer(at + length, price_[at] + price, {at, Kind::copy, nullptr});
    }
  }
  std::vector<std::size_t> longest_copies() const {
    const std::size_t size = text_.size();
    std::vector<std::size_t> longest(size, 0), common(size + 1, 0);
    for (std::size_t at = size; at-- > 0;) {
      // common[from]: how far the text at `from` and at `at` agree. from < at: the row of at + 1 is still
      // there.
      for (std::size_t from = 0; from < at; ++from) {
        common[from] = text_[from] == text_[at] ? common[from + 1] + 1 : 0;
        longest[at] = std::max(longest[at], common[from]);
      }
      common[at] = 0;
    }
    return longest;
  }
  static double length_price(std::size_t length) { return std::log2(static_cast<double>(length)) + 1; }

  // Which characters there are, then one of them each time: what is made of few is worth little.
  double bits_in_own_alphabet() const {
    constexpr double kPrintable = 95, kBytes = 256;
    std::bitset<256> seen;
    for (const char c : text_) seen.set(static_cast<unsigned char>(c));
    const bool is_text =
        std::all_of(text_.begin(), text_.end(), [](char c) { return c == ' ' || ascii::is_visible(c); });
    const auto count = static_cast<double>(seen.count());
    const double which = count * std::log2(2 * (is_text ? kPrintable : kBytes) / std::max(count, 1.0));
    return which + static_cast<double>(text_.size()) * std::log2(std::max(count, 1.0));
  }

  std::string_view text_;
  std::vector<double> price_;  // of the text before a position
  std::vector<Part> parts_;    // the last part of that
  std::array<Open, kClasses.size()> open_{};
  std::vector<std::size_t> copies_;  // the longest that begins at a position
};

bool Description::is_prose() const {
  constexpr double kMostly = 0.8;
  std::set<const Word*> naming;
  std::size_t words = 0, familiar = 0, in_words = 0, in_all = 0;
  for (std::size_t end = text_.size(); end > 0; end = parts_[end].start) {
    const Part& part = parts_[end];
    if (part.kind == Kind::separator) continue;
    const std::size_t size = end - part.start;
    in_all += size;
    if (part.kind == Kind::word || part.kind == Kind::copy) in_words += size;
    if (!part.word) continue;
    ++words;
    if (part.word->rank != Word::Rank::ordinary) ++familiar;
    if (part.word->rank == Word::Rank::naming) naming.insert(part.word);
  }
  if (static_cast<double>(in_words) < kMostly * static_cast<double>(in_all)) return false;
  // "stripe-webhook-secret-key": a quarter and more says what it is.
  if (naming.size() >= 2 && 4 * naming.size() >= words) return true;
  // "this is a very long secret key": where the words are drawn by lot, one in fifty is as familiar.
  const std::size_t quarters = naming.empty() ? 3 : 2;
  return words >= 4 && 4 * familiar >= quarters * words;
}

// What says whose token it is, and is no secret.
constexpr std::string_view kPrefixes[] = {
    "sk_live_",  "sk_test_",      "pk_live_",
    "pk_test_",  "rk_live_",      "rk_test_",
    "rzp_live_", "rzp_test_",     "whsec_",
    "ghp_",      "gho_",          "ghu_",
    "ghs_",      "ghr_",          "github_pat_",
    "glpat-",    "xoxb-",         "xoxp-",
    "xoxa-",     "SG.",           "AKIA",
    "ASIA",      "AIza",          "npm_",
    "pypi-",     "hf_",           "dop_v1_",
    "fo1_",      "fm1r_",         "fm1a_",
    "fm2_",      "shpat_",        "shpss_",
    "sk-proj-",  "sk-ant-api03-", "sk-",
    "key-",      "re_",           "AGE-SECRET-KEY-1",
    "base64:",   "hex:",          "0x",
};
std::string_view without_prefix(std::string_view text) {
  for (const std::string_view prefix : kPrefixes)
    if (text.starts_with(prefix)) return text.substr(prefix.size());
  return text;
}

// The signature of a JSON Web Token: its header and claims are known to many.
std::string_view without_claims(std::string_view text) {
  const std::size_t last = text.rfind('.');
  const bool is_jwt = text.starts_with("eyJ") && std::count(text.begin(), text.end(), '.') == 2;
  return is_jwt && last + 1 < text.size() ? text.substr(last + 1) : text;
}

// The 32 hex digits of 8-4-4-4-12.
std::optional<std::string> digits_of_uuid(std::string_view text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return std::nullopt;
    if (!dash) digits += text[i];
  }
  if (digits.size() != 32 || !crypto::decode_hex(digits)) return std::nullopt;
  return digits;
}

Strength stronger_by(Strength strength, double bits) {
  strength.bits = std::max(strength.bits + bits, 0.0);
  return strength;
}

// Two texts that take turns: "a1b2c3d4e5", "00112233445566".
double bits_in_turns(std::string_view text) {
  std::string turns[2];
  for (std::size_t i = 0; i < text.size(); ++i) turns[i % 2] += text[i];
  return Description(turns[0]).bits() + Description(turns[1]).bits();
}

Strength judge(std::string_view text, int decodings) {
  constexpr double kVersionAndVariant = 6;  // RFC 9562 4
  if (const auto digits = digits_of_uuid(text))
    return stronger_by(judge(*digits, decodings), -kVersionAndVariant);
  const std::string_view judged = text.substr(0, kMaxJudgedBytes);
  const Description description(judged);
  Strength strength{std::min(description.bits(), bits_in_turns(judged)), description.is_prose()};
  // Digits alone are a number, though every second one would be readable as hex.
  if (decodings == kMaxDecodings || ascii::is_made_of(judged, ascii::is_digit)) return strength;
  for (const auto& decoded : {crypto::decode_hex(text), crypto::decode_base64(text)}) {
    if (!decoded || decoded->size() < kMinDecodedBytes) continue;
    const Strength inner = judge(*decoded, decodings + 1);
    strength.bits = std::min(strength.bits, inner.bits);
    strength.is_prose = strength.is_prose || inner.is_prose;
  }
  return strength;
}

}  // namespace

Strength strength_of(std::string_view text) { return judge(without_claims(without_prefix(text)), 0); }

}  // namespace holdshort
