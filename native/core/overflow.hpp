// What happens to what comes beyond a capacity.
#pragma once

#include <cstdint>

namespace offloop {

/// Of a task in a pool, or of a message in a queue.
enum class Overflow : uint8_t {
  reject,  // it is refused
  wait,    // the task waits like the others, and is counted apart; the message's sender waits
  // The one that has waited longest is given up; of tasks, the one in the last lane, if that does not go before its own.
  drop_oldest,
  drop_newest,  // it is given up itself
};

}  // namespace offloop
