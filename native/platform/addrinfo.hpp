// What getaddrinfo finds, which is the same on all systems. To be included behind the system's own headers of sockets.
#pragma once

#include <charconv>
#include <cstdint>

#include "platform/resolver.hpp"

namespace offloop {

inline const addrinfo* first_of(const addrinfo* found, int family) noexcept {
  while (found && found->ai_family != family) found = found->ai_next;
  return found;
}

inline const addrinfo* first_of_either(const addrinfo* found) noexcept {
  while (found && found->ai_family != AF_INET && found->ai_family != AF_INET6) found = found->ai_next;
  return found;
}

/// nullptr: none has an address of IPv4 or IPv6.
inline const addrinfo* choose(const addrinfo* found, AddressOrder order) noexcept {
  if (order == AddressOrder::resolver) return first_of_either(found);
  const addrinfo* preferred = first_of(found, order == AddressOrder::ipv4_first ? AF_INET : AF_INET6);
  return preferred ? preferred : first_of_either(found);
}

/// In digits.
inline Address address_of(const addrinfo& found) noexcept {
  Address address;
  if (found.ai_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(found.ai_addr)->sin6_addr, address.text,
              sizeof address.text);
    address.family = 6;
  } else {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(found.ai_addr)->sin_addr, address.text,
              sizeof address.text);
    address.family = 4;
  }
  return address;
}

/// All addresses of a host, or an error of getaddrinfo. To be freed by the caller.
inline int find_addresses(const char* host, addrinfo*& found) noexcept {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // else every address comes once for each kind of socket
  return getaddrinfo(host, nullptr, &hints, &found);
}

/// What an address in digits and a port are for sockets: nobody is asked. nullptr: there is no such address. To be freed by the
/// caller.
inline addrinfo* parse_address(const char* address, uint16_t port) noexcept {
  char digits[6] = "";
  std::to_chars(digits, digits + sizeof digits - 1, port);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  return getaddrinfo(address, digits, &hints, &found) == 0 ? found : nullptr;
}

}  // namespace offloop
