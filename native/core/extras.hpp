// What only some tasks have: limits, listeners, a state kept between turns, a failure, things to give back.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/letter.hpp"
#include "core/timer.hpp"
#include "offloop/task.hpp"
#include "platform/cpu_clock.hpp"

namespace offloop {

/// Why a task failed, in the terms of whoever refused. Literals outlive the task.
struct Failure {
  enum class Source : uint8_t { task, system, resolver, library };
  Source source = Source::task;
  int number = 0;            // system: a negative errno, as in libuv; resolver and library: their own
  const char* name = "";     // the resolver's or library's name of it
  const char* syscall = "";  // literal
  std::string message;
  Status about = OFFLOOP_OK;  // it explains this status only; OFFLOOP_OK: whatever the task ends with
};

/// In the task's own memory, made when first needed.
///
/// News about a task that goes on travel home in its one notice: whoever adds the first piece posts it, later pieces join
/// it, and the loop takes all of them at once. So there is never more than one under way, however much there is to tell;
/// and it is always home before the task, whose last post comes after.
struct Extras {
  struct Notice : Letter {
    explicit Notice(Task& about) noexcept : task(about) { kind = static_cast<uint32_t>(Kind::notice); }
    Task& task;
  };
  enum News : uint8_t { kStarted = 1, kProgress = 2, kCut = 4 };

  explicit Extras(Task& task) noexcept : notice(task) {}

  // --- limits; written before the task is submitted ---
  int64_t timeout_ns = Timer::kNever;  // of run time
  int64_t budget_ns = Timer::kNever;   // of CPU time
  bool tells_start = false;

  // --- times, of the turns that have ended; and the turn that runs. Thread: the worker's ---
  int64_t queued_ns = 0;
  int64_t run_ns = 0;
  int64_t cpu_ns = 0;
  int64_t turn_began_ns = 0;
  int64_t turn_cpu_began_ns = 0;
  bool measures_cpu = false;
  CpuClock clock;  // of the thread that runs the turn; read by the reactor while the timer is armed

  // --- news ---
  Notice notice;
  std::atomic<uint8_t> news{0};
  std::atomic<bool> started{false};
  std::atomic<bool> watched{false};  // somebody wants to hear of progress
  std::atomic<double> done{0};
  std::atomic<double> total{0};
  std::atomic<uint8_t> cut{OFFLOOP_OK};  // the limit that has stopped the task

  // --- what the body leaves ---
  void* state = nullptr;
  std::unique_ptr<Failure> failure;
  struct Leftover {
    Leftover* next;
    void (*give_back)(void*) noexcept;
    void* what;
  };
  Leftover* leftovers = nullptr;
};

}  // namespace offloop
