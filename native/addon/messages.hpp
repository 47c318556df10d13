// What messages keep apart, between JavaScript's hands and memory of our own. Thread: the loop's.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>

namespace offloop {

/// Messages that stand one behind the other.
struct Batch {
  size_t words;
  uint32_t count;
};

/// Copies what the cells of these messages refer to, by its index in `attachments`; undefined: to nothing. False: no memory;
/// then the batch ends before the first message of which not all is there.
bool copy_attachments(napi_env env, uint32_t* messages, Batch& batch, napi_value attachments) noexcept;

/// Appends what `count` messages keep apart to the array `objects`, as values of JavaScript; their cells then have its
/// index. Nothing is left to be freed. What cannot be made, like a string that is too long, is undefined there.
void make_objects(napi_env env, uint32_t* messages, uint32_t count, napi_value objects) noexcept;

}  // namespace offloop
