#include "platform/exit.hpp"

#if !defined(_WIN32)

#include <stdlib.h>
#include <unistd.h>

namespace offloop {

#if defined(__GLIBC__)

void at_exit(void (*handler)(int status)) noexcept {
  on_exit([](int status, void* handler) { reinterpret_cast<void (*)(int)>(handler)(status); },
          reinterpret_cast<void*>(handler));
}

#else

namespace {
void (*the_handler)(int status) = nullptr;
}

void at_exit(void (*handler)(int status)) noexcept {
  the_handler = handler;
  atexit([] { the_handler(-1); });
}

#endif

void exit_now(int status) noexcept { _exit(status); }

}  // namespace offloop

#endif
