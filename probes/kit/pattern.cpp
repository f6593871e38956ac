#include "probes/kit/pattern.h"

#include <mutex>

#include <re2/re2.h>

#include "probes/kit/text.h"

namespace holdshort {
namespace {

// Memory for a pattern's program and the states it meets; beyond it RE2 refuses the pattern, or matches more
// slowly.
constexpr std::int64_t kMaxMemoryBytes = 1 << 20;

RE2::Options options(RE2::Options::Encoding encoding) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemoryBytes);
  options.set_encoding(encoding);
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(std::string_view text)
      : source(text), utf8(piece(text), options(RE2::Options::EncodingUTF8)) {}

  const RE2& fit_for(std::string_view subject) const {
    if (is_utf8(subject)) return utf8;
    std::call_once(once,
                   [this] { latin1 = std::make_unique<RE2>(source, options(RE2::Options::EncodingLatin1)); });
    return latin1->ok() ? *latin1 : utf8;
  }

  const std::string source;
  const RE2 utf8;
  // Rarely needed, so made when it first is.
  mutable std::once_flag once;
  mutable std::unique_ptr<RE2> latin1;
};

Result<Pattern> Pattern::compile(std::string_view source) {
  auto compiled = std::make_shared<Compiled>(source);
  if (!compiled->utf8.ok()) {
    // RE2 says "what is wrong: where in the pattern"; the pattern is not quoted, it may hold what must not be
    // seen.
    const std::string& error = compiled->utf8.error();
    return failure(error.substr(0, error.find(':')));
  }
  return Pattern(std::move(compiled));
}

bool Pattern::found_in(std::string_view subject) const {
  return RE2::PartialMatch(piece(subject), compiled_->fit_for(subject));
}

std::vector<std::string> Pattern::match(std::string_view subject) const {
  const RE2& pattern = compiled_->fit_for(subject);
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(pattern.NumberOfCapturingGroups()) + 1);
  const bool found = pattern.Match(piece(subject), 0, subject.size(), RE2::UNANCHORED, groups.data(),
                                   static_cast<int>(groups.size()));
  std::vector<std::string> texts;
  if (!found) return texts;
  for (const re2::StringPiece& group : groups)
    texts.emplace_back(group.data() ? std::string(group) : std::string());
  return texts;
}

const std::string& Pattern::source() const { return compiled_->source; }

}  // namespace holdshort
