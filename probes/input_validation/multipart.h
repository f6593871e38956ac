// Bodies of multipart/form-data (RFC 7578), taken apart into parts and put together again, byte for byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdshort::input_validation {

struct Part {
  std::string name;
  std::optional<std::string> filename;  // a file's
  std::string headers;                  // the others, each with its CRLF
  std::string content;

  bool is_file() const { return filename.has_value(); }
};

// The boundary that a Content-Type names (RFC 2046 5.1.1); "" where it names none.
std::string boundary_of(std::string_view content_type);
// Line ends as a multipart body must have them: where it has no CR at all, as TOML's texts of several lines,
// each LF becomes CRLF.
std::string with_crlf(std::string body);
// nullopt where `body` is none with this boundary, has a part without a name, or none at all.
std::optional<std::vector<Part>> parts_of(std::string_view body, std::string_view boundary);
std::string multipart_of(const std::vector<Part>& parts, std::string_view boundary);

}  // namespace holdshort::input_validation
