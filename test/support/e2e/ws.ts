/** The relay's own WebSocket library: the repository's root holds an older one that a tool brings along. */
import { createRequire } from 'node:module';
import type * as Library from '../../../demo-server/node_modules/@types/ws/index.d.ts';

const relay = createRequire(new URL('../../../demo-server/package.json', import.meta.url));

export const { WebSocket, WebSocketServer } = relay('ws') as typeof Library;
export type WebSocket = Library.WebSocket;
export type WebSocketServer = Library.WebSocketServer;
export type RawData = Library.RawData;
