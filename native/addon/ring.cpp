// The two rings of an environment: tasks go out in batches, completions come back in batches.
#include <algorithm>
#include <array>
#include <cstring>

#include "addon/convert.hpp"
#include "addon/environment.hpp"
#include "ops/operations.hpp"

namespace offloop {
namespace {

/// How long deliveries may keep the loop from its timers and sockets.
constexpr int64_t kSliceNs = 1'000'000;
constexpr int kFetchedAhead = 3;

}  // namespace

void Environment::flush(uint32_t words, napi_value attachments) noexcept {
  const int64_t now = steady_ns();
  std::array<Task*, 256> batch;
  size_t count = 0;
  uint32_t pool = 0;
  uint32_t arena_used = 0;
  Inputs inputs{arena_, attachments, 0};

  const uint32_t* const end = ring_ + words;
  const uint32_t* early = ring_;  // a few records ahead of the one at hand, to fetch its task
  auto fetch_next = [&] {
    if (early >= end) return;
    mailbox_->slab().fetch(early[1], early[0] >> 16 > 0);
    early += layout::kHeaderWords + (early[0] >> 16) * layout::kCellWords;
  };
  for (int i = 0; i < kFetchedAhead; ++i) fetch_next();

  for (const uint32_t* record = ring_; record < end;) {
    fetch_next();
    const uint32_t cells = record[0] >> 16;
    const uint32_t record_pool = record[3] & 0xffff;
    if (count == batch.size() || (count > 0 && record_pool != pool)) {
      submit(pool, {batch.data(), count});
      count = 0;
    }
    pool = record_pool;

    Task& task = mailbox_->slab().at(record[1]);  // never grows here: JavaScript has reserved its slots
    task.operation = &operations()[record[0] & 0xffff];
    task.slot = record[1];
    task.generation = record[2] & (layout::kGenerations - 1);
    task.home = mailbox_;
    task.pool = pool;
    task.accepted_ns = now;
    task.in_flight = true;
    task.brief = task.operation->brief;
    const uint8_t lane = Lanes::lane_of(static_cast<uint8_t>(record[2] >> 24));
    Status refused = OFFLOOP_OK;
    if (cells > 0) {
      inputs.arena = arena_ + arena_used;
      try {
        refused = read_arguments(env_, task, record + layout::kHeaderWords, cells, inputs);
      } catch (const std::bad_alloc&) {
        refused = OFFLOOP_NO_MEMORY;
      }
    }
    arena_used += (record[3] >> 16) * 8;
    record += layout::kHeaderWords + cells * layout::kCellWords;

    if (refused) {
      ++in_flight_by_pool_[pool];
      accepted(1);
      task.refuse(refused);
      mailbox_->post(&task);
    } else {
      task.lane = lane;
      batch[count++] = &task;
    }
  }
  if (count > 0) submit(pool, {batch.data(), count});
}

void Environment::submit(uint32_t number, std::span<Task* const> tasks) noexcept {
  Pool& pool = *pools_[number];
  in_flight_by_pool_[number] += static_cast<int32_t>(tasks.size());
  linger_ns_ = std::max(linger_ns_, pool.options().linger_ns);
  accepted(static_cast<uint32_t>(tasks.size()));
  const Pool::Accepted taken = pool.submit(tasks);
  for (Task* task : tasks.subspan(taken.count)) {
    task->lane = Task::kNoLane;
    task->refuse(taken.reason);
    mailbox_->post(task);
  }
}

void Environment::accepted(uint32_t count) noexcept {
  if (in_flight_ == 0) doorbell_->hold(true);
  in_flight_ += count;
}

void Environment::on_ring() noexcept {
  const uint32_t before = in_flight_;
  bool look_again = deliver();
  if (!doorbell_->tells_idle() && !silent_) {
    // Nobody tells when this loop goes to sleep. So the mailbox stays awake while turns of the loop find something in it.
    look_again = look_again || in_flight_ < before || !mailbox_->sleep();
  }
  if (look_again) doorbell_->ring_next_turn();
}

/// The loop would sleep now. While it runs JavaScript the mailbox stays awake and workers do not ring at all; here, and
/// only here, it goes to sleep, after lingering for what is about to come.
void Environment::on_idle() noexcept {
  if (in_flight_ == 0 || silent_) return;
  const int64_t end = steady_ns() + kSliceNs;
  do {
    if (deliver()) return doorbell_->ring_next_turn();
    if (in_flight_ == 0) return;
    if (!linger_.wait(linger_ns_, [this] { return mailbox_->has_mail(); })) {
      if (mailbox_->sleep()) return;
    }
  } while (steady_ns() < end);
  doorbell_->ring_next_turn();  // there is more, but timers and sockets come first
}

bool Environment::deliver() noexcept {
  const int64_t end = steady_ns() + kSliceNs;
  for (;;) {
    if (!backlog_) backlog_ = mailbox_->take();
    if (!backlog_) return false;
    if (silent_ || !settle_batch()) return false;
    if (steady_ns() >= end) return backlog_ || mailbox_->has_mail();
  }
}

bool Environment::settle_batch() noexcept {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return false;
  napi_value arguments[2] = {nullptr, nullptr};
  napi_value& objects = arguments[1];
  uint32_t object_count = 0;
  uint32_t result_bytes = 0;
  uint32_t count = 0;
  for (; backlog_ && count < layout::kCompletions; ++count) {
    Task& task = *backlog_;
    backlog_ = task.next;
    // Told to stop at any time before this moment, a task is cancelled, though it may have been done already: whoever
    // aborts can rely on it. (relaxed: this thread set the flag)
    if (task.status == OFFLOOP_OK && task.stop.load(std::memory_order_relaxed)) task.refuse(OFFLOOP_CANCELLED);
    complete(task, completions_ + count * layout::kCompletionWords, result_bytes, objects, object_count);
    --in_flight_by_pool_[task.pool];
    ++tallies_[task.pool][task.status];
    task.recycle();
  }
  in_flight_ -= count;
  if (in_flight_ == 0) {
    doorbell_->hold(false);
    linger_ns_ = 0;
  }

  napi_value settle = nullptr;
  bool ran = napi_get_reference_value(env_, settle_, &settle) == napi_ok &&
             napi_create_uint32(env_, count, &arguments[0]) == napi_ok &&
             doorbell_->call(settle, objects ? 2 : 1, arguments);
  silent_ = !ran;
  napi_close_handle_scope(env_, scope);
  return ran;
}

void Environment::complete(Task& task, uint32_t* words, uint32_t& result_bytes, napi_value& objects,
                           uint32_t& object_count) noexcept {
  using layout::Outcome;
  const Value& result = task.result;
  auto write = [&](Outcome outcome, const void* payload) {
    words[0] = task.slot;
    words[1] = static_cast<uint32_t>(outcome) | task.generation << 8;
    if (payload) std::memcpy(words + 2, payload, 8);
  };
  auto write_object = [&](Outcome outcome, napi_value object) {
    if (!objects) napi_create_array(env_, &objects);
    napi_set_element(env_, objects, object_count, object);
    const uint32_t payload[2] = {object_count++, 0};
    write(outcome, payload);
  };
  if (task.status != OFFLOOP_OK) return write_object(Outcome::failure, make_failure(env_, task));
  switch (result.kind) {
    case OFFLOOP_UNDEFINED:
      return write(Outcome::undefined, nullptr);
    case OFFLOOP_NULL:
      return write(Outcome::null, nullptr);
    case OFFLOOP_BOOLEAN:
      return write(result.boolean ? Outcome::yes : Outcome::no, nullptr);
    case OFFLOOP_NUMBER:
      return write(Outcome::number, &result.number);
    case OFFLOOP_BIGINT:
      return write(Outcome::bigint, &result.integer);
    case OFFLOOP_BYTES:
      if (result.size <= layout::kShortResult && result_bytes + result.size <= layout::kResultBytes) {
        std::memcpy(results_ + result_bytes, result.bytes, result.size);
        const uint32_t payload[2] = {result_bytes, static_cast<uint32_t>(result.size)};
        result_bytes += static_cast<uint32_t>(result.size);
        return write(Outcome::bytes, payload);
      }
      [[fallthrough]];
    default:
      return write_object(Outcome::object, make_result(env_, task));
  }
}

}  // namespace offloop
