#include "addon/queue_exports.hpp"

#include <utility>

#include "addon/arguments.hpp"
#include "addon/messages.hpp"
#include "core/message.hpp"

namespace offloop {
namespace {

constexpr const char* kNoQueue = "there is no such queue";

/// nullptr: there is none, and the call throws.
template <size_t N>
Queues::End* first(napi_env env, const Arguments<N>& arguments) noexcept {
  Queues::End* const end = arguments.environment->queues().at(arguments.uint32(0));
  if (!end) napi_throw_range_error(env, nullptr, kNoQueue);
  return end;
}

int32_t reserve_in(Queues::End& end, uint32_t wanted) noexcept {
  const Queue::Room room = end.queue->reserve(wanted);
  end.promised += room.messages;
  if (room.closed) return -1;
  return static_cast<int32_t>(room.messages | (room.awaited ? layout::kRoomAwaited : 0));
}

/// reserve(queue, wanted) -> room for so many, and kRoomAwaited; -1: closed
napi_value reserve(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  Queues::End* const end = first(env, arguments);
  return end ? to_value(env, reserve_in(*end, arguments.uint32(1))) : nullptr;
}

/// commit(queue, words, count, wanted, attachments | undefined) -> what reserve(queue, wanted) does; -2: no memory
napi_value commit(napi_env env, napi_callback_info info) {
  const Arguments<5> arguments(env, info);
  Queues::End* const end = first(env, arguments);
  if (!end) return nullptr;
  uint32_t* const messages = arguments.environment->queues().outgoing;
  Batch batch{arguments.uint32(1), arguments.uint32(2)};
  const bool copied = copy_attachments(env, messages, batch, arguments.values[4]);
  const uint32_t promised = std::exchange(end->promised, 0);
  const bool stored = end->queue->commit(messages, batch.words, batch.count, promised - batch.count);
  if (!copied || !stored) return to_value(env, int32_t{-2});
  const uint32_t wanted = arguments.uint32(3);
  return to_value(env, wanted > 0 ? reserve_in(*end, wanted) : int32_t{0});
}

/// awaitRoom(queue) -> whether there is room now, or it is closed; else its sending signal will come
napi_value await_room(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  Queues::End* const end = first(env, arguments);
  return end ? to_value(env, end->queue->await_room(Waker(end->sending))) : nullptr;
}

/// take(queue, received, most, lends, objects) -> how many stand in `incoming`; -1: ended; -2: somebody else receives
napi_value take(napi_env env, napi_callback_info info) {
  const Arguments<5> arguments(env, info);
  Queues& queues = arguments.environment->queues();
  Queues::End* const end = first(env, arguments);
  if (!end) return nullptr;
  const Queue::Wish wish{arguments.uint32(1), arguments.uint32(2), arguments.boolean(3)};
  const Queue::Taken taken =
      end->queue->take(&queues, wish, {queues.incoming, layout::kMessagesWords}, Waker(end->receiving));
  if (taken.refused) return to_value(env, int32_t{-2});
  if (taken.ended) return to_value(env, int32_t{-1});
  make_objects(env, queues.incoming, taken.messages, arguments.values[4]);
  return to_value(env, static_cast<int32_t>(taken.messages));
}

/// receive(queue, count): so many of those taken have been handed out
napi_value receive(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  if (Queues::End* const end = first(env, arguments)) end->queue->receive(arguments.uint32(1));
  return nullptr;
}

/// takeBack(queue, words, attachments | undefined) -> whether it has the message again that stands in `outgoing`
napi_value take_back(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  Queues::End* const end = first(env, arguments);
  if (!end) return nullptr;
  uint32_t* const message = arguments.environment->queues().outgoing;
  Batch one{arguments.uint32(1), 1};
  const bool copied = copy_attachments(env, message, one, arguments.values[2]);
  return to_value(env, copied && end->queue->take_back(message, one.words));
}

napi_value close(napi_env env, napi_callback_info info) {
  if (Queues::End* const end = first(env, Arguments<1>(env, info))) end->queue->close();
  return nullptr;
}

napi_value is_closed(napi_env env, napi_callback_info info) {
  Queues::End* const end = first(env, Arguments<1>(env, info));
  return end ? to_value(env, end->queue->closed()) : nullptr;
}

napi_value release(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  arguments.environment->queues().release(arguments.uint32(0));
  return nullptr;
}

/// disclaim(queue): others may receive
napi_value disclaim(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  if (Queues::End* const end = first(env, arguments)) end->queue->disclaim(&arguments.environment->queues());
  return nullptr;
}

Environment& environment_of(const Napi::CallbackInfo& info) { return *static_cast<Environment*>(info.Data()); }
uint32_t number(const Napi::CallbackInfo& info, size_t index) { return info[index].As<Napi::Number>().Uint32Value(); }
Queues::End& first(const Napi::CallbackInfo& info) {
  Queues::End* const end = environment_of(info).queues().at(number(info, 0));
  if (!end) throw Napi::RangeError::New(info.Env(), kNoQueue);
  return *end;
}

/// open(capacity, overflow) -> the queue's number
Napi::Value open(const Napi::CallbackInfo& info) {
  const Queue::Options options{number(info, 0), static_cast<Overflow>(number(info, 1))};
  return Napi::Number::New(info.Env(), environment_of(info).queues().add(std::make_shared<Queue>(options), true));
}

/// join(id) -> the number of another end of that queue; -1: there is none
Napi::Value join(const Napi::CallbackInfo& info) {
  auto queue = Queue::find(info[0].As<Napi::String>());
  if (!queue) return Napi::Number::New(info.Env(), -1);
  return Napi::Number::New(info.Env(), environment_of(info).queues().add(std::move(queue), false));
}

/// publish(queue, id) -> its id: this one, or the one it has already
Napi::Value publish(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), Queue::publish(first(info).queue, info[1].As<Napi::String>()));
}

