/** The memory that JavaScript and the addon share: native/addon/layout.hpp says the same in C++, with a picture. */

export const RING_WORDS = 32 * 1024;
export const HEADER_WORDS = 4;
export const CELL_WORDS = 4;
export const ARENA_BYTES = 256 * 1024;
export const COMPLETION_WORDS = 4;
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

export const OUTCOME_UNDEFINED = 0;
export const OUTCOME_NULL = 1;
export const OUTCOME_FALSE = 2;
export const OUTCOME_TRUE = 3;
export const OUTCOME_NUMBER = 4;
export const OUTCOME_BIGINT = 5;
export const OUTCOME_BYTES = 6;
export const OUTCOME_OBJECT = 7;
export const OUTCOME_FAILURE = 8;
