#if defined(_WIN32)

#include "platform/poller_iocp.hpp"

#include <winsock2.h>
//
#include <timeapi.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

#include "base/cpu.hpp"
#include "platform/errno_windows.hpp"
#include "platform/winsock_windows.hpp"

namespace offloop {
namespace {

constexpr size_t kMost = 64;
constexpr auto kCancelled = static_cast<LONG>(0xC0000120);
constexpr auto kPipeBroken = static_cast<LONG>(0xC000014B);

/// What a completion belongs to.
enum Key : ULONG_PTR { kBell, kAnswer, kAnswerOfPipe };

uint32_t events_of(Interest interest) noexcept {
  uint32_t events = AfdPoll::kAbort | AfdPoll::kConnectFail | AfdPoll::kLocalClose;
  if (includes(interest, Interest::readable)) events |= AfdPoll::kReceive | AfdPoll::kAccept | AfdPoll::kDisconnect;
  if (includes(interest, Interest::writable)) events |= AfdPoll::kSend;
  return events;
}

/// The clock of the system ticks every 15.6 ms, too coarse for short timeouts, unless somebody asks for more.
class FineClock {
 public:
  explicit FineClock(std::chrono::nanoseconds timeout) noexcept
      : fine_(timeout.count() > 0 && timeout < std::chrono::milliseconds(250)) {
    if (fine_) timeBeginPeriod(1);
  }
  ~FineClock() {
    if (fine_) timeEndPeriod(1);
  }
  FineClock(const FineClock&) = delete;

 private:
  const bool fine_;
};

}  // namespace

struct IocpPoller::Watched {
  OVERLAPPED overlapped{};
  AfdPoll poll{};
  Descriptor fd;
  Interest interest;
  Trigger trigger;
  void* tag;
  void* socket = nullptr;  // nullptr: a pipe
  bool wanted = true;      // false: it only waits for its answer, or to be taken off the list
  bool asked = false;      // an answer will come
  bool closed = false;     // by its owner: its number may be another's by now
  bool listed = false;     // in to_ask_
  Watched* next = nullptr;

  HANDLE handle() const noexcept { return reinterpret_cast<HANDLE>(fd); }
};

std::unique_ptr<IocpPoller> IocpPoller::open(int& error) {
  error = start_sockets();
  if (error) return nullptr;
  std::unique_ptr<IocpPoller> poller(new IocpPoller);
  poller->port_ = CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1);
  error = poller->port_ ? poller->afd_.open(poller->port_, kAnswer) : last_errno();
  return error ? nullptr : std::move(poller);
}

IocpPoller::~IocpPoller() {
  {
    std::lock_guard lock(mutex_);
    for (const auto& [fd, watched] : watched_) let_go(watched);
    watched_.clear();
    ask_again();  // frees those that are listed
  }
  std::array<Ready, kMost> nobodys;
  size_t found = 0;
  while (collect(nobodys, in_flight_ > 0 ? INFINITE : 0, found) > 0) {
  }
  if (port_) CloseHandle(port_);
}

int IocpPoller::classify(Watched& watched) {
  watched.socket = Afd::base_of(watched.fd);
  if (watched.socket) return 0;
  switch (GetFileType(watched.handle())) {
    case FILE_TYPE_DISK:
      return EPERM;
    case FILE_TYPE_PIPE:
      break;
    case FILE_TYPE_UNKNOWN:
      return EBADF;
    default:
      return ENOTSUP;
  }
  if (watched.interest != Interest::readable) return ENOTSUP;
  const bool is_new = pipes_.insert(watched.fd).second;  // first: the port keeps what it has
  if (CreateIoCompletionPort(watched.handle(), port_, kAnswerOfPipe, 0) || !is_new) return 0;
  const int error = last_errno();
  pipes_.erase(watched.fd);
  return error;
}

