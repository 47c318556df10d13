#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "ops/bodies.hpp"
#include "ops/output.hpp"
#include "ops/pieces.hpp"
#include "ops/steps.hpp"
#include "platform/file.hpp"

namespace offloop::ops {
namespace {

/// What one system call moves before the stop flag is looked at again: a tenth of a millisecond, or as long as the disk takes.
constexpr size_t kPiece = size_t{256} << 10;
/// First room for what does not tell its size: pipes, devices, /proc.
constexpr size_t kUnknown = size_t{64} << 10;

/// The first argument as the system wants it. JavaScript let no path through with a NUL inside.
const char* path_of(Call& call) {
  const auto path = call.bytes(0);
  uint8_t* copy = call.scratch(path.size() + 1);
  std::copy(path.begin(), path.end(), copy);
  copy[path.size()] = 0;
  return reinterpret_cast<const char*>(copy);
}

/// A file that is read piece by piece.
class FileSource final : public Stage {
 public:
  Status open(Call& call) {
    if (int error = file_.open(path_of(call), File::Use::read)) return call.fails_in_system("open", error);
    return OFFLOOP_OK;
  }

  Status step(Call& call, Flow& flow) override {
    const auto room = flow.room.first(std::min(flow.room.size(), kPiece));
    if (int error = file_.read(room.data(), room.size(), flow.given)) return call.fails_in_system("read", error);
    flow.ended = flow.given == 0;
    return OFFLOOP_OK;
  }

 private:
  File file_;
};

/// A file that is written piece by piece.
class FileSink final : public Stage {
 public:
  Status open(Call& call) {
    if (int error = file_.open(path_of(call), File::Use::replace)) return call.fails_in_system("open", error);
    return OFFLOOP_OK;
  }

  Status step(Call& call, Flow& flow) override {
    while (!flow.rest().empty()) {
      if (call.stopped()) return call.cancelled();
      size_t done = 0;
      const auto piece = flow.rest().first(std::min(flow.rest().size(), kPiece));
      if (int error = file_.write(piece.data(), piece.size(), done)) return call.fails_in_system("write", error);
      flow.taken += done;
      if (call.turn_is_over()) return OFFLOOP_OK;
    }
    if (!flow.last) return OFFLOOP_OK;
    // Some file systems tell only now that the bytes did not fit.
    if (int error = file_.close()) return call.fails_in_system("close", error);
    flow.ended = true;
    return OFFLOOP_OK;
  }

 private:
  File file_;
};

template <class FileStage>
Status file_step(Call& call, std::span<const uint8_t> input) {
  return take_step(call, input, [&](std::unique_ptr<Stage>& stage) {
    auto opened = std::make_unique<FileStage>();
    if (Status refused = opened->open(call)) return refused;
    stage = std::move(opened);
    return OFFLOOP_OK;
  });
}

}  // namespace

Status read_file(Call& call) {
  File file;
  if (int error = file.open(path_of(call), File::Use::read)) return call.fails_in_system("open", error);
  uint64_t known = 0;
  if (int error = file.size(known)) return call.fails_in_system("fstat", error);

  if (!std::in_range<size_t>(known)) throw std::bad_alloc();
  Output output(call, known > 0 ? static_cast<size_t>(known) : kUnknown);
  const double total = known > 0 ? static_cast<double>(known) : std::numeric_limits<double>::quiet_NaN();
  Pace pace;
  size_t used = 0;
  for (;;) {
    if (call.stopped()) return call.cancelled();
    if (known > 0 && used == output.capacity()) break;
    if (!output.makes_room(used, 1)) continue;
    size_t done = 0;
    const size_t room = std::min(output.capacity() - used, kPiece);
    if (int error = file.read(output.data() + used, room, done)) return call.fails_in_system("read", error);
    if (done == 0) break;
    used += done;
    pace.tell(call, static_cast<double>(used), total);
  }
  call.progress(static_cast<double>(used), static_cast<double>(used));
  return output.returns(call, used);
}

Status write_file(Call& call) {
  File file;
  if (int error = file.open(path_of(call), File::Use::replace)) return call.fails_in_system("open", error);
  const auto contents = call.bytes(1);
  const auto total = static_cast<double>(contents.size());
  Pace pace;
  for (auto rest = contents; !rest.empty();) {
    if (call.stopped()) return call.cancelled();
    size_t done = 0;
    if (int error = file.write(rest.data(), std::min(rest.size(), kPiece), done)) {
      return call.fails_in_system("write", error);
    }
    rest = rest.subspan(done);
    pace.tell(call, total - static_cast<double>(rest.size()), total);
  }
  // Some file systems tell only now that the bytes did not fit.
  if (int error = file.close()) return call.fails_in_system("close", error);
  call.progress(total, total);
  return call.returns();
}

Status read_file_step(Call& call) { return file_step<FileSource>(call, {}); }
Status write_file_step(Call& call) { return file_step<FileSink>(call, call.bytes(1)); }

Status stat(Call& call) {
  FileStatus s;
  if (int error = file_status(path_of(call), s)) return call.fails_in_system("stat", error);
  const double fields[] = {
      s.device,
      s.mode,
      s.links,
      s.user,
      s.group,
      s.special_device,
      s.block_size,
      s.serial,
      s.size,
      s.blocks,
      s.accessed.seconds,
      s.accessed.nanoseconds,
      s.modified.seconds,
      s.modified.nanoseconds,
      s.changed.seconds,
      s.changed.nanoseconds,
      s.born.seconds,
      s.born.nanoseconds,
  };
  auto* items = reinterpret_cast<Value*>(call.scratch(sizeof(Value) * std::size(fields)));
  std::transform(std::begin(fields), std::end(fields), items, [](double field) { return Value::of(field); });
  return call.returns(Value::tuple(items, std::size(fields)));
}

Status exists(Call& call) { return call.returns(Value::of(file_exists(path_of(call)))); }

Status unlink(Call& call) {
  if (int error = remove_file(path_of(call))) return call.fails_in_system("unlink", error);
  return call.returns();
}

}  // namespace offloop::ops
