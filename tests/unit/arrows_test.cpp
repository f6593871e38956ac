// Who may include what (docs/architecture.md): the folders' arrows, and one door for each third-party
// library. The rules are data; the test reads every source file of the tree.
#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdshort {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Patterns = std::vector<std::string>;

// What belongs together. `*` stands for a probe type's folder, in `may_include` for the same one.
struct Part {
  std::string folder;
  Patterns may_include;
};
const std::vector<Part> kParts = {
    // The first that fits a file rules.
    {"probes/kit/", {"probes/kit/", "probes/probe.h"}},
    {"probes/*/", {"probes/*/", "probes/kit/", "probes/probe.h", "probes/registry.h"}},
    {"probes/", {"probes/"}},
    {"fly/", {"fly/"}},
    {"agent/", {"agent/", "probes/", "fly/"}},
    {"tests/", {"tests/", "agent/", "probes/", "fly/"}},
};

// Headers that are not ours, and the files that may include them (globs; `*` matches slashes too).
struct Door {
  Patterns headers;
  Patterns files;
};
const std::vector<Door> kDoors = {
    // The first that fits a header rules.
    {{"httplib.h"}, {"agent/surface/health_server.cpp", "agent/cli/demo_app.cpp", "tests/*"}},
    {{"boost/asio/awaitable.hpp"}, {"probes/kit/awaitable.h"}},
    {{"boost/beast/*"}, {"probes/kit/http_client.cpp", "agent/gate/*"}},
    {{"boost/asio.hpp", "boost/asio/*", "boost/system/*"},
     {"probes/kit/http_client.cpp", "probes/kit/dial.*", "probes/kit/latch.h", "probes/kit/channel.cpp",
      "probes/kit/handshake.*", "probes/kit/loopback_pages.cpp", "probes/kit/subprocess.cpp",
      "agent/scheduler.cpp", "agent/system_clock.cpp", "agent/thread_offload.cpp", "agent/request_budget.cpp",
      "agent/waiting.*", "agent/surface/health_server.cpp", "agent/cli/*.cpp", "agent/gate/*",
      "agent/supervisor/*.cpp", "tests/*"}},
    {{"openssl/*"},
     {"probes/kit/http_client.cpp", "probes/kit/handshake.cpp", "probes/kit/crypto.cpp",
      "probes/kit/keys.cpp", "probes/kit/secret.cpp", "probes/kit/trust_store.cpp", "tests/*"}},
    {{"toml++/*"}, {"agent/config/toml.cpp"}},
    {{"nlohmann/*"}, {"*.cpp", "tests/*"}},
    {{"re2/*"}, {"probes/kit/pattern.cpp"}},
    {{"hiredis/*"}, {"probes/kit/redis_client.cpp"}},
    {{"CLI/*"}, {"agent/cli/*.cpp"}},
    {{"tl/expected.hpp"}, {"probes/kit/result.h"}},
    {{"fmt/*"}, {"*"}},
    {{"gtest/*", "gmock/*"}, {"tests/*"}},
    // POSIX and Linux: no header of ours shows them.
    {{"arpa/*", "dirent.h", "fcntl.h", "fnmatch.h", "ifaddrs.h", "linux/*", "net/*", "netdb.h", "netinet/*",
      "malloc.h", "poll.h", "pthread.h", "signal.h", "spawn.h", "sys/*", "time.h", "unistd.h"},
     {"*.cpp", "tests/*"}},
};

bool fits(std::string_view glob, std::string_view path) {
  return fnmatch(std::string(glob).c_str(), std::string(path).c_str(), 0) == 0;
}
bool fits_any(const Patterns& globs, std::string_view path) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) { return fits(glob, path); });
}

// `pattern` with `*` replaced by the folder that `file` has there: "probes/*/" and "probes/jwt/jwt.cpp" give
// "probes/jwt/". Nothing where the file does not lie in such a folder.
std::optional<std::string> resolve(const std::string& pattern, const std::string& file) {
  const auto star = pattern.find('*');
  if (star == std::string::npos) return file.starts_with(pattern) ? std::optional(pattern) : std::nullopt;
  const auto slash = file.find('/', star);
  if (slash == std::string::npos || !file.starts_with(pattern.substr(0, star))) return std::nullopt;
  return file.substr(0, slash + 1);
}

