#include "core/last_orders.hpp"

#include <chrono>
#include <thread>

#include "core/stops.hpp"
#include "platform/exit.hpp"

namespace offloop {
namespace {

/// Bodies look at their stop flag at least every millisecond; those that cannot get no more than this.
constexpr auto kGrace = std::chrono::milliseconds(100);
constexpr auto kLook = std::chrono::microseconds(200);

}  // namespace

void LastOrders::install() noexcept { at_exit(on_exit); }

void LastOrders::stay() noexcept {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));  // the process ends around us
}

void LastOrders::on_exit(int status) noexcept {
  called_.store(true, std::memory_order_seq_cst);
  stops::raise_all();
  const auto end = std::chrono::steady_clock::now() + kGrace;
  // acquire: what the tasks did comes before what the handlers after us free
  while (at_work_.load(std::memory_order_acquire) > 0) {
    if (std::chrono::steady_clock::now() >= end) {
      if (status >= 0) exit_now(status);
      return;
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace offloop
