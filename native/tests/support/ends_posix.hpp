// Things to watch on POSIX systems.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <set>

#include "platform/descriptor.hpp"

namespace offloop::testing {

/// Two connected descriptors, neither of which blocks.
class Ends {
 public:
  Ends(const Ends&) = delete;
  ~Ends() {
    close_end(0);
    close_end(1);
  }
  Descriptor operator[](int end) const { return ends_[end]; }
  void close_end(int end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }
  void send(int end) { EXPECT_EQ(write(ends_[end], "x", 1), 1); }
  void receive(int end) {
    char byte;
    EXPECT_EQ(read(ends_[end], &byte, 1), 1);
  }
  void fill(int end) {
    const std::array<char, 4096> bytes{};
    while (write(ends_[end], bytes.data(), bytes.size()) > 0) {
    }
    while (write(ends_[end], bytes.data(), 1) > 0) {
    }
  }
  /// Whether the other end has closed, and all has been received.
  bool at_end(int end) {
    char byte;
    return read(ends_[end], &byte, 1) == 0;
  }
  void drain(int end) {
    std::array<char, 4096> bytes;
    while (read(ends_[end], bytes.data(), bytes.size()) > 0) {
    }
  }

 protected:
  Ends() = default;
  void never_block() {
    for (Descriptor end : ends_) EXPECT_EQ(fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK), 0);
  }

  Descriptor ends_[2] = {-1, -1};
};

/// Readable and writable at both ends.
struct Sockets : Ends {
  Sockets() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
    never_block();
  }
};

/// Another number for the same, beyond the usual ones.
class FarAway {
 public:
  explicit FarAway(Descriptor fd) : number_(fcntl(fd, F_DUPFD_CLOEXEC, 900)) { EXPECT_GE(number_, 900); }
  ~FarAway() { close(number_); }
  FarAway(const FarAway&) = delete;
  operator Descriptor() const { return number_; }

 private:
  const Descriptor number_;
};

/// From end 1 to end 0.
struct OneWay : Ends {
  OneWay() {
    EXPECT_EQ(pipe(ends_), 0);
    never_block();
  }
};

/// The same, of which reads wait.
struct WaitingPipe : Ends {
  WaitingPipe() { EXPECT_EQ(pipe(ends_), 0); }
};

/// What the host calls it.
inline int number_of(Descriptor fd) { return fd; }

inline constexpr const char* kProgram = "/bin/sh";

/// Opened to be read.
inline Descriptor open_path(const char* path) { return ::open(path, O_RDONLY | O_CLOEXEC); }
inline void close_path(Descriptor fd) { ::close(fd); }

inline bool children_inherit(Descriptor fd) { return !(fcntl(fd, F_GETFD) & FD_CLOEXEC); }

inline std::set<Descriptor> open_descriptors() {
  std::set<Descriptor> open;
  for (Descriptor fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) open.insert(fd);
  }
  return open;
}

/// Lets the process open so many.
inline void allow_descriptors(rlim_t count) {
  rlimit allowed;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &allowed), 0);
  if (allowed.rlim_cur >= count) return;
  allowed.rlim_cur = count;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &allowed), 0) << "of " << allowed.rlim_max;
}

}  // namespace offloop::testing
