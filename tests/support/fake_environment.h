// A Machine made of maps.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "probes/kit/environment.h"

namespace holdshort::testing_support {

class FakeEnvironment final : public Environment {
 public:
  struct File {
    std::string contents;
    bool readable = true;
  };

  std::optional<std::string> variable(std::string_view name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::string> read_file(const std::string& path, std::size_t max_bytes) const override {
    const auto found = files.find(path);
    if (found == files.end()) return failure(is_folder(path) ? "is a directory" : std::string(kNoSuchFile));
    if (!found->second.readable) return failure("permission denied");
    if (found->second.contents.size() > max_bytes)
      return failure("longer than " + std::to_string(max_bytes) + " bytes");
    return found->second.contents;
  }
  Result<std::string> read_start(const std::string& path, std::size_t max_bytes) const override {
    const auto found = files.find(path);
    if (found == files.end() || !found->second.readable) return read_file(path, max_bytes);
    return found->second.contents.substr(0, max_bytes);
  }
  Result<std::vector<std::string>> list_files(const std::string& path, std::size_t max_files) const override {
    std::vector<std::string> list;
    for (const auto& [name, file] : files)
      if (name == path || name.starts_with(path + "/")) list.push_back(name);
    if (list.empty()) return failure(path + ": no such file or folder");
    if (list.size() > max_files) return failure(path + ": more than " + std::to_string(max_files) + " files");
    return list;
  }
  std::vector<Process> processes() const override {
    std::vector<Process> list;
    for (const auto& [process, environment] : running) list.push_back(process);
    return list;
  }
  Result<std::vector<std::string>> process_environment(int pid) const override {
    for (const auto& [process, environment] : running)
      if (process.pid == pid) return environment;
    return failure("process " + std::to_string(pid) + ": permission denied");
  }

  Result<std::vector<std::uint64_t>> process_sockets(int pid) const override {
    const auto found = sockets.find(pid);
    if (found == sockets.end()) return failure("permission denied");
    return found->second;
  }

  // "." is always there; any other folder is one that has a file below it.
  bool is_folder(const std::string& path) const {
    const std::string prefix = path.ends_with('/') ? path : path + "/";
    const auto below = files.lower_bound(prefix);
    return path == "." || (below != files.end() && below->first.starts_with(prefix));
  }

  std::map<std::string, std::string, std::less<>> variables;
  std::map<std::string, File> files;
  std::vector<std::pair<Process, Result<std::vector<std::string>>>> running;
  std::map<int, std::vector<std::uint64_t>> sockets;  // by PID
};

}  // namespace holdshort::testing_support
