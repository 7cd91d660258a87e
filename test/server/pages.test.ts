/** What the relay serves to browsers: the module to any site, the demo page with its strict policy. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { startRelayProcess, type RelayProcess } from '../support/relay.ts';

let relay: RelayProcess;
before(async () => {
  relay = await startRelayProcess();
});
after(() => relay.close());

const fetchFrom = (path: string) =>
  fetch(`${relay.url}${path}`, { headers: { origin: 'https://school.test' } });

/** A request exactly as written: `fetch` would tidy the path up, and ask caches for fresh copies. */
async function raw(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    request(relay.url, { path, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }),
      );
    })
      .on('error', reject)
      .end();
  });
}

test('/pm-elements.js: for every origin, as a module, asked for again each time', async () => {
  const response = await fetchFrom('/pm-elements.js');
  assert.equal(response.status, 200, 'npm run build makes it');
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  assert.equal(response.headers.get('cross-origin-resource-policy'), 'cross-origin');
  assert.match(response.headers.get('content-type') ?? '', /^(text|application)\/javascript/);
  assert.equal(response.headers.get('cache-control'), 'no-cache');
  await response.arrayBuffer();
  const again = await raw('/pm-elements.js', { 'if-none-match': response.headers.get('etag') ?? '' });
  assert.equal(again.status, 304);
  const map = await fetchFrom('/pm-elements.js.map');
  assert.equal(map.status, 200);
  assert.equal(map.headers.get('access-control-allow-origin'), '*');
  JSON.parse(await map.text());
});

test('/core.js and what it loads on demand: for every origin', async () => {
  const core = await fetchFrom('/core.js');
  const chunks = [...new Set((await core.text()).match(/core-[\w-]+\.js/g))];
  assert.ok(chunks.includes('core-recorder.js'), chunks.join());
  for (const name of ['core.js', ...chunks]) {
    for (const path of [`/${name}`, `/${name}.map`]) {
      const response = await fetchFrom(path);
      assert.equal(response.status, 200, path);
      assert.equal(response.headers.get('access-control-allow-origin'), '*');
      assert.equal(response.headers.get('cross-origin-resource-policy'), 'cross-origin');
      assert.equal(response.headers.get('cache-control'), 'no-cache');
      await response.arrayBuffer();
    }
  }
});

test('/examples/: pages to start from, under the same policy as the demo', async () => {
  for (const name of ['two-rooms.html', 'own-interface.html']) {
    const response = await fetchFrom(`/examples/${name}`);
    assert.equal(response.status, 200, name);
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'self'/);
    assert.match(await response.text(), /<pm-room/);
  }
  const core = await (await fetchFrom('/examples/core-only.html')).text();
  assert.doesNotMatch(core, /<pm-|<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=/i);
  const script = await (await fetchFrom('/examples/core-only.js')).text();
  assert.ok(core.split('\n').length + script.split('\n').length - 2 < 60, 'under sixty lines in all');
});

test('with a list of origins, the module is still for everyone', async () => {
  await using strict = await startRelayProcess({ PM_ALLOWED_ORIGINS: 'https://school.test' });
  const response = await fetch(`${strict.url}/pm-elements.js`, { headers: { origin: 'https://other.test' } });
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  await response.arrayBuffer();
});

test('/, /?room=x and /r/x are the demo page', async () => {
  const pages = await Promise.all(
    ['/', '/?room=x', '/r/x', '/r/a%20room'].map(async (path) => {
      const response = await fetchFrom(path);
      assert.equal(response.status, 200, path);
      assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
      return response.text();
    }),
  );
  assert.equal(new Set(pages).size, 1);
});

test('the content policy allows nothing inline and nobody else', async () => {
  const response = await fetchFrom('/');
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'self'/);
  assert.match(policy, /script-src 'self'/);
  assert.match(policy, /frame-ancestors 'self'/);
  assert.doesNotMatch(policy, /unsafe|https?:|upgrade-insecure-requests/);
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
  assert.equal(response.headers.get('strict-transport-security'), null);
  assert.doesNotMatch(await response.text(), /<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=/i);
});

test('nothing else is served, and errors are plain text', async () => {
  const paths = [
    '/nope',
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/src/cli.ts',
    '/%zz',
    '/r/%zz',
    '//',
    '/core-none.js',
    '/core-..%2fpackage.js',
    '/index.js',
    '/core.d.ts',
  ];
  for (const path of paths) {
    const { status, type, text } = await raw(path);
    assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
    assert.match(type, /^text\/plain/, path);
    assert.ok(text.length < 100, path);
  }
});