bool is_ours(std::string_view header) {
  return std::any_of(kParts.begin(), kParts.end(), [&](const Part& part) {
    return header.starts_with(part.folder.substr(0, part.folder.find('/') + 1));
  });
}

bool arrow_allows(const std::string& file, const std::string& header) {
  for (const Part& part : kParts) {
    const auto own = resolve(part.folder, file);
    if (!own) continue;
    return std::any_of(part.may_include.begin(), part.may_include.end(), [&](const std::string& allowed) {
      return header.starts_with(allowed == part.folder ? *own : allowed);
    });
  }
  return false;
}

// Why `file` may not include `header`; "" where it may.
std::string complaint(const std::string& file, const std::string& header) {
  const std::string what = file + " includes " + header;
  if (is_ours(header)) return arrow_allows(file, header) ? "" : what + " against the arrows";
  for (const Door& door : kDoors) {
    if (!fits_any(door.headers, header)) continue;
    return fits_any(door.files, file) ? "" : what + " past its door";
  }
  // The standard library's names have neither slash nor dot.
  if (header.find_first_of("/.") == std::string::npos) return "";
  return what + ", which has no door";
}

// The name in an #include line, "" on any other line.
std::string included_by(std::string_view line) {
  const auto skip_blanks = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  skip_blanks();
  if (!line.starts_with('#')) return "";
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return "";
  line.remove_prefix(std::string_view("include").size());
  skip_blanks();
  if (line.empty()) return "";
  return std::string(line.substr(1, line.find_first_of(">\"", 1) - 1));
}

struct Include {
  std::string file;  // from the root of the tree
  std::string header;
};

std::vector<Include> includes_of_the_tree() {
  namespace fs = std::filesystem;
  const fs::path root = HOLDSHORT_SOURCE_DIR;
  std::vector<Include> includes;
  for (const char* folder : {"agent", "probes", "fly", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      std::ifstream source(entry.path());
      for (std::string line; std::getline(source, line);) {
        if (auto header = included_by(line); !header.empty())
          includes.push_back({fs::relative(entry.path(), root).string(), std::move(header)});
      }
    }
  }
  return includes;
}

TEST(Arrows, EveryIncludeFollowsThem) {
  const auto includes = includes_of_the_tree();
  // Witnesses that the tree was really read.
  const auto seen = [&](std::string_view file, std::string_view header) {
    return std::any_of(includes.begin(), includes.end(), [&](const Include& include) {
      return include.file == file && include.header == header;
    });
  };
  EXPECT_TRUE(seen("agent/main.cpp", "agent/cli/cli.h"));
  EXPECT_TRUE(seen("probes/kit/awaitable.h", "boost/asio/awaitable.hpp"));

  std::vector<std::string> complaints;
  for (const auto& [file, header] : includes)
    if (auto why = complaint(file, header); !why.empty()) complaints.push_back(std::move(why));
  EXPECT_THAT(complaints, IsEmpty());
}

// std::quoted is found by its std::string argument, and is the better match for it than a function of ours
// that takes a string_view: such a call compiles on Debian 12 and not on 13.
TEST(Names, NoFunctionOfOursIsCalledQuoted) {
  namespace fs = std::filesystem;
  const std::string call = std::string("quoted") + "(";
  std::vector<std::string> complaints;
  for (const char* folder : {"agent", "probes", "fly"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(HOLDSHORT_SOURCE_DIR) / folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream source(entry.path());
      for (std::string line; std::getline(source, line);) {
        const auto at = line.find(call);
        const bool is_whole =
            at != std::string::npos && (at == 0 || !(std::isalnum(line[at - 1]) || line[at - 1] == '_'));
        if (is_whole) complaints.push_back(entry.path().string() + ": " + line);
      }
    }
  }
  EXPECT_THAT(complaints, IsEmpty());
}

