// What an answer gives away of the app's inside: a stack trace, a query, a path of its source, a debugger's
// page, or the names of a folder's files.
#pragma once

#include <string_view>

#include "probes/kit/http.h"

namespace holdshort::exposure {

// What kind of page a sign is looked for in.
enum class Page {
  error,     // answers a request that provoked it, or is a 4xx or 5xx: any sign counts
  ordinary,  // 2xx: only signs that no page about stack traces would quote, as it would escape the markup
};

// Whose inside it is: "a Python traceback"; "" where nothing is seen.
std::string_view internals_in(const Response& response, Page page);

// How to turn it off, for what internals_in() says: "set NODE_ENV=production"; "" where there is no one way.
std::string_view remedy_for(std::string_view internals);

// Whether a 2xx lists the files of a folder.
bool is_listing(const Response& response);

}  // namespace holdshort::exposure
