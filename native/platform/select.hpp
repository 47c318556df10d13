// The only place that chooses a mechanism by platform.
#pragma once

// OFFLOOP_PORTABLE forces poll and a pipe, so that the fallback is built and tested where better exists.
#if defined(__linux__) && !defined(OFFLOOP_PORTABLE)
#include "platform/poller_epoll.hpp"
#include "platform/wake_eventfd.hpp"
namespace offloop {
using Poller = EpollPoller;
using WakeHandle = EventfdWake;
}  // namespace offloop
#elif (defined(__APPLE__) || defined(__FreeBSD__)) && !defined(OFFLOOP_PORTABLE)
#include "platform/poller_kqueue.hpp"
#include "platform/wake_kqueue.hpp"
namespace offloop {
using Poller = KqueuePoller;
using WakeHandle = KqueueWake;
}  // namespace offloop
#elif defined(_WIN32)
#include "platform/poller_iocp.hpp"
#include "platform/wake_iocp.hpp"
namespace offloop {
using Poller = IocpPoller;
using WakeHandle = IocpWake;
}  // namespace offloop
#else
#include "platform/poller_poll.hpp"
#include "platform/wake_pipe.hpp"
namespace offloop {
using Poller = PollPoller;
using WakeHandle = PipeWake<PollPoller>;
}  // namespace offloop
#endif
