#include "probes/secret/committed.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/crypto.h"
#include "probes/kit/json.h"

namespace holdshort::secret_probe {
namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

// Without what depends on the bytes behind it, so that it is also found where a newline was encoded along.
std::string stable_base64(std::string_view value, std::string (*encode)(std::string_view)) {
  return encode(value.substr(0, value.size() / 3 * 3));
}

std::string percent_encode(std::string_view value) {
  std::string text;
  for (const char c : value) {
    const bool is_plain = ascii::is_letter(c) || ascii::is_digit(c) ||
                          std::string_view("-._~").find(c) != std::string_view::npos;
    if (is_plain)
      text += c;
    else
      fmt::format_to(std::back_inserter(text), "%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

std::string json_escape(std::string_view value) {
  const std::string quoted = json::quote(value);
  return quoted.size() > 2 ? quoted.substr(1, quoted.size() - 2) : "";
}

// A line in the middle of a PEM key's body: the first may be alike in all keys of a kind. "" where there is
// none.
std::string line_of_pem(std::string_view value) {
  constexpr std::size_t kMinLine = 32;
  constexpr std::string_view kBegin = "PRIVATE KEY-----";
  const std::size_t begin = value.find(kBegin), end = value.rfind("-----END");
  if (begin == value.npos || end == value.npos || end < begin) return "";
  const std::string_view body = value.substr(begin + kBegin.size(), end - begin - kBegin.size());
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < body.size(); ++i) {
    const bool is_escape = body.substr(i, 2) == "\\n" || body.substr(i, 2) == "\\r";
    if (is_escape || !ascii::is_visible(body[i]))
      lines.emplace_back();
    else
      lines.back() += body[i];
    if (is_escape) ++i;
  }
  std::erase_if(lines, [](const std::string& line) { return line.size() < kMinLine; });
  return lines.empty() ? "" : lines[lines.size() / 2];
}

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

std::vector<std::string> written_forms(std::string_view value) {
  if (value.size() < kMinSearchedBytes) return {};
  std::vector<std::string> forms{std::string(value),
                                 stable_base64(value, crypto::base64),
                                 stable_base64(value, crypto::base64url),
                                 crypto::hex(value),
                                 upper(crypto::hex(value)),
                                 percent_encode(value),
                                 json_escape(value),
                                 line_of_pem(value)};
  std::erase_if(forms, [](const std::string& form) { return form.size() < kMinSearchedBytes; });
  std::sort(forms.begin(), forms.end());
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
  return forms;
}

Search search_files(const Environment& environment, const std::vector<std::string>& paths,
                    const std::vector<std::string>& forms, const std::string& own) {
  Searcher searcher(environment, forms, own);
  for (const std::string& path : paths) searcher.search(path);
  return std::move(searcher).result();
}

}  // namespace holdshort::secret_probe
