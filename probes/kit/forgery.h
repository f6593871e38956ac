// One path that serves whoever shows something genuine and must refuse what is forged: the positive control,
// the forgeries and the look afterwards, as the jwt and webhook probes share them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "probes/kit/classify.h"
#include "probes/kit/exchange.h"
#include "probes/kit/status_set.h"

namespace holdshort {

// Something that was not made by its rightful maker, and how its answer counts.
struct Forgery {
  std::string id;  // "jwt.expired"
  Call call;
  std::string with;   // follows "GET /me answered 200": "with an expired token"
  std::string means;  // what it shows where it is let in: "exp is ignored"
  enum class Weight {
    must_be_refused,
    must_not_be_served,  // beyond what can be asked for: where it is neither, the check is skipped
    advice,  // leniency that lets nobody in by itself: where it is let in, the check is skipped and says so
  } weight = Weight::must_be_refused;
  std::vector<std::string> references;
};

// One run on one method and path. Lives within one coroutine; what it refers to outlives it.
class ForgeryTrial {
 public:
  struct Subject {
    std::string method, path;
    std::string genuine;  // for sentences: "a valid token"
    StatusSet reject_status;
    std::vector<std::string> references;  // of the positive control
    // Adds something genuine to a request, another one each time where that can be.
    std::function<void(Call&)> make_genuine;
  };
  ForgeryTrial(Subject subject, const HttpKeys& keys, ProbeContext& context, Exchange& exchange);

  // The path's request with nothing to show.
  Call call() const;
  // What is genuine is served (2xx and, where one is declared, the marker); never worse than inconclusive.
  Awaitable<Check> accepted(std::string id);
  // The same after the forgeries: a lockout, a limit and a crash refuse too.
  Awaitable<Check> still_accepted(std::string id);
  // The caller who shows nothing at all: where he is served, forgeries prove nothing.
  Awaitable<Check> stranger(Forgery nothing);
  Awaitable<Check> refused(Forgery forgery);

  bool served() const { return served_; }    // by the last positive control
  bool answers() const { return answers_; }  // it got something better than silence or a 5xx
  int status() const { return status_; }     // what it got
  bool is_silent() const;                    // too many requests in a row got no answer: more are pointless
  bool serves_strangers() const { return serves_strangers_; }

 private:
  Seen see(const Response& response) const;
  Awaitable<Response> send_genuine();
  Awaitable<Seen> look_closer(const Response& response);
  void judge_genuine(const Response& response, Check& check);
  bool is_grant(Seen seen) const;
  void conclude(const Forgery& forgery, const Response& response, Seen seen, Check& check) const;

  Subject subject_;
  const HttpKeys& keys_;
  Exchange& exchange_;
  std::string target_;
  Judge judge_;
  bool served_ = false, answers_ = true, strangers_refused_ = false, serves_strangers_ = false;
  int status_ = 0, silent_ = 0;
};

}  // namespace holdshort
