// The `exposure` probe: what a stranger finds who asks for what should not be there, and for what cannot be
// answered.
//
// First what any path gets that cannot exist: alike to it is nothing found. Then the declared paths, requests
// that provoke errors, and the catalogue, a few at once. A finding is what an answer shows, never that it
// answers. `check` asks for all of the catalogue; the agent until the first pass for what is critical, in the
// run after it for all others, then for a part in turn, and for whatever showed something the last time.
#include "probes/exposure/exposure.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "probes/exposure/catalogue.h"
#include "probes/exposure/internals.h"
#include "probes/kit/ascii.h"
#include "probes/kit/classify.h"
#include "probes/kit/exchange.h"
#include "probes/kit/secret_finder.h"
#include "probes/kit/sightings.h"

namespace holdshort::exposure {

namespace {

constexpr std::size_t kAtOnce = 4;             // requests of the catalogue in flight
constexpr std::size_t kInTurn = 12;            // of the catalogue in a run once all of it was asked for
constexpr std::size_t kMaxBody = 1024 * 1024;  // bytes: absence counts only in a body that was read whole
constexpr std::size_t kMaxBeginning = 4096;    // bytes of what tells itself by its first ones
constexpr std::size_t kLongQuery = 20'000;     // bytes: beyond the usual 8 and 16 KiB of a request line
constexpr std::size_t kMaxShown = 64;          // characters of a long target in a report
constexpr std::size_t kMaxAssets = 2;          // folders that a page names: four requests each
constexpr int kMaxSilent = 3;                  // requests in a row without an answer, then the run ends
constexpr std::size_t kMaxUnclear = 5;         // checks of what could not be seen; more say nothing new
constexpr std::size_t kMinHostname = 3;        // characters

constexpr Field kOwnFields[] = {
    {.name = "allow",
     .kind = Kind::path_list,
     .doc = "paths that may show what they show: \"/metrics\"; secrets and `forbid` are judged there all the "
            "same"},
    {.name = "secrets",
     .kind = Kind::secret_list,
     .doc = "secrets that no answer may carry, to whichever probe: as they are, in base64, hex, "
            "percent-encoded"},
    {.name = "forbid", .kind = Kind::pattern_list, .doc = "RE2 patterns that no body and no header may have"},
};

const std::vector<std::string> kFiles{"OWASP API8:2023", "ASVS 13.4.1", "CWE-538"};
const std::vector<std::string> kTools{"OWASP API8:2023", "OWASP API9:2023", "ASVS 13.4.5", "CWE-200"};
const std::vector<std::string> kListed{"OWASP API8:2023", "ASVS 13.4.3", "CWE-548"};
const std::vector<std::string> kAbove{"OWASP API8:2023", "ASVS 13.4.1", "CWE-22"};
const std::vector<std::string> kInternals{"OWASP API8:2023", "ASVS 16.5.1", "CWE-209", "CWE-489"};
const std::vector<std::string> kSecrets{"OWASP API3:2023", "ASVS 13.3.1", "CWE-200", "CWE-522"};
const std::vector<std::string> kForbidden{"OWASP API3:2023", "ASVS 14.2.6", "CWE-200"};

constexpr const char* kElsewhere = "exposure.secret_elsewhere";

struct Settings {
  HttpKeys http;
  std::vector<std::string> allow;
  SecretFinder secrets;
  std::vector<Pattern> forbid;
};

// One path that is asked for whatever the app is.
struct Look {
  std::string target;
  const Row* row = nullptr;  // null: a folder, or a way to the machine's name
  enum class Kind { row, folder, hostname } kind = Kind::row;
};

std::vector<Look> looks() {
  std::vector<Look> list;
  for (const Row& row : catalogue()) list.push_back({std::string(row.path), &row, Look::Kind::row});
  // Harmless, and told without doubt: the machine's own name.
  for (const char* target : {"/..%2f..%2f..%2f..%2fetc%2fhostname", "/static/../../../../etc/hostname"})
    list.push_back({target, nullptr, Look::Kind::hostname});
  for (const char* target : {"/static/", "/assets/", "/uploads/", "/files/", "/backup/"})
    list.push_back({target, nullptr, Look::Kind::folder});
  return list;
}

// From one run to the next: where to go on, and what to ask for again. No verdict.
struct Memory {
  std::size_t next = 0;
  std::set<std::size_t> suspects;  // looks that showed something
  bool owes_the_rest = false;      // the last run, at startup, asked only for what is urgent
};

// An answer and what it answered.
struct Sample {
  std::string request;
  std::string target;
  Response response;
  enum class Kind {
    ordinary,   // anybody's request
    provoking,  // made to fail
  } kind = Kind::ordinary;
  std::vector<Header> credentials;  // that were sent along
};

class Run {
 public:
  Run(const Settings& settings, ProbeContext& context, Memory& memory)
      : settings_(settings),
        context_(context),
        memory_(memory),
        exchange_(context, settings.http),
        judge_(std::nullopt, context.app.own_hosts()),
        word_(context.unknown_name()) {}

