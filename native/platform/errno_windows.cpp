#if defined(_WIN32)

#include "platform/errno_windows.hpp"

#include <winsock2.h>

#include <cerrno>

namespace offloop {

int errno_of(unsigned long error) noexcept {
  switch (error) {
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
      return EPERM;
    case ERROR_NOACCESS:
    case ERROR_CANT_ACCESS_FILE:
    case WSAEACCES:
      return EACCES;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_NAME:
    case ERROR_INVALID_DRIVE:
    case ERROR_BAD_PATHNAME:
    case ERROR_DIRECTORY:
    case ERROR_BAD_NETPATH:
    case ERROR_BAD_NET_NAME:
    case ERROR_NOT_READY:
    case ERROR_INVALID_REPARSE_DATA:
    case ERROR_NOT_FOUND:
      return ENOENT;
    case ERROR_INVALID_FUNCTION:  // what reading a directory ends with
      return EISDIR;
    case ERROR_ALREADY_EXISTS:
    case ERROR_FILE_EXISTS:
      return EEXIST;
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case ERROR_PIPE_BUSY:
      return EBUSY;
    case ERROR_INVALID_HANDLE:
    case ERROR_INVALID_FLAGS:
    case WSAEBADF:
      return EBADF;
    case ERROR_FILENAME_EXCED_RANGE:
    case WSAENAMETOOLONG:
      return ENAMETOOLONG;
    case ERROR_CANT_RESOLVE_FILENAME:
    case WSAELOOP:
      return ELOOP;
    case ERROR_DIR_NOT_EMPTY:
      return ENOTEMPTY;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
    case ERROR_EA_TABLE_FULL:
    case ERROR_END_OF_MEDIA:
      return ENOSPC;
    case ERROR_WRITE_PROTECT:
      return EROFS;
    case ERROR_NOT_SAME_DEVICE:
      return EXDEV;
    case ERROR_BAD_PIPE:
    case ERROR_NO_DATA:
    case ERROR_BROKEN_PIPE:
    case ERROR_PIPE_NOT_CONNECTED:
      return EPIPE;
    case ERROR_TOO_MANY_OPEN_FILES:
    case WSAEMFILE:
      return EMFILE;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_COMMITMENT_LIMIT:
      return ENOMEM;
    case ERROR_MAX_THRDS_REACHED:
    case ERROR_NO_PROC_SLOTS:
      return EAGAIN;
    case ERROR_INVALID_PARAMETER:
    case ERROR_BAD_ARGUMENTS:
    case WSAEINVAL:
      return EINVAL;
    case ERROR_NOT_SUPPORTED:
    case WSAEOPNOTSUPP:
      return ENOTSUP;
    case ERROR_CALL_NOT_IMPLEMENTED:
      return ENOSYS;
    case ERROR_OPERATION_ABORTED:
    case WSAEINTR:
      return ECANCELED;
    case WSAENOTSOCK:
      return ENOTSOCK;
    case WSAENOBUFS:
      return ENOBUFS;
    case ERROR_SEM_TIMEOUT:
    case WSAEADDRINUSE:
      return EADDRINUSE;
    case WSAEADDRNOTAVAIL:
      return EADDRNOTAVAIL;
    case WSAEAFNOSUPPORT:
      return EAFNOSUPPORT;
    case WSAECONNABORTED:
      return ECONNABORTED;
    case WSAECONNREFUSED:
      return ECONNREFUSED;
    case WSAECONNRESET:
      return ECONNRESET;
    case WSAEHOSTUNREACH:
      return EHOSTUNREACH;
    case WSAENETDOWN:
      return ENETDOWN;
    case WSAENETUNREACH:
      return ENETUNREACH;
    case WSAENOTCONN:
      return ENOTCONN;
    case WSAESHUTDOWN:
      return EPIPE;
    case WSAETIMEDOUT:
      return ETIMEDOUT;
    default:
      return EIO;
  }
}

int last_errno() noexcept { return errno_of(GetLastError()); }

}  // namespace offloop

#endif
