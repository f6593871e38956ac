#include "agent/surface/page.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "agent/surface/markup.h"
#include "agent/surface/page_assets.h"
#include "agent/surface/references.h"
#include "agent/timestamp.h"
#include "probes/kit/crypto.h"
#include "probes/kit/duration.h"
#include "probes/kit/text.h"
#include "probes/registry.h"
#include "probes/remedy.h"

namespace holdshort {

namespace {

constexpr int kStripHeight = 28, kBar = 7, kGap = 1, kLowest = 6;  // in the strip's own units

std::string_view ready_word(bool ready) { return ready ? "ready" : "not ready"; }

std::string hash_source(std::string_view text) {
  return fmt::format("'sha256-{}'", crypto::base64(crypto::sha256(text)));
}

// Nothing loads, runs or frames but what is in the page; data: is the icon.
const std::string& policy() {
  static const std::string text = fmt::format(
      "default-src 'none'; style-src {}; script-src {}; img-src data:; connect-src 'self'; base-uri 'none'; "
      "form-action 'none'; frame-ancestors 'none'",
      hash_source(page::kStyle), hash_source(page::kScript));
  return text;
}

std::string moment(Wall time) {
  const std::string whole = timestamp(time);
  return fmt::format("<time datetime=\"{}\">{} UTC</time>", whole, whole.substr(11, 8));
}

std::string milliseconds(std::chrono::microseconds time) {
  return fmt::format("{:.1f} ms", std::chrono::duration<double, std::milli>(time).count());
}

std::string icon(bool ready) {
  return fmt::format(
      "<link id=\"icon\" rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' "
      "viewBox='0 0 8 8'%3E%3Ccircle cx='4' cy='4' r='4' fill='%23{}'/%3E%3C/svg%3E\">",
      ready ? "1a8f4a" : "d2232d");
}

// What needs attention first; among equals the configuration's order.
int rank(const ProbeStatus& probe) {
  if (probe.state == State::passing) return 9;
  const int by_state = probe.state == State::failing ? 0 : probe.state == State::stale ? 1 : 2;
  return by_state + (probe.severity == Severity::required ? 0 : 4);
}

class Page {
 public:
  Page(const Status& status, const PageContext& context) : status_(status), context_(context) {}

  std::string render() {
    const std::string title =
        fmt::format("{} {}", status_.ready ? "\u2713 ready" : "\u2717 not ready", status_.app);
    out("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n");
    out("<title>{}</title>\n{}\n<style>{}</style>\n</head>\n<body>\n", escaped(title), icon(status_.ready),
        page::kStyle);
    out("<p id=\"lost\" class=\"banner bad\" role=\"alert\" hidden><b>The agent does not answer</b> since "
        "<time></time>: "
        "what you see is old.</p>\n<p id=\"live\" class=\"unseen\" role=\"status\"></p>\n<main>\n");
    verdict();
    banners();
    for (const auto& probe : sorted()) add(*probe);
    out("<p class=\"meta\">As of {}. holdshort {}.</p>\n</main>\n", moment(context_.now.wall),
        escaped(status_.version));
    out("<script>{}</script>\n</body>\n</html>\n", page::kScript);
    return std::move(html_);
  }

 private:
  template <class... Values>
  void out(fmt::format_string<Values...> pattern, Values&&... values) {
    fmt::format_to(std::back_inserter(html_), pattern, std::forward<Values>(values)...);
  }

  std::string ago(Wall time) const { return span_text(context_.now.wall - time); }

  std::vector<std::shared_ptr<const ProbeStatus>> sorted() const {
    auto probes = status_.probes;
    std::stable_sort(probes.begin(), probes.end(),
                     [](const auto& a, const auto& b) { return rank(*a) < rank(*b); });
    return probes;
  }

  void verdict() {
    out("<header class=\"verdict{}\">\n<h1>{}</h1>\n", status_.ready ? " good" : "",
        status_.ready ? "\u2713 Ready" : "\u2717 Not ready");
    out("<p>For {}, since {}. ", ago(status_.since), moment(status_.since));
    if (!status_.holding.empty()) {
      std::vector<std::string> names;
      for (const std::string& name : status_.holding)
        names.push_back(fmt::format("<a href=\"#probe-{0}\">{0}</a>", escaped(name)));
      out("{} {}.", status_.ready ? "Otherwise held by" : "Held by", fmt::join(names, ", "));
    }
    out("</p>\n</header>\n<ul class=\"where\">");
    fact("app", status_.app);
    fact("Machine", status_.machine);
    fact("region", status_.region);
    fact("release", status_.release);
    out("</ul>\n");
  }

