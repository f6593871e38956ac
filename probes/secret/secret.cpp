// The `secret` probe: a secret that is there, that nobody can guess or look up, and that stands in no file.
//
// Sends nothing. Each holder of the value (more than one only where several processes have the name) is
// judged by the same row of checks. No check says more of a value than its length and roughly what it is
// worth.
#include "probes/secret/secret.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "probes/kit/entropy.h"
#include "probes/kit/secret_parts.h"
#include "probes/kit/wordlists.h"
#include "probes/kit/written_forms.h"
#include "probes/secret/committed.h"

namespace holdshort::secret_probe {
namespace {

constexpr int kMinKeySecurityBits = 112;  // RSA 2048, P-224 (NIST SP 800-57 part 1, 5.6.1)
constexpr std::string_view kRemedy = "set a random value: openssl rand -base64 32";

constexpr Field kProcessFields[] = {
    {.name = "name",
     .kind = Kind::string,
     .doc = "the command's name, or the script's that it runs: \"node\", \"server.js\"",
     .required = true},
    {.name = "env", .kind = Kind::string, .doc = "the variable", .required = true},
};
constexpr Field kOwnFields[] = {
    {.name = "env",
     .kind = Kind::string,
     .doc = "a variable of the agent's own environment, which is the Machine's"},
    {.name = "file",
     .kind = Kind::string,
     .doc = "path of a file with the secret; a final newline is not part of it"},
    {.name = "process",
     .kind = Kind::table,
     .doc = "a variable of the running app: { name = \"node\", env = \"JWT_SECRET\" }",
     .fields = kProcessFields},
    {.name = "min_length",
     .kind = Kind::integer,
     .fallback = "16",
     .doc = "bytes of the whole value",
     .min = 1,
     .max = kMaxSecretBytes},
    {.name = "min_entropy_bits",
     .kind = Kind::number,
     .fallback = "64",
     .doc = "how hard it must be to guess; of a URL, its password",
     .min = 0,
     .max = 1024},
    {.name = "deny",
     .kind = Kind::string_list,
     .fallback = "[]",
     .doc = "values that are refused, whatever their case and separators",
     .min = 0},
    {.name = "not_in_files",
     .kind = Kind::string_list,
     .fallback = "[]",
     .doc = "files and folders in which the value must not stand, plain or encoded",
     .min = 0},
    {.name = "allow_test_keys",
     .kind = Kind::boolean,
     .fallback = "false",
     .doc = "accept keys of a payment provider's test mode (sk_test_...)"},
    {.name = "fingerprint",
     .kind = Kind::boolean,
     .fallback = "true",
     .doc = "compare the value's keyed fingerprint with the app's other Machines (fleet)"},
};

const std::vector<std::string> kPresent{"OWASP API8:2023", "ASVS 13.3.1", "CWE-1188"};
const std::vector<std::string> kDefault{"OWASP API8:2023", "ASVS 13.2.3", "CWE-1392", "CWE-798"};
const std::vector<std::string> kPublic{"OWASP API8:2023", "ASVS 13.2.3", "CWE-1392", "CWE-321"};
const std::vector<std::string> kWeak{"OWASP API8:2023", "ASVS 11.5.1", "CWE-1391", "CWE-331"};
const std::vector<std::string> kStored{"OWASP API8:2023", "ASVS 13.3.1", "CWE-798", "CWE-540"};

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'');
}

// A key of raw bytes may have any of them anywhere.
bool is_mostly_text(std::string_view value) {
  const auto readable = std::count_if(value.begin(), value.end(), [](char c) {
    return c == '\t' || c == '\n' || c == '\r' || c == ' ' || ascii::is_visible(c);
  });
  return 4 * readable >= 3 * static_cast<std::ptrdiff_t>(value.size());
}

// In PEM or base64 of it, as it comes from a variable.
std::optional<crypto::PrivateKey> private_key_in(std::string_view value) {
  if (const auto key = crypto::inspect_private_key(value)) return key;
  const std::optional<std::string> decoded = crypto::decode_base64(trim(value));
  return decoded ? crypto::inspect_private_key(*decoded) : std::nullopt;
}

