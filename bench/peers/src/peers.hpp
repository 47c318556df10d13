#pragma once

#include <node_api.h>

// Each makes an object { noop(), copy(bytes), sha256(bytes) } whose methods return promises.

napi_value make_async_worker(napi_env env);
napi_value make_async_work(napi_env env);
napi_value make_threads_tsfn(napi_env env);