  void fact(std::string_view name, const std::string& value) {
    if (!value.empty()) out("<li>{} <b>{}</b></li>", name, escaped(value));
  }

  void banners() {
    if (status_.by_hand) {
      out("<p class=\"banner\" id=\"override\"><b>Set by hand: {}</b> until {} (for another {}). Reason: "
          "{}</p>\n",
          ready_word(status_.by_hand->ready), moment(status_.by_hand->until()),
          span_text(status_.by_hand->until() - context_.now.wall), escaped(status_.by_hand->reason));
    }
    if (context_.heart == Heart::stopped)
      out("<p class=\"banner bad\"><b>The scheduler has stopped</b>: no probe runs, what follows is "
          "old.</p>\n");
    const auto stale = std::count_if(status_.probes.begin(), status_.probes.end(),
                                     [](const auto& p) { return p->state == State::stale; });
    if (stale > 0)
      out("<p class=\"banner\" id=\"stale\"><b>Stale: {} of {} verdicts</b> are too old to be believed: the "
          "Machine was "
          "suspended, or runs do not complete.</p>\n",
          stale, status_.probes.size());
    if (status_.gate_unusual) unusual_behaviour(*status_.gate_unusual, " at the gate");
    if (context_.reload.result == Reload::Result::rejected)
      out("<p class=\"banner\"><b>The configuration was rejected</b> when it was read last; the one of {} is "
          "in "
          "force.</p>\n",
          moment(context_.reload.accepted));
  }

  void unusual_behaviour(const std::vector<unusual::Departure>& departures, std::string_view whose) {
    for (const unusual::Departure& departure : departures)
      out("<p class=\"summary unusual\">Unusual{} since {}: {}. Readiness does not rest on it.</p>\n", whose,
          moment(departure.since), unusual::text_of(departure.metric, departure.of, departure.figures));
  }

  // --- one probe

  void add(const ProbeStatus& probe) {
    out("<article class=\"probe {0}\" id=\"probe-{1}\">\n<div class=\"head\"><h2>{1}</h2>"
        "<span class=\"badge state\">{0}</span><span class=\"badge plain\">{2}</span>"
        "<span class=\"soft\">{3}</span></div>\n",
        name_of(probe.state), escaped(probe.name), name_of(probe.severity), escaped(probe.type));
    if (!probe.description.empty()) out("<p>{}</p>\n", escaped(probe.description));
    if (!probe.summary.empty()) out("<p class=\"summary\">{}</p>\n", escaped(probe.summary));
    unusual_behaviour(probe.unusual, {});
    const std::string_view remedy = remedy_of(probe);
    if (!remedy.empty()) out("<p class=\"do\"><b>Do:</b> {}</p>\n", escaped(remedy));
    times(probe);
    if (probe.state != State::passing) {
      for (const Check& check : *probe.checks)
        if (is_finding(check.outcome)) add(check, probe, remedy);
    }
    strip(probe);
    if (!probe.runbook.empty())
      out("<p>Runbook: <a href=\"{0}\" rel=\"noopener noreferrer\">{0}</a></p>\n", escaped(probe.runbook));
    explain(probe);
    checks(probe);
    out("</article>\n");
  }

  void times(const ProbeStatus& probe) {
    out("<p class=\"meta\">{} for {}, since {}.", name_of(probe.state), ago(probe.since),
        moment(probe.since));
    if (!probe.history.empty()) {
      const RunRecord& run = *probe.history.front();
      out(" Last run {} ago: {}, {}, {}.", ago(run.ended), name_of(run.outcome), milliseconds(run.duration),
          counted(static_cast<std::size_t>(run.requests), "request"));
    }
    if (probe.next_run) out(" Next in {}.", span_text(*probe.next_run - context_.now.wall));
    if (!probe.run_id.empty()) out(" Run <code>{}</code>.", escaped(probe.run_id));
    out("</p>\n");
  }