// What is wrong around the value; "" where nothing is.
std::string_view blemish_of(std::string_view value, const std::optional<crypto::PrivateKey>& key) {
  if (key && key->state == crypto::PrivateKey::State::damaged)
    return "holds a private key that is cut or mangled";
  if (value.starts_with("\xEF\xBB\xBF")) return "begins with a byte order mark";
  if (!is_mostly_text(value)) return "";
  if (value.find('\0') != value.npos) return "has a NUL byte";
  const std::string_view inner = trim(value);
  // Documents end with a newline.
  const bool is_document = key || inner.starts_with("-----BEGIN") || inner.starts_with('{');
  if (inner.size() != value.size() && !is_document)
    return inner.data() == value.data() ? "ends with white space or a newline" : "begins with white space";
  return is_quoted(inner) ? "is wrapped in quotes, which are part of the value" : "";
}

// One value, judged check by check.
class Verdict {
 public:
  Verdict(const Settings& settings, const Sighting& sighting)
      : settings_(settings),
        name_(name_of(settings.source)),
        label_(sighting.label),
        value_(sighting.value.reveal()),
        key_(private_key_in(value_)),
        core_(core_of(value_)),
        parts_(key_ ? Parts{Parts::Shape::whole, std::string(core_), {}} : parts_of(core_)) {}

  std::vector<Check> checks() const {
    if (parts_.secret.empty()) return {missing()};
    std::vector<Check> checks{present(), not_placeholder(), not_published()};
    if (!settings_.deny.empty()) checks.push_back(not_denied());
    checks.push_back(not_test_key());
    checks.push_back(well_formed());
    checks.push_back(length());
    checks.push_back(entropy());
    return checks;
  }

 private:
  // Without what well_formed() complains of.
  static std::string_view core_of(std::string_view value) {
    std::string_view core = is_mostly_text(value) ? trim(value) : value;
    if (core.starts_with("\xEF\xBB\xBF")) core.remove_prefix(3);
    return is_quoted(core) ? trim(core.substr(1, core.size() - 2)) : core;
  }

  std::string subject() const {
    return parts_.shape == Parts::Shape::password ? "the password in " + label_ : label_;
  }
  Check check(std::string id, bool holds, std::string expected, std::string observed,
              const std::vector<std::string>& references, std::string summary) const {
    return {.id = std::move(id),
            .outcome = holds ? Outcome::pass : Outcome::fail,
            .expected = std::move(expected),
            .observed = std::move(observed),
            .references = references,
            .summary = std::move(summary)};
  }

  Check present() const {
    return check("secret.present", true, "a value", fmt::format("{} characters", value_.size()), kPresent,
                 label_ + " is set");
  }
  Check missing() const {
    if (core_.empty())
      return check("secret.present", false, "a value", "empty but for quotes", kPresent,
                   fmt::format("{} is empty but for quotes; {}", label_, kRemedy));
    const std::string_view what =
        parts_.shape == Parts::Shape::password
            ? "is a URL without a password; put one into it"
            : "is a URL with nothing secret in it; name the variable that holds the secret";
    return check("secret.present", false, "a secret in the URL", "none", kPresent,
                 fmt::format("{} {}", label_, what));
  }

  std::optional<std::string_view> placeholder() const {
    if (key_) return std::nullopt;
    if (parts_.login == parts_.secret + ":" + parts_.secret) return "is its user's name";
    if (const auto reason = placeholder_reason(parts_.secret, name_)) return reason;
    if (strength_of(parts_.secret).is_prose) return "is made of words about secrets, or of a sentence";
    return std::nullopt;
  }
  Check not_placeholder() const {
    const std::optional<std::string_view> reason = placeholder();
    return check("secret.not_placeholder", !reason, "a value of its own", reason ? "a placeholder" : "none",
                 kDefault,
                 reason ? fmt::format("{} is a placeholder: it {}; {}", subject(), *reason, kRemedy)
                        : subject() + " is no placeholder");
  }

  Check not_published() const {
    const bool published = is_published(core_) || is_published(parts_.secret) || is_published(parts_.login);
    return check("secret.not_published", !published, "a value of its own",
                 published ? "a published one" : "not a published one", kPublic,
                 published ? fmt::format("{} is a published default that everybody can look up; {}",
                                         subject(), kRemedy)
                           : subject() + " is no published default");
  }

