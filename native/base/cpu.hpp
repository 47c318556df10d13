// What the processor needs to hear from code that shares memory between threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace offloop {

/// Fields written by different threads keep this distance. (The standard's constant is missing on some targets.)
inline constexpr size_t kCacheLine = 64;

/// Tells the processor that this thread spins.
inline void cpu_relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Asks for the cache line at `address`, which will be written soon. The address may be anything: a wrong one is ignored.
inline void fetch_early(const void* address) noexcept {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address, 1);
#else
  (void)address;
#endif
}

/// The steady clock in nanoseconds: the one clock of the engine. 20–40 ns a call.
inline int64_t steady_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace offloop
