// How the code says "this did not work" where the caller is expected to deal with it.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace holdshort {

// For humans, one line, without a trailing full stop. Never quotes a secret.
struct Error {
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(std::string message) {
  return tl::unexpected(Error{std::move(message)});
}

}  // namespace holdshort
