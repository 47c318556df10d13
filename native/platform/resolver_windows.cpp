#if defined(_WIN32)

#include <winsock2.h>
#include <ws2tcpip.h>

#include "platform/addrinfo.hpp"
#include "platform/errno_windows.hpp"
#include "platform/winsock_windows.hpp"

namespace offloop {
namespace {

/// The names and numbers by which Node knows the resolver's errors on every system.
ResolverError explained(int error) noexcept {
  switch (error) {
    case WSAHOST_NOT_FOUND:
    case WSANO_DATA:
      return {"ENOTFOUND", -3008};
    case WSATRY_AGAIN:
      return {"EAI_AGAIN", -3001};
    case WSAEINVAL:
      return {"EAI_BADFLAGS", -3002};
    case WSANO_RECOVERY:
      return {"EAI_FAIL", -3004};
    case WSAEAFNOSUPPORT:
      return {"EAI_FAMILY", -3005};
    case WSA_NOT_ENOUGH_MEMORY:
      return {"EAI_MEMORY", -3006};
    case WSATYPE_NOT_FOUND:
      return {"EAI_SERVICE", -3010};
    case WSAESOCKTNOSUPPORT:
      return {"EAI_SOCKTYPE", -3011};
    default:
      return {nullptr, errno_of(static_cast<unsigned long>(error))};
  }
}

}  // namespace

ResolverError resolve(const char* host, AddressOrder order, Address& address) noexcept {
  if (int error = start_sockets()) return {nullptr, error};
  addrinfo* found = nullptr;
  if (int error = find_addresses(host, found)) return explained(error);

  const addrinfo* chosen = choose(found, order);
  if (chosen) address = address_of(*chosen);
  freeaddrinfo(found);
  return chosen ? ResolverError{} : ResolverError{"ENOTFOUND", -3007};
}

}  // namespace offloop

#endif
