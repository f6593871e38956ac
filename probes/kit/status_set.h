// The HTTP statuses that a key of the configuration accepts.
#pragma once

#include <bitset>
#include <initializer_list>
#include <string>
#include <string_view>

#include "probes/kit/result.h"

namespace holdshort {

// Statuses 100..599, given one by one or as classes ("2xx").
class StatusSet {
 public:
  StatusSet() = default;
  StatusSet(std::initializer_list<int> statuses);
  // "200" or "2xx". Fails on anything outside 100..599.
  [[nodiscard]] Result<void> add(std::string_view item);
  bool contains(int status) const {
    return status >= 100 && status < 600 && bits_[static_cast<std::size_t>(status - 100)];
  }
  bool empty() const { return bits_.none(); }
  // For people: "401 or 403", "2xx".
  const std::string& text() const { return text_; }

 private:
  void describe();

  std::bitset<500> bits_;
  std::string text_;  // made when the set changes: every check shows it, sets change in configurations only
};

}  // namespace holdshort
