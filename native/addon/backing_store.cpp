#include "addon/backing_store.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <new>

#include "core/last_orders.hpp"
#include "platform/image.hpp"
#include "platform/park.hpp"

namespace offloop {
namespace {

/// The versions this was tried with: 20.20, 21.7, 22.23, 23.11, 24.21, 25.9 and 26.10.
constexpr uint32_t kFirstNode = 20;
constexpr uint32_t kLastNode = 26;

/// Stands for std::shared_ptr<v8::BackingStore>: two pointers, of which the second, to the counts, does not depend on the type.
using Store = std::shared_ptr<void>;

struct V8 {
  Store (*of_array_buffer)(napi_value self);
  Store (*of_shared_array_buffer)(napi_value self);
  void* (*data)(const void* store);
  size_t (*byte_length)(const void* store);

  static const V8* find() noexcept {
    static const V8 v8 = [] {
      V8 it{};
      if (!host_symbol(kTakesOurSharedPointer) || host_symbol(kSandboxed)) return it;
      look_up(it.of_array_buffer, "_ZN2v811ArrayBuffer15GetBackingStoreEv");
      look_up(it.of_shared_array_buffer, "_ZN2v817SharedArrayBuffer15GetBackingStoreEv");
      look_up(it.data, "_ZNK2v812BackingStore4DataEv");
      look_up(it.byte_length, "_ZNK2v812BackingStore10ByteLengthEv");
      return it;
    }();
    return v8.of_array_buffer && v8.of_shared_array_buffer && v8.data && v8.byte_length ? &v8 : nullptr;
  }

 private:
  /// v8::ArrayBuffer::New(v8::Isolate*, std::shared_ptr<v8::BackingStore>), by the name it has with our std.
#if defined(_LIBCPP_VERSION)
  static constexpr const char* kTakesOurSharedPointer =
      "_ZN2v811ArrayBuffer3NewEPNS_7IsolateENSt3__110shared_ptrINS_12BackingStoreEEE";
#else
  static constexpr const char* kTakesOurSharedPointer =
      "_ZN2v811ArrayBuffer3NewEPNS_7IsolateESt10shared_ptrINS_12BackingStoreEE";
#endif

  /// v8::V8::GetSandboxSizeInBytes(): there the memory of ArrayBuffers ends with V8, whoever holds it, and nobody tried.
  static constexpr const char* kSandboxed = "_ZN2v82V821GetSandboxSizeInBytesEv";

