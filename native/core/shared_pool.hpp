// Pools that all environments of the process find by their name.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/pool.hpp"

namespace offloop {

/// One pool and those who use it. The last user to leave takes it out of the list, and closes it.
/// Thread: any. State: of the process, never destroyed.
class SharedPool {
 public:
  /// Counts the caller, whose tally is counted in, as a user of the pool of that name; makes it with these options if
  /// there is none. Throws std::bad_alloc.
  static std::shared_ptr<SharedPool> join(const Pool::Options& options, std::shared_ptr<const Tally> tally);
  /// True: the caller was the last user.
  bool leave() noexcept;

  const std::shared_ptr<Pool>& pool() const noexcept { return pool_; }
  /// How the tasks of all its users ended, of those who have left too.
  Tally::Sums sums();

 private:
  explicit SharedPool(const Pool::Options& options) : pool_(std::make_shared<Pool>(options)) {}

  const std::shared_ptr<Pool> pool_;
  uint32_t users_ = 0;                                 // here and below: guarded by the list's lock
  std::vector<std::shared_ptr<const Tally>> tallies_;  // one for each user there ever was
};

}  // namespace offloop
