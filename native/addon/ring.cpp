// The two rings of an environment: tasks go out in batches, completions come back in batches.
#include <algorithm>
#include <array>
#include <cstring>

#include "addon/convert.hpp"
#include "addon/environment.hpp"
#include "ops/operations.hpp"
#include "platform/thread.hpp"

namespace offloop {
namespace {

/// How long deliveries may keep the loop from its timers and sockets.
constexpr int64_t kSliceNs = 1'000'000;
constexpr int kFetchedAhead = 3;
/// How long the loop lingers for a signal: what pools do for their tasks by default.
const int64_t kListenNs = available_parallelism() > 1 ? 10'000 : 0;

static_assert(Extras::kStarted == layout::kNewsStarted && Extras::kProgress == layout::kNewsProgress &&
              Extras::kCut == layout::kNewsCut);

uint32_t cells_of(uint32_t head) noexcept { return head >> 16 & 0xff; }
/// Words of a record, by its first.
uint32_t words_of(uint32_t head) noexcept {
  const uint32_t limits = head & layout::kLimited ? layout::kLimitWords : 0;
  return layout::kHeaderWords + limits + cells_of(head) * layout::kCellWords;
}

/// Whether the host still lets JavaScript run here: it waits for its own pool before it tells that an environment ends.
bool runs_javascript(napi_env env) noexcept {
  napi_handle_scope scope = nullptr;
  napi_value value = nullptr;
  bool pending = false;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  // The cheapest of the calls that may run JavaScript, and so fail when none may.
  const bool runs =
      napi_get_undefined(env, &value) == napi_ok && (napi_coerce_to_bool(env, value, &value) == napi_ok ||
                                                     (napi_is_exception_pending(env, &pending) == napi_ok && pending));
  napi_close_handle_scope(env, scope);
  return runs;
}

/// Units: nanoseconds, kNever where there is none.
int64_t limit_ns(const uint32_t* words) noexcept {
  double ms;
  std::memcpy(&ms, words, sizeof ms);
  return ms < 9e12 ? static_cast<int64_t>(ms * 1e6) : Timer::kNever;  // 285 years are for ever
}

}  // namespace

void Environment::flush(uint32_t words, napi_value attachments) noexcept {
  const int64_t now = steady_ns();
  std::array<Task*, 256> batch;
  size_t count = 0;
  uint32_t pool = 0;
  uint32_t arena_used = 0;
  Inputs inputs{arena_, attachments, 0, queues_};

  const uint32_t* const end = ring_ + words;
  const uint32_t* early = ring_;  // a few records ahead of the one at hand, to fetch its task
  auto fetch_next = [&] {
    if (early >= end) return;
    mailbox_->slab().fetch(early[1], early[0] >> 16 > 0);
    early += words_of(early[0]);
  };
  for (int i = 0; i < kFetchedAhead; ++i) fetch_next();

  for (const uint32_t* record = ring_; record < end;) {
    fetch_next();
    const uint32_t cells = cells_of(record[0]);
    const uint32_t record_pool = record[3] & 0xffff;
    if (count == batch.size() || (count > 0 && record_pool != pool)) {
      submit(pool, {batch.data(), count});
      count = 0;
    }
    pool = record_pool;

    Task& task = mailbox_->slab().at(record[1]);  // never grows here: JavaScript has reserved its slots
    task.operation = &operation_at(record[0] & 0xffff);
    task.kind = static_cast<uint32_t>(Letter::Kind::task);
    task.slot = record[1];
    task.generation = record[2] & (layout::kGenerations - 1);
    task.home = mailbox_;
    task.pool = static_cast<uint16_t>(pool);
    task.accepted_ns = now;
    task.in_flight = true;
    task.brief = task.operation->brief;
    task.first_lane = Lanes::lane_of(static_cast<uint8_t>(record[2] >> 24));
    Status refused = OFFLOOP_OK;
    const uint32_t* body = record + layout::kHeaderWords;
    try {
      if (record[0] & layout::kLimited) {
        read_limits(task, body);
        body += layout::kLimitWords;
      }
      if (cells > 0) {
        inputs.arena = arena_ + arena_used;
        refused = read_arguments(env_, task, body, cells, inputs);
      }
    } catch (const std::bad_alloc&) {
      refused = OFFLOOP_NO_MEMORY;
    }
    arena_used += (record[3] >> 16) * 8;
    record += words_of(record[0]);

    if (refused) {
      ++in_flight_by_pool_[pool];
      accepted(1);
      task.refuse(refused);
      mailbox_->post(&task);
    } else {
      task.lane = task.first_lane;
      batch[count++] = &task;
    }
  }
  if (count > 0) submit(pool, {batch.data(), count});
}

void Environment::read_limits(Task& task, const uint32_t* words) {
  const int64_t deadline = limit_ns(words);
  if (deadline != Timer::kNever) {
    task.urgent = true;
    task.due_ns = task.accepted_ns + deadline;
  }
  const int64_t timeout = limit_ns(words + 2);
  const int64_t budget = limit_ns(words + 4);
  const uint32_t flags = words[6];
  if (timeout == Timer::kNever && budget == Timer::kNever && flags == 0) return;
  Extras& extras = task.make_extras();
  extras.timeout_ns = timeout;
  extras.budget_ns = budget;
  extras.tells_start = flags & layout::kLimitsTellsStart;
  extras.notice.slot = task.slot;
  extras.notice.generation = task.generation;
  task.controlled = true;
}

void Environment::submit(uint32_t number, std::span<Task* const> tasks) noexcept {
  Executor& pool = executor(number);
  in_flight_by_pool_[number] += static_cast<int32_t>(tasks.size());
  linger_ns_ = std::max(linger_ns_, pool.linger_ns());
  accepted(static_cast<uint32_t>(tasks.size()));
  const Executor::Accepted taken = pool.submit(tasks);
  for (Task* task : tasks.subspan(taken.count)) {
    task->lane = Task::kNoLane;
    task->refuse(taken.reason);
    mailbox_->post(task);
  }
}

void Environment::accepted(uint32_t count) noexcept {
  if (in_flight_ == 0 && !listening_) doorbell_->hold(true);
  in_flight_ += count;
}

void Environment::listen(bool listening) noexcept {
  if (listening == listening_ || silent_) return;
  listening_ = listening;
  if (in_flight_ == 0) doorbell_->hold(listening);
}

void Environment::on_ring() noexcept {
  const uint32_t before = in_flight_;
  bool look_again = deliver(steady_ns() + kSliceNs);
  if (!doorbell_->tells_idle() && !silent_) {
    // Nobody tells when this loop goes to sleep. So the mailbox stays awake while turns of the loop find something in it.
    look_again = look_again || in_flight_ < before || !mailbox_->sleep();
  }
  if (look_again) doorbell_->ring_next_turn();
}

/// The loop would sleep now. While it runs JavaScript the mailbox stays awake and workers do not ring at all; here, and
/// only here, it goes to sleep, after lingering for what is about to come.
void Environment::on_idle() noexcept {
  if (!expects_mail() || silent_) return;
  if (node_pools_ > 0 && !runs_javascript(env_)) return fall_silent();
  const int64_t end = steady_ns() + kSliceNs;
  do {
    if (deliver(end)) return doorbell_->ring_next_turn();
    if (!expects_mail()) return;
    const int64_t linger_ns = listening_ ? std::max(linger_ns_, kListenNs) : linger_ns_;
    if (!linger_.wait(linger_ns, [this] { return mailbox_->has_mail(); })) {
      if (mailbox_->sleep()) return;
    }
  } while (steady_ns() < end);
  doorbell_->ring_next_turn();  // there is more, but timers and sockets come first
}

bool Environment::deliver(int64_t end_ns) noexcept {
  for (;;) {
    if (!backlog_) backlog_ = mailbox_->take();
    if (!backlog_) return false;
    if (silent_ || !settle_batch()) return false;
    const bool more = backlog_ || mailbox_->has_mail();
    if (!more || steady_ns() >= end_ns) return more;
  }
}

/// Counts tasks that have come home, neighbours with the same pool and end in one go.
class Environment::Arrivals {
 public:
  static constexpr uint8_t kCountedBefore = OFFLOOP_STATUS_COUNT;  // or never to be