int IocpPoller::watch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept {
  if (trigger == Trigger::edge) return ENOTSUP;
  std::lock_guard lock(mutex_);
  try {
    if (watched_.contains(fd)) return EEXIST;
    std::unique_ptr<Watched> watched(new Watched{.fd = fd, .interest = interest, .trigger = trigger, .tag = tag});
    if (int error = classify(*watched)) return error;
    const auto place = watched_.emplace(fd, watched.get()).first;
    const int error = ask(*watched);  // from here on nothing throws
    if (error) {
      watched_.erase(place);
    } else {
      watched.release();
    }
    return error;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

int IocpPoller::rewatch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept {
  if (trigger == Trigger::edge) return ENOTSUP;
  std::lock_guard lock(mutex_);
  const auto place = watched_.find(fd);
  if (place == watched_.end()) return ENOENT;
  Watched& watched = *place->second;
  if (watched.closed) return EBADF;
  if (!watched.socket && interest != Interest::readable) return ENOTSUP;
  watched.interest = interest;
  watched.trigger = trigger;
  watched.tag = tag;
  if (!watched.asked) return ask(watched);
  cancel(watched);  // and whoever takes the completion asks anew
  return 0;
}

int IocpPoller::unwatch(Descriptor fd) noexcept {
  std::lock_guard lock(mutex_);
  const auto place = watched_.find(fd);
  if (place == watched_.end()) return ENOENT;
  let_go(place->second);
  watched_.erase(place);
  return 0;
}

int IocpPoller::ask(Watched& watched) noexcept {
  int error = 0;
  if (watched.socket) {
    error = afd_.ask(watched.socket, events_of(watched.interest), watched.poll, &watched.overlapped);
  } else {
    try {
      reads_.insert(&watched);
    } catch (const std::bad_alloc&) {
      return ENOMEM;
    }
    watched.overlapped = {};
    static char nothing;
    const bool read = ReadFile(watched.handle(), &nothing, 0, nullptr, &watched.overlapped);
    const DWORD failure = read ? ERROR_SUCCESS : GetLastError();
    if (failure == ERROR_BROKEN_PIPE) {  // to be told, but nothing completes
      watched.overlapped.Internal = static_cast<ULONG_PTR>(kPipeBroken);
      if (!PostQueuedCompletionStatus(port_, 0, kAnswerOfPipe, &watched.overlapped)) error = last_errno();
    } else if (failure != ERROR_SUCCESS && failure != ERROR_IO_PENDING) {
      error = errno_of(failure);
    }
    if (error) reads_.erase(&watched);
  }
  watched.asked = !error;
  if (watched.asked) ++in_flight_;
  return error;
}

void IocpPoller::cancel(Watched& watched) noexcept {
  if (watched.socket) {
    afd_.cancel(&watched.overlapped);
  } else {
    CancelIoEx(watched.handle(), &watched.overlapped);
  }
}

void IocpPoller::ask_again() noexcept {
  to_ask_end_ = &to_ask_;
  for (Watched* watched = std::exchange(to_ask_, nullptr); watched;) {
    Watched* const next = watched->next;
    watched->listed = false;
    if (!watched->wanted) {
      let_go(watched);
    } else if (!watched->asked) {
      ask(*watched);  // an error: it was closed, and is told of no more
    }
    watched = next;
  }
}

void IocpPoller::let_go(Watched* watched) noexcept {
  watched->wanted = false;
  if (watched->asked) cancel(*watched);
  if (!watched->asked && !watched->listed) delete watched;
}

bool IocpPoller::take_answer(Watched* watched, Ready& ready) noexcept {
  --in_flight_;
  watched->asked = false;
  if (!watched->wanted) {
    let_go(watched);
    return false;
  }
  const auto status = static_cast<LONG>(watched->overlapped.Internal);
  uint32_t events = watched->poll.count > 0 ? watched->poll.events : 0;
  if (!watched->socket) events = status >= 0 ? AfdPoll::kReceive : AfdPoll::kReceive | AfdPoll::kDisconnect;
  if (status == kCancelled) events = 0;
  if (events & AfdPoll::kLocalClose) {
    watched->closed = true;
    return false;
  }

  const bool broken = events & (AfdPoll::kAbort | AfdPoll::kConnectFail);
  const bool in = broken || (events & (AfdPoll::kReceive | AfdPoll::kAccept | AfdPoll::kDisconnect));
  const bool out = broken || (events & AfdPoll::kSend);
  ready = {watched->tag, in && includes(watched->interest, Interest::readable),
           out && includes(watched->interest, Interest::writable), broken || (events & AfdPoll::kDisconnect)};
  bool told = ready.readable || ready.writable;
  if (!told) {
    // It was asked about something else, before a rewatch. If that cannot be done now, whoever waits shall look for himself.
    const int error = ask(*watched);
    told = error && error != EBADF;
    if (told)
      ready = {watched->tag, includes(watched->interest, Interest::readable),
               includes(watched->interest, Interest::writable), true};
  } else if (watched->trigger == Trigger::level && !watched->listed) {
    watched->listed = true;
    watched->next = nullptr;
    *std::exchange(to_ask_end_, &watched->next) = watched;
  }
  return told;
}

size_t IocpPoller::collect(std::span<Ready> ready, unsigned long timeout_ms, size_t& found) noexcept {
  std::array<OVERLAPPED_ENTRY, kMost> entries;
  ULONG count = 0;
  const auto most = static_cast<ULONG>(std::min(ready.size(), entries.size()));
  if (!GetQueuedCompletionStatusEx(port_, entries.data(), most, &count, timeout_ms, FALSE)) return 0;
  std::lock_guard lock(mutex_);
  for (const OVERLAPPED_ENTRY& entry : std::span(entries).first(count)) {
    if (entry.lpCompletionKey == kBell) {
      found += take_ring(*reinterpret_cast<Bell*>(entry.lpOverlapped), ready[found]);
      continue;
    }
    auto* const watched = reinterpret_cast<Watched*>(entry.lpOverlapped);
    // The port hears of the calls of a pipe's owner, too.
    if (entry.lpCompletionKey == kAnswerOfPipe && reads_.erase(watched) == 0) continue;
    found += take_answer(watched, ready[found]);
  }
  return count;
}

size_t IocpPoller::wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept {
  {
    std::lock_guard lock(mutex_);
    ask_again();
  }
  const FineClock fine(timeout);
  const int64_t now = steady_ns();
  const int64_t due = timeout.count() > INT64_MAX - now ? INT64_MAX : now + timeout.count();
  size_t found = 0;
  for (std::chrono::nanoseconds left = timeout;;) {
    const size_t count = collect(ready, static_cast<unsigned long>(to_milliseconds(left)), found);
    if (found > 0) return found;
    // The system may be early by a tick. What has completed may have been of those that nobody watches any more.
    if (due != INT64_MAX) left = std::chrono::nanoseconds(due - steady_ns());
    if (count == 0 && left.count() <= 0) return 0;
  }
}

// --- wake handles ---

void IocpPoller::post(Bell& bell) noexcept {
  if (bell.posted.exchange(true)) return;
  if (PostQueuedCompletionStatus(port_, 0, kBell, reinterpret_cast<OVERLAPPED*>(&bell))) return;
  bell.posted = bell.rung = false;  // so that the next ring tries again
}

bool IocpPoller::take_ring(Bell& bell, Ready& ready) noexcept {
  // In this order, and both sides seq_cst: who rings says so and then looks whether a completion is on its way.
  bell.posted.store(false);
  const bool told = bell.rung.load() && bell.wanted;
  if (told) ready = {bell.tag, true, false, false};
  if (!bell.wanted) let_go(bell);
  return told;
}

void IocpPoller::let_go(Bell& bell) noexcept {
  bell.wanted = false;
  if (bell.posted.load()) return;  // take_ring comes
  bells_.remove_if([&bell](const Bell& other) { return &other == &bell; });
}

}  // namespace offloop

#endif