  Awaitable<ProbeOutcome> go() {
    co_await look_everywhere();
    if (!ended_) conclude();
    outcome_.requests = exchange_.requests();
    co_return std::move(outcome_);
  }

 private:
  Awaitable<void> look_everywhere() {
    co_await learn_unrouted();
    if (ended_) co_return;
    co_await look_at_declared();
    if (ended_) co_return;
    co_await look_into_folders();
    if (ended_) co_return;
    co_await provoke();
    if (ended_) co_return;
    co_await look_through_catalogue();
    if (ended_) co_return;
    co_await check_liveness();
  }

  bool is_over() {
    const Check* worst = outcome_.worst();
    const bool enough = worst && context_.ends_at(worst->outcome);
    ended_ = ended_ || enough || silent_ >= kMaxSilent;
    return ended_;
  }

  // --- what any path gets

  std::vector<std::string> unrouted() const {
    return {"/" + word_, "/" + word_ + ".json", "/." + word_ + "/"};
  }

  Awaitable<void> learn_unrouted() {
    const std::vector<std::string> targets = unrouted();
    for (const std::string& target : targets) {
      const Sample sample = co_await ask(target);
      const Seen seen = see(sample);
      if (seen == Seen::no_response || seen == Seen::server_error) {
        if (seen == Seen::server_error) observe(sample);
        outcome_.add({.id = "exposure.answers",
                      .outcome = Outcome::inconclusive,
                      .request = sample.request,
                      .expected = "an answer below 500",
                      .observed = sample.response.text(),
                      .summary = fmt::format("{} (a path that cannot exist) {}", sample.request,
                                             sample.response.sentence())});
        ended_ = true;
        co_return;
      }
      observe(sample);
      judge_.learn_unrouted(sample.response);
      note_answer(seen, sample);
    }
    is_over();
  }

  // Whether the app looks at paths at all: one that only refuses, or only redirects, has shown nothing.
  void note_answer(Seen seen, const Sample& sample) {
    switch (seen) {
      case Seen::no_response:
      case Seen::server_error:
      case Seen::limited:
      case Seen::unauthenticated:
      case Seen::forbidden:
      case Seen::to_login:
      case Seen::to_same:
      case Seen::elsewhere:
        if (refused_.empty()) refused_ = fmt::format("{} {}", sample.request, sample.response.sentence());
        break;
      default:
        looked_ = true;
    }
  }

  // --- declared paths

  Awaitable<void> look_at_declared() {
    for (const Operation& operation : settings_.http.operations()) {
      co_await look_at(operation.method, operation.path, "");
      if (!is_over() && !settings_.http.as.empty())
        co_await look_at(operation.method, operation.path, settings_.http.as);
      if (is_over()) co_return;
    }
  }

  Awaitable<void> look_at(std::string method, std::string path, std::string identity) {
    Call call = call_for(path);
    call.method = std::move(method);
    call.body = settings_.http.body;
    Sample sample;
    sample.request = Exchange::describe(call) + (identity.empty() ? "" : " as " + identity);
    sample.target = std::move(path);
    sample.response = co_await exchange_.send_as(identity, std::move(call));
    if (!identity.empty()) {
      auto sent = co_await exchange_.credentials(identity);
      if (sent) sample.credentials = std::move(*sent);
    }
    const Seen seen = see(sample);
    note_answer(seen, sample);
    if (!is_answer(seen, sample, "exposure.declared_path")) {
      observe(sample);
      co_return;
    }
    const auto before = fails();
    judge_declared(sample, seen);
    observe(sample, fails() > before ? Shown::already : Shown::nothing);
  }

  void judge_declared(const Sample& sample, Seen seen) {
    if (sample.response.is_page()) remember_assets(sample.response.body);
    if (is_allowed(sample.target) || seen == Seen::fallback) return passed("exposure.declared_path", sample);
    for (const Row& row : catalogue()) {
      const bool own = row.path == sample.target && row.severity != Severity::info;
      if ((own || row.reach == Row::Reach::everywhere) && shows(row, sample.response, sample.target))
        return show(row, sample);
    }
    if (is_listing(sample.response)) return show_listing(sample);
    passed("exposure.declared_path", sample);
  }

