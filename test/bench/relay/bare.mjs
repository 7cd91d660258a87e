// @ts-check
/**
 * The baseline: route and forward on `ws` as anybody would write it, without tokens, checks or limits. Whoever connects
 * says who it is; JSON is parsed, `from` is set, JSON is made, one socket gets it.
 */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/** @type {Map<string, Map<string, import('ws').WebSocket>>} */
const rooms = new Map();
const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket, request) => {
  const id = new URL(request.url ?? '', 'http://x').searchParams.get('id') ?? '';
  socket.on('message', (bytes) => {
    const { type, room, data } = JSON.parse(/** @type {Buffer} */ (bytes).toString());
    if (type === 'chat.join') {
      const members = rooms.get(room) ?? new Map();
      rooms.set(room, members.set(id, socket));
      const users = [...members.keys()];
      for (const member of members.values())
        member.send(JSON.stringify({ type: 'room.users', room, data: { users } }));
    } else
      rooms
        .get(room)
        ?.get(data.to)
        ?.send(JSON.stringify({ type, room, data, from: id }));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address && typeof address === 'object') console.log(`listening on http://127.0.0.1:${address.port}`);
});
