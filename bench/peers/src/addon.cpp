#include <array>

#include "peers.hpp"

NAPI_MODULE_INIT() {
  const std::array<napi_property_descriptor, 3> peers{{
      {"asyncWorker", nullptr, nullptr, nullptr, nullptr, make_async_worker(env), napi_enumerable, nullptr},
      {"asyncWork", nullptr, nullptr, nullptr, nullptr, make_async_work(env), napi_enumerable, nullptr},
      {"threadsTsfn", nullptr, nullptr, nullptr, nullptr, make_threads_tsfn(env), napi_enumerable, nullptr},
  }};
  napi_define_properties(env, exports, peers.size(), peers.data());
  return exports;
}
