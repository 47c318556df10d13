/** Names of the threads, those of pools being `pool/0`, `pool/1`, … */
export function threadNames(): string[];
/** What the open descriptors are open on. */
export function openDescriptors(): string[];
