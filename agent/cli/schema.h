// holdshort schema: the JSON Schema of the configuration, for editors.
#pragma once

namespace holdshort {

// To standard output. Returns the exit status.
int run_schema();

}  // namespace holdshort