  bool is_denied(std::string_view denied) const {
    const std::optional<std::string> decoded = crypto::decode_base64(core_);
    const auto is_same = [&](std::string_view value) {
      return value == denied || (!normalise(value).empty() && normalise(value) == normalise(denied));
    };
    return is_same(core_) || is_same(parts_.secret) || (decoded && is_same(*decoded));
  }
  Check not_denied() const {
    const bool denied = std::any_of(settings_.deny.begin(), settings_.deny.end(),
                                    [&](const std::string& each) { return is_denied(each); });
    return check("secret.not_denied", !denied, "none of deny's values",
                 denied ? "one of them" : "none of them", kDefault,
                 denied ? fmt::format("{} has a value that deny forbids; {}", subject(), kRemedy)
                        : subject() + " is none of deny's values");
  }

  Check not_test_key() const {
    const bool is_test = is_test_key(core_);
    Check result = check(
        "secret.not_test_key", !is_test, "a live key", is_test ? "a test key" : "not a test key", kDefault,
        is_test
            ? fmt::format("{} is a test key; set the live one, or allow_test_keys = true where this is meant",
                          label_)
            : label_ + " is no test key");
    if (is_test && settings_.allow_test_keys) result.outcome = Outcome::skipped;
    return result;
  }

  Check well_formed() const {
    const std::string_view blemish = blemish_of(value_, key_);
    return check("secret.well_formed", blemish.empty(), "nothing around the value",
                 blemish.empty() ? "nothing" : std::string(blemish), kPresent,
                 blemish.empty() ? label_ + " is well formed"
                                 : fmt::format("{} {}; set it again without that", label_, blemish));
  }

  Check length() const {
    return check("secret.length", core_.size() >= settings_.min_length,
                 fmt::format("at least {} characters", settings_.min_length),
                 fmt::format("{} characters", core_.size()), kWeak,
                 core_.size() >= settings_.min_length
                     ? fmt::format("{} is long enough", label_)
                     : fmt::format("{} has {} characters, at least {} are wanted; {}", label_, core_.size(),
                                   settings_.min_length, kRemedy));
  }

  Check entropy() const {
    if (key_) return key_strength();
    constexpr double kStep = 4;  // more would describe the value
    const double bits = strength_of(parts_.secret).bits;
    const bool holds = bits >= settings_.min_entropy_bits;
    const double about = std::floor(bits / kStep) * kStep;
    const std::string expected = fmt::format("at least {:g} bits", settings_.min_entropy_bits);
    return check("secret.entropy", holds, expected, holds ? "enough" : fmt::format("about {:g} bits", about),
                 kWeak,
                 holds ? subject() + " is hard to guess"
                       : fmt::format("{} can be guessed: it is worth about {:g} bits, {:g} are wanted; {}",
                                     subject(), about, settings_.min_entropy_bits, kRemedy));
  }
  // A private key's text says nothing: a guesser factors instead.
  Check key_strength() const {
    using State = crypto::PrivateKey::State;
    const bool holds = key_->state == State::readable && key_->security_bits >= kMinKeySecurityBits;
    const std::string what =
        key_->state == State::readable ? fmt::format("a private key of {} bits", key_->bits)
        : key_->state == State::sealed ? "a private key that is encrypted or of an unknown kind"
                                       : "a private key that cannot be read";
    Check result = check(
        "secret.entropy", holds, "RSA of 2048 bits, or as strong", what, kWeak,
        holds
            ? fmt::format("{} is {}", label_, what)
            : fmt::format("{} is {}; make a new one of at least 2048 bits (RSA) or on P-256", label_, what));
    if (key_->state != State::readable) result.outcome = Outcome::skipped;
    return result;
  }

  const Settings& settings_;
  std::string name_;
  std::string label_;
  std::string_view value_;
  std::optional<crypto::PrivateKey> key_;
  std::string_view core_;
  Parts parts_;
};

