#include "platform/park.hpp"

#if !defined(_WIN32)

namespace offloop {

// relaxed: whoever waits looks again, in the order it needs
void wait_while(const std::atomic<uint32_t>& word, uint32_t value) noexcept {
  word.wait(value, std::memory_order_relaxed);
}
void wait_while(const std::atomic<const void*>& word, const void* value) noexcept {
  word.wait(value, std::memory_order_relaxed);
}

void wake_one(std::atomic<uint32_t>& word) noexcept { word.notify_one(); }
void wake_all(std::atomic<uint32_t>& word) noexcept { word.notify_all(); }
void wake_all(std::atomic<const void*>& word) noexcept { word.notify_all(); }

}  // namespace offloop

#endif
