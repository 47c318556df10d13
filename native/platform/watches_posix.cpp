#if !defined(_WIN32)

#include "platform/watches_posix.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace offloop {

Watch Watches::make(void* tag, Interest interest, Trigger trigger) noexcept {
  if (++last_serial_ == 0) ++last_serial_;
  return {tag, last_serial_, interest, trigger};
}

int Watches::put(Descriptor fd, const Watch& watch) noexcept {
  const size_t at = static_cast<size_t>(fd);
  if (at >= watches_.size()) {
    try {
      watches_.resize(std::max(at + 1, watches_.size() * 2));
    } catch (const std::bad_alloc&) {
      return ENOMEM;
    }
  }
  watches_[at] = watch;
  return 0;
}

Watch* Watches::find(Descriptor fd) noexcept {
  const size_t at = static_cast<size_t>(fd);  // a negative one is greater than any
  return at < watches_.size() && watches_[at].serial ? &watches_[at] : nullptr;
}

Watch* Watches::find(Descriptor fd, uint32_t serial) noexcept {
  Watch* const watch = find(fd);
  return watch && watch->serial == serial ? watch : nullptr;
}

bool Watches::remove(Descriptor fd) noexcept {
  Watch* const watch = find(fd);
  if (watch) watch->serial = 0;
  return watch;
}

int watchable(Descriptor fd) noexcept {
  struct stat found;
  if (fstat(fd, &found) != 0) return errno;
  return S_ISREG(found.st_mode) || S_ISDIR(found.st_mode) ? EPERM : 0;
}

}  // namespace offloop

#endif
