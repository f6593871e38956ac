// Finds secrets where they do not belong, in every form in which they may be written.
//
// All answers to all probes go through it. One memmem for each form: three secrets of 13 forms cost 3 us for
// 2 KiB and 0.1 ms for 64 KiB. RE2::Set took three quarters of that, std::string_view::find three times it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/http.h"
#include "probes/kit/secret.h"
#include "probes/kit/written_forms.h"

namespace holdshort {

struct KnownSecret {
  // Of a value that is a URL its password alone counts too: it gives enough away.
  static KnownSecret of(std::string name, std::string_view value);
  std::string name;           // "$JWT_SECRET"
  std::vector<Secret> forms;  // each of at least kMinSearchedBytes; none: too short to be told from any text
};

class SecretFinder {
 public:
  SecretFinder() = default;
  explicit SecretFinder(std::vector<KnownSecret> secrets) : secrets_(std::move(secrets)) {}
  const std::vector<KnownSecret>& secrets() const { return secrets_; }
  bool looks_for_nothing() const;

  struct Hit {
    std::size_t secret;  // index into secrets()
    std::string where;   // "body", "header X-Debug"
  };
  // Each secret once, where it stands first: in the body, else in a header.
  std::vector<Hit> in(const Response& response) const;
  // The secrets that a caller sends along, wherever.
  std::vector<std::size_t> in(const Request& request) const;
  std::vector<std::size_t> in(std::string_view text) const;

 private:
  void search(std::string_view text, std::vector<std::size_t>& found) const;
  std::vector<KnownSecret> secrets_;
};

}  // namespace holdshort
