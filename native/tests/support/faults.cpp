#include "support/faults.hpp"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace offloop::testing {
namespace {

std::atomic<int> starts_left{kNever};
std::atomic<const std::function<void()>*> start_hook{nullptr};
std::atomic<uint64_t> writes{0};
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

void at_thread_starts(const std::function<void()>* hook) noexcept { start_hook = hook; }

bool thread_start_fails() noexcept {
  if (const auto* hook = start_hook.load()) (*hook)();
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

extern "C" {
ssize_t __real_write(int, const void*, size_t);
ssize_t __wrap_write(int fd, const void* bytes, size_t size) {
  offloop::testing::writes.fetch_add(1);
  return __real_write(fd, bytes, size);
}
}
bool offloop::testing::can_count_rings() noexcept { return true; }
#else
bool offloop::testing::can_fail_thread_starts() noexcept { return false; }
bool offloop::testing::can_count_rings() noexcept { return false; }
#endif
uint64_t offloop::testing::rings() noexcept { return writes; }

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
