#include "probes/kit/secret_finder.h"

#include <algorithm>
#include <cstring>

#include "probes/kit/ascii.h"
#include "probes/kit/secret_parts.h"

namespace holdshort {
namespace {

constexpr std::size_t kMaxShownName = 64;  // bytes of a header's name, which is the app's to choose

bool contains(std::string_view text, std::string_view form) {
  return memmem(text.data(), text.size(), form.data(), form.size()) != nullptr;
}

std::string header_named(const std::string& name) {
  const bool may_be_shown = name.size() <= kMaxShownName && ascii::is_made_of(name, ascii::is_visible);
  return may_be_shown ? "header " + name : "a header";
}

}  // namespace

KnownSecret KnownSecret::of(std::string name, std::string_view value) {
  KnownSecret known{.name = std::move(name), .forms = {}};
  const std::string_view trimmed = ascii::trim(value, ascii::kSpace);
  for (const std::string& text : {std::string(trimmed), parts_of(trimmed).secret})
    for (std::string& form : written_forms(text)) known.forms.emplace_back(std::move(form));
  return known;
}

bool SecretFinder::looks_for_nothing() const {
  return std::all_of(secrets_.begin(), secrets_.end(),
                     [](const KnownSecret& secret) { return secret.forms.empty(); });
}

void SecretFinder::search(std::string_view text, std::vector<std::size_t>& found) const {
  if (text.size() < kMinSearchedBytes) return;
  for (std::size_t secret = 0; secret < secrets_.size(); ++secret) {
    const std::vector<Secret>& forms = secrets_[secret].forms;
    const bool is_in = std::find(found.begin(), found.end(), secret) == found.end() &&
                       std::any_of(forms.begin(), forms.end(),
                                   [&](const Secret& form) { return contains(text, form.reveal()); });
    if (is_in) found.push_back(secret);
  }
}

std::vector<SecretFinder::Hit> SecretFinder::in(const Response& response) const {
  std::vector<Hit> hits;
  std::vector<std::size_t> found;
  const auto note = [&](std::string_view text, const auto& where) {
    const std::size_t before = found.size();
    search(text, found);
    for (std::size_t i = before; i < found.size(); ++i) hits.push_back({found[i], where()});
  };
  note(response.body, [] { return std::string("body"); });
  for (const Header& header : response.headers) note(header.value, [&] { return header_named(header.name); });
  return hits;
}

std::vector<std::size_t> SecretFinder::in(const Request& request) const {
  std::vector<std::size_t> found;
  search(request.target, found);
  for (const Header& header : request.headers) search(header.value, found);
  search(request.body, found);
  return found;
}

std::vector<std::size_t> SecretFinder::in(std::string_view text) const {
  std::vector<std::size_t> found;
  search(text, found);
  return found;
}

}  // namespace holdshort
