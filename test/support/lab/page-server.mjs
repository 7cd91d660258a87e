// @ts-check
/**
 * Pages for browsers in a namespace, from inside it: `node page-server.mjs ADDRESS PORT`, with an IPC channel. It
 * gets `{cert, key}` first, answers once it listens, then gets `{path, html}`. HTTPS, since browsers give cameras to
 * nothing else.
 */
import { createServer } from 'node:https';

const [, , address, port] = process.argv;
/** @type {Map<string, string>} */
const pages = new Map();

process.on('disconnect', () => process.exit());
process.once('message', (/** @type {{cert: string, key: string}} */ pair) => {
  const server = createServer(pair, (request, response) => {
    const page = pages.get((request.url ?? '/').split('?')[0] ?? '/');
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(page ?? 'no such page');
  });
  process.on('message', (/** @type {{path: string, html: string}} */ { path, html }) =>
    pages.set(path, html),
  );
  server.listen(Number(port), address, () => process.send?.('listening'));
});