  // --- folders that pages name

  // Two of a page's own files, from different folders.
  void remember_assets(const std::string& body) {
    for (std::size_t at = 0; assets_.size() < kMaxAssets;) {
      at = std::min(body.find("=\"/", at), body.size());
      if (at == body.size()) return;
      at += 2;
      const std::size_t end = std::min(body.find_first_of("\"?#", at), body.size());
      const std::string path = body.substr(at, end - at);
      const std::size_t slash = path.find('/', 1);
      const bool is_file = slash != std::string::npos && slash > 1 && slash + 1 < path.size() &&
                           ascii::is_made_of(path, ascii::is_visible) && path.find("..") == std::string::npos;
      const std::string folder = path.substr(0, slash);
      const bool is_new = std::none_of(assets_.begin(), assets_.end(), [&](const std::string& asset) {
        return asset.starts_with(folder + "/");
      });
      if (is_file && is_new) assets_.push_back(path);
      at = end;
    }
  }

  // nginx: `location /static { alias /srv/static/; }` maps /static../x to /srv/static/../x. A file that is
  // reached through its own folder's name proves it; so does the folder's neighbour .env.
  Awaitable<void> look_into_folders() {
    for (const std::string& asset : assets_) {
      const std::string folder = asset.substr(0, asset.find('/', 1));
      const Sample plain = co_await ask(asset);
      const Sample around = co_await ask(folder + ".." + asset);
      const Sample neighbour = co_await ask(folder + "../.env");
      const Sample index = co_await ask(folder + "/");
      observe(plain);
      observe(around);
      observe(neighbour);
      observe(index);
      const bool served = is_found(plain) && is_found(around) && !plain.response.body.empty();
      if (served && plain.response.body == around.response.body) {
        outcome_.add(
            {.id = "exposure.traversal",
             .outcome = Outcome::fail,
             .request = around.request,
             .expected = "404",
             .observed = around.response.text(),
             .references = kAbove,
             .summary = fmt::format(
                 "{} {} with the file {}: files beside {} are served too (an alias without its slash)",
                 around.request, around.response.sentence(), asset, folder)});
      } else {
        judge_row(catalogue()[0], neighbour);
      }
      judge_folder(index);
      if (is_over()) co_return;
    }
  }

  bool is_found(const Sample& sample) const {
    return sample.response.status == 200 && see(sample) != Seen::fallback;
  }

  // --- errors

  // Requests that cannot be served, and what their names say more than method and path.
  std::vector<std::pair<Call, std::string>> provocations() const {
    std::vector<std::pair<Call, std::string>> calls;
    const auto add_call = [&](std::string target, std::string name) -> Call& {
      calls.emplace_back(call_for(std::move(target)), std::move(name));
      return calls.back().first;
    };
    Call& malformed = add_call("/" + word_, " with malformed JSON");
    malformed.method = "POST";
    malformed.body = "{\"hs\":";
    malformed.headers = {{"Content-Type", "application/json"}};
    add_call("/" + word_ + "%", "");
    add_call("/" + word_ + "/%ff", "");
    add_call("/" + word_ + "?hs=" + std::string(kLongQuery, 'a'), fmt::format("({} bytes)", kLongQuery));
    const std::string& path = settings_.http.paths.front();
    add_call(path, "").method = "PROPFIND";
    add_call(path, " with a malformed token, cookie, range").headers = {{"Authorization", "Bearer hs.hs.hs"},
                                                                        {"Cookie", "hs=%E0%A4%A"},
                                                                        {"Accept", "application/x-hs"},
                                                                        {"Range", "bytes=zz"}};
    return calls;
  }

  Awaitable<void> provoke() {
    std::vector<std::pair<Call, std::string>> calls = provocations();
    for (auto& [call, suffix] : calls) {
      Call shown = call;
      shown.target.resize(std::min(shown.target.size(), kMaxShown));
      std::string name = Exchange::describe(shown) + suffix;
      Sample sample = co_await send(std::move(call));
      sample.request = std::move(name);
      sample.kind = Sample::Kind::provoking;
      // To hang up on nonsense shows nothing.
      const bool hung_up = sample.response.status == 0 && (sample.response.ended == Ended::reset ||
                                                           sample.response.ended == Ended::cut_short);
      if (hung_up) {
        passed("exposure.internals", sample);
      } else if (sample.response.status == 0) {
        is_answer(Seen::no_response, sample, "exposure.internals");
      } else {
        observe(sample);
      }
      if (is_over()) co_return;
    }
  }

