#include "ops/zlib.hpp"

#include "ops/host_table.hpp"

namespace offloop::ops {
namespace {

struct Found {
  Zlib table;
  bool complete;
};

Found find() noexcept {
  Found found{};
  Zlib& t = found.table;
  found.complete = find_in_host(t.version, "zlibVersion") && find_in_host(t.begin_deflate, "deflateInit2_") &&
                   find_in_host(t.deflate_bound, "deflateBound") && find_in_host(t.deflate, "deflate") &&
                   find_in_host(t.end_deflate, "deflateEnd") && find_in_host(t.begin_inflate, "inflateInit2_") &&
                   find_in_host(t.inflate, "inflate") && find_in_host(t.reset_inflate, "inflateReset") &&
                   find_in_host(t.end_inflate, "inflateEnd");
  return found;
}

}  // namespace

const Zlib* Zlib::of_host() noexcept {
  static const Found found = find();
  return found.complete ? &found.table : nullptr;
}

}  // namespace offloop::ops
