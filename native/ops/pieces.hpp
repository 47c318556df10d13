// How long bodies run: piece by piece, with a look at the stop flag before each, and in turns with the tasks that wait.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/cpu.hpp"
#include "offloop/task.hpp"

namespace offloop::ops {

/// Tells of progress no more often than anybody wants to hear of it.
class Pace {
 public:
  void tell(Call& call, double done, double total, int64_t now_ns = steady_ns()) noexcept {
    if (now_ns - told_ns_ < kEveryNs || done == total) return;  // the end is told by whoever reaches it
    told_ns_ = now_ns;
    call.progress(done, total);
  }

 private:
  static constexpr int64_t kEveryNs = 1'000'000;

  int64_t told_ns_ = 0;
};

// Work that is done in pieces has these members:
//   std::optional<Status> step(Call&)    does a piece, which takes less than a millisecond whatever the data, and returns
//                                        how the task ends, or nothing while there is more to do
//   size_t done() const, total() const   bytes, for whoever watches

/// Does pieces until the work ends, or, if it may be interrupted, until the turn does: then it returns nothing.
template <class Work>
std::optional<Status> do_pieces(Call& call, Work& work, bool may_yield) {
  Pace pace;
  while (!call.stopped()) {
    const std::optional<Status> ended = work.step(call);
    if (ended) {
      if (*ended == OFFLOOP_OK) call.progress(static_cast<double>(work.total()), static_cast<double>(work.total()));
      return ended;
    }
    pace.tell(call, static_cast<double>(work.done()), static_cast<double>(work.total()));
    if (may_yield && call.turn_is_over()) return std::nullopt;
  }
  return call.cancelled();
}

/// Does all of the work in this turn: for what is short.
template <class Work>
Status do_at_once(Call& call, Work&& work) {
  return *do_pieces(call, work, false);
}

/// Does the work in as many turns as it takes, maybe on several threads. It is made of `arguments` in the first, and ends on
/// the thread of the last: giving back much memory takes longer than the loop has time for. (Only where the task is
/// cancelled between turns it is the loop's.) Throws std::bad_alloc.
template <class Work, class... Arguments>
Status do_in_turns(Call& call, Arguments&&... arguments) {
  auto& kept = call.state<std::unique_ptr<Work>>();
  auto work = kept ? std::move(kept) : std::make_unique<Work>(std::forward<Arguments>(arguments)...);
  if (const std::optional<Status> ended = do_pieces(call, *work, true)) return *ended;
  kept = std::move(work);
  return call.yields();
}

}  // namespace offloop::ops
