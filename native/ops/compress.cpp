#include <algorithm>
#include <new>

#include "ops/bodies.hpp"
#include "ops/output.hpp"
#include "ops/zlib.hpp"

namespace offloop::ops {
namespace {

/// Input and output of one call into zlib: a few milliseconds at the slowest level.
constexpr size_t kPiece = size_t{128} << 10;
/// Level 0 cuts its blocks where the output ends, so the result depends on the pieces: these are the ones of Node's zlib.
constexpr size_t kStoredInput = UINT32_MAX;
constexpr size_t kStoredOutput = 16384;

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

/// Most data comes out much smaller than the bound, which is not worth touching the memory for when it is large.
size_t first_guess(size_t bound) noexcept { return std::min(bound, std::max(size_t{1} << 20, bound / 4)); }

Status compress(Call& call, int format) {
  const Zlib* zlib = Zlib::of_host();
  if (!zlib) return call.unsupported(Zlib::kMissing);
  auto rest = call.bytes(0);
  const int level = static_cast<int>(call.number(1));
  Deflater deflater(*zlib, level, static_cast<int>(call.number(2)) + format, static_cast<int>(call.number(3)),
                    static_cast<int>(call.number(4)));
  if (!deflater.began) return call.fails_in_library("Z_STREAM_ERROR", -2, "Init error");

  ZlibStream& stream = deflater.stream;
  const size_t input = level == 0 ? kStoredInput : kPiece;
  const size_t bound = zlib->deflate_bound(&stream, rest.size());
  const size_t room = level == 0 ? kStoredOutput : std::min(kPiece, bound);
  Output output(call, std::max(room, first_guess(bound)));
  size_t used = 0;
  for (;;) {
    if (call.stopped()) return call.cancelled();
    if (stream.avail_in == 0 && !rest.empty()) {
      const auto piece = rest.first(std::min(rest.size(), input));
      stream.next_in = piece.data();
      stream.avail_in = static_cast<unsigned>(piece.size());
      rest = rest.subspan(piece.size());
    }
    if (output.capacity() - used < room) output.grow(output.capacity() * 2);
    stream.next_out = output.data() + used;
    stream.avail_out = static_cast<unsigned>(room);
    const int status = zlib->deflate(&stream, rest.empty() ? Zlib::kFinish : Zlib::kNoFlush);
    used += room - stream.avail_out;
    if (status == Zlib::kStreamEnd) return output.returns(used);
    if (status != Zlib::kOk && status != Zlib::kBufferError) {
      return call.fails_in_library("Z_STREAM_ERROR", status, stream.msg ? stream.msg : "Zlib error");
    }
  }
}

}  // namespace

Status deflate(Call& call) { return compress(call, 0); }
Status gzip(Call& call) { return compress(call, Zlib::kGzip); }

}  // namespace offloop::ops