  // --- the catalogue

  // Indices into looks(): all of them; at startup the urgent ones, in the run after it all others; then some
  // in turn. What showed something is always among them.
  std::vector<std::size_t> due(const std::vector<Look>& looks) {
    std::vector<std::size_t> due(memory_.suspects.begin(), memory_.suspects.end());
    const auto add = [&](std::size_t index) {
      if (!memory_.suspects.contains(index)) due.push_back(index);
    };
    const bool is_first = context_.pace == Pace::startup, is_whole = context_.pace == Pace::whole;
    if (is_first || is_whole || memory_.owes_the_rest) {
      for (std::size_t i = 0; i < looks.size(); ++i)
        if (is_whole || is_urgent(looks[i]) == is_first) add(i);
    } else {
      for (std::size_t i = 0; i < kInTurn; ++i) add((memory_.next + i) % looks.size());
      memory_.next = (memory_.next + kInTurn) % looks.size();
    }
    return due;
  }

  // Credentials, source code, a way in: taken in a moment.
  static bool is_urgent(const Look& look) {
    return look.kind == Look::Kind::hostname || (look.row && look.row->severity == Severity::critical);
  }

  Awaitable<void> look_through_catalogue() {
    const std::vector<Look> list = looks();
    co_await read_hostname();
    const std::vector<std::size_t> indices = due(list);
    for (std::size_t begin = 0; begin < indices.size();) {
      // What is large comes alone, so that little of it does.
      std::vector<std::size_t> group;
      while (begin + group.size() < indices.size() && group.size() < kAtOnce) {
        const std::size_t index = indices[begin + group.size()];
        if (is_large(list[index]) && !group.empty()) break;
        group.push_back(index);
        if (is_large(list[index])) break;
      }
      begin += group.size();
      std::vector<Call> calls;
      for (const std::size_t index : group) calls.push_back(call_for_look(list[index]));
      std::vector<Sample> samples = co_await send_all(std::move(calls));
      for (std::size_t i = 0; i < group.size(); ++i) {
        const bool shown = judge_look(list[group[i]], samples[i]);
        if (shown) memory_.suspects.insert(group[i]);
        if (!shown) memory_.suspects.erase(group[i]);
      }
      if (is_over()) co_return;
    }
    memory_.owes_the_rest = context_.pace == Pace::startup;
  }

  static bool is_large(const Look& look) { return look.row && look.row->part == Row::Part::beginning; }

  Call call_for_look(const Look& look) const {
    Call call = call_for(look.target);
    if (is_large(look)) {
      call.headers = {{"Range", fmt::format("bytes=0-{}", kMaxBeginning - 1)}};
      call.max_body_bytes = kMaxBeginning;
    }
    return call;
  }

  // True where it showed what it should not.
  bool judge_look(const Look& look, const Sample& sample) {
    const auto before = fails();
    switch (look.kind) {
      case Look::Kind::row:
        judge_row(*look.row, sample);
        break;
      case Look::Kind::folder:
        judge_folder(sample);
        break;
      case Look::Kind::hostname:
        judge_hostname(sample);
        break;
    }
    const bool shown = fails() > before;
    observe(sample, shown ? Shown::already : is_large(look) ? Shown::beginning : Shown::nothing);
    return fails() > before;
  }

  void judge_row(const Row& row, const Sample& sample) {
    if (is_allowed(sample.target)) return passed(std::string(row.id), sample);
    const Seen seen = see(sample);
    if (row.id == "exposure.traversal" && hung_up(sample)) return passed(std::string(row.id), sample);
    if (!is_answer(seen, sample, row.id)) return;
    if (seen == Seen::fallback || row.severity == Severity::info) return passed(std::string(row.id), sample);
    if (shows(row, sample.response, sample.target)) return show(row, sample);
    const bool is_success = sample.response.status == 200 || sample.response.status == 206;
    const bool told_by_all = row.part == Row::Part::whole && row.told != Row::Told::by_beginning;
    if (is_success && told_by_all && !sample.response.shows_all())
      return unclear(std::string(row.id), sample);
    passed(std::string(row.id), sample);
  }

  void judge_folder(const Sample& sample) {
    const Seen seen = see(sample);
    if (!is_answer(seen, sample, "exposure.listing")) return;
    if (seen != Seen::fallback && !is_allowed(sample.target) && is_listing(sample.response))
      return show_listing(sample);
    passed("exposure.listing", sample);
  }

