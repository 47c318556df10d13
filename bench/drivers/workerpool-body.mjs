// @ts-check
import workerpool from 'workerpool';
import * as body from './worker-body.mjs';

workerpool.worker({ ...body });
