// Values that stand in for a secret until somebody sets one, and secrets that everybody can look up.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace holdshort {

// As placeholders are compared: without white space and one pair of quotes around it, in lower case, without
// spaces,
// "_", "." and "-".
std::string normalise(std::string_view value);

// What gives a placeholder away, to put behind "it": "asks to be changed"; nullopt where nothing does. `name`
// is of the variable or file that holds the value. Base64 is looked into. Never quotes the value.
std::optional<std::string_view> placeholder_reason(std::string_view value, std::string_view name);

// The default of a product or framework, or the example of a manual: exactly, or as text in base64.
bool is_published(std::string_view value);

// A key of a payment provider's test mode, by its prefix.
bool is_test_key(std::string_view value);

// The lists themselves: placeholders are normalised, published keys exact.
std::span<const std::string_view> placeholders();
std::span<const std::string_view> published_keys();

}  // namespace holdshort
