#include "platform/exit.hpp"

#if defined(_WIN32)

#include <windows.h>

#include <cstdlib>

#include "platform/image.hpp"

namespace offloop {
namespace {

void (*the_handler)(int status) = nullptr;
void call_handler() { the_handler(-1); }

}  // namespace

/// A library's own atexit() is called when the threads of the process have been ended, so late that there is nothing left
/// to be done. The host's comes in time, and OpenSSL, the only library with a teardown that pool threads could run into,
/// passes it on. In a program without it our atexit() is the program's.
void at_exit(void (*handler)(int status)) noexcept {
  the_handler = handler;
  using AtExit = int (*)(void (*)());
  const auto of_host = reinterpret_cast<AtExit>(host_symbol("OPENSSL_atexit"));
  if (of_host) {
    of_host(call_handler);
  } else {
    std::atexit(call_handler);
  }
}

void exit_now(int status) noexcept {
  TerminateProcess(GetCurrentProcess(), static_cast<UINT>(status));
  for (;;) Sleep(INFINITE);  // it is ended asynchronously
}

}  // namespace offloop

#endif
