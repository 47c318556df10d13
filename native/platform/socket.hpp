// TCP connections that never block: a poller tells when they can go on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/poller.hpp"

namespace offloop {

// Every function but the last returns 0 or a positive errno, and none blocks.

/// Begins to connect to an address in digits, IPv4 or IPv6. Once the socket is writable, `socket_error` tells the outcome.
/// Small writes leave at once. Owns: the caller, who closes it. EINVAL: no such address.
int connect_socket(const char* address, uint16_t port, Descriptor& socket) noexcept;
/// Why the socket failed since it was last asked.
int socket_error(Descriptor socket) noexcept;
/// EAGAIN: there is no room now. Else `done` is as much as there was room for.
int send_some(Descriptor socket, const uint8_t* from, size_t size, size_t& done) noexcept;
/// EAGAIN: nothing is there now. `done` is 0 when the other end has finished.
int receive_some(Descriptor socket, uint8_t* into, size_t size, size_t& done) noexcept;
/// Nothing more will be sent: the other end reads to the end of what was.
int end_sending(Descriptor socket) noexcept;
void close_socket(Descriptor socket) noexcept;

}  // namespace offloop
