#include <algorithm>
#include <new>
#include <span>

#include "ops/bodies.hpp"
#include "ops/coder.hpp"
#include "ops/steps.hpp"
#include "ops/zlib.hpp"

namespace offloop::ops {
namespace {

/// From here on the output may be so large that it takes a turn.
constexpr size_t kLong = size_t{4} << 10;
/// Output of one call into zlib. Where a window is smaller than the data wants, what still succeeds depends on the pieces:
/// these are the ones of Node's zlib.
constexpr size_t kOutput = 16384;
/// Input of one call into zlib: a third of a millisecond of blocks that are empty but for their tables, 0.08 us a byte.
constexpr size_t kInput = 4096;
/// Where the window is small, so much that the output ends first: a byte of it takes two of input at most. Only blocks that
/// are next to empty can take more, and then for a few milliseconds.
constexpr size_t kSmallWindowInput = kOutput * 2;

class Inflater {
 public:
  Inflater(const Zlib& zlib, int window_bits) : zlib_(zlib) {
    const int status = zlib.begin_inflate(&stream, window_bits, zlib.version(), static_cast<int>(sizeof stream));
    if (status == Zlib::kMemoryError) throw std::bad_alloc();
    began = status == Zlib::kOk;
  }
  Inflater(const Inflater&) = delete;
  ~Inflater() {
    if (began) zlib_.end_inflate(&stream);
  }

  ZlibStream stream;
  bool began;

 private:
  const Zlib& zlib_;
};

/// Whether every distance that deflate knows fits into the window, so that the pieces do not matter. With zlib's own header
/// and no window given, the header says how large it is.
bool has_full_window(std::span<const uint8_t> data, int window_bits, int format) noexcept {
  constexpr int kFull = 15;
  if (window_bits != 0 || format == Zlib::kGzip) return window_bits == 0 || window_bits == kFull;
  return !data.empty() && (data.front() >> 4) + 8 == kFull;
}

/// How much will come out, more or less. The gzip format ends with the size of its last member, which may lie: it is
/// believed as far as memory that is not touched costs nothing.
size_t first_guess(std::span<const uint8_t> data, int format) noexcept {
  size_t told = SIZE_MAX;
  if (format == Zlib::kGzip && data.size() >= 4) {
    const auto tail = data.last(4);
    told = tail[0] | tail[1] << 8 | tail[2] << 16 | size_t{tail[3]} << 24;
  }
  const size_t likely = data.size() * 4;
  const size_t guess =
      std::min(told, told == SIZE_MAX ? std::min(likely, Output::kMapped) : std::max(likely, Output::kMapped));
  return guess / kOutput * kOutput + kOutput;  // zlib is given whole pieces of room
}

class Decompressor {
 public:
  static constexpr Kind kKind = OFFLOOP_BYTES;

  Decompressor(Call& call, const Zlib& zlib, int format)
      : zlib_(zlib),
        format_(format),
        window_bits_(static_cast<int>(call.number(1))),
        inflater_(zlib, window_bits_ + format) {}

  size_t capacity_for(std::span<const uint8_t> data) const noexcept { return first_guess(data, format_); }
  /// A call that has not filled its piece goes on in the same one.
  size_t room() const noexcept { return inflater_.stream.avail_out > 0 ? inflater_.stream.avail_out : kOutput; }

  std::optional<Status> piece(Call& call, Flow& flow) {
    if (!inflater_.began) return call.fails_in_library("Z_STREAM_ERROR", -2, "Init error");
    if (between_members_) {
      const std::optional<Status> ended = next_member(flow);
      if (ended || between_members_) return ended;
    }
    ZlibStream& stream = inflater_.stream;
    const auto rest = flow.rest();
    if (most_input_ == 0 && !rest.empty()) {
      most_input_ = has_full_window(rest, window_bits_, format_) ? kInput : kSmallWindowInput;
    }
    const auto piece = rest.first(std::min(rest.size(), most_input_));
    const auto free = flow.free().first(std::min(flow.free().size(), room()));
    stream.next_in = piece.data();
    stream.avail_in = static_cast<unsigned>(piece.size());
    stream.next_out = free.data();
    stream.avail_out = static_cast<unsigned>(free.size());
    const bool finishes = flow.last && piece.size() == rest.size();
    const int status = zlib_.inflate(&stream, finishes ? Zlib::kFinish : Zlib::kNoFlush);
    flow.taken += piece.size() - stream.avail_in;
    flow.given += free.size() - stream.avail_out;

    if (status == Zlib::kStreamEnd) return format_ == Zlib::kGzip ? next_member(flow) : OFFLOOP_OK;
    const bool starved = flow.last && flow.rest().empty() && stream.avail_out > 0;
    if ((status != Zlib::kOk && status != Zlib::kBufferError) || starved) return refused(call, status);
    return std::nullopt;
  }

 private:
  /// Another member follows, or padding of zeros. Node takes anything else for a broken member, and so do we.
  std::optional<Status> next_member(const Flow& flow) noexcept {
    const auto rest = flow.rest();
    between_members_ = rest.empty() && !flow.last;
    if (between_members_) return std::nullopt;
    if (rest.empty() || rest.front() == 0) return OFFLOOP_OK;
    zlib_.reset_inflate(&inflater_.stream);
    return std::nullopt;
  }

  Status refused(Call& call, int status) {
    const char* const message = inflater_.stream.msg ? inflater_.stream.msg : "Zlib error";
    switch (status) {
      case Zlib::kOk:
      case Zlib::kBufferError:
        return call.fails_in_library("Z_BUF_ERROR", Zlib::kBufferError, "unexpected end of file");
      case Zlib::kNeedDictionary:
        return call.fails_in_library("Z_NEED_DICT", status, "Missing dictionary");
      case Zlib::kMemoryError:
        throw std::bad_alloc();
      case Zlib::kDataError:
        return call.fails_in_library("Z_DATA_ERROR", status, message);
      default:
        return call.fails_in_library("Z_STREAM_ERROR", status, message);
    }
  }

  const Zlib& zlib_;
  const int format_;
  const int window_bits_;
  Inflater inflater_;
  size_t most_input_ = 0;         // of one call into zlib; not known before the first byte
  bool between_members_ = false;  // one has ended, and so has the input for now
};

Status decompress(Call& call, int format) {
  const Zlib* zlib = Zlib::of_host();
  if (!zlib) return call.unsupported(Zlib::kMissing);
  const auto data = call.bytes(0);
  if (data.size() >= kLong) return do_in_turns<Whole<Decompressor>>(call, call, data, call, *zlib, format);
  return do_at_once(call, Whole<Decompressor>(call, data, call, *zlib, format));
}

Status decompress_step(Call& call, int format) {
  return take_step(call, call.bytes(0), [&](std::unique_ptr<Stage>& stage) {
    const Zlib* zlib = Zlib::of_host();
    if (!zlib) return call.unsupported(Zlib::kMissing);
    stage = std::make_unique<CoderStage<Decompressor>>(call, *zlib, format);
    return OFFLOOP_OK;
  });
}

}  // namespace

Status inflate(Call& call) { return decompress(call, 0); }
Status gunzip(Call& call) { return decompress(call, Zlib::kGzip); }
Status inflate_step(Call& call) { return decompress_step(call, 0); }
Status gunzip_step(Call& call) { return decompress_step(call, Zlib::kGzip); }

}  // namespace offloop::ops
