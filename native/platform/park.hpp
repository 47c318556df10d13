// Sleeping until a word of memory has changed.
//
// It is what std::atomic::wait is for, and is made of that where it works. GNU's library loses wake-ups where it has no call
// of the system for it (libstdc++ 12 on Windows: it looks at the word before it takes the lock of its condition variable).
#pragma once

#include <atomic>
#include <cstdint>

namespace offloop {

/// Returns when `word` is, or was, another than `value`. Says nothing about other memory: look again at the word.
/// Blocks. Thread: any.
void wait_while(const std::atomic<uint32_t>& word, uint32_t value) noexcept;
void wait_while(const std::atomic<const void*>& word, const void* value) noexcept;

/// Wakes one of those who wait. The word must have been changed before.
void wake_one(std::atomic<uint32_t>& word) noexcept;
void wake_all(std::atomic<uint32_t>& word) noexcept;
void wake_all(std::atomic<const void*>& word) noexcept;

}  // namespace offloop
