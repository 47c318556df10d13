#include "platform/park.hpp"

#if !defined(_WIN32)

namespace offloop {
namespace {

/// The library looks first whether anybody waits. Without a fence that look may overtake the change of the word (a store
/// waits in its processor's buffer): nobody seems to wait, and whoever is about to finds the word as it was.
void publish_change() noexcept {
#if !defined(__SANITIZE_THREAD__)  // which does not understand fences, and needs none: it orders all atomics
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace

// relaxed: whoever waits looks again, in the order it needs
void wait_while(const std::atomic<uint32_t>& word, uint32_t value) noexcept {
  word.wait(value, std::memory_order_relaxed);
}
void wait_while(const std::atomic<const void*>& word, const void* value) noexcept {
  word.wait(value, std::memory_order_relaxed);
}

void wake_one(std::atomic<uint32_t>& word) noexcept {
  publish_change();
  word.notify_one();
}
void wake_all(std::atomic<uint32_t>& word) noexcept {
  publish_change();
  word.notify_all();
}
void wake_all(std::atomic<const void*>& word) noexcept {
  publish_change();
  word.notify_all();
}

}  // namespace offloop

#endif
