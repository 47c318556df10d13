// What the body of a task sees: its arguments, its stop flag, and the ways to end.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "offloop/task.h"

namespace offloop {

using Status = offloop_status;
using Kind = offloop_kind;

class Port;

/// One argument or result in 16 bytes. Text is UTF-8 unless a result says Latin-1. Owns nothing: what it points at
/// lives in the task, or is borrowed from the caller until the task has settled.
struct Value {
  union {
    bool boolean;
    double number;
    int64_t integer;
    const uint8_t* bytes;
    const Value* items;
    Port* port;
  };
  uint64_t size : 56;  // bytes, or items of a tuple
  uint64_t kind : 8;

  static Value undefined() noexcept { return of(OFFLOOP_UNDEFINED, int64_t{0}); }
  static Value null() noexcept { return of(OFFLOOP_NULL, int64_t{0}); }
  static Value of(bool value) noexcept {
    Value v = of(OFFLOOP_BOOLEAN, int64_t{0});
    v.boolean = value;
    return v;
  }
  static Value of(double value) noexcept {
    Value v = of(OFFLOOP_NUMBER, int64_t{0});
    v.number = value;
    return v;
  }
  static Value of(int64_t value) noexcept { return of(OFFLOOP_BIGINT, value); }
  static Value of(Kind kind, const uint8_t* bytes, size_t size) noexcept {
    Value v = of(kind, int64_t{0});
    v.bytes = bytes;
    v.size = size;
    return v;
  }
  static Value of(Port& port) noexcept {
    Value v = of(OFFLOOP_QUEUE, int64_t{0});
    v.port = &port;
    return v;
  }
  static Value tuple(const Value* items, size_t count) noexcept {
    Value v = of(OFFLOOP_TUPLE, int64_t{0});
    v.items = items;
    v.size = count;
    return v;
  }

