// Paths that must not answer, each with what its body looks like where it does: a path that merely answers
// 200 is a start page, an error page, or somebody's own page of that name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "probes/kit/http.h"

namespace holdshort::exposure {

enum class Severity {
  critical,  // credentials, source code, or a way in
  high,
  medium,
  low,
  info,  // never a finding: asked for only because a declared secret may stand in it
};

struct Row {
  std::string_view id;    // of its check, shared by paths of a kind: "exposure.git"
  std::string_view path;  // byte for byte as it is sent
  enum class Type { any, not_html, html, json, plain } type = Type::any;
  // How the body is told: a pattern (RE2) that it has, the bytes that it begins with, or two and more lines
  // NAME=value.
  enum class Told { by_pattern, by_beginning, by_assignments } told = Told::by_pattern;
  std::string_view signature = {};
  std::string_view shows = {};  // "an environment file"
  Severity severity = Severity::critical;
  // everywhere: told so surely that a declared path with this content fails too.
  enum class Reach { here, everywhere } reach = Reach::here;
  // Dumps are large: their first bytes are asked for, and tell.
  enum class Part { whole, beginning } part = Part::whole;
};

// The worst first.
std::span<const Row> catalogue();

// Whether `response` (200 or 206) shows what `row` is about. `target` is taken out of the body first: a page
// that repeats what was asked for shows nothing.
bool shows(const Row& row, const Response& response, std::string_view target);

}  // namespace holdshort::exposure
