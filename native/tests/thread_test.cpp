#include "platform/thread.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>

#include "platform/image.hpp"
#include "support/faults.hpp"
#include "support/gate.hpp"

#if defined(_WIN32)
#include <windows.h>
#else
#include <pthread.h>
#include <signal.h>
#endif

#if defined(_WIN32)
// What a program of Windows exports it says itself; elsewhere it is whatever it has linked.
extern "C" __declspec(dllexport) void offloop_symbol_of_the_host() {}
constexpr const char* kSymbolOfTheHost = "offloop_symbol_of_the_host";
#else
constexpr const char* kSymbolOfTheHost = "malloc";
#endif

namespace offloop {
namespace {

/// Runs `look` on a thread that the engine starts, and waits for it.
template <class Look>
int on_a_thread(const std::string& name, size_t stack_bytes, Look look) {
  struct Run {
    Look look;
    testing::Gate done;
  } run{std::move(look), {}};
  const int error = start_thread(
      name, stack_bytes,
      [](void* raw) noexcept {
        auto* run = static_cast<Run*>(raw);
        run->look();
        run->done.open();
      },
      &run);
  EXPECT_TRUE(error || run.done.wait());
  return error;
}

#if defined(_WIN32)
std::string name_of_this_thread() {
  using Describe = HRESULT(WINAPI*)(HANDLE, PWSTR*);
  const auto describe = reinterpret_cast<Describe>(
      reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"kernel32"), "GetThreadDescription")));
  PWSTR wide = nullptr;
  if (describe) describe(GetCurrentThread(), &wide);
  std::string name;
  for (PWSTR next = wide; next && *next; ++next) name += static_cast<char>(*next);
  LocalFree(wide);
  return name;
}
#else
std::string name_of_this_thread() {
  char name[64] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}
#endif

TEST(Thread, carries_its_name) {
  std::string name;
  ASSERT_EQ(on_a_thread("images/0", 0, [&] { name = name_of_this_thread(); }), 0);
  EXPECT_EQ(name, "images/0");
}

TEST(Thread, carries_as_much_of_a_long_name_as_the_system_shows) {
  std::string name;
  ASSERT_EQ(on_a_thread("a-very-long-name-of-a-pool/0", 0, [&] { name = name_of_this_thread(); }), 0);
  EXPECT_EQ(name, "a-very-long-nam");
}

#if !defined(_WIN32)

TEST(Thread, blocks_all_signals_but_the_synchronous_ones_and_leaves_its_starters_mask_alone) {
  sigset_t before, after, inside;
  sigemptyset(&before);
  sigaddset(&before, SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_EQ(on_a_thread("signals", 0, [&] { pthread_sigmask(SIG_SETMASK, nullptr, &inside); }), 0);
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int blocked : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE, SIGALRM, SIGWINCH}) {
    EXPECT_TRUE(sigismember(&inside, blocked)) << strsignal(blocked);
    EXPECT_EQ(sigismember(&before, blocked), sigismember(&after, blocked)) << strsignal(blocked);
  }
  for (int open : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF}) {
    EXPECT_FALSE(sigismember(&inside, open)) << strsignal(open);
  }
}

#endif

#if defined(_WIN32)
size_t stack_size_of_this_thread() {
  ULONG_PTR low = 0, high = 0;
  GetCurrentThreadStackLimits(&low, &high);
  return high - low;
}
#elif defined(__linux__)
size_t stack_size_of_this_thread() {
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  size_t size = 0;
  pthread_attr_getstacksize(&attributes, &size);
  pthread_attr_destroy(&attributes);
  return size;
}
#endif

#if defined(_WIN32) || defined(__linux__)

TEST(Thread, has_the_stack_it_was_given_in_whole_pages) {
  for (size_t wanted : {size_t{1} << 20, (size_t{3} << 20) + 1}) {
    size_t stack = 0;
    ASSERT_EQ(on_a_thread("stack", wanted, [&] { stack = stack_size_of_this_thread(); }), 0);
    EXPECT_GE(stack, wanted);
    EXPECT_LT(stack, wanted + (size_t{1} << 20));  // a sanitizer may add to it
  }
}

TEST(Thread, gets_the_least_stack_the_system_allows_when_asked_for_less) {
  size_t stack = 0;
  ASSERT_EQ(on_a_thread("stack", 1, [&] { stack = stack_size_of_this_thread(); }), 0);
  EXPECT_GE(stack, 16u * 1024);
}

#endif

TEST(Thread, is_refused_with_an_errno_when_its_stack_fits_nowhere) {
  EXPECT_NE(on_a_thread("huge", size_t{1} << 60, [] {}), 0);
}

TEST(Thread, is_refused_with_an_errno_when_the_system_has_none) {
  testing::fail_thread_starts(0);
  EXPECT_EQ(on_a_thread("refused", 0, [] {}), EAGAIN);
  testing::fail_thread_starts(testing::kNever);
}

TEST(Thread, is_refused_when_there_is_no_memory_to_tell_it_what_to_do) {
  const std::string name = "no memory";
  int error = 0;
  {
    testing::FailingAllocations now;
    error = start_thread(name, 0, [](void*) noexcept {}, nullptr);
  }
  EXPECT_EQ(error, ENOMEM);
}

TEST(Parallelism, is_at_least_one_and_at_most_the_machine) {
  EXPECT_GE(available_parallelism(), 1u);
  EXPECT_LE(available_parallelism(), std::max(1u, std::thread::hardware_concurrency()));
}

TEST(Image, finds_symbols_of_the_host_and_says_when_there_are_none) {
  EXPECT_NE(host_symbol(kSymbolOfTheHost), nullptr);
  EXPECT_EQ(host_symbol("offloop_has_no_such_symbol"), nullptr);
}

TEST(Image, can_be_pinned_more_than_once) {
  pin_image();
  pin_image();
}

}  // namespace
}  // namespace offloop
