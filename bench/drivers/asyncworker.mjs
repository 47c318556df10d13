// @ts-check
import { nativePeer } from './native-peer.mjs';

export const driver = nativePeer('asyncworker', 'node-addon-api AsyncWorker', 'asyncWorker');
