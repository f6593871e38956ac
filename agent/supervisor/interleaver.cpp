#include "agent/supervisor/interleaver.h"

#include <utility>

namespace holdshort {

void Interleaver::app(std::string_view bytes, std::string& out) {
  if (bytes.empty()) return;
  is_over_ = false;
  const std::size_t last = bytes.rfind('\n');
  if (last != std::string_view::npos) {
    out += std::exchange(held_, {});
    out += bytes.substr(0, last + 1);
    bytes.remove_prefix(last + 1);
    in_line_ = false;
    release_log(out);
  }
  if (bytes.empty()) return;
  if (!in_line_ && held_.size() + bytes.size() <= max_held_) {
    held_ += bytes;
    return;
  }
  out += std::exchange(held_, {});
  out += bytes;
  in_line_ = true;
}

void Interleaver::log(std::string line, std::string& out) {
  if (in_line_ && is_over_) {
    out += '\n';
    in_line_ = false;
  }
  if (!in_line_) {
    out += line;
    return;
  }
  waiting_bytes_ += line.size();
  waiting_.push_back(std::move(line));
  while (waiting_bytes_ > kMaxWaiting) {
    waiting_bytes_ -= waiting_.front().size();
    waiting_.pop_front();
  }
}

void Interleaver::end_of_app(std::string& out) {
  if (!held_.empty()) {
    out += std::exchange(held_, {});
    in_line_ = true;
  }
  is_over_ = in_line_;
  if (waiting_.empty()) return;
  out += '\n';
  in_line_ = is_over_ = false;
  release_log(out);
}

void Interleaver::release_log(std::string& out) {
  for (const std::string& line : waiting_) out += line;
  waiting_.clear();
  waiting_bytes_ = 0;
}

}  // namespace holdshort
