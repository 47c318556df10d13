// Something that happens at a time.
#pragma once

#include <cstdint>

#include "base/deadline_heap.hpp"

namespace offloop {

/// In at most one heap at a time, whose lock guards it. Units: nanoseconds of the steady clock.
struct Timer {
  static constexpr int64_t kNever = INT64_MAX;

  int64_t due_ns = kNever;
  void (*expire)(Timer&) noexcept = nullptr;
  uint32_t heap_index = DeadlineHeap<Timer>::kOutside;
};

}  // namespace offloop
