#include "probes/kit/wordlists.h"

#include <algorithm>
#include <vector>

#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "probes/kit/pattern.h"

namespace holdshort {
namespace {

// Normalised.
constexpr std::string_view kPlaceholders = R"(
000000 0123456789 111111 123 1234 12345 123456 1234567 12345678 123456789 1234567890 abc abc123 abcd1234
abcdef abcdefg abcdefghijklmnopqrstuvwxyz accesstoken addyourapikey addyourkeyhere admin admin123
administrator apikey apikeyhere apisecret arandomsecret arandomstring asdf asdfasdf asdfgh authtoken
averylongrandomstring averylongsecret averysecretkey bar baz bearertoken censored changeforproduction
changeit changeme changemeinproduction changemenow changemeplease changemetoasecurevalue changethis
changethisinproduction clientsecret cookiesecret correcthorsebatterystaple default defaultkey
defaultpassword defaultsecret defaulttoken demo demokey demosecret development developmentsecret devkey
devsecret donottell donotuse donotuseinproduction dummy dummykey dummysecret dummytoken dummyvalue editme
empty encryptionkey enterapikeyhere enteryourapikey enteryourkey example examplekey examplesecret
exampletoken fake fakekey fakesecret faketoken false fillin fillme fillmein fixme foo foobar foobarbaz
generatedsecret generateme generatethis gibberish guest hidden hunter2 ihavenoidea iloveyou insecure
insecurekey insecuresecret insertapikeyhere insertkeyhere insertsecrethere insertyourkeyhere itsasecret
itsasecrettoeverybody jwtkey jwtprivatekey jwtsecret jwtsecretkey jwttoken keepthissecret keyboardcat
letmein localdev localsecret lorem loremipsum loremipsumdolorsitamet masked missing mustbechanged mustchange
myapikey mykey mypassword mysecret mysecretkey mysecrettoken mysupersecret mysupersecretkey mytoken na nan
nil no none notasecret notconfigured notsecret notset null off on overwriteme p@ssw0rd p@ssword passw0rd
password password1 password123 pasteyourkeyhere placeholder pleasechange pleasechangeme pleasechangethis
privatekey putyourkeyhere putyoursecrethere qwerty qwerty123 qwertyuiop randomkey randomsecret randomstring
redacted removed replaceme replacethis replacewithactualkey replacewithlengthysecurehex replacewithrandom
replacewithrandomstring replacewithsecurerandomvalue replacewithyourkey replacewithyourown
replacewithyoursecret root sample samplekey samplesecret sauce secret secret123 secretkey secretkeybase
secretsauce secretsecret secrettoken secretvalue sessionsecret setme shhh shhhhh shhhhhh signingkey
somerandomkey somerandomstring somesecret somesecretkey somethingsecret supersecret supersecretkey
supersecretpassword supersecrettoken tba tbd temporarykey temporarysecret test test123 testing testkey
testpassword testsecret testtoken thequickbrownfox thequickbrownfoxjumpsoverthelazydog thesecret
thesecretkey thisisasecret thisisasecretkey thisismysecret thisismysecretkey thisissecret tobechanged
tobemodified todo tokenkey tokensecret toor topsecret true undefined unsafe unsafesecret unset updateme user
verysecret verysecretkey welcome welcome1 xxx yes youraccesstoken youranthropicapikey yourapikey
yourapikeyhere yourapisecret yourclientid yourclientsecret yourdatabasepassword yourdatabaseurl
yourencryptionkey yourjwtsecret yourjwtsecrethere yourjwtsecretkey yourkey yourkeyhere youropenaiapikey
youropenaiapikeyhere yourowninformation yourpassword yourpasswordhere yourprivatekey yoursecret
yoursecrethere yoursecretjwtkey yoursecretkey yoursecretkeyhere yoursendgridapikey yoursessionsecret
yourstripesecretkey yourtoken yourtokenhere yourvaluehere
)";

// Exact. Where a vendor's scanner would take a literal for a live key, it is written in two.
// clang-format off
// NOLINTBEGIN(bugprone-suspicious-missing-comma)
constexpr std::string_view kPublished[] = {
    // jwt.io, Supabase, PostgREST, JHipster, Hono.
    "your-256-bit-secret",
    "your-384-bit-secret",
    "your-512-bit-secret",
    "a-string-secret-at-least-256-bits-long",
    "a-valid-string-secret-that-is-at-least-384-bits-long",
    "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "your-super-secret-and-long-postgres-password",
    "reallyreallyreallyreallyverysafe",
    "my-secret-token-to-change-in-production",
    "it-is-very-secret",
    "hmacSampleSecret",
    "AllYourBase",
    // FastAPI, Flask, NestJS, Symfony, CakePHP, WordPress, Laravel.
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    R"(_5#y2L"F4Q8z\n\xec]/)",
    "DO NOT USE THIS VALUE. INSTEAD, CREATE A COMPLEX SECRET AND KEEP IT SAFE OUTSIDE OF THE SOURCE CODE.",
    "ThisTokenIsNotSoSecretChangeIt",
    "DYhG93b0qyJfIxfs2guVoUubWwvniR2G0FgaC9mi",
    "76859309657453542496749683645",
    "__SALT__",
    "put your unique phrase here",
    "SomeRandomString",
    // Superset (CVE-2023-27524), Airflow (CVE-2020-17526).
    R"(\x02\x01thisismyscretkey\x01\x02\\e\\y\\y\\h)",
    R"(\2\1thisismyscretkey\1\2\\e\\y\\y\\h)",
    R"(\x02\x01thisismyscretkey\x01\x02\e\y\y\h)",
    R"(\2\1thisismyscretkey\1\2\e\y\y\h)",
    "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
    "thisISaSECRET_1234",
    "YOUR_OWN_RANDOM_GENERATED_SECRET_KEY",
    "USE_YOUR_OWN_SECURE_RANDOM_KEY",
    "TEST_NON_DEV_SECRET",
    "temporary_key",
    // Nacos, Grafana, Gogs, Shiro, Dify, LibreChat, Open WebUI, Chatwoot, Sentry.
    "SecretKey012345678901234567890123456789012345678901234567890123456789",
    "SW2YcwTIb9zpOOhoPsMm",
    "!#@FDEWREWR&*(",
    "kPH+bIxk5D2deZiIxcaaaA==",
    "Z3VucwAAAAAAAAAAAAAAAA==",
    "4AvVhmFLUs0KTA3Kprsdag==",
    "fCq+/xW488hMTCD+cmJ3aQ==",
    "sk-9f73s3ljTXVcMT3Blb3ljTqtsKiGHXVcMT3BlbkFJLK7U",
    "difyai123456",
    "f34be427ebb29de8d88c107a71546019685ed8b241d8f2ed00c3df97ad2566f0",
    "e2341419ec3dd3d19b13a1a87fafcbfb",
    "16f8c0ef4a5d391b26034086c628469d3f9f497f08163ab9b40137092f2909ef",
    "eaa5191f2914e30b9387fd84e254e4ba6fc51b4654968a9b0803b456a54b8418",
    "t0p-s3cr3t",
    "replace_with_lengthy_secure_hex",
    "!!changeme!!",
    // AWS, Stripe.
    "AKIA" "IOSFODNN7EXAMPLE",
    "AKIA" "I44QH8DHBEXAMPLE",
    "ASIA" "IOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
    "sk_test_" "4eC39HqLyjWDarjtT1zdp7dc",
    "sk_test_" "BQokikJOvBiI2HlWgH4olfQ2",
    "pk_test_" "TYooMQauvdEDq54NiTphI7jx",
    // Public lists of JWT secrets.
    "gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr9C",
    "qwertyuiopasdfghjklzxcvbnm123456",
    // MinIO, PostgreSQL, RabbitMQ, Elasticsearch and their images.
    "minioadmin",
    "minio123",
    "minioadmin:minioadmin",
    "postgres",
    "postgres:postgres",
    "mysecretpassword",
    "guest:guest",
    "admin:admin",
    "root:root",
    "elastic:changeme",
    // Storage emulators and tests: Azurite, Cosmos DB, Turnstile, reCAPTCHA, hCaptcha.
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
    "1x0000000000000000000000000000000AA",
    "2x0000000000000000000000000000000AA",
    "3x0000000000000000000000000000000AA",
    "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe",
    "0x0000000000000000000000000000000000000000",
};
// NOLINTEND(bugprone-suspicious-missing-comma)
// clang-format on

