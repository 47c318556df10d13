#include <algorithm>
#include <new>

#include "ops/bodies.hpp"
#include "ops/output.hpp"
#include "ops/zlib.hpp"

namespace offloop::ops {
namespace {

/// Output of one call into zlib. Where a window is smaller than the data wants, what still succeeds depends on the pieces:
/// these are the ones of Node's zlib, which is also why the input is not cut.
constexpr size_t kPiece = 16384;
constexpr size_t kMostInput = UINT32_MAX;

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

Status refused(Call& call, const ZlibStream& stream, int status) {
  switch (status) {
    case Zlib::kOk:
    case Zlib::kBufferError:
      return call.fails_in_library("Z_BUF_ERROR", Zlib::kBufferError, "unexpected end of file");
    case Zlib::kNeedDictionary:
      return call.fails_in_library("Z_NEED_DICT", status, "Missing dictionary");
    case Zlib::kMemoryError:
      throw std::bad_alloc();
    case Zlib::kDataError:
      return call.fails_in_library("Z_DATA_ERROR", status, stream.msg ? stream.msg : "Zlib error");
    default:
      return call.fails_in_library("Z_STREAM_ERROR", status, stream.msg ? stream.msg : "Zlib error");
  }
}

Status decompress(Call& call, int format) {
  const Zlib* zlib = Zlib::of_host();
  if (!zlib) return call.unsupported(Zlib::kMissing);
  auto rest = call.bytes(0);
  Inflater inflater(*zlib, static_cast<int>(call.number(1)) + format);
  if (!inflater.began) return call.fails_in_library("Z_STREAM_ERROR", -2, "Init error");

  ZlibStream& stream = inflater.stream;
  Output output(call, std::clamp(rest.size() * 4, kPiece, size_t{1} << 20));
  size_t used = 0;
  for (;;) {
    if (call.stopped()) return call.cancelled();
    if (stream.avail_in == 0 && !rest.empty()) {
      const auto piece = rest.first(std::min(rest.size(), kMostInput));
      stream.next_in = piece.data();
      stream.avail_in = static_cast<unsigned>(piece.size());
      rest = rest.subspan(piece.size());
    }
    // A call that has not filled its piece goes on in the same one.
    if (stream.avail_out == 0) {
      if (output.capacity() - used < kPiece) output.grow(output.capacity() * 2);
      stream.avail_out = kPiece;
    }
    stream.next_out = output.data() + used;
    const unsigned room = stream.avail_out;
    const int status = zlib->inflate(&stream, rest.empty() ? Zlib::kFinish : Zlib::kNoFlush);
    used += room - stream.avail_out;

    if (status == Zlib::kStreamEnd) {
      // Another member follows, or padding of zeros. Node takes anything else for a broken member, and so do we.
      const bool more = stream.avail_in > 0 || !rest.empty();
      const uint8_t next = stream.avail_in > 0 ? *stream.next_in : more ? rest.front() : 0;
      if (format != Zlib::kGzip || next == 0) return output.returns(used);
      zlib->reset_inflate(&stream);
      continue;
    }
    const bool starved = stream.avail_in == 0 && rest.empty() && stream.avail_out > 0;
    if ((status != Zlib::kOk && status != Zlib::kBufferError) || starved) return refused(call, stream, status);
  }
}

}  // namespace

Status inflate(Call& call) { return decompress(call, 0); }
Status gunzip(Call& call) { return decompress(call, Zlib::kGzip); }

}  // namespace offloop::ops
