#include "platform/thread.hpp"

#if !defined(_WIN32)

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <thread>
#if defined(__linux__)
#include <sched.h>
#endif

namespace offloop {
namespace {

struct Start {
  std::string name;
  void (*entry)(void*) noexcept;
  void* argument;
};

void name_this_thread(const std::string& name) noexcept {
#if defined(__APPLE__)
  pthread_setname_np(name.c_str());
#else
  pthread_setname_np(pthread_self(), name.c_str());
#endif
}

void* begin(void* raw) {
  std::unique_ptr<Start> start(static_cast<Start*>(raw));
  name_this_thread(start->name);
  auto entry = start->entry;
  void* argument = start->argument;
  start.reset();
  entry(argument);
  return nullptr;
}

/// Blocks signals for the thread that is about to be created, which inherits the mask, and restores them after.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t blocked;
    sigfillset(&blocked);
    for (int synchronous : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF})
      sigdelset(&blocked, synchronous);
    pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

int start_thread(const std::string& name, size_t stack_bytes, void (*entry)(void*) noexcept, void* argument) noexcept {
  std::unique_ptr<Start> start;
  try {
    start.reset(new Start{name.substr(0, kThreadName), entry, argument});
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t least = static_cast<size_t>(PTHREAD_STACK_MIN);
  const size_t stack = (std::max(stack_bytes, least) + page - 1) / page * page;

  pthread_attr_t attributes;
  if (int error = pthread_attr_init(&attributes)) return error;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  int error = pthread_attr_setstacksize(&attributes, stack);
  if (!error) {
    SignalsBlocked blocked;
    pthread_t thread;
    error = pthread_create(&thread, &attributes, begin, start.get());
  }
  pthread_attr_destroy(&attributes);
  if (!error) start.release();
  return error;
}

void rest() noexcept {
  const timespec time{0, 150'000};
  nanosleep(&time, nullptr);  // shorter if a signal comes, which does no harm
}

unsigned available_parallelism() noexcept {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&allowed)));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace offloop

#endif
