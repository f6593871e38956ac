// Secrets in plain text: [env] stands in the repository and in every image of the configuration, and whoever
// may read the app's configuration reads it.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "agent/lint/rules.h"
#include "probes/kit/ascii.h"
#include "probes/kit/entropy.h"
#include "probes/kit/secret_parts.h"
#include "probes/kit/wordlists.h"

namespace holdshort::lint {

namespace {

// Last words of names whose values are secret.
constexpr std::string_view kSecretWords[] = {"KEY", "SECRET",     "TOKEN",       "PASSWORD", "PASSWD", "PASS",
                                             "PWD", "PASSPHRASE", "CREDENTIALS", "PEPPER",   "APIKEY"};
constexpr std::string_view kSecretNames[] = {"SECRET_KEY_BASE"};
// Names that say their value is for everybody, and prefixes of what a build puts into the page.
constexpr std::string_view kPublicMarks[] = {"PUBLIC", "PUBLISHABLE", "ANON"};
constexpr std::string_view kPublicPrefixes[] = {"VITE_", "REACT_APP_", "GATSBY_", "VUE_APP_"};
// What is issued to be kept: whatever the name, whoever has it may use it.
constexpr std::string_view kIssued[] = {
    "sk_live_", "rk_live_", "sk_test_", "ghp_",     "gho_", "ghs_",   "github_pat_", "glpat-",
    "xoxb-",    "xoxp-",    "xapp-",    "SG.",      "npm_", "FlyV1 ", "fo1_",        "fm2_",
    "dop_v1_",  "shpat_",   "sk-ant-",  "sk-proj-", "hvs.", "whsec_", "pypi-",       "re_live_"};
constexpr std::size_t kShortestIssued = 20;  // with its prefix
constexpr std::size_t kShortestSecret = 16;
constexpr double kSecretBits = 64;

bool ends_with_word(std::string_view name, std::string_view word) {
  return name == word || (name.ends_with(word) && name[name.size() - word.size() - 1] == '_');
}

bool is_of_a_secret(std::string_view name) {
  const auto found_in = [&](const auto& list, auto test) {
    return std::any_of(std::begin(list), std::end(list), test);
  };
  if (found_in(kPublicMarks,
               [&](std::string_view mark) { return name.find(mark) != std::string_view::npos; }) ||
      found_in(kPublicPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); }))
    return false;
  return found_in(kSecretNames, [&](std::string_view known) { return name == known; }) ||
         found_in(kSecretWords, [&](std::string_view word) { return ends_with_word(name, word); });
}

bool is_password(std::string_view name) {
  return ends_with_word(name, "PASSWORD") || ends_with_word(name, "PASSWD") ||
         ends_with_word(name, "PASSPHRASE");
}

// A switch, a number, a path, a reference: no secret, whatever the name.
bool is_plain(std::string_view value) {
  static constexpr std::string_view kSwitches[] = {"true", "false", "yes", "no", "on", "off", "none", "null"};
  const std::string lowered = ascii::lowered(value);
  return value.empty() ||
         std::find(std::begin(kSwitches), std::end(kSwitches), lowered) != std::end(kSwitches) ||
         std::all_of(value.begin(), value.end(), ascii::is_digit) || value.starts_with('/') ||
         value.starts_with("./") || value.starts_with("file:") || value.starts_with('$') ||
         value.starts_with("{{");
}

// "created_at", "tenant:orders": a KEY may be one of a table or a cache.
bool is_identifier(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || std::string_view("_-.:/").find(c) != std::string_view::npos;
  });
}

// What the value gives away; "" where that is nothing. Never quotes it.
std::string reason(std::string_view name, std::string_view value) {
  if (value.find("-----BEGIN") != std::string_view::npos &&
      value.find("PRIVATE KEY") != std::string_view::npos)
    return "holds a private key";
  const bool is_issued = std::any_of(std::begin(kIssued), std::end(kIssued),
                                     [&](std::string_view prefix) { return value.starts_with(prefix); });
  if (is_issued && value.size() >= kShortestIssued)
    return "holds a secret: its prefix is that of an access token";
  const Parts parts = parts_of(value);
  if (parts.shape == Parts::Shape::password && !parts.secret.empty()) return "holds a URL with a password";
  if (!is_of_a_secret(name) || is_plain(value)) return "";
  if (parts.shape != Parts::Shape::whole) return "";
  if (const auto why = placeholder_reason(value, name))
    return fmt::format("holds a placeholder (it {})", *why);
  if (is_published(value)) return "holds a key that everybody can look up";
  if (ends_with_word(name, "KEY") && is_identifier(value)) return "";
  const Strength strength = strength_of(value);
  if (value.size() >= kShortestSecret && strength.bits >= kSecretBits && !strength.is_prose)
    return "holds a secret";
  return is_password(name) ? "holds a password" : "";
}

void judge_table(const Node& table, std::string_view title, Diagnostics& findings) {
  for (const Node::Entry& entry : *table.table()) {
    const auto* value = std::get_if<std::string>(&entry.node.value);
    if (!value) continue;
    const std::string why = reason(entry.key, *value);
    if (why.empty()) continue;
    const std::string_view remedy = title == "[env]" ? "; remove it and run: fly secrets set {0}=..."
                                                     : " and stays in the image; pass it with --build-secret";
    findings.error(entry.place, fmt::format("{} in {} {}{}", in_quotes(entry.key), title, why,
                                            fmt::format(fmt::runtime(remedy), entry.key)));
  }
}

}  // namespace

void judge_secrets(const Document& document, Diagnostics& findings) {
  if (const Node* env = document.root.find("env"); env && env->table()) judge_table(*env, "[env]", findings);
  for (const Node* env : tables_of(document.root, "env"))
    if (env != document.root.find("env")) judge_table(*env, "[env]", findings);
  const Node* build = document.root.find("build");
  const Node* args = build ? build->find("args") : nullptr;
  if (args && args->table()) judge_table(*args, "[build.args]", findings);
}

}  // namespace holdshort::lint
