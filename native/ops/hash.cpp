#include <algorithm>
#include <new>
#include <span>
#include <string>

#include "ops/bodies.hpp"
#include "ops/digest.hpp"
#include "ops/pieces.hpp"

namespace offloop::ops {
namespace {

/// A sixth of a millisecond of the slowest algorithm, SHA3-512.
constexpr size_t kPiece = size_t{32} << 10;
/// From here on a digest may take longer than a turn, on a slow machine.
constexpr size_t kLong = size_t{1} << 20;

class Context {
 public:
  explicit Context(const OpenSsl& ssl) : ssl_(ssl), context_(ssl.make_context()) {
    if (!context_) throw std::bad_alloc();
  }
  Context(const Context&) = delete;
  ~Context() { ssl_.free_context(context_); }

  operator OpenSsl::Context*() const noexcept { return context_; }

 private:
  const OpenSsl& ssl_;
  OpenSsl::Context* context_;
};

class Digestion {
 public:
  Digestion(const OpenSsl& ssl, const DigestAlgorithm& algorithm, OpenSsl::Context* context,
            std::span<const uint8_t> data) noexcept
      : ssl_(ssl), algorithm_(algorithm), context_(context), data_(data) {}

  size_t done() const noexcept { return done_; }
  size_t total() const noexcept { return data_.size(); }

  std::optional<Status> step(Call& call) {
    if (done_ == 0 && !ssl_.begin(context_, algorithm_.digest, nullptr)) return refused(call);
    const auto piece = data_.subspan(done_, std::min(data_.size() - done_, kPiece));
    if (!piece.empty() && !ssl_.update(context_, piece.data(), piece.size())) return refused(call);
    done_ += piece.size();
    if (done_ < data_.size()) return std::nullopt;

    const size_t size = algorithm_.size;
    uint8_t* out = call.scratch(size);
    const int finished =
        algorithm_.extendable ? ssl_.finish_xof(context_, out, size) : ssl_.finish(context_, out, nullptr);
    if (!finished) return refused(call);
    return call.returns(Value::of(OFFLOOP_BYTES, out, size));
  }

 private:
  Status refused(Call& call) {
    ssl_.clear_errors();
    return call.fails_in_library("ERR_CRYPTO_OPERATION_FAILED", 0, "Digest failed");
  }

  const OpenSsl& ssl_;
  const DigestAlgorithm& algorithm_;
  OpenSsl::Context* context_;
  std::span<const uint8_t> data_;
  size_t done_ = 0;
};

/// With a context of its own, which goes from thread to thread.
class LongDigestion : Context, public Digestion {
 public:
  LongDigestion(const OpenSsl& ssl, const DigestAlgorithm& algorithm, std::span<const uint8_t> data)
      : Context(ssl), Digestion(ssl, algorithm, *this, data) {}
};

}  // namespace

Status hash(Call& call) {
  const OpenSsl* ssl = OpenSsl::of_host();
  if (!ssl) return call.unsupported(OpenSsl::kMissing);
  const DigestAlgorithm* algorithm = digest_algorithm(*ssl, call.text(0));
  if (!algorithm) return call.unsupported("this runtime cannot compute " + std::string(call.text(0)));

  const auto data = call.bytes(1);
  if (data.size() >= kLong) return do_in_turns<LongDigestion>(call, *ssl, *algorithm, data);
  // One context per thread: a new one for every call would cost more than hashing a short input.
  thread_local Context context(*ssl);
  return do_at_once(call, Digestion(*ssl, *algorithm, context, data));
}

}  // namespace offloop::ops