struct Row {
  const char* name;
  const char* file;
  const char* header;
  const char* complaint;  // "" where the include is right
};
class ArrowRules : public testing::TestWithParam<Row> {};

const Row kRows[] = {
    {"AgentMayIncludeProbes", "agent/scheduler.cpp", "probes/probe.h", ""},
    {"AgentMayIncludeFly", "agent/cli/run.cpp", "fly/machine.h", ""},
    {"ProbesMayNotIncludeAgent", "probes/registry.cpp", "agent/log.h", "arrows"},
    {"ProbesMayNotIncludeFly", "probes/http/http.cpp", "fly/machine.h", "arrows"},
    {"KitMayNotIncludeAgent", "probes/kit/url.cpp", "agent/log.h", "arrows"},
    {"FlyMayNotIncludeAgent", "fly/machine.cpp", "agent/log.h", "arrows"},
    {"FlyMayNotIncludeProbes", "fly/machine.cpp", "probes/kit/url.h", "arrows"},
    {"ProbeTypeMayIncludeItself", "probes/secret/secret.cpp", "probes/secret/secret.h", ""},
    {"ProbeTypeMayIncludeTheKit", "probes/secret/secret.cpp", "probes/kit/secret.h", ""},
    {"ProbeTypeMayNotIncludeAnother", "probes/secret/secret.cpp", "probes/http/http.h", "arrows"},
    {"ProbeTypeMayIncludeWhatTheRegistryWants", "probes/secret/secret.h", "probes/registry.h", ""},
    {"KitMayNotIncludeTheRegistry", "probes/kit/fields.cpp", "probes/registry.h", "arrows"},
    {"KitMayNotIncludeAProbeType", "probes/kit/exchange.cpp", "probes/http/http.h", "arrows"},
    {"RegistryMayIncludeEveryType", "probes/registry.cpp", "probes/http/http.h", ""},
    {"StandardLibraryGoesAnywhere", "probes/kit/url.h", "string_view", ""},
    {"JsonStaysOutOfHeaders", "probes/kit/json.h", "nlohmann/json.hpp", "door"},
    {"JsonMayBeUsedInSources", "probes/kit/json.cpp", "nlohmann/json.hpp", ""},
    {"TlsStaysInTheKit", "agent/surface/health_server.cpp", "openssl/ssl.h", "door"},
    {"HttplibStaysOutOfTheProbes", "probes/kit/http_client.cpp", "httplib.h", "door"},
    {"BeastStaysInTheClient", "agent/scheduler.cpp", "boost/beast/http.hpp", "door"},
    {"AwaitableComesByItsAlias", "probes/probe.h", "boost/asio/awaitable.hpp", "door"},
    {"PosixStaysOutOfHeaders", "probes/kit/environment.h", "unistd.h", "door"},
    {"AnUnknownLibraryHasNoDoor", "agent/log.cpp", "spdlog/spdlog.h", "no door"},
    {"AHeaderBesideTheFileIsNamedFromTheRoot", "agent/log.cpp", "log.h", "no door"},
};
TEST_P(ArrowRules, Hold) {
  const Row& row = GetParam();
  const std::string why = complaint(row.file, row.header);
  if (std::string_view(row.complaint).empty())
    EXPECT_EQ(why, "");
  else
    EXPECT_THAT(why, HasSubstr(row.complaint));
}
INSTANTIATE_TEST_SUITE_P(Table, ArrowRules, testing::ValuesIn(kRows),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(Arrows, AnIncludeIsSeenHoweverItIsSpelt) {
  EXPECT_EQ(included_by("#include \"agent/log.h\""), "agent/log.h");
  EXPECT_EQ(included_by("  #  include <re2/re2.h>  // why"), "re2/re2.h");
  EXPECT_EQ(included_by("// #include <re2/re2.h>"), "");
  EXPECT_EQ(included_by("#define include"), "");
  EXPECT_EQ(included_by("#include"), "");
}

}  // namespace
}  // namespace holdshort