struct Rule {
  std::string_view reason;
  std::string_view pattern;  // applied to the value without white space around it
};
// Each narrow enough that no generator's output meets it: what only looks a little like a placeholder is left
// to the estimate of strength.
constexpr Rule kRules[] = {
    {"is a template's marker or a variable that nobody replaced",
     R"(^<[^<>]{1,120}>$|^\{\{[^{}]{1,120}\}\}$|^\{[A-Za-z0-9_ .:|-]{1,120}\}$|^\[[A-Za-z0-9_ .:-]{2,120}\]$)"
     R"(|^\$\{[A-Za-z_][^{}]{0,120}\}$|^\$[A-Za-z_][A-Za-z0-9_]{0,63}$|^%[A-Za-z_][A-Za-z0-9_]*%$)"
     R"(|^@[A-Za-z_][A-Za-z0-9_.]*@$|^__[A-Za-z0-9_:. -]{2,80}__$)"},
    {"is a command that nobody ran",
     R"(^openssl rand|^python3? -c|^\$\([a-z0-9_./-]+ .*\)$|^\$\([A-Za-z0-9_]+\)$|^`[a-z0-9_./-]+( .*)?`$)"},
    {"is masked or cut", R"((?i)^[*x.\-_#•]{3,}$|x{6,}|^[a-z0-9_:-]{0,40}(\.\.\.|…)$)"},
    {"asks to be changed",
     R"((?i)change[-_ .]?(me|it|this|before|in[-_ .]?prod(uction)?)([^a-z]|$)|(please|must|(to|must)[-_ .]?be)[-_ .]?change)"
     R"(|(replace[-_ .]?(me|this|with)|insert[-_ .]?(your|key|secret))([^a-z]|$))"
     R"(|do[-_ .]?not[-_ .]?use|not[-_ .]?for[-_ .]?prod|^(todo|fixme)[:_ -])"},
    {"describes a secret",
     R"((?i)^(your|my|the|some|enter|insert|add|put|paste|use|set|replace|change|update)([-_ .][a-z0-9]+)*[-_ .])"
     R"((id|url|here|key|secret|token|password|passwd|pwd|value|string)([-_ .]?(please|goes[-_ .]?here))?$)"
     R"(|^your[a-z]*(key|secret|token|password|passwd|pwd|value|string)([-_ .]?here)?$)"
     R"(|(key|secret|token|password|passwd|pwd|value|string)[-_ .]?(goes[-_ .]?)?here$)"
     R"(|at[-_ ]?least[-_ ]?[0-9]+[-_ ]?(characters|chars|bits|bytes)|^(your|my|a)[-_ ].*[0-9]{3}[-_ ]?bit)"},
    {"is an example of a manual or a starter's default",
     R"(^django-insecure-|EXAMPLE(KEY)?$|^(gh[pousr]|github_pat)_[xX]{4,}$)"
     R"(|(?i)^sk-(proj-)?(x{4,}$|(your|fake|test|example)[-_]|123456|abcdef))"},
    {"has nothing behind its prefix",
     R"(^(sk|pk|rk|whsec|ghp|gho|xoxb|xoxp|SG|AKIA|key|pat|glpat|npm|hf|dop_v1|fo1|shpat|(sk|pk|rk)_(live|test))[-_.]*$)"},
    {"is a short number", R"(^[0-9]{1,20}$)"},
};

