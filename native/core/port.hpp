// A task's hold on a queue.
#pragma once

#include <memory>
#include <vector>

#include "core/message.hpp"
#include "core/queue.hpp"
#include "core/task.hpp"
#include "offloop/queue.hpp"

namespace offloop {

/// Lives in the memory of its task.
class QueuePort final : public Port {
 public:
  /// An argument for the task, which holds the queue from now on. Throws std::bad_alloc.
  static Value attach(Task& task, std::shared_ptr<Queue> queue);

  explicit QueuePort(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}
  ~QueuePort();

  Status send(Call& call, const Value& value) noexcept override;
  Status try_send(const Value& value) noexcept override;
  Status receive(Call& call, Value& value) noexcept override;
  bool try_receive(Value& value) noexcept override;
  void close() noexcept override { queue_->close(); }

 private:
  /// OFFLOOP_OK, and `words` is how long the message is that stands in `out_`; or why not.
  Status write(const Value& value, size_t& words) noexcept;
  /// OFFLOOP_QUEUE_FULL: nothing has been sent. In all other cases the message is gone.
  Status put(size_t words) noexcept;
  /// OFFLOOP_QUEUE_FULL: there is nothing now, and the parker will be woken.
  Status take(Value& value) noexcept;
  void forget_received() noexcept;
  Status send_or_wait(Call& call, const Value& value) noexcept;
  Status receive_or_wait(Call& call, Value& value) noexcept;

  const std::shared_ptr<Queue> queue_;
  const std::shared_ptr<Parker> parker_ = std::make_shared<Parker>();
  const Waker waker_{parker_};
  std::vector<uint32_t> out_;  // here and below: made when first needed
  std::vector<uint32_t> in_;
  std::vector<Value> items_;
  bool holds_ = false;  // `in_` has a message
};

}  // namespace offloop
