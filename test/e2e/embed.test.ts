/** Pages of others: the two lines of HTML on another origin, two rooms on one page, the module loaded twice. */
import assert from 'node:assert/strict';
import { expectEveryoneSeesEveryone } from '../support/e2e/expect.ts';
import { scenarios } from '../support/e2e/scenario.ts';
import { document } from '../support/e2e/site.ts';
import type { Kind } from '../support/e2e/visitor.ts';

const test = scenarios();

/** A button by its words or label, wherever in the shadow roots, clicked as the page's person would. */
const press = (words: string): boolean => {
  for (const element of e2e.everyElement()) {
    if (element.localName !== 'button') continue;
    const label = `${element.textContent ?? ''} ${element.ariaLabel ?? ''}`.trim();
    if (!label.includes(words)) continue;
    (element as HTMLButtonElement).click();
    return true;
  }
  return false;
};

test('a page on another origin with nothing but the two lines: lobby, click, call', async (stage) => {
  const lines = [
    `<script type="module" src="${stage.relay.url}/pm-elements.js"></script>`,
    `<pm-room room="${stage.room}" relay="${stage.relay.wsUrl}"></pm-room>`,
  ];
  const url = stage.site.add(lines.join('\n'));
  assert.notEqual(new URL(url).origin, new URL(stage.relay.url).origin);
  const people = [];
  for (const kind of ['chromium', 'firefox'] as Kind[]) {
    // Nothing but the two lines: no icon is named, so the browser asks for one.
    const visitor = await stage.visit(kind, url, { allow: [/favicon\.ico/] });
    await visitor.state('lobby');
    assert.equal((await visitor.run(() => e2e.made())).captures, 0, 'captured before a click');
    assert.ok(await visitor.run(press, 'Join'), 'no button to join');
    people.push(visitor);
  }
  assert.equal(await expectEveryoneSeesEveryone(people), 2);
});

test('two rooms with different themes on one page, both in a call at once', async (stage) => {
  const room = (id: string, theme: string): string =>
    `<pm-room id="${id}" room="${stage.room}-${id}" relay="${stage.relay.wsUrl}" theme="${theme}" autojoin></pm-room>`;
  const script = `<script type="module" src="${stage.relay.url}/pm-elements.js"></script>`;
  const style = '<style>pm-room { height: 290px }</style>';
  const both = stage.site.add(document(room('left', 'light') + room('right', 'dark'), style + script));
  const host = await stage.visit('chromium', both);
  const lefty = await stage.visit('firefox', stage.site.add(document(room('left', 'light'), style + script)));
  const righty = await stage.visit(
    'chromium',
    stage.site.add(document(room('right', 'dark'), style + script)),
  );
  await Promise.all([
    expectEveryoneSeesEveryone([{ visitor: host, selector: '#left' }, { visitor: lefty }]),
    expectEveryoneSeesEveryone([{ visitor: host, selector: '#right' }, { visitor: righty }]),
  ]);
  const surfaces = await host.run(() =>
    ['left', 'right'].map((id) => {
      const shell = e2e.room(`#${id}`).shadowRoot?.querySelector('.shell');
      return shell ? getComputedStyle(shell).color : '';
    }),
  );
  assert.notEqual(surfaces[0], surfaces[1], 'both themes paint text in one colour');
});

for (const kind of ['chromium', 'firefox'] as const) {
  test(`the module loaded twice in ${kind} does not throw and works`, async (stage) => {
    const script = (copy: number): string =>
      `<script type="module" src="${stage.relay.url}/pm-elements.js?copy=${String(copy)}"></script>`;
    const body = `<pm-room room="${stage.room}" relay="${stage.relay.wsUrl}" autojoin></pm-room>`;
    const twice = await stage.visit(kind, stage.site.add(document(body, script(1) + script(2))));
    await twice.state('joined');
    const once = await stage.visit('chromium', stage.roomPage(), { process: 1 });
    assert.equal(await expectEveryoneSeesEveryone([twice, once]), 2);
    const names = await twice.run(() => performance.getEntriesByType('resource').map((entry) => entry.name));
    assert.equal(names.filter((name) => name.includes('copy=')).length, 2, 'both copies were loaded');
  });
}

test('a page with a strict policy that names only the relay is enough', async (stage) => {
  const policy = [
    "default-src 'none'",
    `script-src ${stage.relay.url}`,
    `connect-src ${stage.relay.url} ${stage.relay.wsUrl.replace(/\/ws$/, '')}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    'media-src blob:',
  ].join('; ');
  const html = document(
    `<pm-room room="${stage.room}" relay="${stage.relay.wsUrl}" autojoin></pm-room>`,
    `<meta http-equiv="content-security-policy" content="${policy}"><script type="module" src="${stage.relay.url}/pm-elements.js"></script>`,
  );
  const url = stage.site.add(html);
  const people = [await stage.visit('chromium', url), await stage.visit('firefox', url)];
  assert.equal(await expectEveryoneSeesEveryone(people), 2);
});