Check not_committed(const std::string& label, const Search& search) {
  Check check{.id = "secret.not_committed",
              .outcome = Outcome::pass,
              .expected = "in none of not_in_files",
              .observed = fmt::format("not in {} files", search.files),
              .references = kStored,
              .summary = fmt::format("{} stands in none of {} files", label, search.files)};
  if (!search.unseen.empty()) {
    check.outcome = Outcome::inconclusive;
    check.observed = search.unseen;
    check.summary = fmt::format("whether {} stands in a file could not be seen: {}", label, search.unseen);
  }
  if (!search.found_in.empty()) {
    check.outcome = Outcome::fail;
    check.observed = "in " + search.found_in;
    check.summary = fmt::format("{} stands in {}; take it out there and set a new value: this one is known",
                                label, search.found_in);
  }
  return check;
}

class SecretProbe final : public Probe {
 public:
  explicit SecretProbe(Settings settings) : settings_(std::move(settings)) {}

  Awaitable<ProbeOutcome> run(ProbeContext& context) override {
    ProbeOutcome outcome;
    const Environment& environment = context.environment;
    const Pace pace = context.pace;
    std::function<void()> work = [this, &environment, pace, &outcome] { judge(environment, pace, outcome); };
    co_await context.offload.run(std::move(work));
    co_return outcome;
  }

 private:
  // Blocks.
  void judge(const Environment& environment, Pace pace, ProbeOutcome& outcome) const {
    for (const Sighting& sighting : look(settings_.source, environment)) {
      if (sighting.outcome != Outcome::pass) {
        outcome.add({.id = "secret.present",
                     .outcome = sighting.outcome,
                     .expected = "a value",
                     .observed = sighting.observed,
                     .references = kPresent,
                     .summary = sighting.summary});
        continue;
      }
      for (Check& check : Verdict(settings_, sighting).checks()) outcome.add(std::move(check));
      // The costliest comes last, and while the app starts only where the rest holds.
      const bool wanted = pace != Pace::startup || outcome.outcome() <= Outcome::pass;
      if (!settings_.not_in_files.empty() && wanted) outcome.add(search(environment, sighting));
    }
  }

  Check search(const Environment& environment, const Sighting& sighting) const {
    const std::string_view value = sighting.value.reveal();
    std::vector<std::string> forms = written_forms(trim(value));
    const std::vector<std::string> of_secret = written_forms(parts_of(trim(value)).secret);
    forms.insert(forms.end(), of_secret.begin(), of_secret.end());
    if (forms.empty())
      return {.id = "secret.not_committed",
              .outcome = Outcome::skipped,
              .expected = "in none of not_in_files",
              .observed = "too short to be told from chance",
              .references = kStored,
              .summary = sighting.label + " is too short to be searched for"};
    const auto* file = std::get_if<File>(&settings_.source);
    return not_committed(sighting.label,
                         search_files(environment, settings_.not_in_files, forms, file ? file->path : ""));
  }

  const Settings settings_;
};

constexpr std::string_view kSourceKeys[] = {"env", "file", "process"};
constexpr Alternatives kOneSource[] = {{Alternatives::Count::exactly_one, kSourceKeys}};

// Reports a text that can be no name of what `key` stands for.
bool is_possible(const Values& values, std::string_view key, std::string_view forbidden,
                 Diagnostics& diagnostics) {
  const std::string& text = values.string(key);
  if (!text.empty() && text.find_first_of(forbidden) == text.npos && !ascii::has_control(text)) return true;
  diagnostics.error(values.place(key), fmt::format("\"{}\" cannot be such a name", key));
  return false;
}

std::optional<Source> source_of(const Values& values, Diagnostics& diagnostics) {
  std::vector<std::string_view> written;
  std::copy_if(std::begin(kSourceKeys), std::end(kSourceKeys), std::back_inserter(written),
               [&](std::string_view key) { return values.has(key); });
  if (written.empty())
    diagnostics.error(values.table_place(), "a secret probe needs one of \"env\", \"file\" and \"process\"");
  for (std::size_t i = 1; i < written.size(); ++i)
    diagnostics.error(
        values.place(written[i]),
        fmt::format("\"{}\" and \"{}\" exclude each other; expected one of \"env\", \"file\" and \"process\"",
                    written[0], written[i]));
  if (written.size() != 1) return std::nullopt;
  if (written[0] == "env" && is_possible(values, "env", "=", diagnostics))
    return Variable{values.string("env")};
  if (written[0] == "file" && is_possible(values, "file", "", diagnostics))
    return File{values.string("file")};
  if (written[0] != "process") return std::nullopt;
  const Values& table = *values.table("process");
  const bool name = is_possible(table, "name", "/", diagnostics),
             env = is_possible(table, "env", "=", diagnostics);
  if (!name || !env) return std::nullopt;
  return ProcessVariable{table.string("name"), table.string("env")};
}

}  // namespace

