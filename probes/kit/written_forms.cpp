#include "probes/kit/written_forms.h"

#include <algorithm>

#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "probes/kit/json.h"

namespace holdshort {
namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

// As .NET's HttpUtility writes it: "%2f".
std::string with_small_escapes(std::string encoded) {
  for (std::size_t at = encoded.find('%'); at != encoded.npos && at + 2 < encoded.size();
       at = encoded.find('%', at + 1))
    for (const std::size_t digit : {at + 1, at + 2})
      if (encoded[digit] >= 'A' && encoded[digit] <= 'F')
        encoded[digit] = static_cast<char>(encoded[digit] - 'A' + 'a');
  return encoded;
}

// Without what depends on the `before` bytes in front of it (modulo 3) and on those behind it, so that it is
// also found where a user's name or a newline was encoded along.
std::string stable_base64(std::string_view value, std::size_t before,
                          std::string (*encode)(std::string_view)) {
  const std::string all = std::string(before, '\0') + std::string(value);
  const std::string text = encode(std::string_view(all).substr(0, all.size() / 3 * 3));
  constexpr std::size_t kShared[] = {0, 2, 3};  // characters that carry bits of what is in front
  return text.substr(std::min(kShared[before], text.size()));
}

std::string json_escape(std::string_view value) {
  const std::string quoted = json::quote(value);
  return quoted.size() > 2 ? quoted.substr(1, quoted.size() - 2) : "";
}

// A line in the middle of a PEM key's body: the first may be alike in all keys of a kind. "" where there is
// none.
std::string line_of_pem(std::string_view value) {
  constexpr std::size_t kMinLine = 32;
  constexpr std::string_view kBegin = "PRIVATE KEY-----";
  const std::size_t begin = value.find(kBegin), end = value.rfind("-----END");
  if (begin == value.npos || end == value.npos || end < begin) return "";
  const std::string_view body = value.substr(begin + kBegin.size(), end - begin - kBegin.size());
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < body.size(); ++i) {
    const bool is_escape = body.substr(i, 2) == "\\n" || body.substr(i, 2) == "\\r";
    if (is_escape || !ascii::is_visible(body[i]))
      lines.emplace_back();
    else
      lines.back() += body[i];
    if (is_escape) ++i;
  }
  std::erase_if(lines, [](const std::string& line) { return line.size() < kMinLine; });
  return lines.empty() ? "" : lines[lines.size() / 2];
}

}  // namespace

std::vector<std::string> written_forms(std::string_view value) {
  if (value.size() < kMinSearchedBytes) return {};
  std::vector<std::string> forms{std::string(value),
                                 crypto::hex(value),
                                 upper(crypto::hex(value)),
                                 ascii::percent_encoded(value),
                                 with_small_escapes(ascii::percent_encoded(value)),
                                 json_escape(value),
                                 line_of_pem(value)};
  for (const std::size_t before : {0u, 1u, 2u})
    for (const auto encode : {crypto::base64, crypto::base64url})
      forms.push_back(stable_base64(value, before, encode));
  std::erase_if(forms, [](const std::string& form) { return form.size() < kMinSearchedBytes; });
  std::sort(forms.begin(), forms.end());
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
  return forms;
}

}  // namespace holdshort
