// @ts-check
/** `npm run docs`: writes the table of settings into the guide, from the one source that also feeds `--help`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { register } from 'tsx/esm/api';

register();
const { settingsTable } = await import('../demo-server/src/config.ts');

const guide = new URL('../demo-server/GUIDE.md', import.meta.url);
const text = readFileSync(guide, 'utf8').replace(
  /(<!-- settings: [^\n]*-->\n)[^]*(<!-- \/settings -->)/,
  (_all, start, end) => `${start}\n${settingsTable()}\n${end}`,
);
const options = await resolveConfig(guide);
writeFileSync(guide, await format(text, { ...options, parser: 'markdown' }));
