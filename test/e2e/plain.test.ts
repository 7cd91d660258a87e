/** Rooms of ours and plain clients, in real browsers. */
import { scenarios } from '../support/e2e/scenario.ts';
import { expectPlainSees, visitPlain } from '../support/plain-client/visit.ts';

const test = scenarios();

test('two plain clients in two browsers meet on our relay', async (stage) => {
  const first = await visitPlain(stage, 'chromium');
  const second = await visitPlain(stage, 'firefox');
  await Promise.all([first, second].map((each) => expectPlainSees(each, 1)));
});
