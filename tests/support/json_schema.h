// Judges a document by a JSON Schema: the words that our own schema uses, for tests of it. A word that it
// does not know throws, so that nothing goes unjudged; tests/e2e/schema.py asks a full validator.
#pragma once

#include <string>
#include <string_view>

namespace holdshort::testing_support {

// "" where `document` (JSON) fits; else the JSON pointer of what does not, and the word it breaks.
std::string misfit(std::string_view schema, std::string_view document);

// The same of a configuration, by `holdshort schema`. Throws where it is no TOML. Dates are taken for null.
std::string schema_misfit(std::string_view toml);

}  // namespace holdshort::testing_support
