#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "job.hpp"
#include "peers.hpp"

namespace {

constexpr std::size_t kThreads = 2;

/// Two threads behind one mutex; every finished job is one call of the ThreadSafeFunction.
class ThreadPool {
 public:
  explicit ThreadPool(napi_env env) {
    napi_value resource_name = nullptr;
    napi_create_string_utf8(env, "peer", NAPI_AUTO_LENGTH, &resource_name);
    napi_create_threadsafe_function(env, nullptr, nullptr, resource_name, 0, 1, nullptr, nullptr, this, settle, &done_);
    napi_unref_threadsafe_function(env, done_);
  }

  ~ThreadPool() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    work_or_stop_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    napi_release_threadsafe_function(done_, napi_tsfn_abort);
  }

  /// Thread: loop.
  void submit(napi_env env, Job* job) {
    if (threads_.empty()) {
      for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { work(); });
    }
    if (in_flight_++ == 0) napi_ref_threadsafe_function(env, done_);
    bool someone_sleeps = false;
    {
      const std::scoped_lock lock(mutex_);
      jobs_.push_back(job);
      someone_sleeps = sleeping_ > 0;
    }
    if (someone_sleeps) work_or_stop_.notify_one();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++sleeping_;
      work_or_stop_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      --sleeping_;
      if (stopping_) return;
      Job* job = jobs_.front();
      jobs_.pop_front();
      lock.unlock();
      run_body(job);
      napi_call_threadsafe_function(done_, job, napi_tsfn_nonblocking);
      lock.lock();
    }
  }

  static void settle(napi_env env, napi_value, void* context, void* data) {
    const std::unique_ptr<Job> job(static_cast<Job*>(data));
    if (env == nullptr) return;  // the environment is going away
    auto* pool = static_cast<ThreadPool*>(context);
    if (--pool->in_flight_ == 0) napi_unref_threadsafe_function(env, pool->done_);
    resolve(env, job.get());
  }

  std::mutex mutex_;
  std::condition_variable work_or_stop_;
  std::deque<Job*> jobs_;
  std::size_t sleeping_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
  napi_threadsafe_function done_ = nullptr;
  std::size_t in_flight_ = 0;  // loop thread only
};

template <Kind kind>
napi_value submit(napi_env env, napi_callback_info info) {
  void* pool = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &pool);
  auto job = std::make_unique<Job>();
  job->kind = kind;
  if (!read_input(env, info, job.get())) return nullptr;

  napi_value promise = nullptr;
  napi_create_promise(env, &job->deferred, &promise);
  static_cast<ThreadPool*>(pool)->submit(env, job.release());
  return promise;
}

}  // namespace

napi_value make_threads_tsfn(napi_env env) {
  auto* pool = new ThreadPool(env);
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<ThreadPool*>(data); }, pool);

  const napi_property_descriptor methods[] = {
      {"noop", nullptr, submit<Kind::noop>, nullptr, nullptr, nullptr, napi_enumerable, pool},
      {"copy", nullptr, submit<Kind::copy>, nullptr, nullptr, nullptr, napi_enumerable, pool},
      {"sha256", nullptr, submit<Kind::sha256>, nullptr, nullptr, nullptr, napi_enumerable, pool},
  };
  napi_value peer = nullptr;
  napi_create_object(env, &peer);
  napi_define_properties(env, peer, 3, methods);
  return peer;
}
