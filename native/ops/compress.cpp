#include <algorithm>
#include <new>
#include <span>
#include <utility>

#include "ops/bodies.hpp"
#include "ops/coder.hpp"
#include "ops/steps.hpp"
#include "ops/zlib.hpp"

namespace offloop::ops {
namespace {

/// From here on the slowest level may take longer than a turn.
constexpr size_t kLong = size_t{4} << 10;
/// Output of one call into zlib.
constexpr size_t kOutput = size_t{128} << 10;
/// Level 0 cuts its blocks where the output ends, so the result depends on the pieces: these are the ones of Node's zlib.
constexpr size_t kStoredInput = UINT32_MAX;
constexpr size_t kStoredOutput = 16384;

/// Input of one call into zlib: half a millisecond of what the level finds hardest. That is noise up to level 5 (0.12 us a
/// byte with the least memory), else text of two letters (0.2 us up to level 7, 2.2 us at level 9).
constexpr size_t most_input(int level, int strategy) noexcept {
  if (level == 0) return kStoredInput;
  const bool searches = strategy != Zlib::kHuffmanOnly && strategy != Zlib::kRle;
  if (searches && level >= 8) return 128;
  return searches && (level < 0 || level >= 6) ? 1024 : 4096;
}

class Deflater {
 public:
  Deflater(const Zlib& zlib, int level, int window_bits, int memory_level, int strategy) : zlib_(zlib) {
    const int status = zlib.begin_deflate(&stream, level, Zlib::kDeflated, window_bits, memory_level, strategy,
                                          zlib.version(), static_cast<int>(sizeof stream));
    if (status == Zlib::kMemoryError) throw std::bad_alloc();
    began = status == Zlib::kOk;
  }
  Deflater(const Deflater&) = delete;
  ~Deflater() {
    if (began) zlib_.end_deflate(&stream);
  }

  ZlibStream stream;
  bool began;

 private:
  const Zlib& zlib_;
};

/// The library counts in what is only 32 bits on Windows: what is larger gets its room as it goes.
size_t bound_of(const Zlib& zlib, ZlibStream& stream, size_t size) noexcept {
  return std::in_range<unsigned long>(size) ? zlib.deflate_bound(&stream, static_cast<unsigned long>(size)) : size;
}

/// Most data comes out much smaller than the bound, which is not worth asking for when it is large.
size_t first_guess(size_t bound) noexcept { return std::min(bound, std::max(Output::kMapped, bound / 4)); }

class Compressor {
 public:
  static constexpr Kind kKind = OFFLOOP_BYTES;

  Compressor(Call& call, const Zlib& zlib, int format)
      : zlib_(zlib),
        level_(static_cast<int>(call.number(1))),
        strategy_(static_cast<int>(call.number(4))),
        deflater_(zlib, level_, static_cast<int>(call.number(2)) + format, static_cast<int>(call.number(3)), strategy_),
        room_(level_ == 0 ? kStoredOutput : kOutput) {}

  size_t capacity_for(std::span<const uint8_t> data) noexcept {
    const size_t bound = bound_of(zlib_, deflater_.stream, data.size());
    if (level_ != 0) room_ = std::min(room_, bound);
    return std::max(room_, first_guess(bound));
  }
  size_t room() const noexcept { return room_; }

  std::optional<Status> piece(Call& call, Flow& flow) {
    if (!deflater_.began) return call.fails_in_library("Z_STREAM_ERROR", -2, "Init error");
    ZlibStream& stream = deflater_.stream;
    const auto rest = flow.rest();
    const auto free = flow.free().first(std::min(flow.free().size(), room_));
    const auto piece = rest.first(std::min(rest.size(), most_input(level_, strategy_)));
    stream.next_in = piece.data();
    stream.avail_in = static_cast<unsigned>(piece.size());
    stream.next_out = free.data();
    stream.avail_out = static_cast<unsigned>(free.size());
    const bool finishes = flow.last && piece.size() == rest.size();
    const int status = zlib_.deflate(&stream, finishes ? Zlib::kFinish : Zlib::kNoFlush);
    flow.taken += piece.size() - stream.avail_in;
    flow.given += free.size() - stream.avail_out;

    if (status == Zlib::kStreamEnd) return OFFLOOP_OK;
    if (status == Zlib::kOk || status == Zlib::kBufferError) return std::nullopt;
    return call.fails_in_library("Z_STREAM_ERROR", status, stream.msg ? stream.msg : "Zlib error");
  }

 private:
  const Zlib& zlib_;
  const int level_;
  const int strategy_;
  Deflater deflater_;
  size_t room_;  // of one call into zlib
};

Status compress(Call& call, int format) {
  const Zlib* zlib = Zlib::of_host();
  if (!zlib) return call.unsupported(Zlib::kMissing);
  const auto data = call.bytes(0);
  if (data.size() >= kLong) return do_in_turns<Whole<Compressor>>(call, call, data, call, *zlib, format);
  return do_at_once(call, Whole<Compressor>(call, data, call, *zlib, format));
}

Status compress_step(Call& call, int format) {
  return take_step(call, call.bytes(0), [&](std::unique_ptr<Stage>& stage) {
    const Zlib* zlib = Zlib::of_host();
    if (!zlib) return call.unsupported(Zlib::kMissing);
    stage = std::make_unique<CoderStage<Compressor>>(call, *zlib, format);
    return OFFLOOP_OK;
  });
}

}  // namespace

Status deflate(Call& call) { return compress(call, 0); }
Status gzip(Call& call) { return compress(call, Zlib::kGzip); }
Status deflate_step(Call& call) { return compress_step(call, 0); }
Status gzip_step(Call& call) { return compress_step(call, Zlib::kGzip); }

}  // namespace offloop::ops
