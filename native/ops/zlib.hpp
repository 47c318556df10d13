// The functions of zlib that the bodies need, as the host exports them.
#pragma once

#include <cstdint>

namespace offloop::ops {

/// zlib's own stream, word for word: both sides write it.
struct ZlibStream {
  const uint8_t* next_in = nullptr;
  unsigned avail_in = 0;
  unsigned long total_in = 0;
  uint8_t* next_out = nullptr;
  unsigned avail_out = 0;
  unsigned long total_out = 0;
  const char* msg = nullptr;
  struct internal_state* state = nullptr;
  void* (*zalloc)(void*, unsigned, unsigned) = nullptr;
  void (*zfree)(void*, void*) = nullptr;
  void* opaque = nullptr;
  int data_type = 0;
  unsigned long adler = 0;
  unsigned long reserved = 0;
};

struct Zlib {
  const char* (*version)();
  int (*begin_deflate)(ZlibStream*, int level, int method, int window_bits, int memory_level, int strategy,
                       const char* version, int stream_size);
  unsigned long (*deflate_bound)(ZlibStream*, unsigned long size);
  int (*deflate)(ZlibStream*, int flush);
  int (*end_deflate)(ZlibStream*);
  int (*begin_inflate)(ZlibStream*, int window_bits, const char* version, int stream_size);
  int (*inflate)(ZlibStream*, int flush);
  int (*reset_inflate)(ZlibStream*);
  int (*end_inflate)(ZlibStream*);

  // its numbers
  static constexpr int kNoFlush = 0, kFinish = 4;
  static constexpr int kOk = 0, kStreamEnd = 1, kNeedDictionary = 2;
  static constexpr int kDataError = -3, kMemoryError = -4, kBufferError = -5;
  static constexpr int kDeflated = 8;
  static constexpr int kHuffmanOnly = 2, kRle = 3;
  /// Added to the window bits: the gzip format instead of zlib's own.
  static constexpr int kGzip = 16;

  static constexpr const char* kMissing = "this runtime does not export zlib, which the operation needs";

  /// nullptr where the host lacks any of them.
  static const Zlib* of_host() noexcept;
};

}  // namespace offloop::ops
