// What the endpoints say, from one Status. No verdict is made here.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/status.h"

namespace holdshort {

struct Answer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};
};

inline constexpr std::size_t kFirstLine = 80;  // the first line of a 503 is shorter than this (Fly shows it)

// What somebody has to look at.
constexpr bool is_finding(Outcome outcome) {
  return outcome == Outcome::fail || outcome == Outcome::inconclusive;
}

// `status` as StatusBoard::load() gave it for this moment. The answer's status never depends on how it is
// rendered.
Answer render_readyz(const Status& status);
Answer render_readyz_verbose(const Status& status);
Answer render_readyz_probe(const Status& status, const std::string& name);  // 404 where there is none
Answer render_status_json(const Status& status);                            // application/health+json
// What /events tells: one line of JSON that changes exactly when readiness, its reasons, a state or the
// override do.
std::string render_event(const Status& status);
Answer render_override(const Override& by_hand);  // as in /status

}  // namespace holdshort
