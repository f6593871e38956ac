// Runs a probe to its end against scripted answers: no waiting, the same numbers every time.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "probes/probe.h"
#include "tests/support/seen_checks.h"

namespace holdshort::testing_support {

struct Sent {
  Endpoint endpoint;
  Request request;
  bool in_burst = false;

  std::string header(std::string_view name) const {
    const std::string* value = find_header(request.headers, name);
    return value ? *value : "";
  }
};

// Answers by a function and keeps what was sent.
class ScriptedClient final : public HttpClient {
 public:
  using Script = std::function<Response(const Sent& sent)>;
  explicit ScriptedClient(Script script) : script_(std::move(script)) {}

  Awaitable<Response> send(Endpoint endpoint, Request request, Limits) override {
    sent.push_back({std::move(endpoint), std::move(request), false});
    co_return script_(sent.back());
  }
  Awaitable<std::vector<Response>> burst(Endpoint endpoint, std::vector<Request> requests, Limits) override {
    std::vector<Response> responses;
    for (Request& request : requests) {
      sent.push_back({endpoint, std::move(request), true});
      responses.push_back(script_(sent.back()));
    }
    co_return responses;
  }

  std::vector<Sent> sent;

 private:
  Script script_;
};

// Sleeping moves it.
class FakeClock final : public Clock {
 public:
  Monotonic now() const override { return monotonic; }
  Wall wall_now() const override { return wall; }
  Awaitable<void> sleep_until(Monotonic when) override {
    if (when > monotonic) advance(std::chrono::duration_cast<std::chrono::microseconds>(when - monotonic));
    co_return;
  }
  void advance(std::chrono::microseconds by) {
    monotonic += by;
    wall += by;
  }

  Monotonic monotonic{std::chrono::hours(1)};
  Wall wall{std::chrono::seconds(1795448448)};  // 2026-11-23T15:40:48Z
};

class InlineOffload final : public Offload {
 public:
  Awaitable<void> run(std::function<void()> work) override {
    work();
    co_return;
  }
};

inline Response answer(int status, std::string body = "", std::vector<Header> headers = {}) {
  Response response;
  response.ended = Ended::complete;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

inline Response no_answer(Ended ended) {
  Response response;
  response.ended = ended;
  response.error = std::string(name_of(ended));
  return response;
}

inline ScriptedClient::Script always(Response response) {
  return [response = std::move(response)](const Sent&) { return response; };
}

// The world of one or more runs of a probe.
struct Stage {
  Stage(ScriptedClient::Script script, const Environment& machine)
      : client(std::move(script)), environment(machine) {
    app.url.host = "127.0.0.1";
    app.url.port = 3000;
    app.host = "orders.example.com";
  }

  ProbeOutcome run(Probe& probe) {
    return complete([&probe](ProbeContext& context) { return probe.run(context); });
  }

  ProbeOutcome complete(const std::function<Awaitable<ProbeOutcome>(ProbeContext&)>& begin) {
    bool is_done = false;
    ProbeContext context{.client = client,
                         .clock = clock,
                         .environment = environment,
                         .offload = offload,
                         .clients = clients,
                         .random = random,
                         .identities = identities,
                         .app = app,
                         .run_id = std::string(32, 'a'),
                         .pace = pace,
                         .failed_before = failed_before,
                         .request_budget = 0,
                         .reserve = {}};
    ProbeOutcome outcome;
    std::exception_ptr error;
    boost::asio::co_spawn(loop, begin(context), [&](std::exception_ptr thrown, ProbeOutcome result) {
      error = thrown;
      outcome = std::move(result);
      is_done = true;
    });
    loop.restart();
    while (!is_done && loop.run_one() > 0) {
    }
    if (error) std::rethrow_exception(error);
    note_checks(outcome);
    return outcome;
  }

  boost::asio::io_context loop;  // servers of a test may live on it too
  ScriptedClient client;
  FakeClock clock;
  InlineOffload offload;
  const Environment& environment;
  SyntheticClients clients{0};
  std::mt19937_64 random{1};
  Identities identities;
  App app;
  Pace pace = Pace::whole;
  std::string failed_before;
};

inline const Check* find(const ProbeOutcome& outcome, std::string_view id) {
  for (const Check& check : outcome.checks)
    if (check.id == id) return &check;
  return nullptr;
}

// `worst`: id of the check that decides; of a pass it is not asked.
inline void expect_verdict(const ProbeOutcome& outcome, Outcome expected, std::string_view worst) {
  EXPECT_EQ(name_of(outcome.outcome()), name_of(expected)) << outcome.summary();
  if (expected == Outcome::pass) return;
  ASSERT_NE(outcome.worst(), nullptr);
  EXPECT_EQ(outcome.worst()->id, worst) << outcome.summary();
}

}  // namespace holdshort::testing_support
