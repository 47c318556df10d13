// @ts-check
import { nativePeer } from './native-peer.mjs';

export const driver = nativePeer('threads-tsfn', 'own threads + ThreadSafeFunction', 'threadsTsfn');
