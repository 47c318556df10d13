#if defined(_WIN32)

#include "platform/winsock_windows.hpp"

#include <winsock2.h>

#include "platform/errno_windows.hpp"

namespace offloop {

int start_sockets() noexcept {
  // For good: it ends with the process.
  static const int kError = [] {
    WSADATA about;
    const int error = WSAStartup(MAKEWORD(2, 2), &about);
    return error ? errno_of(static_cast<unsigned long>(error)) : 0;
  }();
  return kError;
}

}  // namespace offloop

#endif
