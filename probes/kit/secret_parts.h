// What of a value a guesser does not know: the password of a URL, not its host.
#pragma once

#include <string>
#include <string_view>

namespace holdshort {

struct Parts {
  enum class Shape {
    whole,     // the value itself is the secret
    password,  // of a URL or a connection string
    address,   // of a URL whose path or user is the secret: a webhook's, a DSN
  };
  Shape shape = Shape::whole;
  std::string secret;  // "" where a URL holds none
  std::string login;   // "user:password" of a URL, else ""
};

// Of "postgres://user:password@host/db", "https://hooks.slack.com/services/...", "Server=db;Password=...".
// Passwords are percent-decoded.
Parts parts_of(std::string_view value);

}  // namespace holdshort
