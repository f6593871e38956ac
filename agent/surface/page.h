// The status page: /status for a person, at three in the morning, on a phone.
//
// Rendered here, whole: it works without scripts and loads nothing. Its one script fetches the page again and
// swaps the content. Whatever comes from the app or the configuration is escaped; the Content-Security-Policy
// lets nothing run or load but what is in the binary.
#pragma once

#include "agent/status.h"
#include "agent/surface/render.h"

namespace holdshort {

enum class Heart { beats, stopped };

struct PageContext {
  Instant now;
  Heart heart = Heart::beats;  // of the scheduler
  Reload reload{};
};

// `status` as of `context.now`.
Answer render_page(const Status& status, const PageContext& context);

}  // namespace holdshort
