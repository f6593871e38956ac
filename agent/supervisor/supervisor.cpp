#include "agent/supervisor/supervisor.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/waiting.h"

namespace holdshort {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kKillAgain{20};  // a victim's children become ours and are next

std::string told(const Ending& ending) {
  return ending.kind == Ending::Kind::exited
             ? fmt::format("the app ended with status {}", ending.number)
             : fmt::format("the app was killed by {}", signal_name(ending.number));
}

}  // namespace

struct Supervisor::Impl {
  Impl(asio::any_io_executor executor, Clock& c, Log& l, Output& o)
      : clock(c), log(l), output(o), alarm(executor, c), child_signals(executor, SIGCHLD) {}

  // --- what happens

  static Awaitable<void> watch(std::shared_ptr<Impl> self) {
    while (true) {
      boost::system::error_code error;
      co_await self->child_signals.async_wait(asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      self->alarm.ring();
    }
  }

  static Awaitable<Ending> run(std::shared_ptr<Impl> self) {
    asio::co_spawn(self->executor(), watch(self), asio::detached);
    while (true) {
      self->reap();
      if (self->is_over()) break;
      self->kill_what_is_due();
      co_await self->alarm.wait_until(self->wakes_at());
    }
    self->child_signals.cancel();
    co_return self->ending.value_or(Ending{Ending::Kind::killed, SIGKILL});
  }

  // Of the children of this thread: the app, and what was orphaned below us.
  void reap() {
    while (true) {
      siginfo_t child{};
      if (::waitid(P_ALL, 0, &child, WEXITED | WSTOPPED | WNOHANG | __WNOTHREAD) != 0) {
        has_children = false;
        return;
      }
      if (child.si_pid == 0) return;
      const bool runs = child.si_code == CLD_STOPPED;
      if (runs && child.si_pid == app && child.si_status == SIGTSTP) stop_with_the_app(app);
      if (!runs && child.si_pid == app)
        ended({.kind = child.si_code == CLD_EXITED ? Ending::Kind::exited : Ending::Kind::killed,
               .number = child.si_status});
    }
  }

  void ended(Ending how) {
    ending = how;
    const bool asked = because != 0;
    const bool clean = asked || (how.kind == Ending::Kind::exited && how.number == 0);
    output.app_has_ended();
    log.write(clean ? LogLevel::info : LogLevel::error, "app.exited", told(how) + cause(how),
              {{how.kind == Ending::Kind::exited ? "status" : "signal", std::int64_t{how.number}},
               {"pid", std::int64_t{app}}});
    if (!asked) due = std::min(due, clock.now() + kLeavingTime);
    for (const int left : descendants()) ::kill(left, asked ? because : SIGTERM);
  }

  std::string cause(Ending how) const {
    if (killed_by_us)
      return fmt::format(": it still ran when its time after {} was over", signal_name(because));
    if (because != 0) return fmt::format(", after {}", signal_name(because));
    if (how.kind != Ending::Kind::killed || how.number != SIGKILL) return "";
    return out_of_memory_kills() > out_of_memory_before ? ": the kernel killed it for lack of memory"
                                                        : ", which holdshort did not send";
  }

  // --- the end

  bool is_over() const {
    if (ending && !has_children) return true;
    return clock.now() >= due + kDyingTime;  // a victim in the kernel's hands may outlast even SIGKILL
  }

  Monotonic wakes_at() const {
    const Monotonic now = clock.now();
    return now < due ? due : std::min(now + kKillAgain, due + kDyingTime);
  }

  void kill_what_is_due() {
    if (clock.now() < due) return;
    if (!ending) killed_by_us = true;
    for (const int left : descendants()) ::kill(left, SIGKILL);
    if (!ending) ::kill(app, SIGKILL);  // where there is no /proc
  }

  asio::any_io_executor executor() { return child_signals.get_executor(); }

  Clock& clock;
  Log& log;
  Output& output;
  Alarm alarm;
  asio::signal_set child_signals;
  pid_t app = -1;
  std::optional<Ending> ending;
  bool has_children = true;
  Monotonic due = Monotonic::max() - kDyingTime;  // when what still runs is killed
  int because = 0;                                // the signal that began a stop; 0: none
  bool killed_by_us = false;
  long out_of_memory_before = 0;
};

Supervisor::Supervisor(asio::any_io_executor loop, Clock& clock, Log& log, Output& output)
    : impl_(std::make_shared<Impl>(std::move(loop), clock, log, output)) {}

Supervisor::~Supervisor() {
  boost::system::error_code ignored;
  impl_->child_signals.cancel(ignored);
}

std::optional<StartFailure> Supervisor::start(const CommandLineOfApp& command, std::size_t descriptors) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  impl_->out_of_memory_before = out_of_memory_kills();
  Output& output = impl_->output;
  const auto app =
      start_child(command, output.app_end(),
                  output.takes_stderr() ? StandardError::like_output : StandardError::inherited, descriptors);
  if (!app) return app.error();
  impl_->app = *app;
  // Arguments may hold secrets.
  impl_->log.write(LogLevel::info, "app.started", fmt::format("{} runs, PID {}", command.front(), *app),
                   {{"pid", std::int64_t{*app}}});
  output.app_begins();
  return std::nullopt;
}

Awaitable<Ending> Supervisor::run() { return Impl::run(impl_); }

void Supervisor::forward(int signal) {
  if (!impl_->ending) ::kill(impl_->app, signal);
}

void Supervisor::kill_at(Monotonic when, int because) {
  impl_->due = std::min(impl_->due, when);
  impl_->because = because;
  impl_->alarm.ring();
}

}  // namespace holdshort
