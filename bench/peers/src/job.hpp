#pragma once

#include <node_api.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "bodies.hpp"

enum class Kind : std::uint8_t { noop, copy, sha256 };

/// One task of the two raw Node-API peers, from the call to the settled promise.
struct Job {
  Kind kind = Kind::noop;
  napi_deferred deferred = nullptr;
  std::array<std::uint8_t, kSmallInput> small{};
  const std::uint8_t* borrowed = nullptr;
  std::size_t borrowed_size = 0;
  napi_ref pinned_input = nullptr;
  std::array<std::uint8_t, kOutput> output{};
};

/// Reads the arguments for `job->kind`. Thread: loop. Errors: false with a JavaScript exception pending.
bool read_input(napi_env env, napi_callback_info info, Job* job);

/// Thread: worker.
void run_body(Job* job) noexcept;

/// Resolves the promise and lets go of the input. Thread: loop.
void resolve(napi_env env, Job* job);
