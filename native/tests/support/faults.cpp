#include "support/faults.hpp"

#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace offloop::testing {
namespace {

std::atomic<int> starts_left{kNever};
thread_local int allocations_left = kNever;

/// Counts one event down. True: this one fails.
bool fails(int& left) noexcept {
  if (left == kNever) return false;
  if (left == 0) return true;
  --left;
  return false;
}

}  // namespace

void fail_thread_starts(int after) noexcept { starts_left = after; }

bool thread_start_fails() noexcept {
  int left = starts_left;
  for (;;) {
    int next = left;
    if (fails(next)) return true;
    if (starts_left.compare_exchange_weak(left, next)) return false;
  }
}

FailingAllocations::FailingAllocations(int after) noexcept { allocations_left = after; }
FailingAllocations::~FailingAllocations() { allocations_left = kNever; }

bool allocation_fails() noexcept { return fails(allocations_left); }

}  // namespace offloop::testing

#if defined(__linux__)
// The linker sends the engine's calls here (--wrap), and calls to __real_… to the C library.
extern "C" {
int __real_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*entry)(void*), void* argument) {
  if (offloop::testing::thread_start_fails()) return EAGAIN;
  return __real_pthread_create(thread, attributes, entry, argument);
}
}
bool offloop::testing::can_fail_thread_starts() noexcept { return true; }
#else
bool offloop::testing::can_fail_thread_starts() noexcept { return false; }
#endif

void* operator new(size_t size) {
  void* memory = offloop::testing::allocation_fails() ? nullptr : std::malloc(size ? size : 1);
  if (!memory) throw std::bad_alloc();
  return memory;
}
void* operator new[](size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

// Sanitizers ask for these: a refused allocation is an answer here, not the end.
extern "C" {
__attribute__((visibility("default"))) const char* __asan_default_options() { return "allocator_may_return_null=1"; }
__attribute__((visibility("default"))) const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
}
