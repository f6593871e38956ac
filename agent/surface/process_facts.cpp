#include "agent/surface/process_facts.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace holdshort {

namespace {

// Fields of /proc/PID/stat from the third on, as proc(5) counts them: the second may hold blanks.
class Stat {
 public:
  Stat() {
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t end = line.rfind(')');
    if (end == std::string::npos) return;
    std::istringstream rest(line.substr(end + 1));
    fields_.assign(std::istream_iterator<std::string>(rest), {});
  }
  double at(std::size_t field) const {
    const std::size_t index = field - 3;
    return index < fields_.size() ? std::strtod(fields_[index].c_str(), nullptr) : 0;
  }
  bool empty() const { return fields_.empty(); }

 private:
  std::vector<std::string> fields_;
};

// When the system was started, in seconds since the epoch.
double boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word)
    if (word == "btime" && file >> seconds) return seconds;
  return 0;
}

std::uint64_t count_fds() {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error))
    ++count;
  return count > 0 ? count - 1 : 0;  // without the one that counts
}

}  // namespace

std::optional<ProcessFacts> ProcessFacts::read() {
  constexpr std::size_t kUserTime = 14, kSystemTime = 15, kStartTime = 22, kVirtual = 23, kResident = 24;
  const Stat stat;
  if (stat.empty()) return std::nullopt;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  static const double boot = boot_time();
  ProcessFacts facts;
  facts.cpu_seconds = (stat.at(kUserTime) + stat.at(kSystemTime)) / ticks;
  facts.start_time_seconds = boot + stat.at(kStartTime) / ticks;
  facts.virtual_bytes = static_cast<std::uint64_t>(stat.at(kVirtual));
  facts.resident_bytes =
      static_cast<std::uint64_t>(stat.at(kResident)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  facts.open_fds = count_fds();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.max_fds = limit.rlim_cur;
  return facts;
}

}  // namespace holdshort