 private:
  static Value of(Kind kind, int64_t integer) noexcept {
    Value v;
    v.integer = integer;
    v.size = 0;
    v.kind = kind;
    return v;
  }
};
static_assert(sizeof(Value) == 16, "a value is two words: arrays of it cross between threads");

/// Growable bytes from malloc, so that a large result can be handed to JavaScript without a copy. Throws std::bad_alloc.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(size_t capacity) { reserve(capacity); }
  Bytes(Bytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Bytes& operator=(Bytes&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Bytes() { std::free(data_); }

  uint8_t* data() noexcept { return data_; }
  size_t size() const noexcept { return size_; }
  size_t capacity() const noexcept { return capacity_; }
  void resize(size_t size) {
    if (size > capacity_) reserve(size);
    size_ = size;
  }
  void reserve(size_t capacity) {
    void* grown = std::realloc(data_, capacity ? capacity : 1);
    if (!grown) throw std::bad_alloc();
    data_ = static_cast<uint8_t*>(grown);
    capacity_ = capacity;
  }
  /// Gives the memory away; the receiver frees it with std::free.
  uint8_t* release() noexcept {
    size_ = capacity_ = 0;
    return std::exchange(data_, nullptr);
  }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

class Task;

/// One run of a body, on a pool thread. Arguments were checked in TypeScript before they came here, so the accessors do
/// not check again.
class Call {
 public:
  explicit Call(Task& task) noexcept : task_(task) {}
  Call(const Call&) = delete;

  size_t count() const noexcept;
  const Value& argument(size_t index) const noexcept;
  double number(size_t index) const noexcept { return argument(index).number; }
  bool boolean(size_t index) const noexcept { return argument(index).boolean; }
  std::span<const uint8_t> bytes(size_t index) const noexcept {
    return {argument(index).bytes, static_cast<size_t>(argument(index).size)};
  }
  std::string_view text(size_t index) const noexcept {
    return {reinterpret_cast<const char*>(argument(index).bytes), static_cast<size_t>(argument(index).size)};
  }

  /// See offloop/queue.hpp.
  Port& queue(size_t index) const noexcept { return *argument(index).port; }

  /// True once somebody wants this run to end. Long bodies ask at least every millisecond and return `cancelled()`.
  bool stopped() const noexcept;
  /// When the task was accepted, on the steady clock. Units: nanoseconds.
  int64_t accepted_ns() const noexcept;

  /// CPU time left of the task's budget. Units: nanoseconds; INT64_MAX without one. Costs half a microsecond.
  int64_t budget_left_ns() const noexcept;
  /// Tells whoever watches how far the task has come, in any unit: bytes, mostly. Only the latest counts. Cheap when
  /// nobody watches.
  void progress(double done, double total) noexcept;

  /// True when this run has held its thread for its share (10 ms) while other tasks wait for one: a long body should
  /// then return `yields()`, having kept what it needs in a `state`. Cheap enough to be asked every 100 us.
  bool turn_is_over() const noexcept;
  /// What the body goes on with in its next turn, made of `arguments` in the first. Lives until the task has settled;
  /// turns may run on different threads. Throws std::bad_alloc, and what the constructor throws.
  template <class State, class... Arguments>
  State& state(Arguments&&... arguments) {
    if (void* kept = kept_state()) return *static_cast<State*>(kept);
    static_assert(alignof(State) <= alignof(void*), "the task's memory is aligned to words");
    auto* made = new (scratch(sizeof(State))) State(std::forward<Arguments>(arguments)...);
    try {
      keep_state(made, [](void* state) noexcept { static_cast<State*>(state)->~State(); });
    } catch (...) {
      made->~State();
      throw;
    }
    return *made;
  }
  /// Ends this run and lets others go first: the body is called again when its turn has come. The body returns the value
  /// this gives it.
  Status yields() noexcept;

  Status returns() noexcept;
  Status returns(Value value) noexcept;
  /// Bytes or Latin-1/UTF-8 text whose memory goes over to the result without a copy.
  Status returns(Bytes&& bytes, Kind kind = OFFLOOP_BYTES) noexcept;
  /// Uninitialised memory that lives as long as the task: for short results, to be passed to `returns`. Throws
  /// std::bad_alloc.
  uint8_t* scratch(size_t size);
  /// A copy of `text` in the task's memory, as a value.
  Value text_value(std::string_view text);

  Status cancelled() noexcept { return OFFLOOP_CANCELLED; }
  /// A refused system call: `number` is a positive errno, `syscall` a literal.
  Status fails_in_system(const char* syscall, int number);
  /// A name resolution that failed: `name` and `number` as Node reports them (ENOTFOUND, -3008). Literals.
  Status fails_in_resolver(const char* name, int number);
  /// A library that refused its input: `name` and `number` in the library's own terms (Z_DATA_ERROR, -3).
  Status fails_in_library(const char* name, int number, std::string_view message);
  Status unsupported(std::string_view message);
  /// Something that the body asked for was refused. The message is told if the run does end with this status.
  Status refused(Status status, std::string_view message) noexcept;

  /// Ends this run now and the task at `due_ns` (steady clock), without holding the thread in between.
  /// The body returns the value this gives it.
  Status settles_at(int64_t due_ns) noexcept;

 private:
  friend class OnStop;

  void* kept_state() const noexcept;
  void keep_state(void* state, void (*destroy)(void*) noexcept);

  Task& task_;
};

/// For a body that waits for something of its own. While this lives, `wake(what)` is called at least once when the run is
/// to end; at once, if it is already. Thread: of `wake` any; of the rest the body's. `wake` may not block, and is over
/// when this has gone.
class OnStop {
 public:
  using Wake = void (*)(void* what) noexcept;

  OnStop(const Call& call, Wake wake, void* what) noexcept;
  ~OnStop();
  OnStop(const OnStop&) = delete;

 private:
  friend struct OnStops;

  const Task& task_;
  const Wake wake_;
  void* const what_;
  OnStop* next_;
  OnStop** link_;  // what points to this one
};

/// The body of a task. Thread: a pool thread, any one of them. May throw: a C++ exception fails the task and nothing else.
using Body = Status (*)(Call& call);

/// One thing a pool can do. Lifetime: static.
struct Operation {
  const char* name;
  Body body;
  /// Pure computation that never blocks and takes at most a few microseconds on short inputs: a worker may take several
  /// at once, since nothing can be stuck behind one.
  bool brief;
};

}  // namespace offloop