  Arrivals(const std::vector<Use>& pools, int32_t* in_flight) noexcept : pools_(pools), in_flight_(in_flight) {}

  void add(uint16_t pool, uint8_t status) noexcept {
    if (pool != pool_ || status != status_) {
      write();
      pool_ = pool;
      status_ = status;
    }
    ++count_;
  }
  void write() noexcept {
    if (count_ == 0) return;
    in_flight_[pool_] -= static_cast<int32_t>(count_);
    if (status_ != kCountedBefore) pools_[pool_].tally->add(status_, count_);
    count_ = 0;
  }

 private:
  const std::vector<Use>& pools_;
  int32_t* const in_flight_;  // by pool
  uint16_t pool_ = 0;
  uint8_t status_ = OFFLOOP_OK;
  uint32_t count_ = 0;
};

bool Environment::settle_batch() noexcept {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return false;
  napi_value arguments[2] = {nullptr, nullptr};
  napi_value& objects = arguments[1];
  uint32_t object_count = 0;
  uint32_t result_bytes = 0;
  uint32_t count = 0;
  uint32_t home = 0;
  Arrivals arrived(pools_, in_flight_by_pool_);
  for (; backlog_ && count < layout::kCompletions; ++count) {
    Letter& letter = *backlog_;
    backlog_ = letter.next;
    uint32_t* words = completions_ + count * layout::kCompletionWords;
    double* figures = figures_ + count * layout::kFiguresPerCompletion;
    if (letter.is(Letter::Kind::notice)) {
      complete_notice(static_cast<Extras::Notice&>(letter), words, figures);
      continue;
    }
    if (letter.is(Letter::Kind::signal)) {
      words[0] = letter.slot;
      words[1] = static_cast<uint32_t>(layout::Outcome::signal);
      static_cast<Signal&>(letter).arrive();  // and may be gone
      continue;
    }
    auto& task = static_cast<Task&>(letter);
    // What this thread has decided stands, though the task may have been done already: whoever aborts can rely on it.
    if (task.decided != OFFLOOP_OK) task.refuse(static_cast<Status>(task.decided));
    const bool counts = task.decided == OFFLOOP_OK && task.is(Letter::Kind::task);
    if (task.controlled) {
      const Extras& extras = *task.extras();
      figures[0] = static_cast<double>(extras.queued_ns);
      figures[1] = static_cast<double>(extras.run_ns);
      figures[2] = static_cast<double>(extras.cpu_ns);
    }
    complete(task, words, result_bytes, objects, object_count);
    arrived.add(task.pool, counts ? task.status : Arrivals::kCountedBefore);
    task.recycle();
    ++home;
  }
  arrived.write();
  in_flight_ -= home;
  if (in_flight_ == 0 && home > 0) {
    if (!listening_) doorbell_->hold(false);
    linger_ns_ = 0;
  }

  napi_value settle = nullptr;
  bool ran = napi_get_reference_value(env_, settle_, &settle) == napi_ok &&
             napi_create_uint32(env_, count, &arguments[0]) == napi_ok &&
             doorbell_->call(settle, objects ? 2 : 1, arguments);
  if (!ran) fall_silent();
  napi_close_handle_scope(env_, scope);
  return ran;
}

void Environment::complete_notice(Extras::Notice& notice, uint32_t* words, double* figures) noexcept {
  Task& task = notice.task;
  Extras& extras = *task.extras();
  // acq_rel: sees what the news are about, and lets whoever adds the next piece post the notice again
  const uint8_t news = extras.news.exchange(0, std::memory_order_acq_rel);
  words[0] = notice.slot;
  words[1] = static_cast<uint32_t>(layout::Outcome::notice) | notice.generation << 8;
  words[2] = news;
  words[3] = 0;
  if (news & Extras::kProgress) {
    figures[0] = extras.done.load(std::memory_order_acquire);  // before the total: see Call::progress
    figures[1] = extras.total.load(std::memory_order_relaxed);
  }
  if (news & Extras::kCut && decide(task, static_cast<Status>(extras.cut.load(std::memory_order_relaxed)))) {
    words[3] = task.decided;
  }
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
      if (napi_value object = make_result(env_, task)) return write_object(Outcome::object, object);
      return write_object(Outcome::failure, make_failure(env_, task));
  }
}

}  // namespace offloop
