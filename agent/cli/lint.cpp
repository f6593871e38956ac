#include "agent/cli/lint.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "agent/config/config.h"
#include "agent/lint/lint.h"
#include "probes/kit/environment.h"
#include "probes/kit/text.h"

namespace holdshort {

namespace {

constexpr std::size_t kMaxBytes = 1024 * 1024;

}  // namespace

int run_lint(const std::string& file) {
  const std::string path = file.empty() ? "fly.toml" : file;
  const SystemEnvironment environment;
  const Result<std::string> text = environment.read_file(path, kMaxBytes);
  if (!text) {
    fmt::print(stderr, "{}: error: cannot be read: {}; name another file with --fly-toml\n", path,
               text.error().message);
    return 2;
  }
  const std::string beside = (std::filesystem::path(path).parent_path() / "holdshort.toml").string();
  const Result<std::string> ours = environment.read_file(beside, kMaxBytes);
  const std::optional<lint::Companion> companion = ours ? lint::read_companion(*ours) : std::nullopt;

  const Diagnostics findings = lint::judge(*text, companion);
  const std::vector<Diagnostic> sorted = findings.sorted();
  for (const Diagnostic& finding : sorted) fmt::print(stderr, "{}\n", holdshort::format(path, finding));
  if (findings.has_errors()) return 1;
  fmt::print("{}: no errors, {}{}\n", path, counted(sorted.size(), "warning"),
             companion ? ", judged with " + beside : "");
  return 0;
}

}  // namespace holdshort