const std::span<const Field> kFields{kOwnFields};
const std::span<const Alternatives> kAlternatives{kOneSource};

constexpr Remedy kRemedies[] = {
    {"secret.present", "set it: fly secrets set NAME=..., or mend where the app reads it from",
     "let holdshort read it: run it as the app's user, name the running process or the right file"},
    {"secret.not_committed", "rotate it, then take it out of the file and of the image's history",
     "name fewer files in not_in_files, or the right path"},
    {"secret.not_test_key", "set the live key: fly secrets set"},
    {"secret.well_formed", "set it again without what is around the value: quotes, white space, a newline"},
    {"",
     "replace it by a random one: fly secrets set NAME=$(openssl rand -base64 32); rotate whatever it signed",
     "let holdshort read it: run it as the app's user, name the running process or the right file"},
};

const Explanation kExplanation{
    .control = "A secret is set, is nobody's default, cannot be guessed, and stands in no file of the image.",
    .sends =
        "Nothing. It reads a variable, a file, or the environment that the running app was started with "
        "(/proc),\n"
        "and the files of not_in_files: at most 2000, 4 MiB each, 200 MiB together.",
    .passes =
        "The value is there, is no placeholder, no published default, no test key, none of deny's values, "
        "has nothing\n"
        "around it (quotes, white space, NUL), at least min_length bytes, and is worth min_entropy_bits: the "
        "length of its\n"
        "shortest description in words, runs, keyboard rows, repetitions and characters of a class. Base64, "
        "hex and UUIDs\n"
        "are worth what they decode to. Of a URL or connection string the password is judged. A PEM private "
        "key must be\n"
        "as strong as RSA 2048.",
    .fails =
        "The variable or file is missing or empty, or any of that does not hold, or the value (plain, "
        "base64, hex,\n"
        "percent-encoded or escaped as JSON) stands in a file of not_in_files. A listed path that does not "
        "exist holds\n"
        "nothing. Where several processes have the name, each is judged.",
    .unclear =
        "No process has that name, or its environment cannot be read: run holdshort as the app's user or as "
        "root. A\n"
        "process that shows a title in ps has overwritten its environment: use env. What an app loads by "
        "itself, from\n"
        "a .env file, is not in the environment it was started with: use file. A file cannot be read, or "
        "not_in_files\n"
        "has more than may be searched, or a path whose folder does not exist: name less, or the right path.",
    .example =
        "[probes.jwt_secret]\ntype = \"secret\"\nenv = \"JWT_SECRET\"\nmin_length = 32\ndeny = "
        "[\"dev-secret\"]\nnot_in_files = [\"/app/.env\"]\n\n"
        "[probes.app_has_it]\ntype = \"secret\"\nprocess = { name = \"node\", env = \"JWT_SECRET\" }\n",
    .references =
        "OWASP API8:2023; ASVS 5.0 11.5.1, 13.2.3, 13.3.1; CWE-321, CWE-331, CWE-540, CWE-798, CWE-1391, "
        "CWE-1392",
    .remedies = kRemedies,
};

std::unique_ptr<Probe> make_probe(Settings settings) {
  return std::make_unique<SecretProbe>(std::move(settings));
}

std::unique_ptr<Probe> make(const ProbeSettings& probe, Diagnostics& diagnostics) {
  const Values& values = probe.values;
  std::optional<Source> source = source_of(values, diagnostics);
  for (const std::string& path : values.strings("not_in_files")) {
    if (!path.empty()) continue;
    diagnostics.error(values.place("not_in_files"), "\"not_in_files\" has an empty path");
    return nullptr;
  }
  if (!source) return nullptr;
  return make_probe({.source = std::move(*source),
                     .min_length = static_cast<std::size_t>(values.integer("min_length")),
                     .min_entropy_bits = values.number("min_entropy_bits"),
                     .deny = values.strings("deny"),
                     .not_in_files = values.strings("not_in_files"),
                     .allow_test_keys = values.boolean("allow_test_keys")});
}

}  // namespace holdshort::secret_probe
