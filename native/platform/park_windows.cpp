#include "platform/park.hpp"

#if defined(_WIN32)

#include <windows.h>

namespace offloop {
namespace {

template <class T>
void wait_on(const std::atomic<T>& word, T value) noexcept {
  static_assert(sizeof word == sizeof value, "the system compares the value itself");
  auto* address = const_cast<std::atomic<T>*>(&word);
  // relaxed: whoever waits looks again, in the order it needs
  while (word.load(std::memory_order_relaxed) == value) WaitOnAddress(address, &value, sizeof value, INFINITE);
}

}  // namespace

void wait_while(const std::atomic<uint32_t>& word, uint32_t value) noexcept { wait_on(word, value); }
void wait_while(const std::atomic<const void*>& word, const void* value) noexcept { wait_on(word, value); }

void wake_one(std::atomic<uint32_t>& word) noexcept { WakeByAddressSingle(&word); }
void wake_all(std::atomic<uint32_t>& word) noexcept { WakeByAddressAll(&word); }
void wake_all(std::atomic<const void*>& word) noexcept { WakeByAddressAll(&word); }

}  // namespace offloop

#endif