  template <class Function>
  static void look_up(Function& function, const char* name) noexcept {
    function = reinterpret_cast<Function>(host_symbol(name));
  }
};

bool is_known_node(napi_env env) noexcept {
  const napi_node_version* version = nullptr;
  return napi_get_node_version(env, &version) == napi_ok && std::strcmp(version->release, "node") == 0 &&
         version->major >= kFirstNode && version->major <= kLastNode;
}

/// A store that is not what it should be is left alone: its counts cannot be trusted.
bool is_store(const Store& store, const V8& v8, const void* data, size_t size) noexcept {
  return store && v8.byte_length(store.get()) == size && (!data || v8.data(store.get()) == data);
}

bool counts_owners(Store& store) noexcept {
  const long owners = store.use_count();
  if (owners < 2) return false;  // the buffer, and we
  Store second = store;
  const bool counted = store.use_count() == owners + 1;
  second.reset();
  return counted && store.use_count() == owners;
}

bool pins_array_buffer(napi_env env, const V8& v8) noexcept {
  constexpr size_t kSize = 200;
  napi_value buffer = nullptr;
  void* data = nullptr;
  if (napi_create_arraybuffer(env, kSize, &data, &buffer) != napi_ok) return false;
  auto* store = new (std::nothrow) Store(v8.of_array_buffer(buffer));
  if (!store || !is_store(*store, v8, data, kSize) || !counts_owners(*store)) return false;
  // What it is all about: the buffer lets go, and the memory is still there.
  if (napi_detach_arraybuffer(env, buffer) != napi_ok) return false;
  if (store->use_count() != 1 || v8.data(store->get()) != data) return false;
  delete store;
  return true;
}

/// Some versions of V8 let `transfer(newLength)` reallocate the store itself, whoever else owns it.
bool survives_transfer(napi_env env, const V8& v8) noexcept {
  constexpr uint32_t kSize = 200;
  napi_value buffer = nullptr, transfer = nullptr, longer = nullptr, moved = nullptr;
  void* data = nullptr;
  napi_valuetype type = napi_undefined;
  if (napi_create_arraybuffer(env, kSize, &data, &buffer) != napi_ok ||
      napi_get_named_property(env, buffer, "transfer", &transfer) != napi_ok ||
      napi_typeof(env, transfer, &type) != napi_ok) {
    return false;
  }
  if (type == napi_undefined) return true;  // there is no such method
  const Store store = v8.of_array_buffer(buffer);
  return napi_create_uint32(env, 2 * kSize, &longer) == napi_ok &&
         napi_call_function(env, buffer, transfer, 1, &longer, &moved) == napi_ok && is_store(store, v8, data, kSize);
}

bool pins_shared_array_buffer(napi_env env, const V8& v8) noexcept {
  constexpr uint32_t kSize = 200;
  napi_value global = nullptr, constructor = nullptr, size = nullptr, buffer = nullptr;
  if (napi_get_global(env, &global) != napi_ok ||
      napi_get_named_property(env, global, "SharedArrayBuffer", &constructor) != napi_ok ||
      napi_create_uint32(env, kSize, &size) != napi_ok ||
      napi_new_instance(env, constructor, 1, &size, &buffer) != napi_ok) {
    return false;
  }
  auto* store = new (std::nothrow) Store(v8.of_shared_array_buffer(buffer));
  if (!store || !is_store(*store, v8, nullptr, kSize) || !counts_owners(*store)) return false;
  delete store;
  return true;
}

std::atomic<const V8*> in_use{nullptr};

/// While the environment of the main thread is known to live.
std::atomic<bool> main_lives{false};

/// Threads that are giving a store back just now, and whether that is over.
std::atomic<uint32_t> releases{0};
constexpr uint32_t kOver = 1u << 31;

/// seq_cst throughout: it is rare, and the order of one word is all that counts.
void release(void* store) noexcept {
  LastOrders::begin();  // it runs code of the host, whose exit handlers may be at work
  if (!(releases.fetch_add(1) & kOver)) static_cast<Store*>(store)->~Store();
  if (releases.fetch_sub(1) == (kOver | 1)) wake_all(releases);
  LastOrders::end();
}

/// The environment of the main thread ends, and after it the allocator of its memory. Nobody is in it after this returns.
void on_main_end(void*) noexcept {
  main_lives = false;
  for (uint32_t now = releases.fetch_or(kOver) | kOver; now != kOver; now = releases.load()) wait_while(releases, now);
}

void watch_main(napi_env env) noexcept {
  if (main_lives.exchange(true)) return;
  releases.fetch_and(~kOver);
  if (napi_add_env_cleanup_hook(env, on_main_end, nullptr) != napi_ok) main_lives = false;
}

}  // namespace

Pins try_pins(napi_env env, bool main_thread) noexcept {
  static const Pins kPins = [env] {
    const V8* v8 = is_known_node(env) ? V8::find() : nullptr;
    const bool works = v8 && pins_array_buffer(env, *v8) && pins_shared_array_buffer(env, *v8);
    const bool holds = works && survives_transfer(env, *v8);
    napi_value thrown = nullptr;
    napi_get_and_clear_last_exception(env, &thrown);  // by a SharedArrayBuffer that somebody has replaced
    if (works) in_use = v8;
    return !works ? Pins::nothing : holds ? Pins::all : Pins::most;
  }();
  if (kPins != Pins::nothing && main_thread) watch_main(env);
  return kPins;
}

Pinned pin(napi_env env, Task& task, napi_value buffer) {
  const V8* v8 = in_use.load(std::memory_order_relaxed);  // constant data
  if (!v8) return Pinned::no;
  bool unshared = false;
  napi_is_arraybuffer(env, buffer, &unshared);
  auto* store = new (task.scratch(sizeof(Store))) Store();
  task.at_recycle(release, store);
  *store = unshared ? v8->of_array_buffer(buffer) : v8->of_shared_array_buffer(buffer);
  return main_lives.load(std::memory_order_relaxed) ? Pinned::for_itself : Pinned::with_wait;
}

}  // namespace offloop
