#include <napi.h>

#include <array>
#include <cstring>

#include "bodies.hpp"
#include "peers.hpp"

namespace {

/// The usual shape: an AsyncWorker that settles one promise.
class PromiseWorker : public Napi::AsyncWorker {
 public:
  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  explicit PromiseWorker(Napi::Env env) : AsyncWorker(env), deferred_(env) {}

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  Napi::Promise::Deferred deferred_;
};

class NoopWorker final : public PromiseWorker {
 public:
  explicit NoopWorker(const Napi::CallbackInfo& info) : PromiseWorker(info.Env()) {}

  void Execute() override { peer_noop(); }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
};

class CopyWorker final : public PromiseWorker {
 public:
  explicit CopyWorker(const Napi::CallbackInfo& info) : PromiseWorker(info.Env()) {
    std::memcpy(input_.data(), info[0].As<Napi::Uint8Array>().Data(), kSmallInput);
  }

  void Execute() override { peer_copy(input_.data(), output_.data()); }
  void OnOK() override { deferred_.Resolve(Napi::Buffer<std::uint8_t>::Copy(Env(), output_.data(), kOutput)); }

 private:
  std::array<std::uint8_t, kSmallInput> input_;
  std::array<std::uint8_t, kOutput> output_;
};

class HashWorker final : public PromiseWorker {
 public:
  explicit HashWorker(const Napi::CallbackInfo& info) : PromiseWorker(info.Env()) {
    const auto input = info[0].As<Napi::Uint8Array>();
    pinned_input_ = Napi::Persistent(static_cast<Napi::Object>(input));
    data_ = input.Data();
    size_ = input.ByteLength();
  }

  void Execute() override { peer_sha256(data_, size_, output_.data()); }
  void OnOK() override { deferred_.Resolve(Napi::Buffer<std::uint8_t>::Copy(Env(), output_.data(), kOutput)); }

 private:
  Napi::ObjectReference pinned_input_;
  const std::uint8_t* data_;
  std::size_t size_;
  std::array<std::uint8_t, kOutput> output_;
};

bool takes(const Napi::CallbackInfo& info, std::size_t exact_size) {
  if (!info[0].IsTypedArray()) {
    Napi::TypeError::New(info.Env(), "bytes must be a Uint8Array").ThrowAsJavaScriptException();
    return false;
  }
  if (exact_size != 0 && info[0].As<Napi::TypedArray>().ByteLength() != exact_size) {
    Napi::RangeError::New(info.Env(), "bytes must be 64 bytes long").ThrowAsJavaScriptException();
    return false;
  }
  return true;
}

template <typename Worker>
Napi::Value queue(const Napi::CallbackInfo& info) {
  auto* worker = new Worker(info);
  worker->Queue();
  return worker->promise();
}

Napi::Value noop(const Napi::CallbackInfo& info) { return queue<NoopWorker>(info); }

Napi::Value copy(const Napi::CallbackInfo& info) {
  return takes(info, kSmallInput) ? queue<CopyWorker>(info) : Napi::Value();
}

Napi::Value sha256(const Napi::CallbackInfo& info) { return takes(info, 0) ? queue<HashWorker>(info) : Napi::Value(); }

}  // namespace

napi_value make_async_worker(napi_env env) {
  auto peer = Napi::Object::New(env);
  peer.Set("noop", Napi::Function::New<noop>(env, "noop"));
  peer.Set("copy", Napi::Function::New<copy>(env, "copy"));
  peer.Set("sha256", Napi::Function::New<sha256>(env, "sha256"));
  return peer;
}
