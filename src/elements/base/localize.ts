/** Words by key, looked up when they are drawn, never while a module loads. */
import { en, type WordKey } from '../locales/en.ts';

export type Values = Readonly<Record<string, string | number>>;

/** The language of the words, for the `lang` of what shows them. */
export const language = 'en';

export function translate(key: WordKey, values: Values = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}
