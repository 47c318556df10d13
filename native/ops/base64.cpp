#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "ops/bodies.hpp"
#include "ops/coder.hpp"
#include "ops/openssl.hpp"
#include "ops/steps.hpp"

namespace offloop::ops {
namespace {

/// Whole groups of 3 bytes, about a tenth of a millisecond.
constexpr size_t kEncodePiece = size_t{3} << 15;
/// Whole groups of 4 characters, small enough for any stack.
constexpr size_t kDecodePiece = 4096;
/// Characters looked at in one piece, however few of them count.
constexpr size_t kMostSkipped = size_t{64} << 10;
/// From here on it may take a large part of a turn.
constexpr size_t kLong = size_t{1} << 20;

/// Characters that count, in the standard alphabet; 0 for those that are passed over.
constexpr std::array<uint8_t, 256> kStandard = [] {
  std::array<uint8_t, 256> standard{};
  for (uint8_t c = 'A'; c <= 'Z'; ++c) standard[c] = c;
  for (uint8_t c = 'a'; c <= 'z'; ++c) standard[c] = c;
  for (uint8_t c = '0'; c <= '9'; ++c) standard[c] = c;
  standard['+'] = standard['-'] = '+';
  standard['/'] = standard['_'] = '/';
  return standard;
}();

class Encoder {
 public:
  static constexpr Kind kKind = OFFLOOP_TEXT;

  explicit Encoder(const OpenSsl& ssl) noexcept : ssl_(ssl) {}

  size_t capacity_for(std::span<const uint8_t> data) const noexcept { return size_of_text(data.size()) + kNul; }
  size_t room() const noexcept { return 0; }

  std::optional<Status> piece(Call&, Flow& flow) {
    const size_t groups = flow.free().empty() ? 0 : (flow.free().size() - kNul) / 4;
    if (left_ > 0) return groups > 0 ? complete(flow) : std::nullopt;
    const auto rest = flow.rest();
    size_t size = std::min({rest.size(), kEncodePiece, groups * 3});
    const bool ends = flow.last && size == rest.size();
    if (!ends) size -= size % 3;
    encode(flow, rest.data(), size);
    flow.taken += size;
    if (ends) return OFFLOOP_OK;
    keep(flow);
    return std::nullopt;
  }

 private:
  /// Every block of text ends with one, which the next block overwrites.
  static constexpr size_t kNul = 1;

  static constexpr size_t size_of_text(size_t size) noexcept { return (size + 2) / 3 * 4; }

  void encode(Flow& flow, const uint8_t* data, size_t size) noexcept {
    if (size == 0) return;
    ssl_.encode_base64(flow.free().data(), data, static_cast<int>(size));
    flow.given += size_of_text(size);
  }

  /// Takes what is less than a group, and all there is.
  void keep(Flow& flow) noexcept {
    if (flow.rest().size() >= 3 - left_) return;
    for (const uint8_t byte : flow.rest()) kept_[left_++] = byte;
    flow.taken = flow.input.size();
  }

  std::optional<Status> complete(Flow& flow) noexcept {
    if (flow.rest().size() < 3 - left_ && !flow.last) {
      keep(flow);
      return std::nullopt;
    }
    for (; left_ < 3 && !flow.rest().empty(); ++flow.taken) kept_[left_++] = flow.rest().front();
    encode(flow, kept_, std::exchange(left_, 0));
    if (flow.last && flow.rest().empty()) return OFFLOOP_OK;
    return std::nullopt;
  }

  const OpenSsl& ssl_;
  uint8_t kept_[3];  // bytes of a group that the next piece completes
  size_t left_ = 0;  // so many
};

class Decoder {
 public:
  static constexpr Kind kKind = OFFLOOP_BYTES;

  explicit Decoder(const OpenSsl& ssl) noexcept : ssl_(ssl) {}

  size_t capacity_for(std::span<const uint8_t> text) const noexcept { return text.size() / 4 * 3 + 3; }
  size_t room() const noexcept { return 0; }

  std::optional<Status> piece(Call&, Flow& flow) {
    const auto text = flow.rest();
    const size_t most = std::min(kDecodePiece, flow.free().size() / 3 * 4);
    if (most == 0) return std::nullopt;
    uint8_t clean[kDecodePiece];
    size_t count = std::exchange(left_, 0);
    std::copy_n(kept_, count, clean);
    const size_t stop = std::min(text.size(), kMostSkipped);
    size_t at = 0;
    bool padded = false;
    while (count < most && at < stop) {
      padded = text[at] == '=';
      if (padded) break;
      clean[count] = kStandard[text[at++]];
      count += clean[count] != 0;
    }
    flow.taken += at;

    const size_t left = count % 4;
    const bool more = !padded && (at < text.size() || !flow.last);
    if (more) {
      left_ = left;
      std::copy_n(clean + count - left, left, kept_);
      count -= left;
    } else if (left > 0) {
      std::fill_n(clean + count, 4 - left, 'A');
      count += 4 - left;
    }
    if (count > 0) ssl_.decode_base64(flow.free().data(), clean, static_cast<int>(count));
    flow.given += count / 4 * 3;
    if (more) return std::nullopt;
    // The last group may be short: 2 characters make 1 byte, 3 make 2, and 1 alone makes none.
    if (left > 0) flow.given -= left > 1 ? 4 - left : 3;
    return OFFLOOP_OK;
  }

 private:
  const OpenSsl& ssl_;
  uint8_t kept_[3];  // characters of a group that the next piece completes
  size_t left_ = 0;  // so many
};

template <class Coder>
Status convert(Call& call) {
  const OpenSsl* ssl = OpenSsl::of_host();
  if (!ssl) return call.unsupported(OpenSsl::kMissing);
  const auto data = call.bytes(0);
  if (data.size() >= kLong) return do_in_turns<Whole<Coder>>(call, call, data, *ssl);
  return do_at_once(call, Whole<Coder>(call, data, *ssl));
}

template <class Coder>
Status convert_step(Call& call) {
  return take_step(call, call.bytes(0), [&](std::unique_ptr<Stage>& stage) {
    const OpenSsl* ssl = OpenSsl::of_host();
    if (!ssl) return call.unsupported(OpenSsl::kMissing);
    stage = std::make_unique<CoderStage<Coder>>(*ssl);
    return OFFLOOP_OK;
  });
}

}  // namespace

Status to_base64(Call& call) { return convert<Encoder>(call); }
Status from_base64(Call& call) { return convert<Decoder>(call); }
Status to_base64_step(Call& call) { return convert_step<Encoder>(call); }
Status from_base64_step(Call& call) { return convert_step<Decoder>(call); }

}  // namespace offloop::ops
