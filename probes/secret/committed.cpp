#include "probes/secret/committed.h"

#include <algorithm>

#include <fmt/format.h>

namespace holdshort::secret_probe {
namespace {

// Whether anything has that name, even if it cannot be read.
bool exists(const Environment& environment, const std::string& path) {
  const Result<std::string> contents = environment.read_file(path, 0);
  return contents || contents.error().message != kNoSuchFile;
}

std::string folder_of(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = path.substr(0, end == path.npos ? 0 : end + 1).rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

class Searcher {
 public:
  Searcher(const Environment& environment, const std::vector<std::string>& forms, const std::string& own)
      : environment_(environment), forms_(forms), own_(own) {}

  void search(const std::string& path) {
    if (!exists(environment_, path)) {
      const std::string folder = folder_of(path);
      if (!exists(environment_, folder)) say_unseen(fmt::format("neither {} nor its folder exists", path));
      return;
    }
    const Result<std::vector<std::string>> files = environment_.list_files(path, kMaxFiles - result_.files);
    if (!files) return say_unseen(files.error().message);
    for (const std::string& file : *files) {
      if (!result_.found_in.empty()) return;
      if (file != own_) search_file(file);
    }
  }

  Search result() && { return std::move(result_); }

 private:
  void search_file(const std::string& file) {
    ++result_.files;
    const std::size_t left = kMaxTotalBytes - bytes_;
    const Result<std::string> contents = environment_.read_file(file, std::min(kMaxFileBytes, left));
    if (!contents) {
      // Removed since it was listed: nothing is there.
      if (contents.error().message != kNoSuchFile)
        say_unseen(fmt::format("{}: {}", file, contents.error().message));
      return;
    }
    bytes_ += contents->size();
    const auto stands_there = [&](const std::string& form) {
      return contents->find(form) != std::string::npos;
    };
    if (std::any_of(forms_.begin(), forms_.end(), stands_there)) result_.found_in = file;
  }

  void say_unseen(std::string why) {
    if (result_.unseen.empty()) result_.unseen = std::move(why);
  }

  const Environment& environment_;
  const std::vector<std::string>& forms_;
  const std::string& own_;
  std::size_t bytes_ = 0;
  Search result_;
};

}  // namespace

Search search_files(const Environment& environment, const std::vector<std::string>& paths,
                    const std::vector<std::string>& forms, const std::string& own) {
  Searcher searcher(environment, forms, own);
  for (const std::string& path : paths) searcher.search(path);
  return std::move(searcher).result();
}

}  // namespace holdshort::secret_probe
