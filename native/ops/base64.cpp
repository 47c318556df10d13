#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "ops/bodies.hpp"
#include "ops/openssl.hpp"
#include "ops/output.hpp"
#include "ops/pieces.hpp"

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

class Encoding {
 public:
  /// Every block of text ends with a NUL, which the next one overwrites.
  Encoding(Call& call, const OpenSsl& ssl)
      : ssl_(ssl), data_(call.bytes(0)), text_(call, size_of_text(data_.size()) + 1) {}

  size_t done() const noexcept { return done_; }
  size_t total() const noexcept { return data_.size(); }

  std::optional<Status> step(Call& call) {
    const auto piece = data_.subspan(done_, std::min(data_.size() - done_, kEncodePiece));
    uint8_t* out = text_.data() + size_of_text(done_);
    if (!piece.empty()) ssl_.encode_base64(out, piece.data(), static_cast<int>(piece.size()));
    done_ += piece.size();
    if (done_ < data_.size()) return std::nullopt;
    return text_.returns(call, size_of_text(done_), OFFLOOP_TEXT);
  }

 private:
  static constexpr size_t size_of_text(size_t size) noexcept { return (size + 2) / 3 * 4; }

  const OpenSsl& ssl_;
  std::span<const uint8_t> data_;
  size_t done_ = 0;
  Output text_;
};

class Decoding {
 public:
  Decoding(Call& call, const OpenSsl& ssl)
      : ssl_(ssl), text_(call.bytes(0)), end_(text_.size()), bytes_(call, end_ / 4 * 3 + 3) {}

  size_t done() const noexcept { return at_; }
  size_t total() const noexcept { return text_.size(); }

  std::optional<Status> step(Call& call) {
    uint8_t clean[kDecodePiece];
    size_t count = std::exchange(left_, 0);
    std::copy_n(kept_, count, clean);
    const size_t stop = at_ + std::min(end_ - at_, kMostSkipped);
    size_t at = at_;
    while (count < kDecodePiece && at < stop) {
      if (text_[at] == '=') {
        end_ = at;
        break;
      }
      clean[count] = kStandard[text_[at++]];
      count += clean[count] != 0;
    }
    at_ = at;

    const size_t left = count % 4;
    const bool more = at < end_;
    if (more) {
      left_ = left;
      std::copy_n(clean + count - left, left, kept_);
      count -= left;
    } else if (left > 0) {
      std::fill_n(clean + count, 4 - left, 'A');
      count += 4 - left;
    }
    if (count > 0) ssl_.decode_base64(bytes_.data() + used_, clean, static_cast<int>(count));
    used_ += count / 4 * 3;
    if (more) return std::nullopt;
    // The last group may be short: 2 characters make 1 byte, 3 make 2, and 1 alone makes none.
    if (left > 0) used_ -= left > 1 ? 4 - left : 3;
    return bytes_.returns(call, used_);
  }

 private:
  const OpenSsl& ssl_;
  std::span<const uint8_t> text_;
  size_t end_;  // where the text ends, as far as known
  size_t at_ = 0;
  Output bytes_;
  size_t used_ = 0;
  uint8_t kept_[3];  // characters of a group that the next piece completes
  size_t left_ = 0;  // so many
};

template <class Work>
Status convert(Call& call) {
  const OpenSsl* ssl = OpenSsl::of_host();
  if (!ssl) return call.unsupported(OpenSsl::kMissing);
  if (call.bytes(0).size() >= kLong) return do_in_turns<Work>(call, call, *ssl);
  return do_at_once(call, Work(call, *ssl));
}

}  // namespace

Status to_base64(Call& call) { return convert<Encoding>(call); }
Status from_base64(Call& call) { return convert<Decoding>(call); }

}  // namespace offloop::ops
