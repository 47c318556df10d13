#include <algorithm>
#include <array>

#include "ops/bodies.hpp"
#include "ops/openssl.hpp"
#include "ops/output.hpp"

namespace offloop::ops {
namespace {

/// Whole groups of 3 bytes, about a tenth of a millisecond.
constexpr size_t kEncodePiece = size_t{3} << 15;
/// Whole groups of 4 characters, small enough for any stack.
constexpr size_t kDecodePiece = 4096;

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

}  // namespace

Status to_base64(Call& call) {
  const OpenSsl* ssl = OpenSsl::of_host();
  if (!ssl) return call.unsupported(OpenSsl::kMissing);
  auto rest = call.bytes(0);
  const size_t size = (rest.size() + 2) / 3 * 4;
  Output text(call, size + 1);  // every block ends with a NUL, which the next one overwrites
  for (uint8_t* out = text.data(); !rest.empty();) {
    if (call.stopped()) return call.cancelled();
    const auto piece = rest.first(std::min(rest.size(), kEncodePiece));
    out += ssl->encode_base64(out, piece.data(), static_cast<int>(piece.size()));
    rest = rest.subspan(piece.size());
  }
  return text.returns(size, OFFLOOP_TEXT);
}

Status from_base64(Call& call) {
  const OpenSsl* ssl = OpenSsl::of_host();
  if (!ssl) return call.unsupported(OpenSsl::kMissing);
  const auto text = call.bytes(0);
  Output bytes(call, text.size() / 4 * 3 + 3);
  size_t used = 0;
  for (size_t at = 0, end = text.size(); at < end;) {
    if (call.stopped()) return call.cancelled();
    uint8_t clean[kDecodePiece];
    size_t count = 0;
    while (count < kDecodePiece && at < end) {
      if (text[at] == '=') {
        end = at;
        break;
      }
      clean[count] = kStandard[text[at++]];
      count += clean[count] != 0;
    }
    // The last group may be short: 2 characters make 1 byte, 3 make 2, and 1 alone makes none.
    const size_t whole = count / 4 * 3, left = count % 4;
    if (left > 0) std::fill_n(clean + count, 4 - left, 'A');
    ssl->decode_base64(bytes.data() + used, clean, static_cast<int>((count + 3) / 4 * 4));
    used += whole + (left > 1 ? left - 1 : 0);
  }
  return bytes.returns(used);
}

}  // namespace offloop::ops
