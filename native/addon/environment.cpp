#include "addon/environment.hpp"

#include <algorithm>
#include <atomic>

#include "platform/park.hpp"

namespace offloop {

Environment::Environment(napi_env env, Doorbell::Kind kind)
    : env_(env), mailbox_(Mailbox::open()), doorbell_(Doorbell::open(env, kind, *this)), timers_(*doorbell_) {
  mailbox_->connect([](void* bell) noexcept { static_cast<Doorbell*>(bell)->ring(); }, doorbell_.get());
}

Environment* Environment::open(napi_env env, napi_value settle, Doorbell::Kind kind, Shared& shared) {
  auto* it = new Environment(env, kind);
  it->share(settle, shared);  // if it throws, the environment stays, idle, until the host's ends
  return it;
}

template <class T>
T* Environment::share_buffer(size_t bytes, napi_value& buffer) {
  void* data = nullptr;
  napi_ref reference = nullptr;
  if (napi_create_arraybuffer(env_, bytes, &data, &buffer) != napi_ok ||
      napi_create_reference(env_, buffer, 1, &reference) != napi_ok) {
    throw Napi::Error::New(env_, "offloop: no memory for the rings");
  }
  references_.push_back(reference);
  return static_cast<T*>(data);
}

void Environment::share(napi_value settle, Shared& shared) {
  ring_ = share_buffer<uint32_t>(layout::kRingWords * sizeof(uint32_t), shared.ring);
  arena_ = share_buffer<uint8_t>(layout::kArenaBytes, shared.arena);
  completions_ =
      share_buffer<uint32_t>(layout::kCompletions * layout::kCompletionWords * sizeof(uint32_t), shared.completions);
  figures_ =
      share_buffer<double>(layout::kCompletions * layout::kFiguresPerCompletion * sizeof(double), shared.figures);
  results_ = share_buffer<uint8_t>(layout::kResultBytes, shared.results);
  in_flight_by_pool_ = share_buffer<int32_t>(layout::kPools * sizeof(int32_t), shared.in_flight);
  if (napi_create_reference(env_, settle, 1, &settle_) != napi_ok) throw Napi::Error::New(env_);
}

uint32_t* Environment::share_messages(napi_value& buffer) {
  return share_buffer<uint32_t>(layout::kMessagesWords * sizeof(uint32_t), buffer);
}

bool Environment::reserve(uint32_t count) noexcept {
  try {
    for (uint32_t slot = 0; slot < count; slot += Slab::kChunk) mailbox_->slab().at(slot);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Environment::trim(uint32_t count) noexcept { mailbox_->slab().trim(count / Slab::kChunk); }

int32_t Environment::next_number() {
  uint32_t number = 0;
  // A number is free again when the last task of its former pool has been delivered.
  while (number < pools_.size() && (pools_[number].executor || in_flight_by_pool_[number] != 0)) ++number;
  if (number == layout::kPools) return -1;
  if (number == pools_.size()) pools_.emplace_back();
  return static_cast<int32_t>(number);
}

int32_t Environment::open_pool(Pool::Options options, bool shared) {
  Use use;
  const int32_t number = next_number();
  if (number < 0) return number;
  use.tally = std::make_shared<Tally>();
  if (shared) {
    use.shared = SharedPool::join(options, use.tally);
    use.executor = use.shared->pool();
  } else {
    use.executor = std::make_shared<Pool>(std::move(options));
  }
  pools_[number] = std::move(use);
  return number;
}

int32_t Environment::open_node_pool(NodePool::Options options) {
  Use use;
  const int32_t number = next_number();
  if (number < 0) return number;
  use.tally = std::make_shared<Tally>();
  use.executor = use.node = std::make_shared<NodePool>(env_, timers_, options);
  if (node_pools_ended_) use.node->end();
  pools_[number] = std::move(use);
  ++node_pools_;
  return number;
}

void Environment::end_node_pools() noexcept {
  node_pools_ended_ = true;
  timers_.clear();
  for (const Use& use : pools_) {
    if (use.node) use.node->end();
  }
}

void Environment::close_pool(uint32_t number, uint32_t slot, uint32_t generation) {
  Task& farewell = mailbox_->slab().at(slot);
  farewell.kind = static_cast<uint32_t>(Letter::Kind::farewell);
  farewell.slot = slot;
  farewell.generation = generation;
  farewell.home = mailbox_;
  farewell.pool = static_cast<uint16_t>(number);
  farewell.in_flight = true;
  ++in_flight_by_pool_[number];
  accepted(1);
  const auto executor = std::exchange(pools_[number].executor, nullptr);
  const auto shared = std::exchange(pools_[number].shared, nullptr);
  node_pools_ -= std::exchange(pools_[number].node, nullptr) != nullptr;
  if (!shared || shared->leave()) {
    executor->close(&farewell);
  } else {
    mailbox_->post(&farewell);
  }
}

Tally::Sums Environment::tally(uint32_t number) {
  const Use& use = pools_[number];
  if (use.shared) return use.shared->sums();
  Tally::Sums sums{};
  use.tally->add_to(sums);
  return sums;
}

Task* Environment::current(uint32_t slot, uint32_t generation) noexcept {
  Task& task = mailbox_->slab().at(slot);
  const bool is_current = task.in_flight && task.generation == generation && task.is(Letter::Kind::task);
  return is_current ? &task : nullptr;
}

bool Environment::decide(Task& task, Status status) noexcept {
  if (task.decided != OFFLOOP_OK) return false;
  task.decided = status;
  pools_[task.pool].tally->add(status);
  return true;
}

void Environment::cancel(uint32_t slot, uint32_t generation) noexcept {
  Task* task = current(slot, generation);
  if (!task) return;
  decide(*task, OFFLOOP_CANCELLED);
  if (pools_[task->pool].executor) executor(task->pool).cancel(*task);
}

void Environment::stop(uint32_t slot, uint32_t generation) noexcept {
  Task* task = current(slot, generation);
  if (task && pools_[task->pool].executor) executor(task->pool).cancel(*task);
}

void Environment::cancel_all(uint32_t number) noexcept {
  Executor& pool = executor(number);
  if (!pools_[number].shared) pool.cancel_waiting();  // faster than one by one
  mailbox_->slab().each_in_flight([&](Task& task) {
    if (task.pool != number || !task.is(Letter::Kind::task)) return;
    decide(task, OFFLOOP_CANCELLED);
    pool.cancel(task);
  });
}

void Environment::watch(uint32_t slot, uint32_t generation) noexcept {
  // relaxed: the body hears of it when it next has something to tell
  Task* task = current(slot, generation);
  if (task && task->extras()) task->extras()->watched.store(true, std::memory_order_relaxed);
}

bool Environment::is_running(uint32_t slot, uint32_t generation) noexcept {
  const Task* task = current(slot, generation);
  return task && task->extras() && task->extras()->started.load(std::memory_order_relaxed);  // carries no data
}

std::shared_ptr<Signal> Environment::open_signal() {
  auto signal = std::make_shared<Signal>(*mailbox_, ++last_signal_);
  signals_.emplace(signal->slot, signal);
  return signal;
}

void Environment::close_signal(Signal& signal) noexcept {
  signal.close();
  signals_.erase(signal.slot);
}

void Environment::fall_silent() noexcept {
  silent_ = true;
  end_node_pools();
}

/// The one place where ends are ordered: finalizers of the host come later and free plain memory only.
void Environment::on_exit() noexcept {
  fall_silent();
  for (Use& use : pools_) {
    if (!use.executor || (use.shared && !use.shared->leave())) continue;
    use.executor->close(nullptr);
    use.executor->cancel_waiting();
  }
  mailbox_->slab().each_in_flight([this](Task& task) {
    if (!task.is(Letter::Kind::task)) return;
    decide(task, OFFLOOP_CANCELLED);
    if (pools_[task.pool].executor) executor(task.pool).cancel(task);
  });
  primitives_.end();
  queues_.end();
  wait_for_borrowers();
  for (const auto& [number, signal] : signals_) signal->close();
  signals_.clear();
  mailbox_->abandon(in_flight_);
  pools_.clear();
  for (napi_ref reference : references_) napi_delete_reference(env_, reference);
  napi_delete_reference(env_, settle_);
}

/// Memory that tasks borrow dies with the environment, so those tasks come home first, and let go of what they have pinned.
/// They have been told to stop. Tasks whose inputs are pinned for themselves do not borrow: see addon/backing_store.hpp.
void Environment::wait_for_borrowers() noexcept {
  uint32_t out = 0;
  mailbox_->slab().each_in_flight([&](Task& task) { out += task.borrows; });
  std::atomic<uint32_t> rings{0};
  mailbox_->connect(
      [](void* context) noexcept {
        auto& rung = *static_cast<std::atomic<uint32_t>*>(context);
        rung.fetch_add(1);
        wake_one(rung);
      },
      &rings);
  for (;;) {
    const uint32_t heard = rings.load();
    if (!backlog_) backlog_ = mailbox_->take();
    while (Letter* letter = backlog_) {
      backlog_ = letter->next;
      if (letter->is(Letter::Kind::notice)) continue;
      if (letter->is(Letter::Kind::signal)) {
        static_cast<Signal*>(letter)->arrive();  // and may be gone
        continue;
      }
      auto* task = static_cast<Task*>(letter);
      out -= task->borrows;
      task->recycle();
      --in_flight_;
    }
    if (out == 0) break;
    if (mailbox_->sleep()) wait_while(rings, heard);
  }
  mailbox_->connect(nullptr, nullptr);
}

}  // namespace offloop
