#include "support/faults.hpp"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>
#endif
#if defined(__APPLE__) || defined(__FreeBSD__)
#include <sys/event.h>
#endif

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

ssize_t __real_write(int, const void*, size_t);
ssize_t __wrap_write(int fd, const void* bytes, size_t size) {
  offloop::testing::writes.fetch_add(1);
  return __real_write(fd, bytes, size);
}
}
#elif defined(_WIN32)
// Calls of the system go through pointers that the linker takes from the system's library, unless they are here.
namespace {
template <class Function>
Function* in_kernel(const char* name) noexcept {
  return reinterpret_cast<Function*>(reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"kernel32"), name)));
}

HANDLE WINAPI start_thread(SECURITY_ATTRIBUTES* security, SIZE_T stack_bytes, LPTHREAD_START_ROUTINE entry,
                           void* argument, DWORD flags, DWORD* id) {
  static auto* const real = in_kernel<decltype(CreateThread)>("CreateThread");
  const bool is_of_engine = flags & STACK_SIZE_PARAM_IS_A_RESERVATION;  // GoogleTest starts threads of its own
  if (!is_of_engine || !offloop::testing::thread_start_fails()) {
    return real(security, stack_bytes, entry, argument, flags, id);
  }
  SetLastError(ERROR_MAX_THRDS_REACHED);
  return nullptr;
}

BOOL WINAPI post(HANDLE port, DWORD bytes, ULONG_PTR key, OVERLAPPED* overlapped) {
  static auto* const real = in_kernel<decltype(PostQueuedCompletionStatus)>("PostQueuedCompletionStatus");
  offloop::testing::writes.fetch_add(1);
  return real(port, bytes, key, overlapped);
}
}  // namespace
extern "C" {
decltype(CreateThread)* __imp_CreateThread = start_thread;
decltype(PostQueuedCompletionStatus)* __imp_PostQueuedCompletionStatus = post;
}
#else
// The linker takes these for all that is in this program.
namespace {
template <class Function>
Function* of_system(const char* name) noexcept {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}
}  // namespace
extern "C" {
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*entry)(void*), void* argument) {
  static auto* const real = of_system<decltype(pthread_create)>("pthread_create");
  const bool is_of_engine = attributes;  // std::thread has none
  if (is_of_engine && offloop::testing::thread_start_fails()) return EAGAIN;
  return real(thread, attributes, entry, argument);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const real = of_system<decltype(write)>("write");
  offloop::testing::writes.fetch_add(1);
  return real(fd, bytes, size);
}

#if defined(__APPLE__) || defined(__FreeBSD__)
int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events, int most,
           const timespec* timeout) {
  using Kevent = int(int, const struct kevent*, int, struct kevent*, int, const timespec*);
  static auto* const real = of_system<Kevent>("kevent");
  if (change_count > 0 && (changes->fflags & NOTE_TRIGGER)) offloop::testing::writes.fetch_add(1);
  return real(queue, changes, change_count, events, most, timeout);
}
#endif
}
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
