// Why a process that exits in the middle of work does not crash.
//
// exit() runs the handlers of every library, OpenSSL's among them, while pool threads still compute with what those
// handlers free. Joining the threads, as libuv does, would make a long task hold up the exit. So: no task begins any
// more, those that look at their stop flag end, and the rest gets a short grace; if any is then still at work, the process
// ends without the handlers it would crash in.
#pragma once

#include <atomic>

namespace offloop {

/// Thread: any, except where said otherwise. State: of the process, never destroyed.
class LastOrders {
 public:
  /// Watches for the end of the process. Once.
  static void install() noexcept;

  /// True from the moment the process exits. Bodies see it as their stop flag.
  static bool called() noexcept { return called_.load(std::memory_order_relaxed); }  // carries no data

  /// Around work on a pool thread. begin() does not return once the process exits.
  ///
  /// seq_cst on both sides: the thread counts itself and then looks, the exit says so and then counts, so one of the two
  /// must see the other.
  static void begin() noexcept {
    if (!try_begin()) stay();
  }
  /// For threads that are not ours to keep: false once the process exits, and then without an end().
  static bool try_begin() noexcept {
    at_work_.fetch_add(1, std::memory_order_seq_cst);
    if (!called_.load(std::memory_order_seq_cst)) return true;
    end();
    return false;
  }
  static void end() noexcept { at_work_.fetch_sub(1, std::memory_order_release); }  // what was done is done

 private:
  [[noreturn]] static void stay() noexcept;
  static void on_exit(int status) noexcept;

  static inline std::atomic<int> at_work_{0};
  static inline std::atomic<bool> called_{false};
};

}  // namespace offloop
