#include "addon/environment.hpp"

#include <algorithm>
#include <atomic>

namespace offloop {

Environment::Environment(napi_env env, Doorbell::Kind kind)
    : env_(env), mailbox_(Mailbox::open()), doorbell_(Doorbell::open(env, kind, *this)) {
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
  results_ = share_buffer<uint8_t>(layout::kResultBytes, shared.results);
  in_flight_by_pool_ = share_buffer<int32_t>(layout::kPools * sizeof(int32_t), shared.in_flight);
  if (napi_create_reference(env_, settle, 1, &settle_) != napi_ok) throw Napi::Error::New(env_);
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

int32_t Environment::open_pool(Pool::Options options) {
  auto pool = std::make_shared<Pool>(std::move(options));
  uint32_t number = 0;
  // A number is free again when the last task of its former pool has been delivered.
  while (number < pools_.size() && (pools_[number] || in_flight_by_pool_[number] != 0)) ++number;
  if (number == layout::kPools) return -1;
  if (number == pools_.size()) {
    pools_.emplace_back();
    tallies_.emplace_back();
  }
  pools_[number] = std::move(pool);
  tallies_[number] = {};
  return static_cast<int32_t>(number);
}

void Environment::close_pool(uint32_t number, uint32_t slot, uint32_t generation) {
  Task& farewell = mailbox_->slab().at(slot);
  farewell.slot = slot;
  farewell.generation = generation;
  farewell.home = mailbox_;
  farewell.pool = number;
  farewell.operation = nullptr;
  farewell.in_flight = true;
  ++in_flight_by_pool_[number];
  accepted(1);
  std::exchange(pools_[number], nullptr)->close(&farewell);
}

void Environment::cancel(uint32_t slot, uint32_t generation) noexcept {
  Task& task = mailbox_->slab().at(slot);
  const bool current = task.in_flight && task.generation == generation && task.operation;
  if (current && pools_[task.pool]) pools_[task.pool]->cancel(task);
}

void Environment::cancel_all(uint32_t number) noexcept {
  Pool& pool = *pools_[number];
  pool.cancel_waiting();
  mailbox_->slab().each_in_flight([&](Task& task) {
    if (task.pool == number && task.operation) pool.cancel(task);
  });
}

/// The one place where ends are ordered: finalizers of the host come later and free plain memory only.
void Environment::on_exit() noexcept {
  silent_ = true;
  for (auto& pool : pools_) {
    if (!pool) continue;
    pool->close(nullptr);
    pool->cancel_waiting();
  }
  mailbox_->slab().each_in_flight([this](Task& task) {
    if (task.operation && pools_[task.pool]) pools_[task.pool]->cancel(task);
  });
  wait_for_borrowers();
  mailbox_->abandon(in_flight_);
  pools_.clear();
  for (napi_ref reference : references_) napi_delete_reference(env_, reference);
  napi_delete_reference(env_, settle_);
}

/// Memory that tasks borrow dies with the environment, so those tasks come home first. They have been told to stop.
void Environment::wait_for_borrowers() noexcept {
  uint32_t out = 0;
  mailbox_->slab().each_in_flight([&](Task& task) { out += task.borrows; });
  std::atomic<uint32_t> rings{0};
  mailbox_->connect(
      [](void* context) noexcept {
        auto& rung = *static_cast<std::atomic<uint32_t>*>(context);
        rung.fetch_add(1);
        rung.notify_one();
      },
      &rings);
  for (;;) {
    const uint32_t heard = rings.load();
    if (!backlog_) backlog_ = mailbox_->take();
    while (Task* task = backlog_) {
      backlog_ = task->next;
      task->in_flight = false;
      out -= task->borrows;
      --in_flight_;
    }
    if (out == 0) break;
    if (mailbox_->sleep()) rings.wait(heard);
  }
  mailbox_->connect(nullptr, nullptr);
}

}  // namespace offloop
