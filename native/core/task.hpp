// One task: what travels from the submission ring through a lane and a worker's hand to a mailbox.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/cpu.hpp"
#include "core/extras.hpp"
#include "core/letter.hpp"
#include "core/timer.hpp"
#include "offloop/task.hpp"

namespace offloop {

/// The first cache line of a task: all that anybody touches of one without arguments.
struct alignas(kCacheLine) TaskHead : Letter {
  static constexpr uint8_t kNoLane = UINT8_MAX;

  const Operation* operation = nullptr;
  int64_t accepted_ns = 0;  // or yielded: since when it waits
  Value result = Value::undefined();
  uint16_t pool = 0;  // its number in its environment
  uint8_t status = OFFLOOP_OK;
  uint8_t lane = kNoLane;       // while it waits in one; guarded by the pool's lock
  bool brief : 1 = false;       // this byte is written by the owner only
  bool urgent : 1 = false;      // has a deadline: its due_ns, while it waits
  bool controlled : 1 = false;  // has limits or listeners: Extras
  bool bare : 1 = true;         // nothing behind this line is in use, but for a timer
  uint8_t first_lane : 4 = 0;   // the lane of its priority
  bool in_flight = false;       // between flush and delivery; the loop's thread only
  /// What the loop's thread has decided before the task came home: a status, or OFFLOOP_OK while it has not.
  uint8_t decided = OFFLOOP_OK;
  std::atomic<bool> stop{false};
};
static_assert(sizeof(TaskHead) == kCacheLine, "a worker touches one line of a task");

/// A task is in exactly one place at a time; whoever moves it on owns it:
///   lane (guarded by the pool's lock) -> a worker's hand -> [lane again] -> [the reactor (guarded by its lock)] ->
///   a mailbox -> the loop
/// Only `stop`, and the news and cut of its extras, may be written by others while it travels. Its timer is, in turn, its
/// deadline in a lane, its limits in a hand, and its end in the reactor.
class Task : public TaskHead, public Timer {
 public:
  static constexpr size_t kScratch = 136;

  uint16_t argument_count = 0;
  bool borrows = false;       // reads memory that belongs to the environment
  bool result_owned = false;  // result.bytes came from malloc and must be freed or handed over

 private:
  struct Block {
    Block* next;
  };
  void release() noexcept;

  uint8_t used_ = 0;  // of scratch_
  Block* blocks_ = nullptr;
  Extras* extras_ = nullptr;

 public:
  const Value* arguments = nullptr;

 private:
  alignas(8) uint8_t scratch_[kScratch];

 public:
  Task() = default;
  Task(const Task&) = delete;
  ~Task() { recycle(); }

  /// Memory that lives until `recycle()`: inline while it fits. The task is no longer bare. Throws std::bad_alloc.
  /// Thread: the task's owner of the moment.
  uint8_t* scratch(size_t size);
  /// Made when first asked for. Throws std::bad_alloc.
  Extras& make_extras();
  /// nullptr: it has none.
  Extras* extras() const noexcept { return extras_; }
  /// Has `give_back(what)` called when the task is done with. Throws std::bad_alloc, and has then changed nothing.
  void at_recycle(void (*give_back)(void*) noexcept, void* what);
  /// Back to an empty task; `slot` and `generation` stay.
  void recycle() noexcept {
    if (!bare) release();
    result = Value::undefined();
    status = decided = OFFLOOP_OK;
    urgent = controlled = false;
    in_flight = false;
    stop.store(false, std::memory_order_relaxed);  // nobody else holds the task now
  }
  enum class Ended : uint8_t { settled, sleeps, yields };
  /// Runs the body. If the task is not settled by it, it sleeps until the time in `result`, or waits for
  /// another turn.
  Ended run() noexcept;
  /// Ends the task without running it.
  void refuse(Status why) noexcept { status = static_cast<uint8_t>(why); }
  /// Throws std::bad_alloc.
  void fail(Failure::Source source, int number, const char* name, const char* syscall, std::string message);
  /// Tells the environment something about a task that goes on. Thread: whoever keeps it from going home meanwhile.
  void tell(Extras::News news) noexcept;
};
static_assert(sizeof(Task) <= 256, "a million queued tasks must stay affordable");

/// What a body returns for "not finished": it sleeps, or it gets another turn. Never leave core.
inline constexpr Status kSleeps = OFFLOOP_STATUS_COUNT;
inline constexpr Status kYields = static_cast<Status>(OFFLOOP_STATUS_COUNT + 1);

}  // namespace offloop
