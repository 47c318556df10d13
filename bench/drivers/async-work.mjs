// @ts-check
import { nativePeer } from './native-peer.mjs';

export const driver = nativePeer('async-work', 'raw napi_async_work', 'asyncWork');
