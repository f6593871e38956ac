#include "probes/input_validation/multipart.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/kit/ascii.h"

namespace holdshort::input_validation {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

// The value of a parameter in "form-data; name=\"photo\"; filename=\"a.png\"": quotes off, escapes kept.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  const std::string low = ascii::lowered(header);
  for (std::size_t at = low.find(name); at != std::string::npos; at = low.find(name, at + 1)) {
    const std::size_t value = at + name.size() + 1;
    const bool begins = at > 0 && (low[at - 1] == ' ' || low[at - 1] == ';' || low[at - 1] == '\t');
    if (!begins || value > low.size() || low[value - 1] != '=') continue;
    const bool quoted = header.substr(value).starts_with('"');
    const std::size_t start = value + quoted;
    const std::size_t end =
        std::min(quoted ? header.find('"', start) : header.find_first_of("; \t\r", start), header.size());
    return std::string(header.substr(start, end - start));
  }
  return std::nullopt;
}

// The head is as it stands before the empty line, with its last CRLF.
std::optional<Part> part_of(std::string_view head, std::string_view content) {
  Part part;
  bool named = false;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find(kLineEnd), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + kLineEnd.size(), head.size()));
    if (!ascii::lowered(line).starts_with("content-disposition:")) {
      part.headers += fmt::format("{}{}", line, kLineEnd);
      continue;
    }
    const std::optional<std::string> name = parameter(line, "name");
    if (!name) return std::nullopt;
    part.name = *name;
    part.filename = parameter(line, "filename");
    named = true;
  }
  part.content = content;
  return named ? std::optional(std::move(part)) : std::nullopt;
}

}  // namespace

std::string boundary_of(std::string_view content_type) {
  return parameter(content_type, "boundary").value_or("");
}

std::string with_crlf(std::string body) {
  if (body.find('\r') != std::string::npos) return body;
  std::string lines;
  for (const char c : body) {
    if (c == '\n') lines += '\r';
    lines += c;
  }
  return lines;
}

std::optional<std::vector<Part>> parts_of(std::string_view body, std::string_view boundary) {
  if (boundary.empty()) return std::nullopt;
  const std::string delimiter = fmt::format("--{}", boundary), between = fmt::format("\r\n{}", delimiter);
  std::vector<Part> parts;
  if (!body.starts_with(delimiter)) return std::nullopt;
  body.remove_prefix(delimiter.size());
  while (body.starts_with(kLineEnd)) {
    body.remove_prefix(kLineEnd.size());
    const std::size_t empty_line = body.find("\r\n\r\n");
    const std::size_t end = body.find(between, empty_line == body.npos ? 0 : empty_line + kLineEnd.size());
    if (empty_line == body.npos || end == body.npos) return std::nullopt;
    const std::size_t content = std::min(empty_line + 2 * kLineEnd.size(), end);
    std::optional<Part> part =
        part_of(body.substr(0, empty_line + kLineEnd.size()), body.substr(content, end - content));
    if (!part) return std::nullopt;
    parts.push_back(std::move(*part));
    body.remove_prefix(end + between.size());
  }
  return body.starts_with("--") && !parts.empty() ? std::optional(std::move(parts)) : std::nullopt;
}

std::string multipart_of(const std::vector<Part>& parts, std::string_view boundary) {
  std::string body;
  for (const Part& part : parts) {
    body += fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"", boundary, part.name);
    if (part.filename) body += fmt::format("; filename=\"{}\"", *part.filename);
    body += fmt::format("\r\n{}\r\n{}\r\n", part.headers, part.content);
  }
  return body + fmt::format("--{}--\r\n", boundary);
}

}  // namespace holdshort::input_validation
