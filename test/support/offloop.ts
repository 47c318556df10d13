/** Copies of offloop, each with rings of its own. */
import { vi } from 'vitest';

export const doorbells = ['loop', 'threadsafe'] as const;
export type Doorbell = (typeof doorbells)[number];

export type Offloop = typeof import('../../lib/index.js') &
  typeof import('../../lib/ops.js') &
  typeof import('../../lib/primitives.js');

/** Loads a copy that is rung by this doorbell. */
export async function loadOffloop(doorbell: Doorbell): Promise<Offloop> {
  vi.resetModules();
  vi.stubEnv('OFFLOOP_DOORBELL', doorbell);
  try {
    return {
      ...(await import('../../lib/index.js')),
      ...(await import('../../lib/ops.js')),
      ...(await import('../../lib/primitives.js')),
    };
  } finally {
    vi.unstubAllEnvs();
  }
}
