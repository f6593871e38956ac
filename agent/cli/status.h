// holdshort status, recheck, override: a running agent, asked by a person.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/surface/report.h"
#include "probes/kit/clock.h"

namespace holdshort {

struct AskOptions {
  std::string url, config;
};

enum class Watch { once, until_interrupted };

// 0 ready, 1 not, 2 nobody answers (or not with a status).
int run_status(const AskOptions& options, Watch watch);
// 0 accepted, 1 refused, 2 nobody answers. `probe` "": all.
int run_recheck(const AskOptions& options, const std::string& probe);
// `ready` is "ready" or "not-ready".
int run_override(const AskOptions& options, const std::string& ready, const std::string& reason,
                 const std::string& ttl);

struct StatusText {
  std::string text;
  bool ready = false;
};
// /status for people, as it stands at `now`; nothing where `json` is no status.
std::optional<StatusText> render_status_text(std::string_view json, Wall now, Colour colour);

}  // namespace holdshort
