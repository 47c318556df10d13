#include "addon/queues.hpp"

#include <utility>

#include "addon/environment.hpp"

namespace offloop {

uint32_t Queues::add(std::shared_ptr<Queue> queue, bool made_here) {
  size_t number = 0;
  while (number < ends_.size() && ends_[number].queue) ++number;
  if (number == ends_.size()) ends_.emplace_back();
  ends_[number] = {std::move(queue), made_here};
  return static_cast<uint32_t>(number);
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
  if (End* end = at(number)) let_go(*end);
}

void Queues::end() noexcept {
  for (End& end : ends_) {
    if (end.queue) let_go(end);
  }
}

}  // namespace offloop
