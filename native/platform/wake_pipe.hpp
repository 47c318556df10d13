// The wake handle of every POSIX system: a pipe to oneself.
#pragma once

#include <memory>

#include "base/ring_flag.hpp"
#include "platform/poller.hpp"

namespace offloop {

/// The two ends, whatever poller watches the first. Both are close-on-exec and never block.
class Pipe {
 public:
  /// nullptr: `error` is an errno.
  static std::unique_ptr<Pipe> open(int& error);
  ~Pipe();
  Pipe(const Pipe&) = delete;

  Descriptor reading_end() const noexcept { return ends_[0]; }
  void fill() noexcept;
  void empty() noexcept;

 private:
  Pipe() = default;

  Descriptor ends_[2] = {-1, -1};
};

template <class Poller>
class PipeWake {
 public:
  static std::unique_ptr<PipeWake> open(Poller& poller, int& error, void* tag = nullptr) {
    auto pipe = Pipe::open(error);
    if (!pipe) return nullptr;
    std::unique_ptr<PipeWake> wake(new PipeWake(poller, std::move(pipe)));
    error = poller.watch(wake->pipe_->reading_end(), Interest::readable, tag);
    return error ? nullptr : std::move(wake);
  }
  ~PipeWake() { poller_.unwatch(pipe_->reading_end()); }
  PipeWake(const PipeWake&) = delete;

  void ring() noexcept {
    if (rung_.raise()) pipe_->fill();
  }
  void clear() noexcept {
    pipe_->empty();
    rung_.lower();
  }

 private:
  PipeWake(Poller& poller, std::unique_ptr<Pipe> pipe) noexcept : poller_(poller), pipe_(std::move(pipe)) {}

  Poller& poller_;
  std::unique_ptr<Pipe> pipe_;
  RingFlag rung_;
};

}  // namespace offloop
