// What a mailbox carries.
#pragma once

#include <cstdint>

namespace offloop {

class Mailbox;

/// A finished task, the farewell of a pool, a notice about a task that goes on, or a signal.
struct Letter {
  enum class Kind : uint8_t { task, farewell, notice, signal };

  union {
    Letter* next = nullptr;  // in a mailbox
    uint32_t position;       // in a lane; guarded by the pool's lock
    void* held;              // by another executor: what stands for it there
  };
  union {
    Mailbox* home = nullptr;
    Letter* ahead;  // in a mailbox, where `home` is no longer needed: one that comes a little later, to fetch early
  };
  uint32_t slot = 0;
  uint32_t generation : 24 = 0;
  uint32_t kind : 8 = static_cast<uint32_t>(Kind::task);

  bool is(Kind which) const noexcept { return kind == static_cast<uint32_t>(which); }
};

}  // namespace offloop