  // Without its sentence and its remedy where these are the probe's already.
  void add(const Check& check, const ProbeStatus& probe, std::string_view remedy) {
    out("<div class=\"check {}\"><h3>{} {}</h3>\n", name_of(check.outcome),
        check.outcome == Outcome::fail ? "\u2717" : "?", escaped(check.id));
    if (check.summary != probe.summary) out("<p>{}</p>\n", escaped(check.summary));
    out("<dl>");
    row("sent", check.request);
    row("expected", check.expected);
    row("observed", check.observed);
    if (const std::string_view own = remedy_for(probe.type, check); own != remedy)
      row("do", std::string(own));
    if (!check.references.empty()) out("<dt>refers to</dt><dd>{}</dd>", references(check));
    out("</dl></div>\n");
  }

  void row(std::string_view name, const std::string& value) {
    if (!value.empty()) out("<dt>{}</dt><dd class=\"code\">{}</dd>", name, escaped(value));
  }

  static std::string references(const Check& check) {
    std::vector<std::string> list;
    for (const std::string& reference : check.references) {
      const std::string link = link_of(reference);
      list.push_back(link.empty() ? escaped(reference)
                                  : fmt::format("<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>",
                                                escaped(link), escaped(reference)));
    }
    return fmt::format("{}", fmt::join(list, ", "));
  }

  // A bar a run, the newest at the right, as high as it took long.
  void strip(const ProbeStatus& probe) {
    if (probe.history.empty()) return;
    std::chrono::microseconds longest{1};
    for (const auto& run : probe.history) longest = std::max(longest, run->duration);
    out("<svg class=\"strip\" viewBox=\"0 0 {0} {1}\" preserveAspectRatio=\"xMaxYMid meet\" role=\"img\" "
        "aria-label=\"the last {2}\"><rect class=\"line\" y=\"{3}\" width=\"{0}\" height=\"1\"/>",
        kHistory * (kBar + kGap), kStripHeight, counted(probe.history.size(), "run"), kStripHeight - 1);
    for (std::size_t n = 0; n < probe.history.size(); ++n) {
      const RunRecord& run = *probe.history[n];
      const int height = kLowest + static_cast<int>(run.duration * (kStripHeight - kLowest) / longest);
      out("<rect class=\"{0}\" x=\"{1}\" y=\"{2}\" width=\"{3}\" height=\"{4}\"><title>{0}, {5}, {6} "
          "UTC</title></rect>",
          name_of(run.outcome), (kHistory - 1 - n) * (kBar + kGap), kStripHeight - height, kBar, height,
          milliseconds(run.duration), timestamp(run.ended).substr(11, 8));
    }
    out("</svg>\n");
  }

  void explain(const ProbeStatus& probe) {
    const ProbeType* type = find_probe_type(probe.type);
    if (!type) return;
    const Explanation& text = type->explanation;
    out("<details id=\"explain-{}\"><summary>What this is</summary><p>{}</p><p><b>Passes:</b> {}</p>"
        "<p><b>Fails:</b> {}</p><p><b>Could not be seen:</b> {}</p></details>\n",
        escaped(probe.name), escaped(text.control), escaped(text.passes), escaped(text.fails),
        escaped(text.unclear));
  }

  void checks(const ProbeStatus& probe) {
    if (probe.checks->empty()) return;
    out("<details id=\"checks-{}\"><summary>{} of the last run</summary><ul>", escaped(probe.name),
        counted(probe.checks->size(), "check"));
    for (const Check& check : *probe.checks)
      out("<li>{}: <code>{}</code> {}</li>", name_of(check.outcome), escaped(check.id),
          escaped(check.request.empty() ? check.summary : check.request));
    out("</ul></details>\n");
  }

  const Status& status_;
  const PageContext& context_;
  std::string html_;
};

}  // namespace

Answer render_page(const Status& status, const PageContext& context) {
  return {.status = 200,
          .content_type = "text/html; charset=utf-8",
          .body = Page(status, context).render(),
          .headers = {{"Content-Security-Policy", policy()},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"}}};
}

}  // namespace holdshort