  void judge_hostname(const Sample& sample) {
    if (hung_up(sample)) return passed("exposure.traversal", sample);
    const Seen seen = see(sample);
    if (!is_answer(seen, sample, "exposure.traversal")) return;
    const bool same = hostname_.size() >= kMinHostname && sample.response.status == 200 &&
                      seen != Seen::fallback &&
                      ascii::trim(std::string_view(sample.response.body), ascii::kSpace) == hostname_;
    if (!same) return passed("exposure.traversal", sample);
    outcome_.add({.id = "exposure.traversal",
                  .outcome = Outcome::fail,
                  .request = sample.request,
                  .expected = "404",
                  .observed = sample.response.text(),
                  .references = kAbove,
                  .summary = fmt::format("{} {} with this machine's /etc/hostname", sample.request,
                                         sample.response.sentence())});
  }

  Awaitable<void> read_hostname() {
    constexpr std::size_t kMaxHostname = 256;
    Result<std::string> contents = failure("");
    const Environment& environment = context_.environment;
    std::function<void()> read = [&] { contents = environment.read_file("/etc/hostname", kMaxHostname); };
    co_await context_.offload.run(std::move(read));
    if (contents) hostname_ = ascii::trim(std::string_view(*contents), ascii::kSpace);
  }

  // --- afterwards

  // An app that a request took down shows nothing either.
  Awaitable<void> check_liveness() {
    const Sample sample = co_await ask("/" + word_);
    const Seen seen = see(sample);
    if (seen != Seen::no_response && seen != Seen::server_error) co_return;
    outcome_.add({.id = "exposure.still_answers",
                  .outcome = Outcome::inconclusive,
                  .request = sample.request,
                  .expected = "an answer below 500",
                  .observed = sample.response.text(),
                  .summary = fmt::format("{} {} after the others: did one of them take the app down?",
                                         sample.request, sample.response.sentence())});
  }

  void conclude() {
    if (!looked_)
      outcome_.add(
          {.id = "exposure.answers",
           .outcome = Outcome::inconclusive,
           .expected = "a path that is served or not found",
           .observed = "none",
           .summary = refused_ + ", as every other path does: declare `as` and a path that it is served"});
    for (const auto& [id, group] : passed_) {
      const bool also = std::any_of(outcome_.checks.begin(), outcome_.checks.end(),
                                    [&id = id](const Check& check) { return check.id == id; });
      if (also) continue;
      const std::string more = group.count > 1 ? fmt::format(" and {} more", group.count - 1) : "";
      outcome_.add({.id = id,
                    .outcome = Outcome::pass,
                    .request = group.request + more,
                    .expected = "nothing that should not be seen",
                    .observed = group.observed,
                    .references = references_of(id),
                    .summary = fmt::format("{}{} showed nothing", group.request, more)});
    }
    for (const KnownSecret& known : settings_.secrets.secrets())
      if (known.forms.empty())
        outcome_.add(
            {.id = "exposure.secret",
             .outcome = Outcome::skipped,
             .references = kSecrets,
             .summary = fmt::format("{} is shorter than {} bytes: it may stand in any text by chance",
                                    known.name, kMinSearchedBytes)});
  }

  // --- what any answer may show

  // What was found out about an answer before: nothing, what it shows, or that its beginning alone was asked
  // for.
  enum class Shown { nothing, already, beginning };

  void observe(const Sample& sample, Shown shown = Shown::nothing) {
    const Response& response = sample.response;
    if (response.status == 0) return;
    look_for_secrets(sample);
    look_for_forbidden(sample);
    if (shown != Shown::already && (!is_allowed(sample.target) || response.status >= 400))
      look_for_internals(sample);
    if (shown == Shown::nothing && !response.shows_all() && see(sample) != Seen::fallback)
      unclear("exposure.internals", sample);
  }

  // What was sent along and comes back gives nothing away that the caller did not have.
  std::set<std::size_t> sent_along(const Sample& sample) const {
    std::set<std::size_t> sent;
    for (const Header& header : sample.credentials)
      for (const std::size_t secret : settings_.secrets.in(header.value)) sent.insert(secret);
    return sent;
  }

  void look_for_secrets(const Sample& sample) {
    if (settings_.secrets.looks_for_nothing()) return;
    const std::vector<SecretFinder::Hit> hits = settings_.secrets.in(sample.response);
    const std::set<std::size_t> sent = hits.empty() ? std::set<std::size_t>() : sent_along(sample);
    bool shown = false;
    for (const SecretFinder::Hit& hit : hits) {
      if (sent.contains(hit.secret)) continue;
      shown = true;
      const std::string& name = settings_.secrets.secrets()[hit.secret].name;
      outcome_.add({.id = "exposure.secret",
                    .outcome = Outcome::fail,
                    .request = sample.request,
                    .expected = "no value of a secret",
                    .observed = "the value of " + name,
                    .references = kSecrets,
                    .summary = fmt::format("{} {} with the value of {}", sample.request,
                                           sample.response.sentence(), name)});
    }
    if (!shown) passed("exposure.secret", sample);
  }

