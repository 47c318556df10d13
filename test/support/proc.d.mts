/** Names of the threads, those of pools being `pool/0`, `pool/1`, … */
export function threadNames(): string[];
/** What the open descriptors are open on. */
export function openDescriptors(): string[];
/** How far this process has read or written in a file, as the system knows it; undefined if it is not open. */
export function positionIn(path: string): number | undefined;
