#include "addon/queues.hpp"

#include <utility>

#include "addon/environment.hpp"

namespace offloop {

uint32_t Queues::add(std::shared_ptr<Queue> queue, bool made_here) {
  if (free_.empty()) {
    free_.reserve(ends_.size() + 1);
    ends_.emplace_back();
    free_.push_back(static_cast<uint32_t>(ends_.size() - 1));
  }
  const uint32_t number = free_.back();
  free_.pop_back();
  ends_[number] = {std::move(queue), made_here};
  return number;
}

Signal& Queues::signal(std::shared_ptr<Signal>& signal) {
  if (!signal) signal = environment_.open_signal();
  return *signal;
}

void Queues::let_go(End& end) noexcept {
  const End gone = std::exchange(end, {});
  for (const auto& signal : {gone.receiving, gone.sending}) {
    if (signal) environment_.close_signal(*signal);
  }
  if (gone.promised > 0) gone.queue->commit(nullptr, 0, 0, gone.promised);
  if (gone.made_here) gone.queue->abandon();
}

void Queues::release(uint32_t number) noexcept {
  End* const end = at(number);
  if (!end) return;
  let_go(*end);
  free_.push_back(number);
}

void Queues::end() noexcept {
  for (End& end : ends_) {
    if (end.queue) let_go(end);
  }
}

}  // namespace offloop
