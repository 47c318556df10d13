#include <algorithm>
#include <array>
#include <cstring>

#include "ops/bodies.hpp"
#include "ops/output.hpp"

namespace offloop::ops {
namespace {

/// Whole groups of 3 bytes and of 4 characters; a tenth of a millisecond.
constexpr size_t kEncodePiece = size_t{3} << 15;
constexpr size_t kDecodePiece = size_t{4} << 15;

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Two characters for every 12 bits: half the look-ups.
constexpr auto kPairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (size_t bits = 0; bits < pairs.size(); ++bits) pairs[bits] = {kAlphabet[bits >> 6], kAlphabet[bits & 63]};
  return pairs;
}();

/// What a character adds to its group's 24 bits, by its place in the group; kOther for those of neither alphabet.
constexpr uint32_t kOther = 1u << 31;
constexpr auto kBits = [] {
  std::array<std::array<uint32_t, 256>, 4> bits{};
  for (size_t place = 0; place < 4; ++place) {
    bits[place].fill(kOther);
    for (uint32_t value = 0; value < 64; ++value)
      bits[place][static_cast<uint8_t>(kAlphabet[value])] = value << (18 - 6 * place);
    bits[place]['-'] = bits[place]['+'];
    bits[place]['_'] = bits[place]['/'];
  }
  return bits;
}();

uint8_t* put(uint8_t* out, uint32_t bits, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) *out++ = static_cast<uint8_t>(bits >> (16 - 8 * i));
  return out;
}

uint8_t* put_pair(uint8_t* out, uint32_t bits) noexcept {
  std::memcpy(out, kPairs[bits].data(), 2);
  return out + 2;
}

uint8_t* encode(std::span<const uint8_t> bytes, uint8_t* out) noexcept {
  const uint8_t* in = bytes.data();
  for (const uint8_t* last = in + bytes.size() / 3 * 3; in < last; in += 3) {
    const uint32_t bits = uint32_t{in[0]} << 16 | uint32_t{in[1]} << 8 | in[2];
    out = put_pair(out, bits >> 12);
    out = put_pair(out, bits & 4095);
  }
  if (const size_t left = bytes.size() % 3) {
    const uint32_t bits = uint32_t{in[0]} << 16 | (left > 1 ? uint32_t{in[1]} << 8 : 0);
    out = put_pair(out, bits >> 12);
    out = put_pair(out, bits & 4095);
    out[-1] = '=';
    if (left == 1) out[-2] = '=';
  }
  return out;
}

/// Where a decoder stands between two pieces: up to 3 characters of a group, and whether the text has ended.
struct Decoder {
  uint32_t bits = 0;
  size_t place = 0;
  bool ended = false;

  uint8_t* decode(std::span<const uint8_t> text, uint8_t* out) noexcept {
    const uint8_t* in = text.data();
    const uint8_t* const end = in + text.size();
    while (in < end && !ended) {
      if (place == 0 && end - in >= 4) {
        const uint32_t group = kBits[0][in[0]] | kBits[1][in[1]] | kBits[2][in[2]] | kBits[3][in[3]];
        if (!(group & kOther)) {
          out = put(out, group, 3);
          in += 4;
          continue;
        }
      }
      const uint8_t character = *in++;
      ended = character == '=';
      const uint32_t more = kBits[place][character];
      if (more & kOther) continue;
      bits |= more;
      if (++place == 4) {
        out = put(out, bits, 3);
        bits = 0;
        place = 0;
      }
    }
    return out;
  }
};

}  // namespace

Status to_base64(Call& call) {
  auto rest = call.bytes(0);
  const size_t size = rest.size() / 3 * 4 + (rest.size() % 3 ? 4 : 0);
  Output text(call, size);
  for (uint8_t* out = text.data(); !rest.empty();) {
    if (call.stopped()) return call.cancelled();
    const auto piece = rest.first(std::min(rest.size(), kEncodePiece));
    out = encode(piece, out);
    rest = rest.subspan(piece.size());
  }
  return text.returns(size, OFFLOOP_TEXT);
}

Status from_base64(Call& call) {
  auto rest = call.bytes(0);
  Output bytes(call, rest.size() / 4 * 3 + 3);
  uint8_t* out = bytes.data();
  Decoder decoder;
  while (!rest.empty() && !decoder.ended) {
    if (call.stopped()) return call.cancelled();
    const auto piece = rest.first(std::min(rest.size(), kDecodePiece));
    out = decoder.decode(piece, out);
    rest = rest.subspan(piece.size());
  }
  // The last group may be short: 2 characters make 1 byte, 3 make 2, and 1 alone makes none.
  if (decoder.place > 1) out = put(out, decoder.bits, decoder.place - 1);
  return bytes.returns(static_cast<size_t>(out - bytes.data()));
}

}  // namespace offloop::ops
