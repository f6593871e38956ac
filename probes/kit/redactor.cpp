#include "probes/kit/redactor.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace holdshort {

namespace {

std::string json_escaped(std::string_view text) {
  const std::string quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

Redactor::Redactor(const std::vector<Secret>& secrets) {
  for (const Secret& secret : secrets) {
    if (secret.reveal().size() < kShortest) continue;
    forms_.push_back(secret);
    Secret escaped(json_escaped(secret.reveal()));
    if (escaped.reveal() != secret.reveal()) forms_.push_back(std::move(escaped));
  }
  std::stable_sort(forms_.begin(), forms_.end(),
                   [](const Secret& a, const Secret& b) { return a.reveal().size() > b.reveal().size(); });
}

std::string Redactor::clean(std::string text) const {
  for (const Secret& form : forms_) {
    const std::string_view value = form.reveal();
    for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at + 3))
      text.replace(at, value.size(), "***");
  }
  return text;
}

}  // namespace holdshort
