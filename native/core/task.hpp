// One task: what travels from the submission ring through a lane and a worker's hand to a mailbox.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/cpu.hpp"
#include "base/deadline_heap.hpp"
#include "offloop/task.hpp"

namespace offloop {

class Mailbox;

/// Why a task failed, in the terms of whoever refused. Literals outlive the task.
struct Failure {
  enum class Source : uint8_t { task, system, resolver, library };
  Source source = Source::task;
  int number = 0;            // system: a negative errno, as in libuv; resolver and library: their own
  const char* name = "";     // the resolver's or library's name of it
  const char* syscall = "";  // literal
  std::string message;
};

/// A task is in exactly one place at a time; whoever moves it on owns it:
///   lane (guarded by the pool's lock) -> a worker's hand -> [the reactor (guarded by its lock)] -> a mailbox -> the loop
/// `stop` is the only field that others may write while it travels. 256 bytes; a worker that runs a task
/// without arguments touches only its first cache line.
class alignas(kCacheLine) Task {
 public:
  static constexpr uint8_t kNoLane = UINT8_MAX;
  static constexpr size_t kScratch = 136;

  // --- first cache line ---
  Task* next = nullptr;  // the mailbox's link
  const Operation* operation = nullptr;
  union {
    Mailbox* home = nullptr;
    Task* ahead;  // in the mailbox, where `home` is no longer needed: a task that comes a little later, to fetch early
  };
  uint32_t pool = 0;  // its number in its environment
  Value result = Value::undefined();
  uint32_t slot = 0;
  uint32_t generation = 0;
  uint32_t position = 0;  // in its lane; guarded by the pool's lock
  uint8_t status = OFFLOOP_OK;
  uint8_t lane = kNoLane;  // while it waits in one; guarded by the pool's lock
  bool brief = false;
  std::atomic<bool> stop{false};

  // --- second ---
  alignas(kCacheLine) const Value* arguments = nullptr;
  std::unique_ptr<Failure> failure;
  int64_t accepted_ns = 0;
  int64_t due_ns = 0;
  uint32_t heap_index = DeadlineHeap<Task>::kOutside;  // guarded by the reactor's lock
  uint16_t argument_count = 0;
  bool borrows = false;       // reads memory that belongs to the environment
  bool result_owned = false;  // result.bytes came from malloc and must be freed or handed over
  bool in_flight = false;     // between flush and delivery; the loop's thread only

 private:
  struct Block {
    Block* next;
  };
  void release() noexcept;

  uint8_t used_ = 0;  // of scratch_
  Block* blocks_ = nullptr;
  alignas(8) uint8_t scratch_[kScratch];

 public:
  Task() = default;
  Task(const Task&) = delete;
  ~Task() { recycle(); }

  /// Memory that lives until `recycle()`: inline while it fits. Throws std::bad_alloc.
  /// Thread: the task's owner of the moment.
  uint8_t* scratch(size_t size);
  /// Back to an empty task; `slot` and `generation` stay.
  void recycle() noexcept {
    if (result_owned || failure || blocks_) release();
    used_ = 0;
    result = Value::undefined();
    status = OFFLOOP_OK;
    arguments = nullptr;
    argument_count = 0;
    borrows = false;
    in_flight = false;
    stop.store(false, std::memory_order_relaxed);  // nobody else holds the task now
  }
  /// Runs the body. Returns false if the task is not finished but to be settled at `due_ns`.
  bool run() noexcept;
  /// Ends the task without running it.
  void refuse(Status why) noexcept { status = static_cast<uint8_t>(why); }
  void fail(Failure::Source source, int number, const char* name, const char* syscall, std::string message);
};
static_assert(sizeof(Task) <= 256, "a million queued tasks must stay affordable");

/// What a body returns for "not finished: the reactor settles it at due_ns". Never leaves core.
inline constexpr Status kPending = OFFLOOP_STATUS_COUNT;

}  // namespace offloop