const Pattern& pattern_of(const Rule& rule) {
  static const std::vector<Pattern> patterns = [] {
    std::vector<Pattern> all;
    for (const Rule& each : kRules) all.push_back(Pattern::compile(each.pattern).value());
    return all;
  }();
  return patterns[static_cast<std::size_t>(&rule - kRules)];
}

std::vector<std::string_view> words_of(std::string_view list) {
  std::vector<std::string_view> words;
  while (true) {
    list.remove_prefix(std::min(list.find_first_not_of(" \n"), list.size()));
    if (list.empty()) break;
    words.push_back(list.substr(0, list.find_first_of(" \n")));
    list.remove_prefix(words.back().size());
  }
  std::sort(words.begin(), words.end());
  return words;
}

std::string_view without_quotes(std::string_view text) {
  const bool quoted =
      text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// "abcabca" -> "abc": the shortest text that repeats itself to the end.
std::string_view repeated_part(std::string_view text) {
  for (std::size_t period = 1; period <= text.size() / 2; ++period)
    if (text.substr(period) == text.substr(0, text.size() - period)) return text.substr(0, period);
  return text;
}

// Also with digits and signs behind it, and said several times.
bool is_listed(std::string_view normalised) {
  constexpr std::size_t kMinWord = 4;  // "no123" may mean anything
  const std::span<const std::string_view> list = placeholders();
  const auto has = [&](std::string_view text) { return std::binary_search(list.begin(), list.end(), text); };
  if (has(normalised) || has(repeated_part(normalised))) return true;
  const auto last_letter = std::find_if(normalised.rbegin(), normalised.rend(), ascii::is_letter);
  const std::string_view letters =
      normalised.substr(0, static_cast<std::size_t>(normalised.rend() - last_letter));
  return letters.size() >= kMinWord && (has(letters) || has(repeated_part(letters)));
}

bool is_one_character(std::string_view value) {
  constexpr std::size_t kMin = 4;
  return value.size() >= kMin && value.find_first_not_of(value.front()) == value.npos;
}

std::optional<std::string_view> reason_as_written(std::string_view value, std::string_view name) {
  const std::string_view text = without_quotes(ascii::trim(value, ascii::kSpace));
  if (text.empty()) return std::nullopt;
  const std::string normalised = normalise(value);
  if (!normalised.empty() && normalised == normalise(name)) return "is its own name";
  if (is_listed(normalised)) return "is on every list of placeholders";
  if (is_one_character(text)) return "is one character again and again";
  for (const Rule& rule : kRules)
    if (pattern_of(rule).found_in(text)) return rule.reason;
  return std::nullopt;
}

// The text that `value` is in base64; nullopt where it is none, or not of text.
std::optional<std::string> text_in_base64(std::string_view value) {
  constexpr std::size_t kMin = 3;
  std::string_view text = without_quotes(ascii::trim(value, ascii::kSpace));
  constexpr std::string_view kLaravel = "base64:";
  if (text.starts_with(kLaravel)) text.remove_prefix(kLaravel.size());
  std::optional<std::string> decoded = crypto::decode_base64(text);
  if (!decoded || ascii::trim(*decoded, ascii::kSpace).size() < kMin ||
      ascii::has_control(ascii::trim(*decoded, ascii::kSpace)))
    return std::nullopt;
  const bool is_ascii = std::all_of(decoded->begin(), decoded->end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return is_ascii ? decoded : std::nullopt;
}

}  // namespace

std::string normalise(std::string_view value) {
  std::string text;
  for (const char c : without_quotes(ascii::trim(value, ascii::kSpace))) {
    if (std::string_view(" _.-").find(c) != std::string_view::npos) continue;
    text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

std::optional<std::string_view> placeholder_reason(std::string_view value, std::string_view name) {
  if (const auto reason = reason_as_written(value, name)) return reason;
  const std::optional<std::string> decoded = text_in_base64(value);
  return decoded ? reason_as_written(*decoded, name) : std::nullopt;
}

bool is_published(std::string_view value) {
  const auto is_listed = [](std::string_view text) {
    return std::find(std::begin(kPublished), std::end(kPublished), text) != std::end(kPublished);
  };
  const std::optional<std::string> decoded = text_in_base64(value);
  return is_listed(value) || is_listed(without_quotes(ascii::trim(value, ascii::kSpace))) ||
         (decoded && is_listed(ascii::trim(*decoded, ascii::kSpace)));
}

bool is_test_key(std::string_view value) {
  constexpr std::string_view kPrefixes[] = {"sk_test_",      "pk_test_",      "rk_test_",  "rzp_test_",
                                            "FLWSECK_TEST-", "FLWPUBK_TEST-", "pdl_sdbx_", "sandbox-sq0"};
  const std::string_view text = without_quotes(ascii::trim(value, ascii::kSpace));
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

std::span<const std::string_view> placeholders() {
  static const std::vector<std::string_view> list = words_of(kPlaceholders);
  return list;
}

std::span<const std::string_view> published_keys() { return kPublished; }

}  // namespace holdshort
