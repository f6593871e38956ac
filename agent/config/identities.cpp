#include "agent/config/identities.h"

#include <optional>
#include <vector>

#include <fmt/format.h>

#include "agent/config/names.h"
#include "agent/config/sections.h"
#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "probes/kit/json.h"

namespace holdshort {
namespace {

// One piece of a login's body: text, or the variable that stands there.
struct Piece {
  std::string text;
  bool is_variable = false;
};

// "a${NAME}b$$" -> a, NAME, b$. Fails on what looks like a variable and is none.
Result<std::vector<Piece>> split_template(std::string_view body) {
  std::vector<Piece> pieces(1);
  while (!body.empty()) {
    if (body.starts_with("$$")) {
      pieces.back().text += '$';
      body.remove_prefix(2);
    } else if (body.starts_with("${")) {
      const std::size_t end = body.find('}');
      const std::string_view name = body.substr(2, end == std::string_view::npos ? 0 : end - 2);
      if (!ascii::is_variable_name(name)) return failure("expected ${NAME}, and $$ for a \"$\" before \"{\"");
      pieces.push_back({std::string(name), true});
      pieces.emplace_back();
      body.remove_prefix(end + 1);
    } else {
      pieces.back().text += body.front();
      body.remove_prefix(1);
    }
  }
  return pieces;
}

// As it stands inside a JSON string.
std::string json_escaped(std::string_view text) {
  const std::string quoted = json::quote(text);
  return quoted.substr(1, quoted.size() - 2);
}

class IdentityReader {
 public:
  IdentityReader(const Environment& environment, MissingSecret missing, Diagnostics& diagnostics)
      : environment_(environment), missing_(missing), diagnostics_(diagnostics) {}

  DeclaredIdentity read(const Node& table, const std::string& title) {
    title_ = title;
    const std::span<const Field> groups[] = {identity_fields()};
    const Values values = FieldReader(environment_, missing_, diagnostics_).read(table, title, groups);
    DeclaredIdentity declared;
    if (!has_one_kind(values, title) || !values.complete()) return declared;
    canonical_ = values.canonical();
    if (values.has("bearer")) declared.identity = bearer(values);
    if (const Values* basic_table = values.table("basic")) declared.identity = basic(*basic_table);
    if (const Values* key_table = values.table("api_key")) declared.identity = api_key(*key_table);
    if (const Values* cookie_table = values.table("cookie")) declared.identity = cookie(*cookie_table);
    if (const Values* jwt_table = values.table("jwt")) declared.identity = jwt(*jwt_table);
    if (const Values* login_table = values.table("login")) declared.identity = login(*login_table);
    declared.canonical = canonical_;
    return declared;
  }

 private:
  bool has_one_kind(const Values& values, const std::string& title) {
    std::vector<std::string_view> known, written;
    for (const Field& kind : identity_fields()) {
      known.push_back(kind.name);
      if (values.has(kind.name)) written.push_back(kind.name);
    }
    if (written.size() == 1) return true;
    if (written.empty() && values.complete())
      diagnostics_.error(values.table_place(),
                         fmt::format("{} says nothing of how to act, expected {}", title, one_of(known)));
    if (written.size() > 1)
      diagnostics_.error(values.place(written[1]),
                         fmt::format("{} has {} beside {}, expected exactly one of them", title,
                                     in_quotes(written[1]), in_quotes(written[0])));
    return false;
  }

  void report(const Values& values, std::string_view key, const std::string& message) {
    diagnostics_.error(values.place(key), in_quotes(key) + " " + message);
  }

  void check_token(const Values& values, std::string_view key, std::string_view what) {
    if (!ascii::is_token(values.string(key))) report(values, key, fmt::format("is no name of {}", what));
  }

  // What a header carries has no control character: a line break would begin another header.
  Secret header_secret(const Values& values, std::string_view key) {
    const std::optional<SecretValue> secret = values.secret(key);
    if (!secret) return Secret();
    if (ascii::has_control(secret->value.reveal()))
      report(values, key,
             "refers to a value with a line break or control character, which no header can carry");
    return secret->value;
  }

  Identity bearer(const Values& values) { return BearerIdentity{header_secret(values, "bearer")}; }

