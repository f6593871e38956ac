// A value that must never be seen.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace holdshort {

// Holds a secret's value. The one way to the text is reveal(); the destructor wipes it; fmt prints "***".
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) noexcept;
  ~Secret();
  // Only into a request, a signature or a judgement of its strength. Never into a message.
  std::string_view reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

inline std::string_view format_as(const Secret&) { return "***"; }

// Where a secret comes from: { env = "NAME" } or { file = "PATH" }.
struct SecretRef {
  enum class Source { env, file };
  Source source = Source::env;
  std::string name;  // of the variable, or the path
  std::string text() const { return (source == Source::env ? "$" : "file ") + name; }
  bool operator==(const SecretRef&) const = default;
};

}  // namespace holdshort
