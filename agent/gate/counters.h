// What the gate has done, for /metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdshort::gate {

// How a connection was dealt with. One that was relayed first and rejected later counts in both.
enum class Answer { relayed, rejected, held, replayed, health, shed, bad_request };
inline constexpr std::array<std::string_view, 7> kAnswerNames = {
    "relayed", "rejected", "held", "replayed", "health", "shed", "bad_request"};

// Written by the gate's thread, read by any.
struct Counters {
  std::atomic<bool> open{false};
  std::atomic<std::int64_t> connections{0};  // clients' that are open
  std::array<std::atomic<std::uint64_t>, kAnswerNames.size()> answers{};

  void count(Answer answer) {
    answers[static_cast<std::size_t>(answer)].fetch_add(1, std::memory_order_relaxed);
  }
  std::uint64_t of(Answer answer) const {
    return answers[static_cast<std::size_t>(answer)].load(std::memory_order_relaxed);
  }
};

}  // namespace holdshort::gate