  void look_for_forbidden(const Sample& sample) {
    for (const Pattern& pattern : settings_.forbid) {
      const Response& response = sample.response;
      const bool found = pattern.found_in(response.body) ||
                         std::any_of(response.headers.begin(), response.headers.end(),
                                     [&](const Header& header) { return pattern.found_in(header.value); });
      if (!found) {
        passed("exposure.forbidden", sample);
        continue;
      }
      outcome_.add({.id = "exposure.forbidden",
                    .outcome = Outcome::fail,
                    .request = sample.request,
                    .expected = "nothing like " + pattern.source(),
                    .observed = "found",
                    .references = kForbidden,
                    .summary = fmt::format("{} {} with what forbid names: {}", sample.request,
                                           response.sentence(), pattern.source())});
    }
  }

  // A page about stack traces quotes them: what an ordinary page of the app has is nothing that was provoked.
  void look_for_internals(const Sample& sample) {
    const Response& response = sample.response;
    const bool is_success = response.status < 300;
    std::string_view what = internals_in(response, Page::error);
    if (is_success && sample.kind == Sample::Kind::ordinary) {
      if (!what.empty()) quoted_.insert(what);
      what = internals_in(response, Page::ordinary);
    } else if (is_success && quoted_.contains(what)) {
      what = internals_in(response, Page::ordinary);
    }
    if (what.empty()) return passed("exposure.internals", sample);
    const std::string_view remedy = remedy_for(what);
    outcome_.add({.id = "exposure.internals",
                  .outcome = Outcome::fail,
                  .request = sample.request,
                  .expected = "no internals",
                  .observed = std::string(what),
                  .references = kInternals,
                  .summary = fmt::format("{} {} with {}{}{}", sample.request, response.sentence(), what,
                                         remedy.empty() ? "" : "; ", remedy)});
  }

  // --- verdicts

  bool hung_up(const Sample& sample) const {
    return sample.response.status == 0 &&
           (sample.response.ended == Ended::reset || sample.response.ended == Ended::cut_short);
  }

  // False, and a check that says so, where the answer cannot be judged.
  bool is_answer(Seen seen, const Sample& sample, std::string_view id) {
    silent_ = seen == Seen::no_response ? silent_ + 1 : 0;
    if (seen != Seen::no_response && seen != Seen::server_error && seen != Seen::limited) return true;
    unclear(std::string(id), sample);
    return false;
  }

  void unclear(std::string id, const Sample& sample) {
    if (++unclear_ > kMaxUnclear) return;
    const Response& response = sample.response;
    const std::string_view why = response.status == 429   ? ": a rate limit came first"
                                 : response.status >= 500 ? ": an error shows nothing"
                                 : response.status == 0   ? ""
                                 : !response.shows_all()
                                     ? ", whose body was not read to its end or not decoded"
                                     : "";
    outcome_.add({.id = std::move(id),
                  .outcome = Outcome::inconclusive,
                  .request = sample.request,
                  .expected = "a whole answer",
                  .observed = response.text(),
                  .summary = fmt::format("{} {}{}", sample.request, response.sentence(), why)});
  }

  void show(const Row& row, const Sample& sample) {
    const bool may_be_meant = row.severity == Severity::medium || row.severity == Severity::low;
    outcome_.add({.id = std::string(row.id),
                  .outcome = Outcome::fail,
                  .request = sample.request,
                  .expected = "404",
                  .observed = fmt::format("{}, {}", sample.response.text(), row.shows),
                  .references = references_of(row.id),
                  .summary = fmt::format(
                      "{} {} with {}{}", sample.request, sample.response.sentence(), row.shows,
                      may_be_meant ? "; if strangers may see that, write the path into allow" : "")});
  }

  void show_listing(const Sample& sample) {
    outcome_.add({.id = "exposure.listing",
                  .outcome = Outcome::fail,
                  .request = sample.request,
                  .expected = "no list of files",
                  .observed = "a list of files",
                  .references = kListed,
                  .summary = fmt::format("{} {} with a list of the folder's files", sample.request,
                                         sample.response.sentence())});
  }

  void passed(const std::string& id, const Sample& sample) {
    auto& group = passed_[id];
    if (group.count++ == 0) {
      group.request = sample.request;
      group.observed = sample.response.text();
    }
  }

