#include <algorithm>
#include <new>
#include <string>

#include "ops/bodies.hpp"
#include "ops/digest.hpp"

namespace offloop::ops {
namespace {

/// Half a millisecond of the slowest algorithm.
constexpr size_t kPiece = size_t{128} << 10;

/// One context per thread: a new one for every call would cost more than hashing a short input.
class ThreadContext {
 public:
  explicit ThreadContext(const OpenSsl& ssl) : ssl_(ssl), context_(ssl.make_context()) {
    if (!context_) throw std::bad_alloc();
  }
  ThreadContext(const ThreadContext&) = delete;
  ~ThreadContext() { ssl_.free_context(context_); }

  operator OpenSsl::Context*() const noexcept { return context_; }

 private:
  const OpenSsl& ssl_;
  OpenSsl::Context* context_;
};

Status refused(Call& call, const OpenSsl& ssl) {
  ssl.clear_errors();
  return call.fails_in_library("ERR_CRYPTO_OPERATION_FAILED", 0, "Digest failed");
}

}  // namespace

Status hash(Call& call) {
  const OpenSsl* ssl = OpenSsl::of_host();
  if (!ssl) return call.unsupported(OpenSsl::kMissing);
  const DigestAlgorithm* algorithm = digest_algorithm(*ssl, call.text(0));
  if (!algorithm) return call.unsupported("this runtime cannot compute " + std::string(call.text(0)));

  thread_local ThreadContext context(*ssl);
  if (!ssl->begin(context, algorithm->digest, nullptr)) return refused(call, *ssl);
  for (auto rest = call.bytes(1); !rest.empty();) {
    const auto piece = rest.first(std::min(rest.size(), kPiece));
    if (!ssl->update(context, piece.data(), piece.size())) return refused(call, *ssl);
    rest = rest.subspan(piece.size());
    if (!rest.empty() && call.stopped()) return call.cancelled();
  }

  uint8_t* out = call.scratch(algorithm->size);
  const int finished =
      algorithm->extendable ? ssl->finish_xof(context, out, algorithm->size) : ssl->finish(context, out, nullptr);
  if (!finished) return refused(call, *ssl);
  return call.returns(Value::of(OFFLOOP_BYTES, out, algorithm->size));
}

}  // namespace offloop::ops
