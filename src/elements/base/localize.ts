/** Words by key, looked up when they are drawn, never while a module loads. */
import { en, type WordKey } from '../locales/en.ts';

/** The language of the words, for the `lang` of what shows them. */
export const language = 'en';

/** `value` stands in for `{}`. */
export function translate(key: WordKey, value: string | number = ''): string {
  return en[key].replace('{}', () => String(value));
}

/** A code that has words is their key. */
export function keyFor(code: string | undefined, fallback: WordKey): WordKey {
  return code && Object.hasOwn(en, code) ? (code as WordKey) : fallback;
}
