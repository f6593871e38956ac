// The `exec` probe: a program of the user's own says whether a control holds. Its exit status is the verdict,
// the last line that it prints the reason.
#include "probes/exec/exec.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/text.h"

namespace holdshort::exec_probe {
namespace {

constexpr std::size_t kMaxLineBytes = 200;

constexpr Field kOwnFields[] = {
    {.name = "command",
     .kind = Kind::string_list,
     .doc = "the program and its arguments, without a shell: [\"/app/bin/check\", \"--fast\"]",
     .min = 1,
     .required = true},
    {.name = "env",
     .kind = Kind::string_list,
     .fallback = "[]",
     .doc = "names of the variables that it gets; it gets no other, not even PATH",
     .min = 0},
};

// The last line that is not blank, "" where there is none. A line whose beginning was forgotten may begin
// with half a secret, which nothing would recognise: it is not shown.
std::string last_line(const Finished& finished, const Redactor& redactor) {
  const std::string clean = redactor.clean(finished.output);
  const std::string_view text = ascii::trim(clean, ascii::kSpace);
  const std::size_t line_break = text.find_last_of("\r\n");
  if (line_break == text.npos && finished.output_is_cut) return "";
  return std::string(ascii::trim(shown(text.substr(line_break + 1), kMaxLineBytes)));
}

struct Told {
  Outcome outcome;
  std::string observed, sentence;
};

Told tell(std::string_view program, std::string_view timeout, const Finished& finished) {
  using How = Finished::How;
  switch (finished.how) {
    case How::exited:
      return {finished.code == 0 ? Outcome::pass : Outcome::fail,
              fmt::format("exit status {}", finished.code),
              fmt::format("{} exited with status {}", program, finished.code)};
    case How::killed:
      return {Outcome::inconclusive, fmt::format("signal {}", finished.code),
              fmt::format("{} was killed by signal {}", program, finished.code)};
    case How::late:
      return {Outcome::inconclusive, fmt::format("still running after {}", timeout),
              fmt::format("{} was still running after {} and was killed", program, timeout)};
    case How::not_started:
      return {Outcome::inconclusive, "not started: " + finished.error,
              fmt::format("{} cannot be run: {}", program, finished.error)};
    case How::lost:
      return {Outcome::inconclusive, finished.error,
              fmt::format("how {} ended is not known: {}", program, finished.error)};
  }
  return {Outcome::inconclusive, {}, {}};
}

class ExecProbe final : public Probe {
 public:
  explicit ExecProbe(const Values& values)
      : command_(values.strings("command")),
        env_(values.strings("env")),
        timeout_(values.duration("timeout")) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    ProbeOutcome outcome;
    Command command;
    command.arguments = command_;
    std::vector<Secret> values;
    for (const std::string& name : env_) {
      std::optional<std::string> value = context.environment.variable(name);
      if (!value) {
        outcome.add(missing(name));
        co_return outcome;
      }
      values.emplace_back(*value);
      command.environment.push_back(name + "=" + *value);
    }
    const Finished finished = co_await run_to_end(std::move(command), timeout_, context.offload);
    outcome.add(judge(command_.front(), Duration(timeout_).text(), finished, Redactor(values)));
    co_return outcome;
  }

 private:
  Check missing(const std::string& name) const {
    return {.id = "exec.exit",
            .outcome = Outcome::inconclusive,
            .request = "run " + command_.front(),
            .expected = "exit status 0",
            .observed = name + " is not set",
            .summary = fmt::format("{} was not run: {}, which env names, is not set; set it, or take it out",
                                   command_.front(), name)};
  }

  const std::vector<std::string> command_, env_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace

Check judge(std::string_view program, std::string_view timeout, const Finished& finished,
            const Redactor& redactor) {
  const Told told = tell(program, timeout, finished);
  const std::string line = last_line(finished, redactor);
  Check check{.id = "exec.exit",
              .outcome = told.outcome,
              .request = fmt::format("run {}", program),
              .expected = "exit status 0",
              .observed = told.observed,
              .summary = told.sentence};
  if (line.empty()) return check;
  // Where it has said itself how it is, that is the reason; else its last words only help.
  check.summary = finished.how == Finished::How::exited ? line : fmt::format("{}: {}", told.sentence, line);
  return check;
}

const std::span<const Field> kFields{kOwnFields};

constexpr Remedy kRemedies[] = {
    {"", "read the program's last line: it says what it found",
     "run the program by hand on the Machine as the agent's user: is it there, executable, quick enough, are "
     "its variables set?"},
};

const Explanation kExplanation{
    .control = "A program of your own finds that a control holds.",
    .sends =
        "Nothing by itself. It runs the program: no shell, an empty environment but for `env`, /dev/null as "
        "input, a session\n"
        "of its own, the agent's user and folder. A name without a slash is looked for in the agent's PATH. "
        "Starting one\n"
        "takes about 1 ms; what it does is up to it. What is left of its process group when it ends is "
        "killed.",
    .passes = "It exits with status 0 within `timeout`.",
    .fails =
        "It exits with another status. The last line that it prints (standard output and error are one) is "
        "the reason, with\n"
        "the values of `env` taken out.",
    .unclear =
        "It cannot be started, is killed by a signal, or runs longer than `timeout`: then it is killed, with "
        "its process\n"
        "group. A variable of `env` is not set.",
    .example =
        "[probes.migrations_done]\ntype = \"exec\"\ncommand = [\"/app/bin/check-schema\", \"--strict\"]\n"
        "env = [\"DATABASE_URL\"]\ninterval = \"1m\"\ntimeout = \"10s\"\n",
    .references = "none: cite in `description` what the program verifies",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make(const ProbeSettings& settings, Diagnostics& diagnostics) {
  const Values& values = settings.values;
  bool is_right = true;
  const auto refuse = [&](std::string_view key, std::string message) {
    diagnostics.error(values.place(key), std::move(message));
    is_right = false;
  };
  for (const std::string& argument : values.strings("command"))
    if (argument.find('\0') != argument.npos) refuse("command", "\"command\" has a NUL byte");
  if (values.strings("command").empty() || values.strings("command").front().empty())
    refuse("command", "\"command\" begins with an empty string, expected the path of a program");
  for (const std::string& name : values.strings("env"))
    if (!ascii::is_variable_name(name))
      refuse("env", "\"env\" has what is no name of a variable, expected letters, digits and \"_\"");
  if (!is_right) return nullptr;
  return std::make_unique<ExecProbe>(values);
}

}  // namespace holdshort::exec_probe