  Identity basic(const Values& values) {
    const std::string& user = values.string("user");
    if (user.find(':') != std::string::npos || ascii::has_control(user))  // RFC 7617 2
      report(values, "user", "has a colon or control character, which Basic cannot carry");
    const std::optional<SecretValue> password = values.secret("password");
    return BasicIdentity{user, password ? password->value : Secret()};
  }

  Identity api_key(const Values& values) {
    check_token(values, "header", "a header");
    return ApiKeyIdentity{values.string("header"), header_secret(values, "value")};
  }

  Identity cookie(const Values& values) {
    check_token(values, "name", "a cookie");
    Secret value = header_secret(values, "value");
    if (value.reveal().find(';') != std::string_view::npos)
      report(values, "value", "refers to a value with a semicolon, which ends a cookie");
    return CookieIdentity{values.string("name"), std::move(value)};
  }

  Identity jwt(const Values& values) {
    const std::string title = "\"jwt\" of " + title_;
    if (!jose::has_source(values))
      diagnostics_.error(
          values.table_place(),
          title + " has nothing to sign with, expected \"secret\", \"private_key\" or \"token\"");
    return JwtIdentity{jose::read_token_source(values, title, diagnostics_)};
  }

  Identity login(const Values& values) {
    LoginIdentity identity;
    identity.path = values.string("path");
    identity.token_pointer = values.string("token");
    if (identity.token_pointer.empty() || !json::is_pointer(identity.token_pointer))
      report(values, "token", "is no JSON pointer, expected one such as \"/access_token\"");
    const Result<std::vector<Piece>> pieces = split_template(values.string("body"));
    if (pieces) {
      fill_body(identity, values, *pieces);
    } else {
      report(values, "body", "has a \"${\" that is no variable; " + pieces.error().message);
    }
    return identity;
  }

  void fill_body(LoginIdentity& identity, const Values& values, const std::vector<Piece>& pieces) {
    std::string with_digits;  // a digit is right in a JSON string and in a number's place
    for (const Piece& piece : pieces) with_digits += piece.is_variable ? "0" : piece.text;
    const std::size_t start = with_digits.find_first_not_of(" \t\r\n");
    const bool is_structure =
        start != std::string::npos && (with_digits[start] == '{' || with_digits[start] == '[');
    identity.body_is_json = is_structure && json::is_json(with_digits);
    std::string body;
    bool all_found = true;
    for (const Piece& piece : pieces) {
      if (!piece.is_variable) {
        body += piece.text;
      } else if (const std::optional<std::string> value = variable(values, piece.text)) {
        identity.variables.emplace_back(*value);
        body += identity.body_is_json ? json_escaped(*value) : ascii::percent_encoded(*value);
      } else {
        all_found = false;
      }
    }
    if (!all_found) return;
    if (identity.body_is_json && !json::is_json(body))
      report(values, "body", "is no JSON once its variables are in it; put them in quotes: \"${NAME}\"");
    canonical_ += crypto::hex(crypto::sha256(body));
    identity.body = Secret(std::move(body));
  }

  std::optional<std::string> variable(const Values& values, const std::string& name) {
    std::optional<std::string> value = environment_.variable(name);
    if (value && !value->empty()) return value;
    const std::string message = fmt::format("\"body\" refers to the variable {}, which is {}",
                                            in_quotes(name), value ? "empty" : "not set");
    if (missing_ == MissingSecret::is_error) {
      diagnostics_.error(values.place("body"), message);
    } else {
      diagnostics_.warning(values.place("body"), message);
    }
    return std::nullopt;
  }

  const Environment& environment_;
  MissingSecret missing_;
  Diagnostics& diagnostics_;
  std::string title_;
  std::string canonical_;
};

}  // namespace

DeclaredIdentities read_identities(const Node* node, const Environment& environment, MissingSecret missing,
                                   Diagnostics& diagnostics) {
  DeclaredIdentities identities;
  if (!node) return identities;
  if (!node->table()) {
    diagnostics.error(node->place,
                      fmt::format("\"identities\" is {}, expected tables [identities.NAME]", node->kind()));
    return identities;
  }
  for (const Node::Entry& entry : *node->table()) {
    check_name(entry, "an identity", diagnostics);
    IdentityReader reader(environment, missing, diagnostics);
    identities.emplace(entry.key, reader.read(entry.node, table_title("identities", entry.key)));
  }
  return identities;
}

}  // namespace holdshort
