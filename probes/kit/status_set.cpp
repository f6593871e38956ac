#include "probes/kit/status_set.h"

#include <vector>

#include "probes/kit/ascii.h"

namespace holdshort {
namespace {

constexpr std::size_t kClassSize = 100;

}  // namespace

StatusSet::StatusSet(std::initializer_list<int> statuses) {
  for (const int status : statuses)
    if (status >= 100 && status < 600) bits_.set(static_cast<std::size_t>(status - 100));
  describe();
}

Result<void> StatusSet::add(std::string_view item) {
  const bool in_range = item.size() == 3 && item[0] >= '1' && item[0] <= '5';
  const bool is_class = in_range && (item.substr(1) == "xx" || item.substr(1) == "XX");
  if (!is_class && !(in_range && ascii::is_digit(item[1]) && ascii::is_digit(item[2])))
    return failure("expected a status from 100 to 599 or a class such as \"2xx\"");
  const auto first = static_cast<std::size_t>(item[0] - '1') * kClassSize;
  if (is_class) {
    for (std::size_t i = first; i < first + kClassSize; ++i) bits_.set(i);
  } else {
    bits_.set(first + static_cast<std::size_t>((item[1] - '0') * 10 + (item[2] - '0')));
  }
  describe();
  return {};
}

void StatusSet::describe() {
  std::vector<std::string> items;
  for (std::size_t first = 0; first < bits_.size(); first += kClassSize) {
    std::vector<std::string> single;
    for (std::size_t i = first; i < first + kClassSize; ++i)
      if (bits_[i]) single.push_back(std::to_string(i + 100));
    if (single.size() == kClassSize)
      single = {std::string(1, static_cast<char>('1' + first / kClassSize)) + "xx"};
    items.insert(items.end(), single.begin(), single.end());
  }
  text_.clear();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text_ += i + 1 == items.size() ? " or " : ", ";
    text_ += items[i];
  }
}

}  // namespace holdshort
