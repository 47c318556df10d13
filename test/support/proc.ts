/** What Linux tells about this process. */
import { readdirSync, readFileSync } from 'node:fs';

/** Names of the threads, those of pools being `pool/0`, `pool/1`, … */
export function threadNames(): string[] {
  return readdirSync('/proc/self/task').flatMap((id) => {
    try {
      return [readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trimEnd()];
    } catch {
      return []; // it has just ended
    }
  });
}
