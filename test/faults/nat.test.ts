/** Whatever the routers between two homes do, there is a way for the call, and it is the way that was expected. */
import assert from 'node:assert/strict';
import { expectEveryoneSeesEveryone } from '../support/e2e/expect.ts';
import { selectedPath } from '../support/faults/path.ts';
import { labScenarios } from '../support/lab/lab-scenario.ts';
import type { NatKind } from '../support/lab/nat.ts';

const test = labScenarios({ a: 'port', b: 'port' });

const routers: [a: NatKind, b: NatKind, path: RegExp][] = [
  ['open', 'open', /^srflx-srflx$/],
  ['port', 'port', /^srflx-srflx$/],
  ['symmetric', 'symmetric', /relay/],
  ['udp-blocked', 'port', /relay\/tcp/],
  ['only-443', 'only-443', /relay\/tls/],
];

for (const [a, b, path] of routers) {
  test(`NAT: ${a} and ${b}`, async (stage) => {
    stage.home('a').nat(a);
    stage.home('b').nat(b);
    const people = [await stage.visitFrom('a'), await stage.visitFrom('b')];
    await expectEveryoneSeesEveryone(people);
    const paths = await Promise.all(people.map(selectedPath));
    stage.report(paths.join(', '));
    assert.ok(
      paths.some((each) => path.test(each)),
      paths.join(),
    );
  });
}