  static const std::vector<std::string>& references_of(std::string_view id) {
    if (id == "exposure.traversal") return kAbove;
    if (id == "exposure.listing") return kListed;
    if (id == "exposure.internals") return kInternals;
    if (id == "exposure.secret") return kSecrets;
    if (id == "exposure.forbidden") return kForbidden;
    for (const std::string_view tool : {"exposure.debug_tool", "exposure.server_status", "exposure.actuator",
                                        "exposure.metrics", "exposure.api_docs", "exposure.admin_tool"})
      if (id == tool) return kTools;
    return kFiles;
  }

  std::ptrdiff_t fails() const {
    return std::count_if(outcome_.checks.begin(), outcome_.checks.end(),
                         [](const Check& check) { return check.outcome == Outcome::fail; });
  }

  // --- sending

  bool is_allowed(std::string_view target) const {
    return std::any_of(settings_.allow.begin(), settings_.allow.end(),
                       [&](const std::string& path) { return same_path(path, target); });
  }

  Seen see(const Sample& sample) const {
    return judge_.see(sample.response, exchange_.prefix() + sample.target);
  }

  static Call call_for(std::string target) {
    Call call;
    call.target = std::move(target);
    call.max_body_bytes = kMaxBody;
    return call;
  }

  Awaitable<Sample> ask(std::string target) {
    Call call = call_for(std::move(target));
    co_return co_await send(std::move(call));
  }

  Awaitable<Sample> send(Call call) {
    Sample sample = sample_of(call);
    sample.response = co_await exchange_.send(std::move(call));
    co_return sample;
  }

  Awaitable<std::vector<Sample>> send_all(std::vector<Call> calls) {
    std::vector<Sample> samples;
    for (const Call& call : calls) samples.push_back(sample_of(call));
    std::vector<Response> responses = co_await exchange_.burst(std::move(calls));
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i].response = std::move(responses[i]);
    co_return samples;
  }

  static Sample sample_of(const Call& call) {
    Sample sample;
    sample.request = Exchange::describe(call);
    sample.target = call.target;
    return sample;
  }

  struct Group {
    std::size_t count = 0;
    std::string request, observed;
  };

  const Settings& settings_;
  ProbeContext& context_;
  Memory& memory_;
  Exchange exchange_;
  Judge judge_;
  const std::string word_;  // a name that nothing has
  ProbeOutcome outcome_;
  std::map<std::string, Group> passed_;
  std::set<std::string_view> quoted_;  // internals that ordinary pages speak of
  std::vector<std::string> assets_;
  std::string hostname_, refused_;
  bool looked_ = false, ended_ = false;
  int silent_ = 0;
  std::size_t unclear_ = 0;
};

class ExposureProbe final : public Probe {
 public:
  ExposureProbe(std::string name, Settings settings)
      : name_(std::move(name)), settings_(std::move(settings)) {}
  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    Run run(settings_, context, memory_);
    co_return co_await run.go();
  }
  std::span<const KnownSecret> watched() const override { return settings_.secrets.secrets(); }
  void review(const Sightings& sightings, ProbeOutcome& outcome) const override;

 private:
  const std::string name_;
  const Settings settings_;
  Memory memory_;
};

void ExposureProbe::review(const Sightings& sightings, ProbeOutcome& outcome) const {
  std::erase_if(outcome.checks, [](const Check& check) { return check.id == kElsewhere; });
  if (settings_.secrets.looks_for_nothing() || outcome.outcome() == Outcome::skipped) return;
  bool shown = false;
  for (const KnownSecret& secret : settings_.secrets.secrets()) {
    for (const auto& [probe, sighting] : sightings.to_others(name_, secret.name)) {
      shown = true;
      outcome.add({.id = kElsewhere,
                   .outcome = Outcome::fail,
                   .request = sighting->request + " of " + probe,
                   .expected = "no value of a secret",
                   .observed = fmt::format("the value of {} in the {}", secret.name, sighting->where),
                   .references = kSecrets,
                   .summary = fmt::format("{} of {} {} with the value of {} in the {}", sighting->request,
                                          probe, sighting->answer, secret.name, sighting->where)});
    }
  }
  const std::uint64_t answers = sightings.answers_to_others(name_);
  if (shown || answers == 0) return;
  outcome.add({.id = kElsewhere,
               .outcome = Outcome::pass,
               .expected = "no value of a secret",
               .observed = fmt::format("{} answers to other probes", answers),
               .references = kSecrets,
               .summary = fmt::format("{} answers to other probes showed no secret", answers)});
}

}  // namespace

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"exposure.secret", "rotate this secret now, then find what prints it"},
    {"exposure.environment_file",
     "take the file out of the image and of the web root, and rotate every secret in it"},
    {"exposure.key_file", "take the file out of the image and of the web root, and rotate the key"},
    {"exposure.configuration", "take the file out of the web root, and rotate every secret in it"},
    {"exposure.dump", "take the file out of the web root; treat what is in it as known to others"},
    {"exposure.repository", "keep .git out of the image (.dockerignore), and rotate what its history holds"},
    {"exposure.traversal",
     "mend the alias (nginx: location and alias both end in /, or neither), and look at the access log for "
     "/..;"},
    {"exposure.listing", "turn off directory listing (nginx: autoindex off)"},
    {"exposure.internals",
     "turn off debug mode, and answer errors with a plain page; the log keeps the trace"},
    {"exposure.debug_tool", "turn off debug mode in this deploy"},
    {"exposure.forbidden", "find what prints this, and take it out of the answer"},
    {"",
     "put it behind authentication or bind it to 127.0.0.1, or name it in allow where it is meant to be "
     "public"},
};

