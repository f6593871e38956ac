// "orders", the sample app of `holdshort demo`: a small HTTP server whose security controls are switches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "probes/kit/result.h"

namespace holdshort {

// GET /healthz and /orders are public, GET /admin wants the bearer token, GET /search is limited for each
// client. It routes as Express does: whatever the letters' case, with or without a slash at the end. All
// members: any thread.
class DemoApp {
 public:
  // Takes a free port on 127.0.0.1; connections to it are refused until start().
  static Result<std::unique_ptr<DemoApp>> create(std::string admin_token);
  ~DemoApp();  // stops at once
  std::uint16_t port() const;
  // Listens; answers before it returns.
  Result<void> start();

  enum class Guard {
    none,      // /admin is open
    by_route,  // whoever is routed to /admin must show the token
    by_text,   // the path is compared as it is written: /ADMIN passes
  };
  void set(Guard guard);

  enum class Limiter {
    off,
    by_forwarded_for,  // counts for the first X-Forwarded-For entry, which is the client's own word
    by_fly_client_ip,  // counts for the address that Fly's proxy vouches for
  };
  // Forgets what was counted.
  void set(Limiter limiter);
  // Requests to /search that one client may send; its counts live as long as the app, the demo ends within
  // the minute.
  static constexpr int kSearchLimit = 5;

 private:
  struct Impl;
  explicit DemoApp(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdshort
