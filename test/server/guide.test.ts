/** What the guide tells people to copy works as it stands. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startRelayProcess, TEST_SECRET } from '../support/relay.ts';
import { WireClient } from '../support/wire-client.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const guide = readFileSync(join(root, 'demo-server/GUIDE.md'), 'utf8');

const EXAMPLES: [language: string, fence: string, program: string, ending: string][] = [
  ['Node', 'js', process.execPath, 'mjs'],
  ['PHP', 'php', 'php', 'php'],
  ['Python', 'python', 'python3', 'py'],
];

for (const [language, fence, program, ending] of EXAMPLES) {
  test(`a token minted in ${language} opens its room, as a host, and no other`, async (context) => {
    if (!(await run(program, ['--version']).catch(() => null)))
      return context.skip(`${program} is not installed`);
    const code = guide.split(`\`\`\`${fence}\n`)[1]?.split('```')[0];
    assert.ok(code, `an example in ${language}`);
    // Within the project, so that Node finds the package.
    const folder = mkdtempSync(join(root, 'node_modules/.guide-'));
    try {
      const path = join(folder, `token.${ending}`);
      writeFileSync(path, code);
      const env = { ...process.env, PM_JWT_SECRET: TEST_SECRET };
      const { stdout } = await run(program, [path], { env });
      await using relay = await startRelayProcess({ PM_GUESTS: 'off' });
      await using ann = await WireClient.open(relay, { token: stdout.trim(), ext: true });
      const { data } = await ann.join('math');
      assert.deepEqual([data.users[0].username, data.users[0].role], ['Ann', 'host']);
      assert.equal((await ann.refused('chat.join', 'art', {})).code, 'not-admitted');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
