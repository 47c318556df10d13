#if !defined(_WIN32)

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

#include "platform/file.hpp"
#include "platform/input.hpp"
#include "platform/select.hpp"

namespace offloop {

/// Waits for the descriptor together with a wake handle, and reads when there is something: so it blocks only where it can
/// be woken. (But for one case: somebody else reads the same, and was faster. Descriptors cannot be told not to block
/// without telling their other owners.)
class Input::Reader {
 public:
  int open(int descriptor) {
    int error = file_.duplicate(descriptor);
    if (error) return error;
    poller_ = Poller::open(error);
    if (!poller_) return error;
    wake_ = WakeHandle::open(*poller_, error);
    if (!wake_) return error;
    error = poller_->watch(static_cast<Descriptor>(file_.handle()), Interest::readable, this);
    if (error == EPERM) polls_ = false;  // a regular file, which is always ready
    return polls_ ? error : 0;
  }
  int read(uint8_t* into, size_t size, size_t& done) {
    return !polls_ || wait() ? file_.read(into, size, done) : ECANCELED;
  }
  void interrupt() noexcept {
    interrupted_.store(true);
    wake_->ring();
  }

 private:
  /// False: interrupted.
  bool wait() {
    std::array<Ready, 2> ready;
    while (!interrupted_.load()) {
      const size_t count = poller_->wait(ready, Poller::kForever);
      if (std::any_of(ready.begin(), ready.begin() + count, [this](const Ready& each) { return each.tag == this; })) {
        return true;
      }
    }
    return false;
  }

  File file_;
  std::unique_ptr<Poller> poller_;  // before its wake handle
  std::unique_ptr<WakeHandle> wake_;
  bool polls_ = true;
  std::atomic<bool> interrupted_{false};
};

Input::Input() noexcept = default;
Input::~Input() = default;

int Input::open(int descriptor) {
  reader_ = std::make_unique<Reader>();
  return reader_->open(descriptor);
}

int Input::read(uint8_t* into, size_t size, size_t& done) { return reader_->read(into, size, done); }

void Input::interrupt() noexcept { reader_->interrupt(); }

}  // namespace offloop

#endif
