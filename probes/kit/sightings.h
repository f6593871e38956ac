// Which declared secrets the answers to the probes have shown, to whom, and where.
//
// An `exposure` probe declares them; every answer that any probe gets is looked through for them. What a
// caller has sent along gives nothing away when it comes back; what an identity acts with may be handed to
// whoever logs in, so of that only a stranger's answers count.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/http.h"
#include "probes/kit/secret.h"
#include "probes/kit/secret_finder.h"

namespace holdshort {

struct Sighting {
  std::string secret;   // "$JWT_SECRET"
  std::string request;  // "GET /debug"
  std::string answer;   // "answered 200"
  std::string where;    // "body", "header X-Debug"
  bool in_this_run = true;
};

// Loop thread only.
class Sightings {
 public:
  // What is looked for from now on; `credentials` is what identities act with. Forgets what was seen of
  // secrets that are no longer among them, or have another value now.
  void watch(std::vector<KnownSecret> secrets, const std::vector<Secret>& credentials);
  bool watches_nothing() const { return finder_.looks_for_nothing(); }

  // What a request says of its caller. To be made before it is sent.
  struct Sent {
    std::string request;               // "GET /debug", cut
    std::vector<std::string> secrets;  // that it carries itself
    bool by_stranger = true;           // it has no credentials and no body
  };
  Sent sent(const Request& request) const;
  // An answer to `probe`. Keeps nothing of it.
  void look(std::string_view probe, const Sent& sent, const Response& response);

  // A run of `probe` has ended. With a verdict, what it has not shown again is over.
  enum class Run { with_verdict, without };
  void ended(std::string_view probe, Run run);
  void forget(std::string_view probe);

  // What the latest answers to probes other than `probe` show of a secret of that name; with the probe's
  // name.
  std::vector<std::pair<std::string, const Sighting*>> to_others(std::string_view probe,
                                                                 std::string_view secret) const;
  // How many answers to probes other than that were looked through.
  std::uint64_t answers_to_others(std::string_view probe) const;
  // Grows whenever a secret is shown to a probe that had not seen it in its latest runs.
  std::uint64_t news() const { return news_; }

  static constexpr std::size_t kMaxShownTarget = 64;  // bytes

 private:
  struct OfProbe {
    std::uint64_t answers = 0;
    std::vector<Sighting> shown;  // at most one for each secret
  };
  SecretFinder finder_;
  SecretFinder credentials_;
  std::vector<bool> is_credential_;  // by index of the secret
  std::map<std::string, OfProbe, std::less<>> probes_;
  std::uint64_t news_ = 0;
};

}  // namespace holdshort