const Explanation kExplanation{
    .control =
        "No stranger is shown environment files, repositories, dumps, debuggers, stack traces or secrets.",
    .sends =
        "Three paths that cannot exist; the declared paths, as a stranger and as `as`; six requests that "
        "provoke errors\n"
        "(malformed JSON by POST to a path that cannot exist, /hs-...% and /%ff, 20 kB of query, PROPFIND, "
        "malformed token,\n"
        "cookie and range); 114 paths of the catalogue (/.env, /.git/HEAD, /actuator/env, /static../.env, "
        "...), four at once,\n"
        "dumps by their first 4 KiB; and a path that cannot exist again. For two folders that a declared "
        "page "
        "names, four\n"
        "requests each. 125 requests in check (0.02 s of nginx, 0.2 s of Express). The agent asks for what "
        "is "
        "critical until\n"
        "the first pass (45 requests), for all others in the next run (91), later for twelve in turn (about "
        "25). No redirect\n"
        "is followed, nothing is changed.",
    .passes =
        "The app answers, and no answer shows anything of that: a path of the catalogue counts only with its "
        "own signature,\n"
        "never because it answers, and never where a path that cannot exist gets the same (SPA, soft 404). "
        "Stack traces\n"
        "count in errors, and in a 2xx only where no page of the app quotes them.",
    .fails =
        "A path shows its signature (but for example files); a folder lists its files; a file is reached "
        "through /folder..;\n"
        "an error shows a stack trace, a query, a path of the source or a debugger; any body or header has a "
        "value of\n"
        "secrets, plain, in base64 (also inside of what was encoded), hex or percent-encoded, or what forbid "
        "names; an\n"
        "answer to any other probe has such a value (exposure.secret_elsewhere). Declared paths are judged "
        "by "
        "what they\n"
        "show, not by answering.",
    .unclear =
        "The app does not answer, answers 5xx, or refuses or redirects everything (declare `as` and a path "
        "that it is\n"
        "served); a path answers 5xx or 429; or a body is longer than 1 MiB, cut short or compressed: it "
        "proves no absence.\n"
        "Secrets shorter than 8 bytes are not searched for.",
    .example =
        "[probes.nothing_exposed]\ntype = \"exposure\"\npaths = [\"/\", \"/downloads/\"]\n"
        "secrets = [{ env = \"JWT_SECRET\" }, { env = \"DATABASE_URL\" }]\nallow = [\"/openapi.json\"]\n"
        "forbid = [\"(?i)internal use only\"]\n",
    .references =
        "OWASP API3:2023, API8:2023, API9:2023; ASVS 5.0 13.3.1, 13.4.1, 13.4.3, 13.4.5, 14.2.6, 16.5.1; "
        "CWE-22, CWE-200,\nCWE-209, CWE-489, CWE-522, CWE-538, CWE-548",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics&) {
  const Values& values = probe.values;
  Settings settings;
  settings.http = HttpKeys::from(values);
  settings.allow = values.strings("allow");
  settings.forbid = values.patterns("forbid");
  std::vector<KnownSecret> secrets;
  for (const SecretValue& secret : values.secrets("secrets"))
    secrets.push_back(KnownSecret::of(secret.ref.text(), secret.value.reveal()));
  settings.secrets = SecretFinder(std::move(secrets));
  return std::make_unique<ExposureProbe>(probe.name, std::move(settings));
}

}  // namespace holdshort::exposure
