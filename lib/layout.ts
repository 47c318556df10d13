/** The memory that JavaScript and the addon share: native/addon/layout.hpp says the same in C++, with a picture. */

export const RING_WORDS = 32 * 1024;
export const HEADER_WORDS = 4;
export const CELL_WORDS = 4;
/** In a record's first word: its limits stand behind the header. */
export const LIMITED = 1 << 24;
export const LIMIT_WORDS = 8;
export const LIMITS_WATCHED = 1;
export const LIMITS_TELLS_START = 2;
export const ARENA_BYTES = 256 * 1024;
export const COMPLETION_WORDS = 4;
export const FIGURES_PER_COMPLETION = 3;
export const MESSAGES_WORDS = 16 * 1024;
export const MESSAGE_APART = 128;
export const MESSAGE_WORDS_SHIFT = 8;
export const MESSAGE_SHORT_BYTES = 3072;
export const MESSAGE_LONG_WORDS = 8192;
export const MESSAGE_MOST_ITEMS = 1024;
export const ROOM_AWAITED = 1 << 24;
export const POOLS = 4096;
export const GENERATIONS = 2 ** 24;

/** Kinds of cells: plain numbers, because an enum would be looked up on the path of every task. */
export const CELL_UNDEFINED = 0;
export const CELL_NULL = 1;
export const CELL_BOOLEAN = 2;
export const CELL_NUMBER = 3;
export const CELL_BIGINT = 4;
export const CELL_TEXT = 5;
export const CELL_BYTES = 6;
export const CELL_ATTACHED_TEXT = 7;
export const CELL_ATTACHED_BYTES = 8;
export const CELL_ROOM = 9;
export const CELL_STREAM = 10;
export const CELL_QUEUE = 11;

/** Kinds of messages: offloop_kind. */
export const KIND_UNDEFINED = 0;
export const KIND_NULL = 1;
export const KIND_BOOLEAN = 2;
export const KIND_NUMBER = 3;
export const KIND_BIGINT = 4;
export const KIND_TEXT = 5;
export const KIND_BYTES = 6;
export const KIND_TUPLE = 7;

export const OUTCOME_UNDEFINED = 0;
export const OUTCOME_NULL = 1;
export const OUTCOME_FALSE = 2;
export const OUTCOME_TRUE = 3;
export const OUTCOME_NUMBER = 4;
export const OUTCOME_BIGINT = 5;
export const OUTCOME_BYTES = 6;
export const OUTCOME_OBJECT = 7;
export const OUTCOME_FAILURE = 8;
export const OUTCOME_NOTICE = 9;
export const OUTCOME_SIGNAL = 10;

export const NEWS_STARTED = 1;
export const NEWS_PROGRESS = 2;
export const NEWS_CUT = 4;
