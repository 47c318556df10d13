// Keys from passwords. Neither function of OpenSSL can be stopped once it runs.
#include <string>

#include "ops/bodies.hpp"
#include "ops/digest.hpp"
#include "ops/output.hpp"

namespace offloop::ops {
namespace {

/// OpenSSL takes a null pointer for a question instead of an empty password.
const char* password_of(std::span<const uint8_t> bytes) noexcept {
  return bytes.empty() ? "" : reinterpret_cast<const char*>(bytes.data());
}

const uint8_t* salt_of(std::span<const uint8_t> bytes) noexcept {
  static constexpr uint8_t kNone = 0;
  return bytes.empty() ? &kNone : bytes.data();
}

Status refused(Call& call, const OpenSsl& ssl, std::string_view message) {
  ssl.clear_errors();
  return call.fails_in_library("ERR_CRYPTO_OPERATION_FAILED", 0, message);
}

}  // namespace

Status scrypt(Call& call) {
  const OpenSsl* ssl = OpenSsl::of_host();
  if (!ssl) return call.unsupported(OpenSsl::kMissing);
  const auto password = call.bytes(0), salt = call.bytes(1);
  const auto size = static_cast<size_t>(call.number(2));
  const auto cost = static_cast<uint64_t>(call.number(3)), block_size = static_cast<uint64_t>(call.number(4));
  const auto parallelism = static_cast<uint64_t>(call.number(5)), max_memory = static_cast<uint64_t>(call.number(6));

  Output key(call, size);
  if (size > 0 && !ssl->scrypt(password_of(password), password.size(), salt_of(salt), salt.size(), cost, block_size,
                               parallelism, max_memory, key.data(), size)) {
    return refused(call, *ssl, "Scrypt failed");
  }
  return key.returns(call, size);
}

Status pbkdf2(Call& call) {
  const OpenSsl* ssl = OpenSsl::of_host();
  if (!ssl) return call.unsupported(OpenSsl::kMissing);
  const auto password = call.bytes(0), salt = call.bytes(1);
  const auto iterations = static_cast<int>(call.number(2));
  const auto size = static_cast<size_t>(call.number(3));
  const DigestAlgorithm* algorithm = digest_algorithm(*ssl, call.text(4));
  if (!algorithm) return call.unsupported("this runtime cannot compute " + std::string(call.text(4)));

  Output key(call, size);
  // JavaScript let nothing through that is longer than an int can say.
  if (!ssl->pbkdf2(password_of(password), static_cast<int>(password.size()), salt_of(salt),
                   static_cast<int>(salt.size()), iterations, algorithm->digest, static_cast<int>(size), key.data())) {
    return refused(call, *ssl, "PBKDF2 failed");
  }
  return key.returns(call, size);
}

}  // namespace offloop::ops
