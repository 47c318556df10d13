// How a pool thread reaches the loop's thread of one environment.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

namespace offloop {

/// What a doorbell calls. Thread: the loop's.
class Listener {
 public:
  virtual ~Listener() = default;
  /// Somebody rang.
  virtual void on_ring() noexcept = 0;
  /// The loop is about to sleep: see Doorbell::tells_idle.
  virtual void on_idle() noexcept = 0;
  /// The timer has gone off, perhaps a little early.
  virtual void on_timer() noexcept = 0;
  /// The environment ends: nobody may ring after this returns.
  virtual void on_exit() noexcept = 0;
  /// Nothing is registered with the host any more: the doorbell may be deleted, by the listener that it calls.
  virtual void on_closed() noexcept = 0;
};

/// Also the one place where the end of the environment is heard of, since giving back a handle may take the loop's help.
/// Thread: the loop's, but for `ring`.
class Doorbell {
 public:
  enum class Kind { loop, threadsafe };

  /// `loop` sits on libuv's loop: one uv_async to be rung, one uv_prepare to know when the loop goes to sleep.
  /// `threadsafe` is a ThreadSafeFunction, for hosts whose libuv is not libuv. Throws Napi::Error.
  static std::unique_ptr<Doorbell> open(napi_env env, Kind kind, Listener& listener);
  virtual ~Doorbell() = default;

  /// Has the loop call `on_ring` soon; several rings may become one call. Thread: any.
  virtual void ring() noexcept = 0;
  /// Has the loop call `on_ring` in its next turn: timers and sockets come first. Thread: the loop's.
  virtual void ring_next_turn() noexcept = 0;
  /// Whether the listener hears of it before the loop sleeps. If not, it must expect to sleep after every ring.
  virtual bool tells_idle() const noexcept = 0;
  /// Whether the process stays alive for what is in flight.
  virtual void hold(bool alive) noexcept = 0;
  /// Has the loop call `on_timer` once after so long, in place of what was set before; kNever: not at all. On some hosts a
  /// timer that is set keeps the process alive. Units: nanoseconds, rounded up to milliseconds. Thread: the loop's.
  virtual void set_timer(int64_t delay_ns) noexcept = 0;
  /// Calls a function of JavaScript as a callback of its own, after which microtasks have run. False: JavaScript can no
  /// longer run here.
  virtual bool call(napi_value function, size_t count, const napi_value* arguments) noexcept = 0;
};

/// The delay of a timer in milliseconds, never too short.
inline int64_t timer_ms(int64_t delay_ns) noexcept { return delay_ns / 1'000'000 + (delay_ns % 1'000'000 > 0); }

std::unique_ptr<Doorbell> open_loop_doorbell(napi_env env, Listener& listener);
std::unique_ptr<Doorbell> open_threadsafe_doorbell(napi_env env, Listener& listener);

/// Reports an exception that a delivery left behind, as an uncaught one. False: it was the end of the environment.
bool report_exception(napi_env env) noexcept;

}  // namespace offloop
