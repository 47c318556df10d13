#include "core/shared_pool.hpp"

#include <map>

namespace offloop {
namespace {

struct List {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<SharedPool>> pools;
};
// Never destroyed: environments may still leave while static destructors run.
List& list() {
  static List* const it = new List;
  return *it;
}

}  // namespace

std::shared_ptr<SharedPool> SharedPool::join(const Pool::Options& options, std::shared_ptr<const Tally> tally) {
  std::lock_guard lock(list().mutex);
  auto [place, is_new] = list().pools.try_emplace(options.name);
  try {
    if (is_new) place->second.reset(new SharedPool(options));
    place->second->tallies_.push_back(std::move(tally));
  } catch (...) {
    if (is_new) list().pools.erase(place);
    throw;
  }
  ++place->second->users_;
  return place->second;
}

bool SharedPool::leave() noexcept {
  std::shared_ptr<SharedPool> self;  // outlives the lock
  std::lock_guard lock(list().mutex);
  if (--users_ > 0) return false;
  const auto place = list().pools.find(pool_->options().name);
  self = std::move(place->second);
  list().pools.erase(place);
  return true;
}

Tally::Sums SharedPool::sums() {
  std::lock_guard lock(list().mutex);
  Tally::Sums sums{};
  for (const auto& tally : tallies_) tally->add_to(sums);
  return sums;
}

}  // namespace offloop
