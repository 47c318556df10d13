#include <algorithm>
#include <new>
#include <span>

#include "ops/bodies.hpp"
#include "ops/output.hpp"
#include "ops/pieces.hpp"
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

class Decompression {
 public:
  Decompression(Call& call, const Zlib& zlib, int format)
      : zlib_(zlib),
        format_(format),
        inflater_(zlib, window_bits_of(call) + format),
        data_(call.bytes(0)),
        most_input_(has_full_window(data_, window_bits_of(call), format) ? kInput : kSmallWindowInput),
        output_(call, first_guess(data_, format)) {}

  size_t done() const noexcept { return done_; }
  size_t total() const noexcept { return data_.size(); }

  std::optional<Status> step(Call& call) {
    if (!inflater_.began) return call.fails_in_library("Z_STREAM_ERROR", -2, "Init error");
    ZlibStream& stream = inflater_.stream;
    const auto rest = data_.subspan(done_);
    const auto piece = rest.first(std::min(rest.size(), most_input_));
    stream.next_in = piece.data();
    stream.avail_in = static_cast<unsigned>(piece.size());
    // A call that has not filled its piece goes on in the same one.
    if (stream.avail_out == 0) {
      if (!output_.makes_room(used_, kOutput)) return std::nullopt;
      stream.avail_out = kOutput;
    }
    stream.next_out = output_.data() + used_;
    const unsigned room = stream.avail_out;
    const int status = zlib_.inflate(&stream, piece.size() == rest.size() ? Zlib::kFinish : Zlib::kNoFlush);
    done_ += piece.size() - stream.avail_in;
    used_ += room - stream.avail_out;

    const bool ended = done_ == data_.size();
    if (status == Zlib::kStreamEnd) {
      // Another member follows, or padding of zeros. Node takes anything else for a broken member, and so do we.
      if (format_ != Zlib::kGzip || ended || data_[done_] == 0) return output_.returns(call, used_);
      zlib_.reset_inflate(&stream);
      return std::nullopt;
    }
    const bool starved = ended && stream.avail_out > 0;
    if ((status != Zlib::kOk && status != Zlib::kBufferError) || starved) return refused(call, status);
    return std::nullopt;
  }

 private:
  static int window_bits_of(Call& call) noexcept { return static_cast<int>(call.number(1)); }

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
  Inflater inflater_;
  std::span<const uint8_t> data_;
  const size_t most_input_;
  Output output_;
  size_t done_ = 0;
  size_t used_ = 0;
};

Status decompress(Call& call, int format) {
  const Zlib* zlib = Zlib::of_host();
  if (!zlib) return call.unsupported(Zlib::kMissing);
  if (call.bytes(0).size() >= kLong) return do_in_turns<Decompression>(call, call, *zlib, format);
  return do_at_once(call, Decompression(call, *zlib, format));
}

}  // namespace

Status inflate(Call& call) { return decompress(call, 0); }
Status gunzip(Call& call) { return decompress(call, Zlib::kGzip); }

}  // namespace offloop::ops
