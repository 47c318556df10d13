// @ts-check
import { existsSync } from 'node:fs';
import { cases } from './cases/index.mjs';
import { driversByName } from './drivers/index.mjs';
import { peersAddon } from './drivers/native-peer.mjs';

const quickDrivers = new Set([
  'offloop-low',
  'offloop-balanced',
  'offloop-eco',
  'offloop-two-pools',
  'asyncworker',
  'node-pool',
  'promise-floor',
  'offloop-queue',
  'message-port',
  'async-iterator',
]);

/**
 * The cases to run, each with its drivers.
 * @param {{ quick: boolean, only?: RegExp, drivers?: RegExp }} options
 * @returns {{ measured: import('./types.d.ts').Case, drivers: import('./types.d.ts').Driver[] }[]}
 */
export function plan({ quick, only, drivers }) {
  const isWanted = (name) => (drivers ? drivers.test(name) : !quick || quickDrivers.has(name));
  return cases
    .filter((measured) => (only ? only.test(measured.name) : !quick || measured.quick))
    .map((measured) => ({
      measured,
      drivers: measured.drivers.filter(isWanted).map((name) => driversByName.get(name)),
    }))
    .filter((entry) => entry.drivers.length > 0);
}

/**
 * Every sample of one round. Each round starts at another driver, so that none always follows the same neighbour.
 * @param {ReturnType<typeof plan>} planned
 * @param {number} round
 */
export function* samplesOfRound(planned, round) {
  for (const { measured, drivers } of planned) {
    const first = round % drivers.length;
    for (const driver of [...drivers.slice(first), ...drivers.slice(0, first)]) yield { measured, driver };
  }
}

/**
 * Why a driver cannot be measured here, if so.
 * @param {import('./types.d.ts').Driver} driver
 * @returns {string | undefined}
 */
export function missingPart(driver) {
  if (driver.group === 'native' && !existsSync(peersAddon)) return 'bench/peers is not built';
  if (driver.needs === undefined) return undefined;
  try {
    import.meta.resolve(driver.needs);
    return undefined;
  } catch {
    return `${driver.needs} is not installed`;
  }
}
