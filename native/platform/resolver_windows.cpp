#if defined(_WIN32)

#include <winsock2.h>
#include <ws2tcpip.h>

#include "platform/errno_windows.hpp"
#include "platform/resolver.hpp"
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

const addrinfo* first(const addrinfo* found, int family) noexcept {
  while (found && found->ai_family != family) found = found->ai_next;
  return found;
}

const addrinfo* first_of_either(const addrinfo* found) noexcept {
  while (found && found->ai_family != AF_INET && found->ai_family != AF_INET6) found = found->ai_next;
  return found;
}

const addrinfo* choose(const addrinfo* found, AddressOrder order) noexcept {
  if (order == AddressOrder::resolver) return first_of_either(found);
  const addrinfo* preferred = first(found, order == AddressOrder::ipv4_first ? AF_INET : AF_INET6);
  return preferred ? preferred : first_of_either(found);
}

}  // namespace

ResolverError resolve(const char* host, AddressOrder order, Address& address) noexcept {
  if (int error = start_sockets()) return {nullptr, error};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // else every address comes once for each kind of socket
  addrinfo* found = nullptr;
  if (int error = getaddrinfo(host, nullptr, &hints, &found)) return explained(error);

  const addrinfo* chosen = choose(found, order);
  if (chosen && chosen->ai_family == AF_INET6) {
    const auto* whole = reinterpret_cast<const sockaddr_in6*>(chosen->ai_addr);
    inet_ntop(AF_INET6, &whole->sin6_addr, address.text, sizeof address.text);
    address.family = 6;
  } else if (chosen) {
    const auto* whole = reinterpret_cast<const sockaddr_in*>(chosen->ai_addr);
    inet_ntop(AF_INET, &whole->sin_addr, address.text, sizeof address.text);
    address.family = 4;
  }
  freeaddrinfo(found);
  return chosen ? ResolverError{} : ResolverError{"ENOTFOUND", -3007};
}

}  // namespace offloop

#endif
