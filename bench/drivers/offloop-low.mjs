// @ts-check
import { offloopDriver } from './offloop.mjs';

export const driver = offloopDriver('low');