/// receivingSignal(queue), sendingSignal(queue) -> its number
Napi::Value receiving_signal(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), environment_of(info).queues().receiving(first(info)).slot);
}
Napi::Value sending_signal(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), environment_of(info).queues().sending(first(info)).slot);
}

/// counts(queue)
Napi::Value counts(const Napi::CallbackInfo& info) {
  Queue& queue = *first(info).queue;
  const Queue::Counts counts = queue.counts();
  auto object = Napi::Object::New(info.Env());
  object["capacity"] = queue.options().capacity;
  object["overflow"] = static_cast<uint32_t>(queue.options().overflow);
  object["sent"] = static_cast<double>(counts.sent);
  object["received"] = static_cast<double>(counts.received);
  object["dropped"] = static_cast<double>(counts.dropped);
  object["held"] = counts.held;
  object["highWater"] = counts.high_water;
  return object;
}

}  // namespace

Napi::Value queues(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto& environment = environment_of(info);
  auto exports = Napi::Object::New(env);
  napi_value buffer = nullptr;
  environment.queues().outgoing = environment.share_messages(buffer);
  exports["outgoing"] = Napi::Value(env, buffer);
  environment.queues().incoming = environment.share_messages(buffer);
  exports["incoming"] = Napi::Value(env, buffer);
  auto add = [&](const char* name, napi_callback callback) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, &environment, &function);
    exports[name] = Napi::Value(env, function);
  };
  add("reserve", reserve);
  add("commit", commit);
  add("awaitRoom", await_room);
  add("take", take);
  add("receive", receive);
  add("takeBack", take_back);
  add("close", close);
  add("isClosed", is_closed);
  add("release", release);
  add("disclaim", disclaim);
  exports["open"] = Napi::Function::New(env, open, "open", &environment);
  exports["join"] = Napi::Function::New(env, join, "join", &environment);
  exports["publish"] = Napi::Function::New(env, publish, "publish", &environment);
  exports["receivingSignal"] = Napi::Function::New(env, receiving_signal, "receivingSignal", &environment);
  exports["sendingSignal"] = Napi::Function::New(env, sending_signal, "sendingSignal", &environment);
  exports["counts"] = Napi::Function::New(env, counts, "counts", &environment);
  return exports;
}

}  // namespace offloop
