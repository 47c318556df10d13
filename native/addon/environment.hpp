// One environment: a JavaScript thread, its rings, its pools, and their end.
#pragma once

#include <napi.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "addon/doorbell.hpp"
#include "addon/layout.hpp"
#include "addon/loop_timers.hpp"
#include "addon/node_pool.hpp"
#include "addon/primitives.hpp"
#include "addon/queues.hpp"
#include "base/linger.hpp"
#include "core/mailbox.hpp"
#include "core/pool.hpp"
#include "core/shared_pool.hpp"
#include "core/signal.hpp"

namespace offloop {

/// Thread: the loop's, for everything. Lifetime: from open() to on_closed(), when the host's environment ends.
class Environment final : private Listener {
 public:
  /// The memory shared with JavaScript, allocated by V8 and pinned by a reference.
  struct Shared {
    napi_value ring;
    napi_value arena;
    napi_value completions;
    napi_value figures;
    napi_value results;
    napi_value in_flight;  // int32 for each pool: accepted and not delivered
  };

  /// `settle(count, objects)` is called with each batch of completions. Throws Napi::Error or std::bad_alloc.
  static Environment* open(napi_env env, napi_value settle, Doorbell::Kind kind, Shared& shared);

  /// Hands the first `words` of the ring to their pools.
  void flush(uint32_t words, napi_value attachments) noexcept;
  /// Makes sure that slots below `count` have tasks. False: no memory.
  bool reserve(uint32_t count) noexcept;
  /// Frees the tasks of slots from `count` on. None of them is in flight.
  void trim(uint32_t count) noexcept;

  /// Opens a pool of this environment's own, or joins the process's pool of that name. Returns its number, or -1 when there
  /// are kPools already. Throws std::bad_alloc.
  int32_t open_pool(Pool::Options options, bool shared);
  /// The same for a share in the host's pool; one that has ended, if `end_node_pools` has been called.
  int32_t open_node_pool(NodePool::Options options);
  /// The environment is about to end, and the host waits for what its pool still has to do: nothing of ours, from now on.
  void end_node_pools() noexcept;
  /// Lets go of the pool, which ends after what it holds if nobody else uses it; `slot` is settled then. The number is
  /// free.
  void close_pool(uint32_t pool, uint32_t slot, uint32_t generation);
  Executor& executor(uint32_t pool) noexcept { return *pools_[pool].executor; }
  /// What a shared pool was made with.
  const Pool::Options& pool_options(uint32_t pool) noexcept { return pools_[pool].shared->pool()->options(); }
  /// How the pool's tasks ended, by status, since it was opened.
  Tally::Sums tally(uint32_t pool);
  /// Cancels one task that waits; one that runs sees its stop flag. Whatever it ends with, it counts as cancelled.
  /// A stale generation is ignored.
  void cancel(uint32_t slot, uint32_t generation) noexcept;
  /// Cancels all that the pool holds for this environment.
  void cancel_all(uint32_t pool) noexcept;
  /// Has the progress of a watched task told from now on.
  void watch(uint32_t slot, uint32_t generation) noexcept;
  /// Whether a thread has begun a watched task.
  bool is_running(uint32_t slot, uint32_t generation) noexcept;

  /// A signal to this environment, until one of the two ends. Its number is new. Throws std::bad_alloc.
  std::shared_ptr<Signal> open_signal();
  void close_signal(Signal& signal) noexcept;
  /// Whether JavaScript waits for signals: then they are delivered, and the process stays alive for them.
  void listen(bool listening) noexcept;
  Primitives& primitives() noexcept { return primitives_; }

  Queues& queues() noexcept { return queues_; }
  /// Memory for kMessagesWords, which lives as long as the environment. Throws Napi::Error.
  uint32_t* share_messages(napi_value& buffer);
  /// Makes a task that is in flight see its stop flag, and lets it decide what it ends with; one that waits is cancelled.
  /// A stale generation is ignored.
  void stop(uint32_t slot, uint32_t generation) noexcept;

 private:
  Environment(napi_env env, Doorbell::Kind kind);

  void share(napi_value settle, Shared& shared);
  template <class T>
  T* share_buffer(size_t bytes, napi_value& buffer);

  // Listener
  void on_ring() noexcept override;
  void on_idle() noexcept override;
  void on_timer() noexcept override { timers_.expire_due(); }
  void on_exit() noexcept override;
  void on_closed() noexcept override { delete this; }

  bool expects_mail() const noexcept { return in_flight_ > 0 || listening_; }
  /// JavaScript can no longer run here.
  void fall_silent() noexcept;
  /// The number of the next pool, or -1. Throws std::bad_alloc.
  int32_t next_number();
  /// Takes the limits of a record into the task. Throws std::bad_alloc.
  void read_limits(Task& task, const uint32_t* words);
  void submit(uint32_t pool, std::span<Task* const> tasks) noexcept;
  void accepted(uint32_t count) noexcept;
  /// Delivers what has come home until there is no more or it is `end_ns`. True: there may be more.
  bool deliver(int64_t end_ns) noexcept;
  /// One call into JavaScript with at most kCompletions. False: JavaScript can no longer run here.
  bool settle_batch() noexcept;
  void complete(Task& task, uint32_t* words, uint32_t& result_bytes, napi_value& objects,
                uint32_t& object_count) noexcept;
  void complete_notice(Extras::Notice& notice, uint32_t* words, double* figures) noexcept;

  /// The task in flight that a slot stands for, or nullptr: a stale generation, or no task.
  Task* current(uint32_t slot, uint32_t generation) noexcept;
  /// Fixes how a task in flight ends, whatever its body does, and counts it. False: it was decided before.
  bool decide(Task& task, Status status) noexcept;
  void wait_for_borrowers() noexcept;

  /// A pool as this environment uses it.
  struct Use {
    std::shared_ptr<Executor> executor;  // empty: the number is free
    std::shared_ptr<Tally> tally;
    std::shared_ptr<SharedPool> shared;  // empty: its own
    std::shared_ptr<NodePool> node;      // empty: with threads of ours
  };

  class Arrivals;

  const napi_env env_;
  Mailbox* const mailbox_;
  const std::unique_ptr<Doorbell> doorbell_;
  LoopTimers timers_;
  std::vector<Use> pools_;  // by number
  std::vector<napi_ref> references_;
  napi_ref settle_ = nullptr;

  uint32_t* ring_ = nullptr;
  uint8_t* arena_ = nullptr;
  uint32_t* completions_ = nullptr;
  double* figures_ = nullptr;
  uint8_t* results_ = nullptr;
  int32_t* in_flight_by_pool_ = nullptr;

  std::unordered_map<uint32_t, std::shared_ptr<Signal>> signals_;  // by number
  uint32_t last_signal_ = 0;
  Primitives primitives_{*this};
  bool listening_ = false;
  Queues queues_{*this};
  uint32_t in_flight_ = 0;     // flushed and not delivered
  Letter* backlog_ = nullptr;  // came home, not yet delivered
  int64_t linger_ns_ = 0;      // the longest of the pools used since nothing was in flight
  Linger linger_;
  uint32_t node_pools_ = 0;  // open
  bool node_pools_ended_ = false;
  bool silent_ = false;  // JavaScript can no longer run here
};

}  // namespace offloop
