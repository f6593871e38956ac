#include "probes/kit/diagnostics.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "probes/kit/ascii.h"

namespace holdshort {
namespace {

// Of a name that is quoted in a message: enough to find it, not enough to flood a log.
constexpr std::size_t kMaxQuoted = 64;
// A word longer than this is nobody's slip of the finger.
constexpr std::size_t kMaxWord = 64;

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last, last(b.size() + 1), current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], before_last[j - 2] + 1);
    }
    before_last = last;
    std::swap(last, current);
  }
  return last[b.size()];
}

bool same_place(const Diagnostic& a, const Diagnostic& b) {
  return a.place.line == b.place.line && a.place.column == b.place.column;
}

}  // namespace

void Diagnostics::error(Place place, std::string message) {
  all_.push_back({Diagnostic::Level::error, place, std::move(message)});
}

void Diagnostics::warning(Place place, std::string message) {
  all_.push_back({Diagnostic::Level::warning, place, std::move(message)});
}

bool Diagnostics::has_errors() const {
  return std::any_of(all_.begin(), all_.end(),
                     [](const Diagnostic& d) { return d.level == Diagnostic::Level::error; });
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> sorted = all_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  std::vector<Diagnostic> unique;
  for (Diagnostic& diagnostic : sorted) {
    bool is_repeat = false;
    for (auto it = unique.rbegin(); it != unique.rend() && same_place(*it, diagnostic) && !is_repeat; ++it)
      is_repeat = it->level == diagnostic.level && it->message == diagnostic.message;
    if (!is_repeat) unique.push_back(std::move(diagnostic));
  }
  return unique;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.size() > kMaxWord) return "";
  const std::string typed = ascii::lowered(word);
  std::string_view nearest;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(typed, ascii::lowered(candidate));
    const std::size_t tolerated = std::max<std::size_t>(1, std::min(typed.size(), candidate.size()) / 4);
    if (distance <= tolerated && distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest.empty() ? "" : "; did you mean " + in_quotes(nearest) + "?";
}

std::string in_quotes(std::string_view name) {
  std::string text = "\"";
  std::size_t shown = std::min(name.size(), kMaxQuoted);
  while (shown < name.size() && shown > 0 && (static_cast<unsigned char>(name[shown]) & 0xC0u) == 0x80u)
    --shown;
  for (const char c : name.substr(0, shown)) {
    if (ascii::is_control(c)) {
      text += '?';
    } else {
      text += c;
    }
  }
  return text + (shown < name.size() ? "...\"" : "\"");
}

std::string one_of(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += in_quotes(words[i]);
  }
  return text;
}

}  // namespace holdshort
