#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "offloop/queue.hpp"
#include "ops/bodies.hpp"
#include "platform/input.hpp"

namespace offloop::ops {
namespace {

constexpr size_t kChunk = 64 * 1024;

void interrupt(void* input) noexcept { static_cast<Input*>(input)->interrupt(); }

/// Cuts what comes into lines.
class Lines {
 public:
  Lines(Call& call, Port& to, size_t longest, Kind kind) noexcept
      : call_(call), to_(to), longest_(longest), kind_(kind) {}

  /// Room for the next chunk, behind the beginning of a line.
  uint8_t* room() {
    if (bytes_.capacity() < bytes_.size() + kChunk) bytes_.reserve(bytes_.size() * 2 + kChunk);
    return bytes_.data() + bytes_.size();
  }
  /// So much has been written there.
  Status add(size_t size) {
    size_t looked = bytes_.size();  // no line ends before
    bytes_.resize(looked + size);
    size_t start = 0;
    while (const void* found = std::memchr(bytes_.data() + looked, '\n', bytes_.size() - looked)) {
      const size_t end = static_cast<size_t>(static_cast<const uint8_t*>(found) - bytes_.data());
      if (Status refused = send(start, without_return(start, end))) return refused;
      start = looked = end + 1;
    }
    const size_t rest = bytes_.size() - start;
    if (start > 0) std::memmove(bytes_.data(), bytes_.data() + start, rest);
    bytes_.resize(rest);
    check(0, without_return(0, rest));
    return OFFLOOP_OK;
  }
  /// Nothing more comes: what is there is the last line.
  Status end() { return bytes_.size() > 0 ? send(0, bytes_.size()) : OFFLOOP_OK; }
  double count() const noexcept { return count_; }

 private:
  Status send(size_t start, size_t end) {
    check(start, end);
    ++count_;
    return to_.send(call_, Value::of(kind_, bytes_.data() + start, end - start));
  }
  /// Where a line ends whose `\n` is, or may be about to come, at `end`.
  size_t without_return(size_t start, size_t end) noexcept {
    return end > start && bytes_.data()[end - 1] == '\r' ? end - 1 : end;
  }
  void check(size_t start, size_t end) const {
    if (end - start > longest_) throw std::length_error("a line is longer than " + std::to_string(longest_) + " bytes");
  }

  Call& call_;
  Port& to_;
  const size_t longest_;
  const Kind kind_;
  Bytes bytes_;
  double count_ = 0;
};

}  // namespace

Status read_lines(Call& call) {
  Input input;
  if (int error = input.open(static_cast<int>(call.number(0)))) return call.fails_in_system("read", error);
  const OnStop on_stop(call, interrupt, &input);
  const Kind kind = call.boolean(2) ? OFFLOOP_BYTES : OFFLOOP_TEXT;
  Lines lines(call, call.queue(4), static_cast<size_t>(call.number(1)), kind);
  for (;;) {
    size_t size = 0;
    const int error = input.read(lines.room(), kChunk, size);
    if (error == ECANCELED || call.stopped()) return call.cancelled();
    if (error == EAGAIN) continue;
    if (error) return call.fails_in_system("read", error);
    if (size == 0) break;
    if (Status refused = lines.add(size)) return refused;
  }
  if (Status refused = lines.end()) return refused;
  return call.returns(Value::of(lines.count()));
}

}  // namespace offloop::ops
