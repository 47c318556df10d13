#if defined(_WIN32)

#include "platform/afd_windows.hpp"

#include <winsock2.h>
//
#include <mswsock.h>
#include <winternl.h>

#include <cerrno>
#include <iterator>

#include "platform/errno_windows.hpp"

namespace offloop {
namespace {

constexpr ULONG kPoll = 0x00012024;  // IOCTL_AFD_POLL
constexpr NTSTATUS kPending = 0x103;

int errno_of_status(NTSTATUS status) noexcept { return errno_of(RtlNtStatusToDosError(status)); }

}  // namespace

static_assert(sizeof(AfdPoll) == 16 + sizeof(HANDLE) + 8, "the request as the driver knows it");

Afd::~Afd() {
  if (device_) CloseHandle(device_);
}

int Afd::open(void* port, uintptr_t key) noexcept {
  static constexpr wchar_t kName[] = L"\\Device\\Afd\\Offloop";
  UNICODE_STRING name{sizeof kName - sizeof *kName, sizeof kName, const_cast<wchar_t*>(kName)};
  OBJECT_ATTRIBUTES attributes{};
  attributes.Length = sizeof attributes;
  attributes.ObjectName = &name;
  IO_STATUS_BLOCK done;
  const NTSTATUS status = NtCreateFile(&device_, SYNCHRONIZE, &attributes, &done, nullptr, 0,
                                       FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, nullptr, 0);
  if (status < 0) {
    device_ = nullptr;
    return errno_of_status(status);
  }
  if (!CreateIoCompletionPort(device_, port, key, 0)) return last_errno();
  return SetFileCompletionNotificationModes(device_, FILE_SKIP_SET_EVENT_ON_HANDLE) ? 0 : last_errno();
}

int Afd::ask(void* socket, uint32_t events, AfdPoll& poll, void* overlapped) noexcept {
  poll = {INT64_MAX, 1, FALSE, socket, events, 0};
  // The first two fields of an OVERLAPPED are an IO_STATUS_BLOCK.
  auto* done = static_cast<IO_STATUS_BLOCK*>(overlapped);
  done->Status = kPending;
  const NTSTATUS status =
      NtDeviceIoControlFile(device_, nullptr, nullptr, overlapped, done, kPoll, &poll, sizeof poll, &poll, sizeof poll);
  return status < 0 ? errno_of_status(status) : 0;
}

void Afd::cancel(void* overlapped) noexcept { CancelIoEx(device_, static_cast<OVERLAPPED*>(overlapped)); }

void* Afd::base_of(uintptr_t socket) noexcept {
  // Asked first, because the next call believes whatever handle it gets (wine).
  int type = 0;
  int type_size = sizeof type;
  if (getsockopt(socket, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &type_size) != 0) return nullptr;
  SOCKET base = INVALID_SOCKET;
  DWORD size = 0;
  const int failed = WSAIoctl(socket, SIO_BASE_HANDLE, nullptr, 0, &base, sizeof base, &size, nullptr, nullptr);
  return failed ? nullptr : reinterpret_cast<void*>(base);
}

}  // namespace offloop

#endif
