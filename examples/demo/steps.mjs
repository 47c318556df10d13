// @ts-check
import { crunch } from './crunch.mjs';
import { idle } from './heartbeat.mjs';
import { isolation } from './isolation.mjs';
import { survey } from './survey.mjs';

/** What a child can be asked to do, by name. */
export const steps = { crunch, idle, isolation, survey };
