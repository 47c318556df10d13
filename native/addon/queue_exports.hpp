// What JavaScript does with queues.
#pragma once

#include <napi.h>

namespace offloop {

/// queues() -> the memory and the functions that lib/native.ts declares as Queues. Its data is the Environment.
Napi::Value queues(const Napi::CallbackInfo& info);

}  // namespace offloop
