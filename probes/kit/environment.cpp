// The Machine's variables, files and processes. Nothing here blocks on what somebody put in a file's place: a
// FIFO, a device or an endless file in /proc.
#include "probes/kit/environment.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "probes/kit/descriptor.h"

namespace holdshort {
namespace {

// Of one process: Linux bounds arguments and environment together by ARG_MAX, usually 2 MiB, up to 6 MiB.
constexpr std::size_t kMaxProcessBytes = 8 * 1024 * 1024;
constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kReadBytes = 16 * 1024;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Error error_of(int code) {
  if (code == ENOENT || code == ENOTDIR) return {std::string(kNoSuchFile)};
  if (code == EACCES || code == EPERM) return {"permission denied"};
  return {std::generic_category().message(code)};
}

// /dev/null reads as an empty file; reading from any other device may wait, or do something.
bool is_readable(const struct stat& status) {
  constexpr unsigned kNullMajor = 1, kNullMinor = 3;
  const bool is_null = S_ISCHR(status.st_mode) && status.st_rdev == makedev(kNullMajor, kNullMinor);
  return S_ISREG(status.st_mode) || is_null;
}

// The files of /proc say that they have no size, so they are read until they end, or `enough` bytes are
// there.
Result<std::string> read_until(int descriptor, std::size_t enough) {
  std::string contents;
  while (contents.size() < enough) {
    const std::size_t before = contents.size();
    contents.resize(before + kReadBytes);
    const ssize_t count = ::read(descriptor, contents.data() + before, kReadBytes);
    const int code = errno;
    contents.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && code == EINTR) continue;
    if (count < 0) return tl::unexpected(error_of(code));
    if (count == 0) break;
  }
  return contents;
}

Result<Descriptor> open_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return tl::unexpected(error_of(errno));
  if (S_ISDIR(status.st_mode)) return failure("is a directory");
  if (!is_readable(status)) return failure("is not a regular file");
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return tl::unexpected(error_of(errno));
  // Somebody may have put something else there since.
  if (::fstat(file.get(), &status) != 0 || !is_readable(status)) return failure("is not a regular file");
  return file;
}

// "a\0b\0" -> a, b
std::vector<std::string> split_at_nul(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string proc_path(int pid, const char* file) { return "/proc/" + std::to_string(pid) + "/" + file; }

int to_pid(std::string_view name) {
  int pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && end == name.data() + name.size() ? pid : 0;
}

enum class FileType { regular, directory, other };

// Of what is in a folder: symbolic links are not followed. What has vanished meanwhile is `other`.
Result<FileType> type_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return FileType::other;
    return failure(path + ": " + error_of(errno).message);
  }
  if (S_ISREG(status.st_mode)) return FileType::regular;
  return S_ISDIR(status.st_mode) ? FileType::directory : FileType::other;
}

// The names in a folder, sorted. Nothing where it has vanished meanwhile.
Result<std::vector<std::string>> names_in(const std::string& path) {
  std::vector<std::string> names;
  const Directory directory(::opendir(path.c_str()));
  if (!directory && errno == ENOENT) return names;
  if (!directory) return failure(path + ": " + error_of(errno).message);
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::optional<std::string> SystemEnvironment::variable(std::string_view name) const {
  const char* value = std::getenv(std::string(name).c_str());
  if (!value) return std::nullopt;
  return value;
}

Result<std::string> SystemEnvironment::read_file(const std::string& path, std::size_t max_bytes) const {
  const Result<Descriptor> file = open_file(path);
  if (!file) return tl::unexpected(file.error());
  Result<std::string> contents = read_until(file->get(), max_bytes + 1);
  if (contents && contents->size() > max_bytes)
    return failure("longer than " + std::to_string(max_bytes) + " bytes");
  return contents;
}

Result<std::string> SystemEnvironment::read_start(const std::string& path, std::size_t max_bytes) const {
  const Result<Descriptor> file = open_file(path);
  if (!file) return tl::unexpected(file.error());
  Result<std::string> contents = read_until(file->get(), max_bytes);
  if (contents && contents->size() > max_bytes) contents->resize(max_bytes);
  return contents;
}

Result<std::vector<std::string>> SystemEnvironment::list_files(const std::string& path,
                                                               std::size_t max_files) const {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return failure(path + ": " + error_of(errno).message);
  std::vector<std::string> files;
  if (S_ISREG(status.st_mode)) files.push_back(path);
  std::vector<std::string> folders;
  if (S_ISDIR(status.st_mode)) folders.push_back(path);
  while (!folders.empty()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    const Result<std::vector<std::string>> names = names_in(folder);
    if (!names) return tl::unexpected(names.error());
    for (const std::string& name : *names) {
      std::string full = folder;
      if (!full.ends_with('/')) full += '/';
      full += name;
      const Result<FileType> type = type_of(full);
      if (!type) return tl::unexpected(type.error());
      if (*type == FileType::directory) folders.push_back(full);
      if (*type == FileType::regular) files.push_back(full);
    }
    if (files.size() > max_files) break;
  }
  if (files.size() > max_files) return failure(path + ": more than " + std::to_string(max_files) + " files");
  return files;
}

std::vector<Process> SystemEnvironment::processes() const {
  std::vector<Process> processes;
  const Result<std::vector<std::string>> names = names_in("/proc");
  if (!names) return processes;
  const int own = static_cast<int>(::getpid());
  for (const std::string& entry : *names) {
    Process process;
    process.pid = to_pid(entry);
    if (process.pid <= 0 || process.pid == own) continue;
    const Result<std::string> name = read_file(proc_path(process.pid, "comm"), kMaxNameBytes);
    const Result<std::string> arguments = read_file(proc_path(process.pid, "cmdline"), kMaxProcessBytes);
    if (!name || !arguments) continue;  // it has ended meanwhile
    process.name = name->substr(0, name->find('\n'));
    process.arguments = split_at_nul(*arguments);
    processes.push_back(std::move(process));
  }
  std::sort(processes.begin(), processes.end(),
            [](const Process& a, const Process& b) { return a.pid < b.pid; });
  return processes;
}

Result<std::vector<std::string>> SystemEnvironment::process_environment(int pid) const {
  const Result<std::string> variables = read_file(proc_path(pid, "environ"), kMaxProcessBytes);
  if (!variables) return tl::unexpected(variables.error());
  return split_at_nul(*variables);
}

Result<std::vector<std::uint64_t>> SystemEnvironment::process_sockets(int pid) const {
  constexpr std::string_view kSocket = "socket:[";
  const std::string folder = pid == kOwnProcess ? "/proc/self/fd" : proc_path(pid, "fd");
  const Result<std::vector<std::string>> names = names_in(folder);
  if (!names) return tl::unexpected(names.error());
  std::vector<std::uint64_t> sockets;
  for (const std::string& name : *names) {
    std::array<char, kMaxNameBytes> target{};
    const ssize_t length = ::readlink((folder + "/" + name).c_str(), target.data(), target.size());
    const std::string_view link(target.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    if (!link.starts_with(kSocket)) continue;
    std::uint64_t inode = 0;
    const auto [end, error] = std::from_chars(link.data() + kSocket.size(), link.data() + link.size(), inode);
    if (error == std::errc() && *end == ']') sockets.push_back(inode);
  }
  return sockets;
}

}  // namespace holdshort
