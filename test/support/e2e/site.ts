/** A small static site on a port of its own: the pages of others, that embed a room by the two lines of HTML. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTML document around `body`, with an icon so that no browser asks for one. */
export function document(body: string, head = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>A page of somebody else</title><link rel="icon" href="data:,">
<style>body { margin: 0 } pm-room { display: block; height: 90vh }</style>
${head}
</head>
<body>
${body}
</body>
</html>`;
}

export interface Pages {
  /** Serves `html` and says where. */
  add(html: string): string;
  close(): Promise<void>;
}

export class Site implements Pages {
  private readonly pages = new Map<string, string>();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      const page = this.pages.get((request.url ?? '/').split('?')[0] ?? '/');
      response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(page ?? 'no such page');
    });
  }

  static async start(): Promise<Site> {
    const site = new Site();
    await new Promise<void>((resolve) => site.server.listen(0, '127.0.0.1', resolve));
    return site;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  add(html: string): string {
    const path = `/page-${String(this.pages.size + 1)}.html`;
    this.pages.set(path, html);
    return `http://localhost:${String(this.port)}${path}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
