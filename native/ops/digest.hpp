// Digest algorithms by name.
#pragma once

#include <string_view>

#include "ops/openssl.hpp"

namespace offloop::ops {

struct DigestAlgorithm {
  const OpenSsl::Digest* digest;
  size_t size;      // of the output, in bytes
  bool extendable;  // the size is only the customary one
};

/// nullptr if the host has no algorithm of that name, in any spelling it knows. Thread: any. Lifetime: static.
/// Fetched once per process: a fetch costs as much as hashing several KiB.
const DigestAlgorithm* digest_algorithm(const OpenSsl& ssl, std::string_view name);

}  // namespace offloop::ops
