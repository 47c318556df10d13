#if !defined(_WIN32)

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "platform/addrinfo.hpp"

namespace offloop {
namespace {

/// The names and numbers by which Node knows the resolver's errors on every system.
ResolverError explained(int error) noexcept {
  switch (error) {
    case EAI_SYSTEM:
      return {nullptr, errno ? errno : EIO};
    case EAI_AGAIN:
      return {"EAI_AGAIN", -3001};
    case EAI_BADFLAGS:
      return {"EAI_BADFLAGS", -3002};
    case EAI_FAIL:
      return {"EAI_FAIL", -3004};
    case EAI_FAMILY:
      return {"EAI_FAMILY", -3005};
    case EAI_MEMORY:
      return {"EAI_MEMORY", -3006};
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    case EAI_NODATA:
      return {"ENOTFOUND", -3007};
#endif
    case EAI_OVERFLOW:
      return {"EAI_OVERFLOW", -3009};
    case EAI_SERVICE:
      return {"EAI_SERVICE", -3010};
    case EAI_SOCKTYPE:
      return {"EAI_SOCKTYPE", -3011};
#if defined(EAI_ADDRFAMILY)
    case EAI_ADDRFAMILY:
      return {"EAI_ADDRFAMILY", -3000};
#endif
    default:
      return {"ENOTFOUND", -3008};
  }
}

}  // namespace

ResolverError resolve(const char* host, AddressOrder order, Address& address) noexcept {
  addrinfo* found = nullptr;
  if (int error = find_addresses(host, found)) return explained(error);

  const addrinfo* chosen = choose(found, order);
  if (chosen) address = address_of(*chosen);
  freeaddrinfo(found);
  return chosen ? ResolverError{} : ResolverError{"ENOTFOUND", -3007};
}

}  // namespace offloop

#endif
