#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "offloop/queue.hpp"
#include "ops/bodies.hpp"
#include "platform/file.hpp"
#include "platform/select.hpp"

namespace offloop::ops {
namespace {

constexpr size_t kChunk = 64 * 1024;

void ring(void* wake) noexcept { static_cast<WakeHandle*>(wake)->ring(); }

/// A descriptor that can be waited for together with the end of the run.
class Source {
 public:
  /// Returns 0 or an errno.
  int open(int descriptor) {
    int error = file_.duplicate(descriptor);
    if (error) return error;
    poller_ = Poller::open(error);
    if (!poller_) return error;
    wake_ = WakeHandle::open(*poller_, error);
    if (!wake_) return error;
    error = poller_->watch(static_cast<Descriptor>(file_.handle()), Interest::readable, this);
    if (error == EPERM) polls_ = false;  // a regular file, which is always ready
    return polls_ ? error : 0;
  }
  /// Blocks until a read would find something, or the run is to end.
  void wait(Call& call) {
    if (!polls_) return;
    const OnStop on_stop(call, ring, wake_.get());
    std::array<Ready, 2> ready;
    while (!call.stopped()) {
      const size_t count = poller_->wait(ready, Poller::kForever);
      if (std::any_of(ready.begin(), ready.begin() + count, [this](const Ready& each) { return each.tag == this; })) {
        return;
      }
    }
  }
  int read(uint8_t* into, size_t size, size_t& done) noexcept { return file_.read(into, size, done); }

 private:
  File file_;
  std::unique_ptr<Poller> poller_;  // before its wake handle
  std::unique_ptr<WakeHandle> wake_;
  bool polls_ = true;
};

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
      if (Status refused = send(start, end)) return refused;
      start = looked = end + 1;
    }
    const size_t rest = bytes_.size() - start;
    if (start > 0) std::memmove(bytes_.data(), bytes_.data() + start, rest);
    bytes_.resize(rest);
    check(rest);
    return OFFLOOP_OK;
  }
  /// Nothing more comes: what is there is the last line.
  Status end() { return bytes_.size() > 0 ? send(0, bytes_.size()) : OFFLOOP_OK; }
  double count() const noexcept { return count_; }

 private:
  Status send(size_t start, size_t end) {
    check(end - start);
    const uint8_t* const bytes = bytes_.data();
    if (end > start && bytes[end - 1] == '\r') --end;
    ++count_;
    return to_.send(call_, Value::of(kind_, bytes + start, end - start));
  }
  void check(size_t size) const {
    if (size > longest_) throw std::length_error("a line is longer than " + std::to_string(longest_) + " bytes");
  }

  Call& call_;
  Port& to_;
  const size_t longest_;
  const Kind kind_;
  Bytes bytes_;
  double count_ = 0;
};

}  // namespace

/// Reads only when there is something, so that it never blocks where nobody can wake it. (But for one case: somebody else
/// reads the same descriptor, and was faster. Descriptors cannot be told not to block without telling their other owners.)
Status read_lines(Call& call) {
  Source source;
  if (int error = source.open(static_cast<int>(call.number(0)))) return call.fails_in_system("read", error);
  const Kind kind = call.boolean(2) ? OFFLOOP_BYTES : OFFLOOP_TEXT;
  Lines lines(call, call.queue(4), static_cast<size_t>(call.number(1)), kind);
  for (;;) {
    source.wait(call);
    if (call.stopped()) return call.cancelled();
    size_t size = 0;
    const int error = source.read(lines.room(), kChunk, size);
    if (error == EAGAIN) continue;
    if (error) return call.fails_in_system("read", error);
    if (size == 0) break;
    if (Status refused = lines.add(size)) return refused;
  }
  if (Status refused = lines.end()) return refused;
  return call.returns(Value::of(lines.count()));
}

}  // namespace offloop::ops
