#include "probes/kit/sightings.h"

#include <algorithm>
#include <utility>

namespace holdshort {
namespace {

bool same_value(const KnownSecret& a, const KnownSecret& b) {
  return std::equal(a.forms.begin(), a.forms.end(), b.forms.begin(), b.forms.end(),
                    [](const Secret& x, const Secret& y) { return x.reveal() == y.reveal(); });
}

// One name stands for one value: those of the same name are the same reference.
void drop_repeated(std::vector<KnownSecret>& secrets) {
  std::vector<KnownSecret> once;
  for (KnownSecret& secret : secrets)
    if (std::none_of(once.begin(), once.end(), [&](const KnownSecret& s) { return s.name == secret.name; }))
      once.push_back(std::move(secret));
  secrets = std::move(once);
}

bool carries_credentials(const Request& request) {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const Header& header) {
    return same_name(header.name, "Authorization") || same_name(header.name, "Cookie") ||
           same_name(header.name, "Proxy-Authorization");
  });
}

}  // namespace

void Sightings::watch(std::vector<KnownSecret> secrets, const std::vector<Secret>& credentials) {
  std::erase_if(secrets, [](const KnownSecret& secret) { return secret.forms.empty(); });
  drop_repeated(secrets);
  const auto is_kept = [&](const std::string& name) {
    const auto named = [&](const KnownSecret& secret) { return secret.name == name; };
    const auto before = std::find_if(finder_.secrets().begin(), finder_.secrets().end(), named);
    const auto now = std::find_if(secrets.begin(), secrets.end(), named);
    return before != finder_.secrets().end() && now != secrets.end() && same_value(*before, *now);
  };
  for (auto& [name, of_probe] : probes_)
    std::erase_if(of_probe.shown, [&](const Sighting& seen) { return !is_kept(seen.secret); });

  finder_ = SecretFinder(std::move(secrets));
  is_credential_.assign(finder_.secrets().size(), false);
  std::vector<KnownSecret> presented;
  for (const Secret& credential : credentials) {
    for (const std::size_t secret : finder_.in(credential.reveal())) is_credential_[secret] = true;
    presented.push_back(KnownSecret::of("", credential.reveal()));
  }
  const bool needed = std::find(is_credential_.begin(), is_credential_.end(), true) != is_credential_.end();
  credentials_ = needed ? SecretFinder(std::move(presented)) : SecretFinder();
}

Sightings::Sent Sightings::sent(const Request& request) const {
  Sent sent;
  sent.request = describe(request.method, std::string_view(request.target).substr(0, kMaxShownTarget));
  for (const std::size_t secret : finder_.in(request)) sent.secrets.push_back(finder_.secrets()[secret].name);
  sent.by_stranger =
      request.body.empty() && !carries_credentials(request) && credentials_.in(request).empty();
  return sent;
}

void Sightings::look(std::string_view probe, const Sent& sent, const Response& response) {
  if (response.status == 0) return;
  auto entry = probes_.find(probe);
  if (entry == probes_.end()) entry = probes_.emplace(std::string(probe), OfProbe()).first;
  OfProbe& of_probe = entry->second;
  ++of_probe.answers;
  for (SecretFinder::Hit& hit : finder_.in(response)) {
    const std::string& name = finder_.secrets()[hit.secret].name;
    const bool came_with_it = std::find(sent.secrets.begin(), sent.secrets.end(), name) != sent.secrets.end();
    if (came_with_it || (is_credential_[hit.secret] && !sent.by_stranger)) continue;
    Sighting sighting{.secret = name,
                      .request = sent.request,
                      .answer = response.sentence(),
                      .where = std::move(hit.where)};
    const auto before = std::find_if(of_probe.shown.begin(), of_probe.shown.end(),
                                     [&](const Sighting& seen) { return seen.secret == name; });
    if (before == of_probe.shown.end()) {
      ++news_;
      of_probe.shown.push_back(std::move(sighting));
    } else if (!before->in_this_run) {
      *before = std::move(sighting);
    }
  }
}

void Sightings::ended(std::string_view probe, Run run) {
  const auto entry = probes_.find(probe);
  if (entry == probes_.end()) return;
  std::vector<Sighting>& shown = entry->second.shown;
  if (run == Run::with_verdict)
    std::erase_if(shown, [](const Sighting& sighting) { return !sighting.in_this_run; });
  for (Sighting& sighting : shown) sighting.in_this_run = false;
}

void Sightings::forget(std::string_view probe) {
  if (const auto entry = probes_.find(probe); entry != probes_.end()) probes_.erase(entry);
}

std::vector<std::pair<std::string, const Sighting*>> Sightings::to_others(std::string_view probe,
                                                                          std::string_view secret) const {
  std::vector<std::pair<std::string, const Sighting*>> list;
  for (const auto& [name, of_probe] : probes_)
    for (const Sighting& sighting : of_probe.shown)
      if (name != probe && sighting.secret == secret) list.emplace_back(name, &sighting);
  return list;
}

std::uint64_t Sightings::answers_to_others(std::string_view probe) const {
  std::uint64_t answers = 0;
  for (const auto& [name, of_probe] : probes_)
    if (name != probe) answers += of_probe.answers;
  return answers;
}

}  // namespace holdshort
