// Keeps the memory of an ArrayBuffer where it is while a task reads it, whoever owns the bytes meanwhile.
//
// A transfer (structuredClone, postMessage, ArrayBuffer.prototype.transfer), WebAssembly.Memory.grow and the end of a
// worker_thread free memory once its last owner lets go. V8 counts the owners by std::shared_ptr<v8::BackingStore>: one
// more of these is a pin. Node-API has no call for it, so v8::ArrayBuffer::GetBackingStore and its twin are looked up in
// the host by their mangled names and called as plain functions. That rests on three things:
//
//   - The Itanium C++ ABI, which calls a member as a function that takes `this` first, and gives a class that is not
//     trivial back through a hidden pointer. Windows has another one, and so none of the names.
//   - A napi_value being that `this`: Node-API makes one by reinterpret_cast from what v8::Local::operator* gives, in
//     Node 20 to 26 and with V8's direct handles too.
//   - The host's std::shared_ptr being ours: the mangled name of v8::ArrayBuffer::New, which takes one, says whose it is.
//     Hosts that bring a standard library of their own, as Electron does, lack the name; so does Bun, which exports one
//     of the two functions and is no V8; Deno exports none.
//
// None of it is promised by anybody, so it is done for versions of Node that it was tried with, and tried again at the
// start of each process. Where anything is amiss nothing is pinned, and JavaScript copies instead.
//
// What a pin does not do: keep anybody from writing; keep the pages of what can be resized; keep memory that another addon
// handed to Node with a finalizer, which Node calls when the environment ends, whoever reads. lib/memory.ts sees to these.
//
// Who gives a store back calls the allocator it came from. That of the main thread dies with its environment, a moment
// before the process does, and stores made by it may be anywhere; so from then on pins are kept for good.
#pragma once

#include <napi.h>

#include "core/task.hpp"

namespace offloop {

/// Which memory a pin keeps in this process.
enum class Pins {
  nothing,
  most,  // but `transfer(newLength)` frees what V8's allocator made: V8 11.8 and 12.4 reallocate it (Node 21 and 22)
  all,
};

/// Finds out when it is first asked. To be asked in every environment: that of the main thread is watched from then on.
/// Thread: the loop's.
Pins try_pins(napi_env env, bool main_thread) noexcept;

/// What pin() did.
enum class Pinned {
  no,          // the memory is valid while JavaScript holds the buffer, and nobody detaches it
  with_wait,   // until the task is recycled, which must be before the environment ends
  for_itself,  // until the task is recycled, whenever that is
};

/// Pins the memory of an ArrayBuffer or SharedArrayBuffer that is not detached until the task is recycled.
/// Throws std::bad_alloc. Thread: the loop's.
Pinned pin(napi_env env, Task& task, napi_value buffer);

}  // namespace offloop
