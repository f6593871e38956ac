// [identities.NAME]: how a probe acts as a legitimate caller.
#pragma once

#include <map>
#include <string>

#include "probes/kit/diagnostics.h"
#include "probes/kit/fields.h"
#include "probes/kit/identity.h"

namespace holdshort {

struct DeclaredIdentity {
  Identity identity;
  std::string canonical;  // the same for the same identity; has digests of its secrets
};
// Also those that were declared wrongly, so that who refers to one is not told that there is none.
using DeclaredIdentities = std::map<std::string, DeclaredIdentity, std::less<>>;

// `node`: [identities]; may be null.
DeclaredIdentities read_identities(const Node* node, const Environment& environment, MissingSecret missing,
                                   Diagnostics& diagnostics);

}  // namespace holdshort
