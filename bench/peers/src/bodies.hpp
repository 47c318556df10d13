#pragma once

#include <cstddef>
#include <cstdint>

#if defined(_WIN32)
#define PEER_EXPORT extern "C" __declspec(dllexport)
#else
#define PEER_EXPORT extern "C" __attribute__((visibility("default")))
#endif

inline constexpr std::size_t kSmallInput = 64;
inline constexpr std::size_t kOutput = 32;

// The work itself, the same for every native peer; exported by name so that koffi calls it too.

PEER_EXPORT int peer_noop() noexcept;

/// Copies the first 32 of 64 bytes.
PEER_EXPORT void peer_copy(const std::uint8_t* input, std::uint8_t* output) noexcept;

/// SHA-256 by the OpenSSL inside node, as the other drivers have it.
PEER_EXPORT void peer_sha256(const std::uint8_t* input, std::size_t size, std::uint8_t* output) noexcept;
