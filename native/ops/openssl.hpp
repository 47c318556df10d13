// The functions of OpenSSL that the bodies need, as the host exports them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace offloop::ops {

struct OpenSsl {
  struct Digest;   // EVP_MD
  struct Context;  // EVP_MD_CTX

  Digest* (*fetch)(void* library, const char* name, const char* properties);
  const Digest* (*by_alias)(const char* name);
  const char* (*name)(const Digest* digest);
  int (*size)(const Digest* digest);
  unsigned long (*flags)(const Digest* digest);

  Context* (*make_context)();
  void (*free_context)(Context* context);
  int (*begin)(Context* context, const Digest* digest, void* engine);
  int (*update)(Context* context, const void* data, size_t size);
  int (*finish)(Context* context, uint8_t* out, unsigned* size);
  int (*finish_xof)(Context* context, uint8_t* out, size_t size);

  int (*scrypt)(const char* password, size_t password_size, const uint8_t* salt, size_t salt_size, uint64_t n,
                uint64_t r, uint64_t p, uint64_t max_memory, uint8_t* key, size_t key_size);
  int (*pbkdf2)(const char* password, int password_size, const uint8_t* salt, int salt_size, int iterations,
                const Digest* digest, int key_size, uint8_t* key);

  int (*encode_base64)(uint8_t* out, const uint8_t* data, int size);
  int (*decode_base64)(uint8_t* out, const uint8_t* text, int size);

  /// Empties this thread's queue of errors, which nobody reads.
  void (*clear_errors)();

  /// Flag of digests whose output has no size of its own.
  static constexpr unsigned long kExtendable = 2;
  static constexpr const char* kMissing = "this runtime does not export OpenSSL 3, which the operation needs";

  /// nullptr where the host lacks any of them.
  static const OpenSsl* of_host() noexcept;
};

}  // namespace offloop::ops
