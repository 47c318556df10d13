#include "core/watchers.hpp"

#include <cerrno>
#include <new>
#include <utility>

#include "platform/park.hpp"

namespace offloop {
namespace {

/// What this thread is in the middle of telling: whoever removes itself must not wait for itself.
thread_local const Watcher* told_here = nullptr;

constexpr unsigned bits(Interest interest) noexcept { return static_cast<unsigned>(interest); }

void* to_tag(uintptr_t serial) noexcept { return reinterpret_cast<void*>(serial); }

}  // namespace

int Watchers::add(Watcher& watcher, Descriptor fd, Interest interest, Trigger trigger, Watcher::Tell* tell) noexcept {
  watcher.interest = interest;
  watcher.by_edge = trigger == Trigger::edge;
  watcher.tell = tell;
  watcher.found = {};

  std::lock_guard lock(mutex_);
  const auto known = serials_.find(fd);
  if (known == serials_.end()) return begin(watcher, fd);

  Watched& watched = watched_.at(known->second);
  const int error = ask(watched, known->second, watcher);
  if (error == EBADF) {
    // What had this number was closed under its watchers, who hear no more: this is another.
    poller_.unwatch(fd);
    serials_.erase(known);
    return begin(watcher, fd);
  }
  if (error) return error;
  watcher.serial = known->second;
  watcher.armed = true;
  watched.watchers.append(watcher);
  return 0;
}

int Watchers::begin(Watcher& watcher, Descriptor fd) noexcept {
  const uintptr_t serial = ++last_serial_;
  try {
    watched_.emplace(serial, Watched{fd, bits(watcher.interest), watcher.by_edge, {}});
    serials_.emplace(fd, serial);
  } catch (const std::bad_alloc&) {
    watched_.erase(serial);
    return ENOMEM;
  }
  const auto trigger = watcher.by_edge ? Trigger::edge : Trigger::once;
  if (int error = poller_.watch(fd, watcher.interest, to_tag(serial), trigger)) {
    serials_.erase(fd);
    watched_.erase(serial);
    return error;
  }
  watcher.serial = serial;
  watcher.armed = true;
  watched_.at(serial).watchers.append(watcher);
  return 0;
}

int Watchers::ask(Watched& watched, uintptr_t serial, const Watcher& watcher) noexcept {
  const unsigned wanted = watched.asked | bits(watcher.interest);
  const bool by_edge = watched.by_edge || watcher.by_edge;
  // Even if it will tell anyway: by edges it looks again only when it is asked again, and so it shows what was closed.
  const auto trigger = by_edge ? Trigger::edge : Trigger::once;
  const int error = poller_.rewatch(watched.fd, static_cast<Interest>(wanted), to_tag(serial), trigger);
  if (error) return error == ENOENT ? EBADF : error;
  watched.asked = wanted;
  watched.by_edge = by_edge;
  return 0;
}

int Watchers::arm(Watcher& watcher, Interest interest) noexcept {
  std::lock_guard lock(mutex_);
  const auto at = watched_.find(watcher.serial);
  if (at == watched_.end()) return ECANCELED;
  Watched& watched = at->second;
  const auto current = serials_.find(watched.fd);
  if (current == serials_.end() || current->second != watcher.serial) return EBADF;
  watcher.interest = interest;
  if (int error = ask(watched, watcher.serial, watcher)) return error;
  watcher.armed = true;
  return 0;
}

void Watchers::remove(Watcher& watcher) noexcept {
  {
    std::lock_guard lock(mutex_);
    if (watcher.serial) {
      due_.remove(watcher);
      watcher.armed = false;
      const auto at = watched_.find(watcher.serial);
      at->second.watchers.remove(watcher);
      if (at->second.watchers.empty()) {
        const auto current = serials_.find(at->second.fd);
        if (current != serials_.end() && current->second == watcher.serial) {
          poller_.unwatch(at->second.fd);
          serials_.erase(current);
        }
        watched_.erase(at);
      }
      watcher.serial = 0;
    }
  }
  if (told_here == &watcher) return;
  // acquire: what it did has happened. Set with the lock held, and not again for a watcher that is in no list.
  while (telling_.load(std::memory_order_acquire) == &watcher) wait_while(telling_, &watcher);
}

void Watchers::note(const Ready& ready) noexcept {
  const auto serial = reinterpret_cast<uintptr_t>(ready.tag);
  const auto at = watched_.find(serial);
  if (at == watched_.end()) return;  // removed since
  Watched& watched = at->second;
  unsigned left = 0;
  for (Watcher* watcher = watched.watchers.first(); watcher; watcher = Siblings::after(*watcher)) {
    if (!watcher->armed) continue;
    const bool readable = ready.readable && includes(watcher->interest, Interest::readable);
    const bool writable = ready.writable && includes(watcher->interest, Interest::writable);
    if (!readable && !writable) {
      left |= bits(watcher->interest);
      continue;
    }
    watcher->armed = watcher->by_edge;
    watcher->found.readable |= readable;
    watcher->found.writable |= writable;
    watcher->found.hung_up |= ready.hung_up;
    if (!due_.has(*watcher)) due_.append(*watcher);
  }
  if (watched.by_edge) return;  // the poller has forgotten nothing
  watched.asked = left;
  const auto current = serials_.find(watched.fd);
  // Else its number is another's by now.
  const bool is_current = current != serials_.end() && current->second == serial;
  if (left && is_current) poller_.rewatch(watched.fd, static_cast<Interest>(left), ready.tag, Trigger::once);
}

bool Watchers::tell(std::span<const Ready> ready) noexcept {
  bool told_busy = false, told_idle = false;
  {
    std::lock_guard lock(mutex_);
    for (const Ready& one : ready) note(one);
  }
  for (;;) {
    Watcher* watcher = nullptr;
    Readiness found;
    Watcher::Tell* tell = nullptr;
    {
      std::lock_guard lock(mutex_);
      watcher = due_.pop();
      if (!watcher) return told_idle || !told_busy;
      found = std::exchange(watcher->found, {});
      tell = watcher->tell;
      telling_.store(watcher, std::memory_order_relaxed);  // read by those who have held the lock since
    }
    told_here = watcher;
    (tell(*watcher, found) ? told_idle : told_busy) = true;
    told_here = nullptr;
    telling_.store(nullptr, std::memory_order_release);  // what it did has happened
    wake_all(telling_);
  }
}

}  // namespace offloop
