// What a probe may know of the Machine it runs on: variables, files, processes. A seam; tests use a map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/kit/result.h"

namespace holdshort {

struct Process {
  int pid = 0;
  std::string name;                    // /proc/PID/comm
  std::vector<std::string> arguments;  // /proc/PID/cmdline
};

// read_file's whole message where nothing has that name.
inline constexpr std::string_view kNoSuchFile = "no such file";

class Environment {
 public:
  virtual ~Environment() = default;
  // Set but empty is "", not absent.
  virtual std::optional<std::string> variable(std::string_view name) const = 0;
  // Whole contents; fails when missing, unreadable, longer than `max_bytes`, or no regular file (a directory,
  // a FIFO, a device other than /dev/null). The message does not name the file. May block.
  virtual Result<std::string> read_file(const std::string& path, std::size_t max_bytes) const = 0;
  // The same of a file that may be longer, such as a table in /proc: its first `max_bytes`, or all of it
  // where it is shorter. May block.
  virtual Result<std::string> read_start(const std::string& path, std::size_t max_bytes) const = 0;
  // Regular files below `path` (or `path` itself), hidden ones too. `path` may be a symbolic link, none below
  // it is followed. Fails where some would go unseen: a folder that cannot be read, or more than `max_files`.
  // May block.
  virtual Result<std::vector<std::string>> list_files(const std::string& path,
                                                      std::size_t max_files) const = 0;
  // All running processes that /proc shows, without our own. May block.
  virtual std::vector<Process> processes() const = 0;
  // NAME=VALUE as the process was started with; fails where /proc forbids it. May block.
  virtual Result<std::vector<std::string>> process_environment(int pid) const = 0;
  // Inodes of the sockets that a process has open; fails where /proc forbids it. May block.
  virtual Result<std::vector<std::uint64_t>> process_sockets(int pid) const = 0;
};

// For process_sockets(): ourselves.
inline constexpr int kOwnProcess = 0;

// The machine itself. Stateless.
class SystemEnvironment final : public Environment {
 public:
  std::optional<std::string> variable(std::string_view name) const override;
  Result<std::string> read_file(const std::string& path, std::size_t max_bytes) const override;
  Result<std::string> read_start(const std::string& path, std::size_t max_bytes) const override;
  Result<std::vector<std::string>> list_files(const std::string& path, std::size_t max_files) const override;
  std::vector<Process> processes() const override;
  Result<std::vector<std::string>> process_environment(int pid) const override;
  Result<std::vector<std::uint64_t>> process_sockets(int pid) const override;
};

}  // namespace holdshort
