/* The vocabulary that native code and JavaScript share, in C so that any language can include it. */
#ifndef OFFLOOP_TASK_H
#define OFFLOOP_TASK_H

/* Every way a task can end, in one list: name and what it means.
 * JavaScript turns a name X into the error code ERR_OFFLOOP_X. */
#define OFFLOOP_STATUSES(X)                                     \
  X(OK, "the task returned a result")                           \
  X(QUEUE_FULL, "refused: the pool's capacity is used up")      \
  X(DROPPED, "given up: the pool's capacity is used up")        \
  X(DEADLINE, "not begun before its deadline")                  \
  X(TIMEOUT, "stopped: it ran longer than its timeout")         \
  X(BUDGET, "stopped: its budget of processor time is used up") \
  X(CANCELLED, "stopped before it had a result")                \
  X(CLOSED, "refused: the pool is closed")                      \
  X(TASK_FAILED, "the task ran and failed")                     \
  X(NO_MEMORY, "an allocation was refused")                     \
  X(SYSTEM, "the operating system refused a call")              \
  X(UNSUPPORTED, "this runtime or system cannot do it")         \
  X(DETACHED, "an input's ArrayBuffer was detached before the task settled")

typedef enum offloop_status {
#define OFFLOOP_STATUS_NAME(name, meaning) OFFLOOP_##name,
  OFFLOOP_STATUSES(OFFLOOP_STATUS_NAME)
#undef OFFLOOP_STATUS_NAME
      OFFLOOP_STATUS_COUNT
} offloop_status;

/* What an argument or a result is. */
typedef enum offloop_kind {
  OFFLOOP_UNDEFINED,
  OFFLOOP_NULL,
  OFFLOOP_BOOLEAN,
  OFFLOOP_NUMBER,
  OFFLOOP_BIGINT,
  OFFLOOP_TEXT,
  OFFLOOP_BYTES,
  OFFLOOP_TUPLE,
  OFFLOOP_QUEUE
} offloop_kind;

#endif
