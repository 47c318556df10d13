#include <algorithm>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "ops/bodies.hpp"
#include "ops/coder.hpp"
#include "ops/digest.hpp"
#include "ops/steps.hpp"

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

class Digester {
 public:
  static constexpr Kind kKind = OFFLOOP_BYTES;

  Digester(const OpenSsl& ssl, const DigestAlgorithm& algorithm, OpenSsl::Context* context) noexcept
      : ssl_(ssl), algorithm_(algorithm), context_(context) {}

  size_t capacity_for(std::span<const uint8_t>) const noexcept { return algorithm_.size; }
  size_t room() const noexcept { return algorithm_.size; }

  std::optional<Status> piece(Call& call, Flow& flow) {
    if (!std::exchange(began_, true) && !ssl_.begin(context_, algorithm_.digest, nullptr)) return refused(call);
    const auto piece = flow.rest().first(std::min(flow.rest().size(), kPiece));
    if (!piece.empty() && !ssl_.update(context_, piece.data(), piece.size())) return refused(call);
    flow.taken += piece.size();
    if (!flow.rest().empty() || !flow.last || flow.free().size() < algorithm_.size) return std::nullopt;

    uint8_t* out = flow.free().data();
    const int finished =
        algorithm_.extendable ? ssl_.finish_xof(context_, out, algorithm_.size) : ssl_.finish(context_, out, nullptr);
    if (!finished) return refused(call);
    flow.given += algorithm_.size;
    return OFFLOOP_OK;
  }

 private:
  Status refused(Call& call) {
    ssl_.clear_errors();
    return call.fails_in_library("ERR_CRYPTO_OPERATION_FAILED", 0, "Digest failed");
  }

  const OpenSsl& ssl_;
  const DigestAlgorithm& algorithm_;
  OpenSsl::Context* context_;
  bool began_ = false;
};

/// With a context of its own, which goes from thread to thread.
class LongDigester : Context, public Digester {
 public:
  LongDigester(const OpenSsl& ssl, const DigestAlgorithm& algorithm) : Context(ssl), Digester(ssl, algorithm, *this) {}
};

/// Finds the algorithm that the first argument names, or says why not.
Status find_algorithm(Call& call, const OpenSsl*& ssl, const DigestAlgorithm*& algorithm) {
  ssl = OpenSsl::of_host();
  if (!ssl) return call.unsupported(OpenSsl::kMissing);
  algorithm = digest_algorithm(*ssl, call.text(0));
  if (!algorithm) return call.unsupported("this runtime cannot compute " + std::string(call.text(0)));
  return OFFLOOP_OK;
}

}  // namespace

Status hash(Call& call) {
  const OpenSsl* ssl = nullptr;
  const DigestAlgorithm* algorithm = nullptr;
  if (Status refused = find_algorithm(call, ssl, algorithm)) return refused;

  const auto data = call.bytes(1);
  if (data.size() >= kLong) return do_in_turns<Whole<LongDigester>>(call, call, data, *ssl, *algorithm);
  // One context per thread: a new one for every call would cost more than hashing a short input.
  thread_local Context context(*ssl);
  return do_at_once(call, Whole<Digester>(call, data, *ssl, *algorithm, context));
}

Status hash_step(Call& call) {
  return take_step(call, call.bytes(1), [&](std::unique_ptr<Stage>& stage) {
    const OpenSsl* ssl = nullptr;
    const DigestAlgorithm* algorithm = nullptr;
    if (Status refused = find_algorithm(call, ssl, algorithm)) return refused;
    stage = std::make_unique<CoderStage<LongDigester>>(*ssl, *algorithm);
    return OFFLOOP_OK;
  });
}

}  // namespace offloop::ops
