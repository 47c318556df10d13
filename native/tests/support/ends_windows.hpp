// Things to watch on Windows: loopback connections, and pipes that are opened for overlapped calls.
#pragma once

#include <gtest/gtest.h>
#include <winsock2.h>
//
#include <windows.h>
#include <ws2tcpip.h>

#include <array>
#include <set>
#include <string>

#include "platform/descriptor.hpp"
#include "platform/winsock_windows.hpp"

namespace offloop::testing {

inline HANDLE handle_of(Descriptor fd) { return reinterpret_cast<HANDLE>(fd); }

/// Two ends of one connection, neither of which blocks: readable and writable at both.
class Sockets {
 public:
  Sockets() {
    EXPECT_EQ(start_sockets(), 0);
    const SOCKET listener = make();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener, any, size), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    EXPECT_EQ(getsockname(listener, any, &size), 0);
    ends_[0] = make();
    EXPECT_EQ(connect(ends_[0], any, size), 0);
    ends_[1] = accept(listener, nullptr, nullptr);
    EXPECT_NE(ends_[1], INVALID_SOCKET);
    closesocket(listener);
    for (SOCKET end : ends_) {
      u_long yes = 1;
      ioctlsocket(end, FIONBIO, &yes);
      setsockopt(end, IPPROTO_TCP, TCP_NODELAY, reinterpret_cast<const char*>(&yes), sizeof yes);
    }
  }
  Sockets(const Sockets&) = delete;
  ~Sockets() {
    close_end(0);
    close_end(1);
  }
  Descriptor operator[](int end) const { return ends_[end]; }
  void close_end(int end) {
    if (ends_[end] != INVALID_SOCKET) closesocket(ends_[end]);
    ends_[end] = INVALID_SOCKET;
  }
  void send(int end) {
    EXPECT_EQ(::send(ends_[end], "x", 1, 0), 1);
    settle();
  }
  void receive(int end) {
    char byte;
    EXPECT_EQ(recv(ends_[end], &byte, 1, 0), 1);
  }
  /// The network takes its time: what has been sent is on its way for a while.
  void fill(int end) {
    const std::array<char, 65536> bytes{};
    for (int refused = 0; refused < 20; ++refused) {
      while (::send(ends_[end], bytes.data(), bytes.size(), 0) > 0) refused = 0;
      settle();
    }
  }
  void drain(int end) {
    std::array<char, 65536> bytes;
    for (int refused = 0; refused < 20; ++refused) {
      while (recv(ends_[end], bytes.data(), bytes.size(), 0) > 0) refused = 0;
      settle();
    }
  }
  bool at_end(int end) {
    char byte;
    return recv(ends_[end], &byte, 1, 0) == 0;
  }

 private:
  /// Children do not inherit it.
  static SOCKET make() {
    const SOCKET made =
        WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    EXPECT_NE(made, INVALID_SOCKET);
    return made;
  }
  static void settle() { Sleep(1); }

  SOCKET ends_[2] = {INVALID_SOCKET, INVALID_SOCKET};
};

/// The same number: here it says nothing.
using FarAway = Descriptor;

/// From end 1 to end 0.
class PipeEnds {
 public:
  PipeEnds(const PipeEnds&) = delete;
  ~PipeEnds() {
    close_end(0);
    close_end(1);
  }
  Descriptor operator[](int end) const { return reinterpret_cast<Descriptor>(ends_[end]); }
  void close_end(int end) {
    if (ends_[end] != INVALID_HANDLE_VALUE) CloseHandle(ends_[end]);
    ends_[end] = INVALID_HANDLE_VALUE;
  }
  void send(int end) {
    DWORD count = 0;
    EXPECT_TRUE(WriteFile(ends_[end], "x", 1, &count, nullptr));
  }

 protected:
  PipeEnds() = default;

  HANDLE ends_[2] = {INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE};
};

/// End 0 is for overlapped calls.
class OneWay : public PipeEnds {
 public:
  OneWay() {
    static int count = 0;
    const std::wstring name =
        L"\\\\.\\pipe\\offloop-test-" + std::to_wstring(GetCurrentProcessId()) + L"-" + std::to_wstring(++count);
    ends_[0] = CreateNamedPipeW(name.c_str(), PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE, 1, 65536,
                                65536, 0, nullptr);
    ends_[1] = CreateFileW(name.c_str(), GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
    for (HANDLE end : ends_) EXPECT_NE(end, INVALID_HANDLE_VALUE);
  }
  void receive(int end) {
    char byte;
    DWORD count = 0;
    OVERLAPPED overlapped{};
    // With the lowest bit of the event set there is no completion.
    const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    overlapped.hEvent = reinterpret_cast<HANDLE>(reinterpret_cast<uintptr_t>(event) | 1);
    ReadFile(ends_[end], &byte, 1, nullptr, &overlapped);
    EXPECT_TRUE(GetOverlappedResult(ends_[end], &overlapped, &count, TRUE));
    EXPECT_EQ(count, 1u);
    CloseHandle(event);
  }
  void fill(int) { FAIL() << "who writes to a pipe cannot be told when there is room"; }
};

/// Reads of it wait.
struct WaitingPipe : PipeEnds {
  WaitingPipe() { EXPECT_TRUE(CreatePipe(&ends_[0], &ends_[1], nullptr, 65536)); }
};

/// What the host calls it: there is none to ask, but the first descriptor is the standard input.
inline int number_of(Descriptor fd) {
  EXPECT_TRUE(SetStdHandle(STD_INPUT_HANDLE, handle_of(fd)));
  return 0;
}

inline constexpr const char* kProgram = "C:\\windows\\system32\\kernel32.dll";

/// Opened to be read.
inline Descriptor open_path(const char* path) {
  return reinterpret_cast<Descriptor>(CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                                                  OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
}
inline void close_path(Descriptor fd) { CloseHandle(handle_of(fd)); }

inline bool children_inherit(Descriptor fd) {
  DWORD flags = 0;
  return GetHandleInformation(handle_of(fd), &flags) && (flags & HANDLE_FLAG_INHERIT);
}

inline std::set<Descriptor> open_descriptors() {
  std::set<Descriptor> open;
  for (Descriptor fd = 4; fd < 16384; fd += 4) {
    DWORD flags = 0;
    if (GetHandleInformation(handle_of(fd), &flags)) open.insert(fd);
  }
  return open;
}

/// There is no limit to speak of.
inline void allow_descriptors(size_t) {}

}  // namespace offloop::testing
