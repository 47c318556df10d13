// Names of hosts to addresses, by the system's own resolver: its configuration, its files, its order.
#pragma once

#include <cstdint>

namespace offloop {

struct Address {
  int family = 0;  // 4 or 6
  char text[46] = "";
};

/// Why a name has no address.
struct ResolverError {
  const char* name = nullptr;  // as Node reports it; nullptr: a system call failed, and `number` is a positive errno
  int number = 0;              // 0: there is none
};

/// Which of several addresses is wanted.
enum class AddressOrder : uint8_t { resolver, ipv4_first, ipv6_first };

/// The first address of `host` in that order. Blocks, for as long as the resolver is configured to try.
ResolverError resolve(const char* host, AddressOrder order, Address& address) noexcept;

}  // namespace offloop
