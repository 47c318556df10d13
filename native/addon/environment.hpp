// One environment: a JavaScript thread, its rings, its pools, and their end.
#pragma once

#include <napi.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "addon/doorbell.hpp"
#include "addon/layout.hpp"
#include "base/linger.hpp"
#include "core/mailbox.hpp"
#include "core/pool.hpp"

namespace offloop {

/// Thread: the loop's, for everything. Lifetime: from open() to on_closed(), when the host's environment ends.
class Environment final : private Listener {
 public:
  /// The memory shared with JavaScript, allocated by V8 and pinned by a reference.
  struct Shared {
    napi_value ring;
    napi_value arena;
    napi_value completions;
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

  /// Returns its number, or -1 when there are kPools already.
  int32_t open_pool(Pool::Options options);
  /// Ends the pool's threads after what it holds; the last one settles `slot`. The number is free then.
  void close_pool(uint32_t pool, uint32_t slot, uint32_t generation);
  Pool& pool(uint32_t number) noexcept { return *pools_[number]; }
  /// How the pool's tasks ended, by status, since it was opened.
  using Tally = std::array<uint64_t, OFFLOOP_STATUS_COUNT>;
  const Tally& tally(uint32_t pool) const noexcept { return tallies_[pool]; }
  /// Cancels one task that waits; one that runs sees its stop flag. A stale generation is ignored.
  void cancel(uint32_t slot, uint32_t generation) noexcept;
  /// Cancels all that the pool holds for this environment.
  void cancel_all(uint32_t pool) noexcept;

 private:
  Environment(napi_env env, Doorbell::Kind kind);

  void share(napi_value settle, Shared& shared);
  template <class T>
  T* share_buffer(size_t bytes, napi_value& buffer);

  // Listener
  void on_ring() noexcept override;
  void on_idle() noexcept override;
  void on_exit() noexcept override;
  void on_closed() noexcept override { delete this; }

  void submit(uint32_t pool, std::span<Task* const> tasks) noexcept;
  void accepted(uint32_t count) noexcept;
  /// Delivers what has come home until there is no more or a slice of time is over. True: there may be more.
  bool deliver() noexcept;
  /// One call into JavaScript with at most kCompletions. False: JavaScript can no longer run here.
  bool settle_batch() noexcept;
  void complete(Task& task, uint32_t* words, uint32_t& result_bytes, napi_value& objects,
                uint32_t& object_count) noexcept;

  void wait_for_borrowers() noexcept;

  const napi_env env_;
  Mailbox* const mailbox_;
  const std::unique_ptr<Doorbell> doorbell_;
  std::vector<std::shared_ptr<Pool>> pools_;  // by number; empty where there is none
  std::vector<Tally> tallies_;                // by number
  std::vector<napi_ref> references_;
  napi_ref settle_ = nullptr;

  uint32_t* ring_ = nullptr;
  uint8_t* arena_ = nullptr;
  uint32_t* completions_ = nullptr;
  uint8_t* results_ = nullptr;
  int32_t* in_flight_by_pool_ = nullptr;

  uint32_t in_flight_ = 0;   // flushed and not delivered
  Task* backlog_ = nullptr;  // came home, not yet delivered
  int64_t linger_ns_ = 0;    // the longest of the pools used since nothing was in flight
  Linger linger_;
  bool silent_ = false;  // JavaScript can no longer run here
};

}  // namespace offloop
